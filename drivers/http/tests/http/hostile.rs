//! Servers that answer half, for ever, late, wrongly, or not at all.

use crate::bench::{Bench, exec, soon};
use crate::peer::{Act, Peer, json, reply};
use edgeway_sdk::{Fault, Quality, Value};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

/// A point at `/`, one at `/fine`, which is 7.
async fn bench(peer: &Peer) -> Bench {
    Bench::new(&peer.address(), &[json!({}), json!({ "path": "/fine" })]).await
}

/// A server that is bad at `/`.
async fn bad(act: impl Fn() -> Act + Send + Sync + 'static) -> Peer {
    Peer::start(move |asked| if asked.path == "/fine" { json("7") } else { act() }).await
}

fn raw(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

#[tokio::test]
async fn what_is_not_whole_or_no_answer_gives_no_value_and_harms_nobody() {
    let cases: [(&str, Act, &str); 13] = [
        ("half a body and the end", Act::Last(raw("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n12")), "end of file"),
        (
            "half a body",
            Act::Bytes(raw("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n12")),
            "did not answer within 300ms",
        ),
        ("half a head", Act::Last(raw("HTTP/1.1 200 OK\r\ncontent-le")), "connection closed"),
        ("nothing and the end", Act::Last(vec![]), ""),
        ("silence", Act::Silent, "did not answer within 300ms"),
        ("half a chunk", Act::Last(raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n12")), ""),
        ("chunks without end", Act::Last(raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n12\r\n")), ""),
        ("a wrong chunk", Act::Bytes(raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n12\r\n")), ""),
        ("two lengths", Act::Bytes(raw("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n12")), ""),
        (
            "a NUL in a header",
            Act::Bytes(raw("HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 1\r\n\r\n1")),
            "invalid HTTP header",
        ),
        ("garbage", Act::Bytes(raw("\u{1}\u{2}garbage\r\n\r\n")), "invalid HTTP"),
        ("another protocol", Act::Bytes(raw("SSH-2.0-OpenSSH_9.2\r\n")), "invalid HTTP version"),
        (
            "one byte at a time",
            Act::Drip(raw("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n7"), Duration::from_millis(100)),
            "did not answer",
        ),
    ];
    for (what, act, reason) in cases {
        let peer = bad(move || act.clone()).await;
        let bench = bench(&peer).await;
        let fault = bench.fault(0).await;
        assert!(fault.contains(reason), "{what}: {fault}");
        assert_eq!(bench.good(1).await, [Value::Int(7)], "{what}");
        assert_eq!(peer.connections(), 2, "{what}: its connection was used again");
    }
}

/// More than was said stays on the connection, and would be the next answer.
#[tokio::test]
async fn bytes_behind_an_answer_are_never_taken_for_the_next() {
    for extra in ["8", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n8", "\r\n\r\n"] {
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n5{extra}");
        let peer = bad(move || Act::Bytes(raw(&answer))).await;
        let bench = bench(&peer).await;
        for round in 0..200 {
            match bench.exec(0).await {
                Ok(seen) => assert_eq!(seen[0].value, Value::Int(5), "round {round}"),
                Err(Fault::Device(_)) => {}
                other => panic!("{other:?}"),
            }
            match bench.exec(1).await {
                Ok(seen) => assert_eq!(seen[0].value, Value::Int(7), "round {round}, after {extra:?}"),
                Err(Fault::Device(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let begins = [
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n",
    ];
    for begin in begins {
        let piece = raw(&format!("1000\r\n{}\r\n", " ".repeat(0x1000)));
        let peer = bad(move || Act::Endless(raw(begin), piece.clone())).await;
        let bench = bench(&peer).await;
        let fault = bench.fault(0).await;
        assert!(fault.ends_with("answered with more than 1048576 bytes (`max_body`)"), "{fault}");
        assert_eq!(bench.good(1).await, [Value::Int(7)]);
    }
    let peer = bad(|| Act::Endless(raw("HTTP/1.1 200 OK\r\n"), raw("x-more: headers\r\n"))).await;
    bench(&peer).await.fault(0).await;
    // Answers that only announce that one will come.
    let peer = bad(|| Act::Endless(vec![], raw("HTTP/1.1 102 Processing\r\n\r\n"))).await;
    bench(&peer).await.fault(0).await;
}

#[tokio::test]
async fn what_leads_in_circles_or_elsewhere_is_not_followed_for_ever() {
    let circle = Peer::start(|asked| reply("302 Found", &[("location", &format!("/{}", asked.nth))], "")).await;
    let bench = Bench::new(&circle.address(), &[json!({ "path": "/a" })]).await;
    let reason = format!("{}/a leads in circles: more than 3 redirections", circle.address());
    assert_eq!(bench.fault(0).await, reason);
    assert_eq!(circle.lines(), ["GET /a", "GET /0", "GET /1", "GET /2"]);

    let stranger = Peer::start(|_| json("6")).await;
    let elsewhere = format!("{}/x", stranger.address());
    let to = elsewhere.clone();
    let peer = bad(move || reply("301 Moved Permanently", &[("location", &to)], "")).await;
    let options = json!({ "token": "secret", "headers": { "X-Key": "secret" } });
    let bench = Bench::with(&peer.address(), options, json!({}), &[json!({})]).await;
    assert_eq!(bench.fault(0).await, format!("{}/ has moved to {elsewhere} (change `endpoint`)", peer.address()));
    assert_eq!(stranger.lines(), [""; 0], "nobody else is asked");
}

#[tokio::test]
async fn a_redirection_on_the_same_server_is_followed() {
    let peer = Peer::start(|asked| match asked.path.as_str() {
        "/old" => reply("307 Temporary Redirect", &[("location", "new?x=1")], ""),
        "/new?x=1" if asked.header("authorization") == Some("Bearer t") => json("7"),
        _ => reply("500 Internal Server Error", &[], ""),
    })
    .await;
    let bench = Bench::with(&peer.address(), json!({ "token": "t" }), json!({}), &[json!({ "path": "old" })]).await;
    assert_eq!(bench.good(0).await, [Value::Int(7)]);
}

#[tokio::test]
async fn a_payload_that_makes_no_sense_is_a_fault_and_what_is_no_number_is_bad() {
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let cases = [
        ("<html>login</html>".to_owned(), "the payload is not JSON"),
        (String::new(), "the payload is not JSON"),
        ("{\"a\": 1".to_owned(), "the payload is not JSON"),
        ("1 2".to_owned(), "the payload is not JSON"),
        ("{\"a\": 1e999}".to_owned(), "the payload is not JSON"),
        (deep, "the payload nests deeper than 32 levels"),
    ];
    for (body, reason) in cases {
        let peer = bad(move || json(&body)).await;
        let bench = bench(&peer).await;
        let fault = bench.fault(0).await;
        assert!(fault.contains(reason), "{fault}");
        assert_eq!(bench.good(1).await, [Value::Int(7)]);
        assert_eq!(bench.link.health()[3], ("unreadable_answers".into(), 1));
    }
    let peer = bad(|| json(r#"{"a": "seven", "b": null, "c": 9223372036854775808, "d": {"e": 1}}"#)).await;
    let points = ["a", "b", "c", "d"].map(|at| json!({ "at": at, "type": "number" }));
    let seen = Bench::new(&peer.address(), &points).await.exec(0).await.expect("an answer");
    assert_eq!(seen.len(), points.len());
    assert!(seen.iter().all(|seen| seen.quality.is_bad() && seen.value == Value::Null), "{seen:?}");
}

#[tokio::test]
async fn what_is_packed_is_not_unpacked() {
    let peer = bad(|| reply("200 OK", &[("content-encoding", "gzip")], "bomb")).await;
    let bench = bench(&peer).await;
    let fault = bench.fault(0).await;
    assert!(fault.ends_with("answered packed with gzip, which was not asked for"), "{fault}");
}

/// A connection that the server has closed while nobody needed it is no fault.
#[tokio::test]
async fn a_server_that_closes_connections_between_requests_is_asked_on_new_ones() {
    let peer = Peer::start(|_| Act::Last(raw("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n7"))).await;
    let bench = Bench::new(&peer.address(), &[json!({})]).await;
    for _ in 0..20 {
        assert_eq!(bench.good(0).await, [Value::Int(7)]);
        crate::bench::wait_for("the connection to be closed", async || (peer.open() == 0).then_some(())).await;
        // What the kernel knows, the client's task learns when it runs.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn deadlines_are_kept_and_late_answers_answer_nobody() {
    let peer = Peer::start(|asked| match asked.nth {
        0 => Act::Drip(raw("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n5"), Duration::from_millis(15)),
        _ => json("7"),
    })
    .await;
    let bench = Bench::new(&peer.address(), &[json!({}), json!({ "path": "/fine" })]).await;
    let by = Instant::now() + Duration::from_millis(100);
    let fault = exec(&*bench.link, bench.plan.steps[0].id, by).await.expect_err("too slow");
    assert!(matches!(fault, Fault::Device(_)), "{fault:?}");
    assert!(by.elapsed() < Duration::from_millis(300), "{:?} over the deadline", by.elapsed());
    assert_eq!(bench.good(1).await, [Value::Int(7)]);
    assert_eq!(bench.good(0).await, [Value::Int(7)]);
}

#[tokio::test]
async fn nobody_there_is_a_fault_of_the_link() {
    let address = format!("http://127.0.0.1:{}", edgeway_conformance::free_port());
    let bench = Bench::apart(&address, json!({}), json!({}), &[json!({})]).await;
    let fault = bench.link.connect(soon()).await.expect_err("nobody there");
    assert_eq!(fault, Fault::Link(format!("{address}: Connection refused (os error 111)")));
    assert!(matches!(bench.exec(0).await, Err(Fault::Link(_))));
    let bench = Bench::apart("http://no-such-host.invalid", json!({}), json!({}), &[json!({})]).await;
    assert!(matches!(bench.link.connect(soon()).await, Err(Fault::Link(_))));

    let peer = Peer::start(|_| json("7")).await;
    let address = peer.address();
    let bench = Bench::with(&address, json!({ "idle": "0s" }), json!({}), &[json!({})]).await;
    drop(peer);
    assert!(matches!(bench.exec(0).await, Err(Fault::Link(_))));
}

#[tokio::test]
async fn a_bad_quality_has_no_value() {
    let peer = Peer::start(|_| json(r#"{"v": 5, "q": "bad"}"#)).await;
    let bench = Bench::new(&peer.address(), &[json!({ "at": "v", "quality": "q" })]).await;
    let seen = bench.exec(0).await.expect("an answer");
    assert!(seen[0].quality.is_bad() && seen[0].value == Value::Null, "{seen:?}");
    assert_ne!(seen[0].quality, Quality::Good);
}
