//! Segments of version 1 stay readable.
//!
//! `fixtures/v1/` was written by the codec of that version; nothing can write it any more.

use crate::site::{codec, codec_of, fixture, messages};
use edgeway_codec::names;
use edgeway_journal::Codec;
use edgeway_sdk::DeviceIx;
use edgeway_thing_models::{Body, Message};

fn preamble() -> Vec<u8> {
    std::fs::read(fixture("v1/preamble")).expect("the fixture is there")
}

fn items() -> Vec<Vec<u8>> {
    let item = |at| std::fs::read(fixture(&format!("v1/item-{at:02}"))).expect("the fixture is there");
    (0..messages().len()).map(item).collect()
}

fn device(message: &Message) -> Option<DeviceIx> {
    match &message.body {
        Body::Report(report) => Some(report.device),
        _ => None,
    }
}

#[test]
fn items_of_version_1_are_read() {
    let decoder = codec().decoder(&preamble()).expect("a preamble of version 1");
    let read: Vec<_> = items().iter().map(|item| decoder.decode_v1(item).expect("an item of version 1")).collect();
    assert_eq!(read, messages());
}

#[test]
fn a_preamble_of_version_1_gives_its_names() {
    assert!(names(&preamble()).is_some());
    assert!(names(b"\xff").is_none());
}

#[test]
fn items_of_version_1_follow_their_devices_to_new_numbers() {
    let decoder = codec_of(&["pump-2", "pump-1"]).decoder(&preamble()).expect("a preamble of version 1");
    let read = decoder.decode_v1(&items()[0]).expect("an item of version 1");
    assert_eq!((device(&messages()[0]), device(&read)), (Some(DeviceIx(0)), Some(DeviceIx(1))));
}

#[test]
fn damaged_items_of_version_1_are_refused_and_never_panic() {
    let decoder = codec().decoder(&preamble()).expect("a preamble of version 1");
    for item in items() {
        for cut in 0..item.len() {
            assert_eq!(decoder.decode_v1(&item[..cut]), None, "cut at {cut}");
        }
        for (at, bit) in (0..item.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut flipped = item.clone();
            flipped[at] ^= 1 << bit;
            let _ = decoder.decode_v1(&flipped);
        }
    }
    assert_eq!(decoder.decode_v1(&[9, 1, 2]), None);
}
