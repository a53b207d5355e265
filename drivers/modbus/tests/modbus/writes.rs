//! Writing and reading back.

use crate::bench::Bench;
use crate::peer::{Act, Peer};
use edgeway_sdk::{Fault, PointIx, Quality, Value};
use serde_json::json;

fn exception(function: u8, code: u8) -> Act {
    Act::Pdu(vec![7, function | 0x80, code])
}

#[tokio::test]
async fn a_bit_is_changed_without_its_neighbours() {
    let peer = Peer::start([
        Act::Pdu(vec![7, 3, 2, 0b1000_0000, 0b0000_0001]),
        Act::Honest,
        Act::Pdu(vec![7, 3, 2, 0b1000_0000, 0b0001_0001]),
    ])
    .await;
    let bench = Bench::new(peer.port, &[json!({ "at": "holding:113.4" })]).await;
    assert_eq!(bench.write(0, true).await, Ok(Some(Value::Bool(true))));
    assert_eq!(
        peer.requests(),
        [vec![7, 3, 0, 113, 0, 1], vec![7, 6, 0, 113, 0b1000_0000, 0b0001_0001], vec![7, 3, 0, 113, 0, 1]]
    );
}

#[tokio::test]
async fn no_write_comes_between_the_halves_of_another() {
    let peer = Peer::start([]).await;
    let points = [json!({ "at": "holding:113.4" }), json!({ "at": "holding:9" })];
    let bench = Bench::with(peer.port, json!({ "in_flight": 4 }), &points).await;
    let (one, other) = tokio::join!(bench.write(0, true), bench.write(1, 5));
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    let places: Vec<u8> = peer.requests().iter().map(|request| request[3]).collect();
    assert_eq!(places, [113, 113, 113, 9, 9]);
}

#[tokio::test]
async fn a_device_that_can_changes_bits_itself() {
    let peer = Peer::start([Act::Pdu(vec![7, 22, 0, 113, 0xff, 0xef, 0, 0x10])]).await;
    let options = json!({ "unit": 7, "bits_with": "mask" });
    let bench = Bench::of(peer.port, json!({}), options, &[json!({ "at": "holding:113.4" })]).await;
    assert!(bench.write(0, true).await.is_ok());
    assert_eq!(peer.requests()[0], [7, 22, 0, 113, 0xff, 0xef, 0, 0x10]);
}

#[tokio::test]
async fn a_device_is_written_with_the_function_that_it_knows() {
    let point = [json!({ "at": "holding:9" })];
    for (write_with, answer, question) in [
        ("multiple", vec![7, 16, 0, 9, 0, 1], vec![7, 16, 0, 9, 0, 1, 2, 0, 5]),
        ("read-write", vec![7, 23, 2, 0, 4], vec![7, 23, 0, 9, 0, 1, 0, 9, 0, 1, 2, 0, 5]),
    ] {
        let peer = Peer::start([Act::Pdu(answer)]).await;
        let bench = Bench::of(peer.port, json!({}), json!({ "unit": 7, "write_with": write_with }), &point).await;
        let read_back = if write_with == "multiple" { 9 } else { 4 };
        assert_eq!(bench.write(0, 5).await, Ok(Some(Value::Int(read_back))), "{write_with}");
        assert_eq!(peer.requests()[0], question);
    }
}

#[tokio::test]
async fn a_power_of_ten_is_taken_off_before_writing() {
    let tenths = Act::Pdu(vec![7, 3, 2, 0xff, 0xff]);
    let read_back = Act::Pdu(vec![7, 3, 6, 0, 215, 0, 0, 0xff, 0xff]);
    let peer = Peer::start([tenths, Act::Honest, read_back]).await;
    let bench = Bench::new(peer.port, &[json!({ "at": "holding:9", "exponent": "holding:11" })]).await;
    assert_eq!(bench.write(0, 21.5).await, Ok(Some(Value::Float(21.5))));
    assert_eq!(peer.requests()[1], [7, 6, 0, 9, 0, 215]);
}

#[tokio::test]
async fn what_the_device_made_of_a_value_is_what_comes_back() {
    let peer = Peer::start([Act::Honest, Act::Pdu(vec![7, 3, 2, 0, 50])]).await;
    let bench = Bench::new(peer.port, &[json!({ "at": "holding:10" })]).await;
    assert_eq!(bench.write(0, 80).await, Ok(Some(Value::Int(50))));
}

#[tokio::test]
async fn a_place_that_can_only_be_written_is_written_all_the_same() {
    let peer = Peer::start([Act::Honest, exception(3, 2)]).await;
    let bench = Bench::new(peer.port, &[json!({ "at": "holding:10" })]).await;
    assert_eq!(bench.write(0, 80).await, Ok(None));
}

#[tokio::test]
async fn an_acknowledged_write_is_done_even_if_no_time_is_left_to_read_it_back() {
    let peer = Peer::start([]).await;
    let bench = Bench::with(peer.port, json!({ "pause": "10s" }), &[json!({ "at": "holding:10" })]).await;
    assert_eq!(bench.write(0, 80).await, Ok(None));
    assert_eq!(peer.requests(), [[7, 6, 0, 10, 0, 80]]);
}

#[tokio::test]
async fn a_refused_write_names_the_reason() {
    for (code, quality, name) in [
        (1, Quality::BadConfig, "illegal function"),
        (2, Quality::BadConfig, "illegal data address"),
        (3, Quality::BadConfig, "illegal data value"),
        (4, Quality::BadDevice, "device failure"),
    ] {
        let peer = Peer::start([exception(6, code)]).await;
        let bench = Bench::new(peer.port, &[json!({ "at": "holding:10" })]).await;
        let reason = format!("unit 7, holding:10: {name} (exception {code})");
        assert_eq!(bench.write(0, 80).await, Err(Fault::Point { point: PointIx(0), quality, reason }));
    }
}

#[tokio::test]
async fn a_write_that_may_have_been_done_is_not_called_refused() {
    let other_echo = Act::Mangled(|mut frame| {
        frame[11] ^= 1;
        frame
    });
    for act in [Act::Silent, Act::Late, exception(6, 5), exception(6, 11), other_echo] {
        let peer = Peer::start([act]).await;
        let bench = Bench::new(peer.port, &[json!({ "at": "holding:10" })]).await;
        let result = bench.write(0, 80).await;
        assert!(matches!(result, Err(Fault::Device(_))), "{result:?}");
        assert_eq!(peer.requests().len(), 1, "a write is never sent twice");
    }
    let peer = Peer::start([Act::Close]).await;
    let bench = Bench::new(peer.port, &[json!({ "at": "coil:10" })]).await;
    assert!(matches!(bench.write(0, true).await, Err(Fault::Link(_))));
}

#[tokio::test]
async fn a_busy_device_has_not_taken_the_value() {
    let peer = Peer::start([exception(5, 6)]).await;
    let bench = Bench::new(peer.port, &[json!({ "at": "coil:10" })]).await;
    assert!(matches!(bench.write(0, true).await, Err(Fault::Busy(_))));
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_not_sent() {
    let peer = Peer::start([]).await;
    let bench = Bench::new(peer.port, &[json!({ "at": "holding:10" }), json!({ "at": "input:3" })]).await;
    let reason = "`70000` does not fit u16, 0 to 65535".to_owned();
    assert_eq!(
        bench.write(0, 70_000).await,
        Err(Fault::Point { point: PointIx(0), quality: Quality::BadOutOfRange, reason })
    );
    assert_eq!(bench.write(1, 1).await, Err(Fault::Config("point 1 cannot be written".into())));
    assert_eq!(peer.connections(), 0);
}
