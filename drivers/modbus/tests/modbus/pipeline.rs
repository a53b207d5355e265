//! Several questions on their way, other ways to the same units, and devices that dial in.

use crate::bench::{Bench, exec, soon};
use crate::peer::{Act, Peer};
use edgeway_conformance::free_port;
use edgeway_driver_modbus::Modbus;
use edgeway_sdk::{Driver, Fault, PointIx, Quality, Value};
use serde_json::{Value as Json, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

fn registers(count: u32) -> Vec<Json> {
    (0..count).map(|at| json!({ "at": format!("holding:{}", at * 100) })).collect()
}

fn value(point: u32) -> Vec<(PointIx, Value, Quality)> {
    vec![(PointIx(point), Value::Int(i64::from(point) * 100), Quality::Good)]
}

/// Waits for `count` questions and answers them in reverse order, again and again.
async fn reversing(count: usize) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("somebody dials");
        loop {
            let mut questions = vec![[0; 12]; count];
            for question in &mut questions {
                if stream.read_exact(question).await.is_err() {
                    return;
                }
            }
            for question in questions.iter().rev() {
                let mut answer = question[..4].to_vec();
                answer.extend([0, 5, question[6], question[7], 2, question[8], question[9]]);
                stream.write_all(&answer).await.expect("sent");
            }
        }
    });
    port
}

#[tokio::test]
async fn answers_find_their_questions_in_any_order() {
    let port = reversing(4).await;
    let bench = Bench::with(port, json!({ "in_flight": 4, "max_gap_registers": 0 }), &registers(4)).await;
    for _ in 0..3 {
        let (a, b, c, d) = tokio::join!(bench.exec(0), bench.exec(1), bench.exec(2), bench.exec(3));
        assert_eq!((a, b, c, d), (Ok(value(0)), Ok(value(1)), Ok(value(2)), Ok(value(3))));
    }
}

#[tokio::test]
async fn one_that_is_not_answered_leaves_the_others_their_connection() {
    let peer = Peer::start([Act::Silent]).await;
    let bench = Bench::with(peer.port, json!({ "in_flight": 4, "max_gap_registers": 0 }), &registers(4)).await;
    let (late, b, c) = tokio::join!(bench.exec(0), bench.exec(1), bench.exec(2));
    assert!(matches!(late, Err(Fault::Device(_))), "{late:?}");
    assert_eq!((b, c), (Ok(value(1)), Ok(value(2))));
    assert_eq!(bench.exec(0).await, Ok(value(0)));
    assert_eq!(peer.connections(), 1, "others were answered meanwhile, so the connection lives");
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_blames_nobody_else() {
    let peer = Peer::start([Act::Silent, Act::Mangled(|frame| [&frame[..2], &[9, 9], &frame[4..]].concat())]).await;
    let bench = Bench::with(peer.port, json!({ "in_flight": 4, "max_gap_registers": 0 }), &registers(4)).await;
    let (one, other) = tokio::join!(bench.exec(0), bench.exec(1));
    let kinds = [&one, &other].map(|result| match result {
        Err(Fault::Device(_)) => "device",
        Err(Fault::Busy(_)) => "busy",
        other => panic!("{other:?}"),
    });
    assert!(kinds.contains(&"busy"), "whoever was not meant is asked again at once: {one:?} {other:?}");
    assert_eq!(bench.exec(2).await, Ok(value(2)));
    assert_eq!(peer.connections(), 2);
}

#[tokio::test]
async fn a_backup_is_taken_when_the_endpoint_is_away() {
    let peer = Peer::start([]).await;
    let gone = free_port();
    let options = json!({ "backup": [format!("tcp://127.0.0.1:{}", peer.port)] });
    let bench = Bench::with(gone, options, &registers(1)).await;
    assert_eq!(bench.exec(0).await, Ok(value(0)));
}

#[tokio::test]
async fn devices_that_dial_in_are_asked_and_the_newest_connection_counts() {
    let port = free_port();
    let options = json!({ "endpoint": format!("listen://127.0.0.1:{port}"), "timeout": "2s" });
    let bench = Bench::with(port, options, &registers(1)).await;
    let nobody = bench.link.connect(Instant::now() + Duration::from_millis(50)).await;
    assert_eq!(
        nobody.expect_err("nobody is there").to_string(),
        format!("listen://127.0.0.1:{port}: nobody has dialled in")
    );
    for round in 0..2 {
        let mut device = TcpStream::connect(("127.0.0.1", port)).await.expect("the gateway listens");
        let step = bench.plan.steps[0].id;
        let asking = exec(&*bench.link, step, soon());
        let answering = async {
            let mut question = [0; 12];
            device.read_exact(&mut question).await.expect("a question");
            let answer = [question[0], question[1], 0, 0, 0, 5, 7, 3, 2, 0, 0];
            device.write_all(&answer).await.expect("sent");
            device
        };
        let (asked, device) = tokio::join!(asking, answering);
        assert_eq!(asked, Ok(value(0)), "round {round}");
        // The first device is still connected when the second dials in, as one behind a broken line is.
        std::mem::forget(device);
    }
}

#[tokio::test]
async fn units_are_found_with_what_they_say_of_themselves() {
    let identity = vec![2, 43, 14, 1, 1, 0, 0, 2, 0, 4, b'A', b'c', b'm', b'e', 1, 2, b'X', b'1'];
    let peer = Peer::start([
        Act::Pdu(vec![1, 0x83, 11]),
        Act::Pdu(vec![2, 0x83, 2]),
        Act::Pdu(identity),
        Act::Honest,
        Act::Pdu(vec![3, 0xab, 1]),
        Act::Honest,
        Act::Silent,
        Act::Honest,
        Act::Close,
    ])
    .await;
    let (sender, mut found) = tokio::sync::mpsc::channel(16);
    let hint = json!({ "endpoint": format!("tcp://127.0.0.1:{}", peer.port), "units": [1, 5] });
    Modbus.discover(hint, sender, soon()).await.expect("it is there");
    let first = found.recv().await.expect("unit 2");
    assert_eq!(first.options, json!({ "unit": 2 }));
    assert_eq!(first.identity, [("vendor".into(), "Acme".into()), ("product".into(), "X1".into())]);
    for unit in 3..=5 {
        let nameless =
            found.recv().await.expect("a unit that refuses, says nothing or hangs up when asked for its identity");
        assert_eq!((nameless.options, nameless.identity), (json!({ "unit": unit }), vec![]));
    }
    assert!(found.recv().await.is_none());
}
