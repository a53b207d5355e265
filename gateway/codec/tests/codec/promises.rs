//! What the journal and its users rely on.

use crate::site::{codec, codec_of, messages, report};
use edgeway_journal::{Class, Codec, Placement};
use edgeway_sdk::{DeviceIx, Quality, Value};
use edgeway_thing_models::{Body, Message, Observation, PropertyIx, Report};
use std::sync::Arc;
use std::time::Duration;

fn block(messages: &[Message]) -> Vec<u8> {
    let mut block = vec![];
    codec().encode(&messages.iter().cloned().map(Arc::new).collect::<Vec<_>>(), &mut block);
    block
}

/// A report of 100 numbers with one decimal between 0 and 2000, no two alike.
fn turbine(at: u64) -> Message {
    let mut message = report(0, Duration::from_nanos(at * 1_000_123_457), 0.0);
    let source_time = message.time - Duration::from_nanos(3_123_456);
    let value = |property: u16| {
        let mixed = (u64::from(property) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        Value::Float((mixed % 20_000 + at % 7) as f64 / 10.0)
    };
    let values = (0..100).map(|property| Observation {
        property: PropertyIx(property),
        value: value(property),
        quality: Quality::Good,
        source_time,
    });
    message.body = Body::Report(Report { device: DeviceIx(0), values: values.collect() });
    message
}

#[test]
fn a_turbine_of_100_points_takes_at_most_2_4_bytes_a_value() {
    let alone = block(&[turbine(0)]).len();
    assert!(alone <= 240, "{alone} bytes");
    let together = block(&(0..60).map(turbine).collect::<Vec<_>>()).len();
    assert!(together <= 60 * 60, "{together} bytes for a minute");
}

#[test]
fn a_block_is_read_under_the_names_it_was_written_with() {
    let written = codec();
    let decoder = codec_of(&["pump-2", "pump-1"]).decoder(&written.preamble()).expect("own preamble");
    let read = decoder.decode(&block(&[report(0, Duration::ZERO, 7.25)]), 1).expect("a block");
    assert_eq!(read, [report(1, Duration::ZERO, 7.25)], "pump-1 has another number now");
}

#[test]
fn a_block_that_speaks_of_what_its_names_do_not_have_is_refused() {
    let codec = codec();
    let decoder = codec.decoder(&codec.preamble()).expect("own preamble");
    assert_eq!(decoder.decode(&block(&[report(9, Duration::ZERO, 7.25)]), 1), None);
}

#[test]
fn a_preamble_that_makes_no_sense_says_so() {
    let error = codec().decoder(b"\xff\xff").err().expect("an error");
    assert_eq!(error, "the names at the head of the segment cannot be read");
}

#[test]
fn a_block_is_appended_to_what_is_there() {
    let (codec, items) = (codec(), messages().into_iter().map(Arc::new).collect::<Vec<_>>());
    let mut out = b"before".to_vec();
    codec.encode(&items, &mut out);
    assert_eq!(out[6..], block(&messages()));
}

#[test]
fn the_hint_is_near_what_a_message_takes_alone() {
    for message in messages().iter().chain([&turbine(0)]) {
        let (hint, real) = (codec().size_hint(message), block(std::slice::from_ref(message)).len());
        assert!(hint <= 2 * real && real <= 2 * hint, "{hint} for {real}: {:?}", message.body);
    }
}

#[test]
fn messages_are_placed_as_the_user_of_the_codec_says() {
    let things = Arc::new(edgeway_thing_models::Things::default());
    let placement = |message: &Message| match message.body {
        Body::Report(_) => Placement::Memory,
        _ => Placement::Disk(Class::Critical),
    };
    let codec = edgeway_codec::MessageCodec::new(things, Box::new(placement));
    let placements = [codec.placement(&messages()[0]), codec.placement(&messages()[4])];
    assert_eq!(placements, [Placement::Memory, Placement::Disk(Class::Critical)]);
}
