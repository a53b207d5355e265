//! Brokers and messages as they should not be: no wrong value, no panic, and right again by itself.

use crate::bench::Bench;
use crate::evil::{Act, Evil, From, publish};
use edgeway_sdk::{Access, Fault, Quality, Value};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

const LEVELS: [u8; 2] = [4, 5];

async fn bench(evil: &Evil, level: u8) -> Bench {
    let version = if level == 5 { "5" } else { "3.1.1" };
    let link = json!({
        "endpoint": format!("mqtt://127.0.0.1:{}", evil.port), "version": version, "timeout": "2s", "keep_alive": "1s", "qos": 0,
    });
    let points = [
        ("v", json!({}), Access::Read),
        ("n", json!({ "at": "n", "type": "number" }), Access::Read),
        ("w", json!({ "format": "text" }), Access::Write),
    ];
    Bench::new(link, json!({ "topic": "t" }), &points).await
}

/// After what the broker has done once, a connection works as if nothing had been.
async fn recovers(bench: &Bench) {
    bench.forget();
    bench.reconnect().await;
    bench.told("v", 7, Quality::Good).await;
}

#[tokio::test]
async fn packets_that_make_no_sense_end_the_connection_and_give_no_value() {
    for level in LEVELS {
        let nul = publish(level, b"a\0b", b"1");
        let wildcard = publish(level, b"a/#", b"1");
        let not_utf8 = publish(level, b"\xff\xfe", b"1");
        let beyond = vec![0x30, 3, 0xff, 0xff, b't'];
        let endless = vec![0x30, 0xff, 0xff, 0xff, 0xff, 0xff];
        let of_a_client = vec![0x10, 2, 0, 0];
        let unknown = vec![0xf0, 0xff, 0xff, 0xff, 0x7f];
        for bytes in [nul, not_utf8, beyond, endless, of_a_client, unknown, wildcard] {
            let evil = Evil::start(level, Act::SendAndClose(bytes.clone()), From::FirstOnly).await;
            let bench = bench(&evil, level).await;
            // What comes right after the answer may end the connection before it is looked at.
            let _ = bench.connect().await;
            let why = bench.lost().await;
            assert!(why.starts_with("mqtt://127.0.0.1:"), "{bytes:?}: {why}");
            assert_eq!(bench.all("v"), [], "{bytes:?}");
            recovers(&bench).await;
        }
    }
}

