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
async fn nobody_comes_between_the_halves_of_changing_a_bit() {
    let peer = Peer::start([]).await;
    let bench = Bench::new(peer.port, &[json!({ "at": "holding:113.4" }), json!({ "at": "input:9" })]).await;
    let (written, read) = tokio::join!(bench.write(0, true), bench.exec(0));
    assert!(written.is_ok() && read.is_ok(), "{written:?} {read:?}");
    let functions: Vec<u8> = peer.requests().iter().map(|request| request[1]).collect();
    assert!(functions == [3, 6, 3, 4] || functions == [4, 3, 6, 3], "{functions:?}");
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
