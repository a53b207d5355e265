//! Peers that answer late, short, wrongly, in pieces or not at all.

use crate::bench::{Bench, exec, soon};
use crate::peer::{Act, Peer};
use edgeway_driver_modbus::Modbus;
use edgeway_sdk::{Driver, Fault, PointIx, Quality, Value};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

/// Registers 100 and 200, each in a step of its own.
async fn two_registers(peer: &Peer) -> Bench {
    Bench::new(peer.port, &[json!({ "at": "holding:100" }), json!({ "at": "holding:200" })]).await
}

fn value(point: u32, value: i64) -> Vec<(PointIx, Value, Quality)> {
    vec![(PointIx(point), Value::Int(value), Quality::Good)]
}

fn device_fault(result: &Result<Vec<(PointIx, Value, Quality)>, Fault>) -> &str {
    match result {
        Err(Fault::Device(reason)) => reason,
        other => panic!("expected a fault of the device, got {other:?}"),
    }
}

#[tokio::test]
async fn a_late_answer_is_never_taken_for_the_answer_to_a_later_question() {
    let peer = Peer::start([Act::Late]).await;
    let bench = two_registers(&peer).await;
    assert_eq!(device_fault(&bench.exec(0).await), "unit 7 did not answer within 300ms");
    assert_eq!(bench.exec(1).await, Ok(value(1, 200)));
    assert_eq!(bench.exec(0).await, Ok(value(0, 100)));
    assert_eq!(peer.connections(), 2, "the connection was not used again after the timeout");
}

#[tokio::test]
async fn answers_that_do_not_belong_to_the_question_cost_the_connection_and_give_no_value() {
    let belongs_not = "unit 7 sent an answer that does not belong to the request: ";
    let mangles: [(Mangle, &str); 9] = [
        // Another transaction, another protocol, another unit, another function.
        (|frame| with(frame, 1, 0x55), belongs_not),
        (|frame| with(frame, 2, 0x01), belongs_not),
        (|frame| with(frame, 6, 8), belongs_not),
        (|frame| with(frame, 7, 4), belongs_not),
        // An exception to another function, an odd byte count, more bytes than announced, a length of zero.
        (|frame| [&frame[..5], &[3, 7, 0x84, 2]].concat(), belongs_not),
        (|frame| with(frame, 8, 1), belongs_not),
        (|frame| [&frame[..5], &[7], &frame[6..], &[0, 0]].concat(), belongs_not),
        (|frame| with(frame, 5, 0), belongs_not),
        // Nothing at all in a frame of the right shape.
        (
            |frame| [&frame[..5], &[3, 7, 3, 0]].concat(),
            "unit 7 sent an answer that does not belong to the request: it has 0 bytes of data, not 2",
        ),
    ];
    for (at, (mangle, reason)) in mangles.into_iter().enumerate() {
        let peer = Peer::start([Act::Mangled(mangle)]).await;
        let bench = two_registers(&peer).await;
        let result = bench.exec(0).await;
        assert!(device_fault(&result).starts_with(reason), "mangle {at}: {result:?}");
        assert_eq!(bench.exec(1).await, Ok(value(1, 200)), "mangle {at}");
        assert_eq!(peer.connections(), 2, "mangle {at}");
    }
}

type Mangle = fn(Vec<u8>) -> Vec<u8>;

fn with(mut frame: Vec<u8>, at: usize, byte: u8) -> Vec<u8> {
    frame[at] = byte;
    frame
}

#[tokio::test]
async fn short_and_long_answers_give_no_value() {
    for (pdu, got) in [(vec![7, 3, 2, 0, 9], 2), (vec![7, 3, 6, 0, 9, 0, 9, 0, 9], 6)] {
        let peer = Peer::start([Act::Pdu(pdu)]).await;
        let bench = Bench::new(peer.port, &[json!({ "at": "holding:100", "type": "u32" })]).await;
        let result = bench.exec(0).await;
        assert!(device_fault(&result).ends_with(&format!(": it has {got} bytes of data, not 4")), "{result:?}");
        assert_eq!(bench.exec(0).await, Ok(value(0, 100 << 16 | 101)));
    }
    let peer = Peer::start([Act::Pdu(vec![7, 1, 1, 0xff])]).await;
    let bench = Bench::with(peer.port, json!({}), &[json!({ "at": "coil:1" }), json!({ "at": "coil:9" })]).await;
    let result = bench.exec(0).await;
    assert!(device_fault(&result).ends_with(": it has 1 bytes of data, not 2"), "{result:?}");
}

