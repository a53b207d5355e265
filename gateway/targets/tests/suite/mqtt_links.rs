//! MQTT on links that fail in ways a good broker never shows: a broker of the test's own says what it is told to.

use crate::peer::{WITHIN, message, open};
use edgeway_site::{MqttPreset, MqttTarget, MqttVersion, TargetKind, Transport};
use edgeway_targets::{Opening, TargetError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// CONNACK of MQTT 3.1.1: welcome.
const WELCOME: [u8; 4] = [0x20, 2, 0, 0];
const PINGRESP: [u8; 2] = [0xD0, 0];
const KEEP_ALIVE: Duration = Duration::from_secs(1);
/// What the machine may add to a measured time.
const SLACK: Duration = Duration::from_millis(400);

fn target(port: u16, version: MqttVersion) -> TargetKind {
    TargetKind::Mqtt(Box::new(MqttTarget {
        host: "127.0.0.1".into(),
        port,
        transport: Transport::Plain,
        version,
        preset: MqttPreset::Generic,
        client_id: "edgeway-suite".into(),
        username: None,
        password: None,
        keep_alive: KEEP_ALIVE,
        inflight: 10,
        commands: None,
        replies: None,
    }))
}

/// What the broker does once it has said welcome.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    /// Reads, and says nothing any more.
    SwallowsAll,
    /// Answers pings, and acknowledges nothing.
    AnswersPings,
}

async fn broker(then: Then) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        while let Some(kind) = packet(&mut stream).await {
            match kind {
                1 => stream.write_all(&WELCOME).await.expect("a client"),
                12 if then == Then::AnswersPings => stream.write_all(&PINGRESP).await.expect("a client"),
                _ => {}
            }
        }
    });
    port
}

/// The type of the next packet; what is in it is skipped. Packets of these tests are shorter than 128 bytes.
async fn packet(stream: &mut TcpStream) -> Option<u8> {
    let kind = stream.read_u8().await.ok()? >> 4;
    let length = stream.read_u8().await.ok()?;
    stream.read_exact(&mut vec![0; usize::from(length)]).await.ok()?;
    Some(kind)
}

async fn breaks_after(then: Then) -> (Duration, TargetError) {
    let mut target = open(target(broker(then).await, MqttVersion::V3));
    target.connect(Opening::default()).await.expect("the broker says welcome");
    let sent = Instant::now();
    target.send(vec![message(0, 50)]).await.expect("the window is empty");
    let error = tokio::time::timeout(WITHIN, target.settle()).await.expect("it is found").expect_err("no answer");
    (sent.elapsed(), error)
}

fn is_in_time(found: Duration) -> bool {
    (KEEP_ALIVE..=KEEP_ALIVE.mul_f64(1.5) + SLACK).contains(&found)
}

#[tokio::test]
async fn a_link_that_swallows_everything_is_found_within_one_and_a_half_keep_alives() {
    let (found, error) = breaks_after(Then::SwallowsAll).await;
    assert!(matches!(&error, TargetError::Away(reason) if reason.contains("heard")), "{error:?}");
    assert!(is_in_time(found), "{found:?}");
}

#[tokio::test]
async fn an_idle_link_that_is_lost_is_found_as_quickly() {
    let mut target = open(target(broker(Then::SwallowsAll).await, MqttVersion::V3));
    target.connect(Opening::default()).await.expect("the broker says welcome");
    let start = Instant::now();
    let error =
        tokio::time::timeout(WITHIN, target.settle()).await.expect("it is found").expect_err("nothing was sent");
    assert!(matches!(&error, TargetError::Away(reason) if reason.contains("heard")), "{error:?}");
    assert!(is_in_time(start.elapsed()), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_broker_that_answers_pings_and_acknowledges_nothing_is_given_up() {
    let (found, error) = breaks_after(Then::AnswersPings).await;
    assert!(matches!(&error, TargetError::Away(reason) if reason.contains("acknowledged")), "{error:?}");
    assert!(is_in_time(found), "{found:?}");
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_away() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    drop(listener);
    let error = open(target(port, MqttVersion::V5)).connect(Opening::default()).await.expect_err("nobody listens");
    assert!(matches!(error, TargetError::Away(_)), "{error:?}");
}
