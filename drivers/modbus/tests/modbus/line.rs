//! RTU and ASCII, where an answer does not say to which question it belongs.

use crate::bench::Bench;
use crc::{CRC_16_MODBUS, Crc};
use edgeway_sdk::{Fault, PointIx, Quality, Value};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

/// What a line does with the question that comes in at this place: bytes, each after a while.
type Script = fn(usize, &[u8]) -> Vec<(Duration, Vec<u8>)>;

const NOW: Duration = Duration::ZERO;
/// Later than the timeout of 300 ms, and before a second question would have been answered.
const LATE: Duration = Duration::from_millis(450);

/// RTU through TCP, as a converter without a mind of its own hands it on: whatever comes from the line is sent to
/// whoever is connected.
async fn line(script: Script) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let connected: Arc<Mutex<Option<tokio::net::tcp::OwnedWriteHalf>>> = Arc::default();
    tokio::spawn(async move {
        let mut count = 0;
        while let Ok((stream, _)) = listener.accept().await {
            let (mut reader, writer) = TcpStream::into_split(stream);
            *connected.lock().await = Some(writer);
            let mut question = [0; 8];
            while reader.read_exact(&mut question).await.is_ok() {
                let answers = script(count, &question);
                count += 1;
                let connected = connected.clone();
                tokio::spawn(async move {
                    for (after, bytes) in answers {
                        sleep(after).await;
                        if let Some(writer) = &mut *connected.lock().await {
                            let _ = writer.write_all(&bytes).await;
                        }
                    }
                });
            }
        }
    });
    port
}

fn with_crc(bytes: &[u8]) -> Vec<u8> {
    let crc = Crc::<u16>::new(&CRC_16_MODBUS).checksum(bytes);
    [bytes, &crc.to_le_bytes()].concat()
}

/// The register at address n holds n.
fn honest(question: &[u8]) -> Vec<u8> {
    with_crc(&[question[0], question[1], 2, question[2], question[3]])
}

async fn bench(port: u16) -> Bench {
    let points: Vec<_> = (0..20).map(|at| json!({ "at": format!("holding:{}", at * 100) })).collect();
    Bench::with(port, json!({ "framing": "rtu", "late": "900ms" }), &points).await
}

fn value(point: u32) -> Vec<(PointIx, Value, Quality)> {
    vec![(PointIx(point), Value::Int(i64::from(point) * 100), Quality::Good)]
}

#[tokio::test]
async fn a_late_answer_is_never_taken_for_the_answer_to_a_later_question() {
    let port = line(|count, question| {
        let late = count % 3 == 0;
        vec![(if late { LATE } else { NOW }, honest(question))]
    })
    .await;
    let bench = bench(port).await;
    let (mut right, mut silent) = (0, 0);
    for step in 0..9 {
        match bench.exec(step).await {
            Ok(values) => {
                assert_eq!(values, value(step as u32));
                right += 1;
            }
            Err(Fault::Device(_)) => silent += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((right, silent), (6, 3));
    let late = bench.link.health().into_iter().find(|(name, _)| *name == "late_answers").map(|(_, count)| count);
    assert_eq!(late, Some(3), "each of them was seen, and known for what it was");
}

#[tokio::test]
async fn neighbours_of_a_unit_that_does_not_answer_are_asked_at_once() {
    let port = line(
        |_, question| if question[0] == 7 { vec![(LATE, honest(question))] } else { vec![(NOW, honest(question))] },
    )
    .await;
    let bench = Bench::two_units(port, json!({ "framing": "rtu", "late": "900ms" }), [7, 8]).await;
    let began = Instant::now();
    assert!(matches!(bench.exec(0).await, Err(Fault::Device(_))));
    for _ in 0..5 {
        assert_eq!(bench.exec(1).await, Ok(vec![(PointIx(1), Value::Int(100), Quality::Good)]));
    }
    assert!(began.elapsed() < Duration::from_millis(800), "{:?}", began.elapsed());
}

#[tokio::test]
async fn noise_pieces_and_others_answers_do_not_hurt() {
    let scripts: [Script; 4] = [
        |_, question| vec![(NOW, [&[0, 0xff], &honest(question)[..]].concat())],
        |_, question| honest(question).into_iter().map(|byte| (Duration::from_millis(2), vec![byte])).collect(),
        |_, question| vec![(NOW, with_crc(&[9, 3, 2, 0xab, 0xcd])), (NOW, honest(question))],
        |_, question| vec![(NOW, with_crc(&[9, 0x83, 2])), (Duration::from_millis(20), honest(question))],
    ];
    for (at, script) in scripts.into_iter().enumerate() {
        let bench = bench(line(script).await).await;
        assert_eq!(bench.exec(3).await, Ok(value(3)), "script {at}");
    }
}

#[tokio::test]
async fn what_is_wrong_gives_no_value() {
    let scripts: [(Script, &str); 5] = [
        (
            |_, question| {
                let mut answer = honest(question);
                answer[4] ^= 1;
                vec![(NOW, answer)]
            },
            "its checksum is wrong",
        ),
        (|_, _| vec![(NOW, with_crc(&[7, 4, 2, 0, 9]))], "it is of function 4"),
        (|_, _| vec![(NOW, with_crc(&[7, 3, 4, 0, 9, 0, 9]))], "it has 4 bytes of data, not 2"),
        (|_, question| vec![(NOW, honest(question)[..5].to_vec())], "sent only 5 bytes"),
        (|_, _| vec![(NOW, b"HTTP/1.1 400 Bad Request".to_vec())], "no whole answer within 300ms"),
    ];
    for (script, reason) in scripts {
        let bench = bench(line(script).await).await;
        match bench.exec(3).await {
            Err(Fault::Device(told)) => assert!(told.contains(reason), "{told}"),
            other => panic!("{reason}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn ascii_is_spoken_in_lines() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("somebody dials");
        let mut question = [0; 17];
        stream.read_exact(&mut question).await.expect("a question");
        stream.write_all(b":0703020009EB\r\n").await.expect("sent");
        String::from_utf8_lossy(&question).into_owned()
    });
    let bench = Bench::with(port, json!({ "framing": "ascii" }), &[json!({ "at": "holding:9" })]).await;
    assert_eq!(bench.exec(0).await, Ok(vec![(PointIx(0), Value::Int(9), Quality::Good)]));
    assert_eq!(asked.await.expect("it ran"), ":070300090001EC\r\n");
}