#[tokio::test]
async fn half_a_frame_ends_with_the_timeout() {
    let peer = Peer::start([Act::Mangled(|frame| frame[..9].to_vec())]).await;
    let bench = two_registers(&peer).await;
    assert_eq!(device_fault(&bench.exec(0).await), "unit 7 did not answer within 300ms");
    assert_eq!(bench.exec(1).await, Ok(value(1, 200)));
}

#[tokio::test]
async fn an_answer_that_comes_byte_by_byte_for_ever_ends_with_the_timeout_or_the_deadline() {
    let peer = Peer::start([Act::Endless, Act::Endless]).await;
    let bench = two_registers(&peer).await;
    let started = Instant::now();
    assert_eq!(device_fault(&bench.exec(0).await), "unit 7 did not answer within 300ms");
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());

    let patient = Bench::with(peer.port, json!({ "timeout": "10s" }), &[json!({ "at": "holding:100" })]).await;
    let started = Instant::now();
    let result = exec(&*patient.link, patient.plan.steps[0].id, started + Duration::from_millis(100)).await;
    device_fault(&result);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

#[tokio::test]
async fn an_answer_in_many_pieces_is_an_answer() {
    let peer = Peer::start([Act::ByteByByte]).await;
    let bench = two_registers(&peer).await;
    assert_eq!(bench.exec(0).await, Ok(value(0, 100)));
}

#[tokio::test]
async fn a_closed_connection_is_a_fault_of_the_link_and_connecting_again_cures_it() {
    let peer = Peer::start([Act::Close]).await;
    let bench = two_registers(&peer).await;
    bench.link.connect(soon()).await.expect("the peer listens");
    let endpoint = format!("tcp://127.0.0.1:{}", peer.port);
    assert_eq!(bench.exec(0).await, Err(Fault::Link(format!("{endpoint}: the other end closed the connection"))));
    assert_eq!(peer.requests().len(), 1, "the request was not sent a second time");
    bench.link.connect(soon()).await.expect("the peer still listens");
    assert_eq!(bench.exec(0).await, Ok(value(0, 100)));
}

#[tokio::test]
async fn when_the_peer_is_gone_after_a_timeout_it_is_the_link_that_is_gone() {
    let peer = Peer::start([Act::Silent]).await;
    let bench = two_registers(&peer).await;
    device_fault(&bench.exec(0).await);
    let endpoint = format!("tcp://127.0.0.1:{}", peer.port);
    peer.stop().await;
    let result = bench.exec(1).await;
    assert!(matches!(&result, Err(Fault::Link(reason)) if reason.starts_with(&endpoint)), "{result:?}");
    assert!(matches!(bench.link.connect(soon()).await, Err(Fault::Link(_))));
}

#[tokio::test]
async fn an_exception_reaches_as_far_as_it_says() {
    let together = [json!({ "at": "holding:100" }), json!({ "at": "holding:101" })];
    for code in 1..=12 {
        let peer = Peer::start([Act::Pdu(vec![7, 0x83, code]), Act::Pdu(vec![7, 0x83, code])]).await;
        let pair = Bench::with(peer.port, json!({}), &together).await.exec(0).await.expect_err("an exception");
        let single = Bench::with(peer.port, json!({}), &together[..1]).await.exec(0).await.expect_err("an exception");
        match code {
            1..=3 => {
                assert!(matches!(&pair, Fault::Step(_)), "{code}: {pair:?}");
                assert!(
                    matches!(&single, Fault::Point { point: PointIx(0), quality: Quality::BadConfig, .. }),
                    "{code}: {single:?}"
                );
            }
            5 | 6 => assert!(matches!((&pair, &single), (Fault::Busy(_), Fault::Busy(_))), "{code}: {pair:?}"),
            _ => assert!(matches!((&pair, &single), (Fault::Device(_), Fault::Device(_))), "{code}: {pair:?}"),
        }
        let place = pair.to_string();
        assert!(
            place.starts_with("unit 7, holding:100 to 101: ") && place.ends_with(&format!("(exception {code})")),
            "{place}"
        );
    }
}