#[tokio::test]
async fn payloads_that_make_no_sense_are_bad_and_never_a_value() {
    let deep = "[".repeat(100_000);
    for level in LEVELS {
        for payload in ["{", "{\"n\": 1", "\u{0}", "nonsense", &deep, "{\"n\": 1}x"] {
            let evil = Evil::start(level, Act::Send(publish(level, b"t", payload.as_bytes())), From::FirstOnly).await;
            let bench = bench(&evil, level).await;
            bench.connect().await.expect("it is a broker all the same");
            bench.told("n", Value::Null, Quality::Bad).await;
            assert!(bench.all("n").iter().all(|told| told.quality.is_bad()), "{payload:.20}");
            assert_eq!(bench.counted("unreadable_payloads"), 1);
            recovers(&bench).await;
        }
        for (payload, value, quality) in [
            (r#"{"n": "21.5"}"#, Value::Float(21.5), Quality::Good),
            (r#"{"n": "21,5"}"#, Value::Null, Quality::BadOutOfRange),
            (r#"{"n": 1e999}"#, Value::Null, Quality::Bad),
            (r#"{"n": 18446744073709551615}"#, Value::Null, Quality::BadOutOfRange),
        ] {
            let evil = Evil::start(level, Act::Send(publish(level, b"t", payload.as_bytes())), From::FirstOnly).await;
            let bench = bench(&evil, level).await;
            bench.connect().await.expect("it is a broker all the same");
            bench.told("n", value, quality).await;
        }
    }
}

/// A large message is bad where the protocol cannot keep it away, and where it can, one that comes all the same ends the connection.
#[tokio::test]
async fn ten_megabytes_are_not_taken_for_a_value() {
    let large = vec![b'1'; 10_000_000];
    let evil = Evil::start(4, Act::Send(publish(4, b"t", &large)), From::Always).await;
    let older = bench(&evil, 4).await;
    older.connect().await.expect("it is a broker all the same");
    older.told("v", Value::Null, Quality::Bad).await;
    assert_eq!(older.all("v").len(), 1);
    let evil = Evil::start(5, Act::SendAndClose(publish(5, b"t", &large)), From::FirstOnly).await;
    let newer = bench(&evil, 5).await;
    let _ = newer.connect().await;
    newer.lost().await;
    assert_eq!(newer.all("v"), []);
    recovers(&newer).await;
}

#[tokio::test]
async fn a_message_that_comes_byte_by_byte_is_whole_in_the_end() {
    for level in LEVELS {
        let evil = Evil::start(level, Act::Drip(publish(level, b"t", br#"{"n": 5}"#)), From::Always).await;
        let bench = bench(&evil, level).await;
        bench.connect().await.expect("it is a broker all the same");
        bench.told("n", 5, Quality::Good).await;
    }
}

/// It drops its clients as soon as they have what they want.
#[tokio::test]
async fn a_broker_that_drops_its_clients_is_connected_to_again_and_again() {
    for level in LEVELS {
        let evil = Evil::start(level, Act::SendAndClose(publish(level, b"t", b"7")), From::Always).await;
        let bench = bench(&evil, level).await;
        for n in 1..=20 {
            let _ = bench.connect().await;
            bench.lost().await;
            assert_eq!(evil.connections(), n);
            assert_eq!(bench.counted("connections"), n as u64);
        }
        assert!(bench.all("v").iter().all(|told| told.value == Value::Int(7)));
        // The library for MQTT 5 loses what comes together with the end of the connection.
        assert!(level == 5 || !bench.all("v").is_empty());
    }
}

#[tokio::test]
async fn a_broker_that_falls_silent_is_given_up() {
    for level in LEVELS {
        let evil = Evil::start(level, Act::Silence, From::FirstOnly).await;
        let bench = bench(&evil, level).await;
        bench.connect().await.expect("it has taken the subscription");
        let began = Instant::now();
        let why = bench.lost().await;
        assert!(why.contains("nothing was heard for 1.5 s") || why.contains("ping"), "{why}");
        assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
        recovers(&bench).await;
    }
}

/// Points, presences, edge nodes and answers: whatever cannot be heard is told.
#[tokio::test]
async fn a_broker_that_refuses_what_is_subscribed_to_is_no_broker_that_says_nothing() {
    for level in LEVELS {
        let evil = Evil::start(level, Act::Refuse, From::Always).await;
        let version = if level == 5 { "5" } else { "3.1.1" };
        let link =
            json!({ "endpoint": format!("mqtt://127.0.0.1:{}", evil.port), "version": version, "timeout": "2s" });
        let devices = [
            json!({ "services": { "reset": { "topic": "reset", "response": "answer" } } }),
            json!({ "topic": "t" }),
            json!({ "availability": [{ "topic": "lwt" }] }),
            json!({ "sparkplug": "plant/edge" }),
        ];
        let points =
            [(1, ("plain", json!({}), Access::Read)), (3, ("metric", json!({ "metric": "Load" }), Access::Read))];
        let bench = Bench::of(link, &devices, &points).await;
        bench.connect().await.expect("it is a broker all the same");
        for (point, device, filter) in [("plain", 1, "`t`"), ("metric", 3, "`spBv1.0/plant/")] {
            bench.told(point, Value::Null, Quality::BadConfig).await;
            bench.online(device, Some(filter)).await;
        }
        bench.online(2, Some("the subscription to `lwt` is refused")).await;
        assert!(bench.is_still_gone(1), "that its point is bad is no sign of life");
        assert_eq!(bench.counted("refused_filters"), 9);
        let fault = bench.call("reset", json!({})).await.expect_err("nobody would hear the answer");
        assert!(matches!(&fault, Fault::Config(why) if why.contains("`answer` is refused")), "{fault:?}");
    }
}

/// It wants no keep-alive, so its silence says nothing.
#[tokio::test]
async fn a_broker_that_wants_to_hear_nothing_may_be_silent_as_well() {
    let evil = Evil::start(5, Act::Welcome(vec![0x13, 0, 0]), From::Always).await;
    let bench = bench(&evil, 5).await;
    bench.connect().await.expect("it is a broker");
    bench.told("v", 7, Quality::Good).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(bench.write("w", "x").await, Ok(None), "the connection is there");
}