#[tokio::test]
async fn an_exception_keeps_the_connection() {
    let peer = Peer::start([Act::Pdu(vec![7, 0x83, 6])]).await;
    let bench = two_registers(&peer).await;
    assert!(matches!(bench.exec(0).await, Err(Fault::Busy(_))));
    assert_eq!(bench.exec(0).await, Ok(value(0, 100)));
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn a_future_that_is_dropped_half_way_leaves_no_wrong_value_behind() {
    let peer = Peer::start([Act::Late]).await;
    let bench = two_registers(&peer).await;
    tokio::select! {
        result = bench.exec(0) => panic!("the answer is to come too late, not {result:?}"),
        () = peer.asked(1) => {}
    }
    assert_eq!(bench.exec(1).await, Ok(value(1, 200)));
}

#[tokio::test]
async fn no_request_is_sent_when_no_time_is_left() {
    let peer = Peer::start([]).await;
    let bench = two_registers(&peer).await;
    bench.link.connect(soon()).await.expect("the peer listens");
    let result = exec(&*bench.link, bench.plan.steps[0].id, Instant::now()).await;
    assert!(matches!(result, Err(Fault::Busy(_))), "{result:?}");
    assert_eq!(bench.exec(0).await, Ok(value(0, 100)));
    assert_eq!(peer.requests().len(), 1);
}

#[tokio::test]
async fn the_pause_is_kept_between_two_requests() {
    let peer = Peer::start([]).await;
    let bench = Bench::with(peer.port, json!({ "pause": "60ms" }), &[json!({ "at": "holding:100" })]).await;
    for _ in 0..3 {
        assert_eq!(bench.exec(0).await, Ok(value(0, 100)));
    }
    let times = peer.times();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_millis(55)), "{times:?}");
}

#[tokio::test]
async fn requests_that_are_made_together_are_sent_one_after_the_other() {
    let peer = Peer::start((0..20).map(|_| Act::ByteByByte)).await;
    let bench = two_registers(&peer).await;
    let both = || async { tokio::join!(bench.exec(0), bench.exec(1)) };
    for _ in 0..10 {
        assert_eq!(both().await, (Ok(value(0, 100)), Ok(value(1, 200))));
    }
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn nobody_listening_is_a_fault_of_the_link() {
    let port = edgeway_conformance::free_port();
    let link = Modbus.open(json!({ "endpoint": format!("tcp://127.0.0.1:{port}") })).expect("valid");
    let result = link.connect(soon()).await;
    assert!(matches!(&result, Err(Fault::Link(reason)) if reason.contains("refused")), "{result:?}");
}

#[tokio::test]
async fn the_link_can_be_closed_and_opened_again() {
    let peer = Peer::start([]).await;
    let bench = two_registers(&peer).await;
    for _ in 0..3 {
        bench.link.connect(soon()).await.expect("the peer listens");
        assert_eq!(bench.exec(0).await, Ok(value(0, 100)));
        bench.link.close(soon()).await;
    }
    assert_eq!(peer.connections(), 3);
}

/// A peer that misbehaves at random, and a point for each of a hundred registers that hold their own address.
#[tokio::test]
async fn whatever_a_peer_does_a_good_value_is_the_right_one() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let peer = Peer::start((0..150).map(|_| dice.act())).await;
    let points: Vec<_> = (0..100).map(|n| json!({ "at": format!("holding:{}", n * 3) })).collect();
    let bench = Bench::with(peer.port, json!({ "max_gap_registers": 0, "timeout": "40ms" }), &points).await;
    let mut good = 0;
    for _ in 0..250 {
        let step = dice.roll(100);
        if let Ok(values) = bench.exec(step).await {
            assert_eq!(values, value(step as u32, step as i64 * 3));
            good += 1;
        }
    }
    assert!((100..250).contains(&good), "{good} of 250 were good");
}

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides) as usize
    }

    fn act(&mut self) -> Act {
        match self.roll(12) {
            0 => Act::Late,
            1 => Act::Silent,
            2 => Act::Endless,
            3 => Act::Close,
            4 => Act::ByteByByte,
            5 => Act::Mangled(|frame| with(frame, 1, 0x55)),
            6 => Act::Mangled(|frame| with(frame, 6, 8)),
            7 => Act::Mangled(|frame| frame[..frame.len() - 1].to_vec()),
            8 => Act::Mangled(|frame| [&frame[..], &frame[..]].concat()),
            9 => Act::Mangled(|_| vec![0xa5; 300]),
            _ => Act::Honest,
        }
    }
}
