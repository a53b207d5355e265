//! Reading from a server that behaves.

use crate::bench::{Bench, device_spec, soon, specs, wait_for};
use crate::peer::{Asked, Peer, json, reply};
use edgeway_sdk::{Fault, PointIx, Quality, Split, Timestamp, Value};
use serde_json::json;

const STATUS: &str =
    r#"{"power": {"total": 1250.5, "phases": [400, 410.5, 440]}, "on": true, "at": "2026-11-23T09:00:00Z"}"#;

#[tokio::test]
async fn points_of_one_resource_share_a_request() {
    let peer = Peer::start(|_| json(STATUS)).await;
    let points = [
        json!({ "path": "/status", "at": "power.total" }),
        json!({ "path": "/other", "at": "on" }),
        json!({ "path": "/status", "at": "$.power.phases[1]" }),
        json!({ "path": "/status", "at": "power.phases" }),
        json!({ "path": "/status", "at": "gone" }),
    ];
    let bench = Bench::with(&format!("{}/api/", peer.address()), json!({}), json!({ "path": "meter" }), &points).await;
    assert_eq!(bench.plan.steps.len(), 2);
    assert_eq!(bench.plan.steps[0].points, [0, 2, 3, 4].map(PointIx));
    let seen = bench.exec(0).await.expect("an answer");
    let values: Vec<_> = seen.iter().map(|seen| (seen.value.to_string(), seen.quality)).collect();
    let good = |text: &str| (text.to_owned(), Quality::Good);
    assert_eq!(values, [good("1250.5"), good("410.5"), good("[400,410.5,440]"), ("-".to_owned(), Quality::BadConfig)]);
    assert_eq!(bench.good(1).await, [Value::Bool(true)]);
    assert_eq!(peer.lines(), ["GET /api/meter/status", "GET /api/meter/other"]);
}

#[tokio::test]
async fn a_request_has_the_headers_and_the_query_that_were_written() {
    let peer = Peer::start(|_| json("1")).await;
    let link = json!({ "headers": { "X-Key": "of the link", "X-Both": "link" } });
    let device = json!({ "headers": { "X-Both": "device" } });
    let bench = Bench::with(&peer.address(), link, device, &[json!({ "query": { "ch": "1", "x": "a b&c" } })]).await;
    assert_eq!(bench.good(0).await, [Value::Int(1)]);
    let asked = &peer.asked()[0];
    assert_eq!(asked.path, "/?ch=1&x=a+b%26c");
    assert_eq!((asked.header("x-key"), asked.header("x-both")), (Some("of the link"), Some("device")));
    assert_eq!((asked.header("accept-encoding"), asked.header("if-none-match")), (None, None));
}

#[tokio::test]
async fn every_format_is_read() {
    let peer = Peer::start(|asked| match asked.path.as_str() {
        "/text" => reply("200 OK", &[], "21.5"),
        "/senml" => reply("200 OK", &[], r#"[{"bn": "t", "bt": 1320067464, "v": 23.1}]"#),
        _ => reply("200 OK", &[], "\u{1}\u{2}"),
    })
    .await;
    let points = [
        json!({ "path": "text", "format": "text" }),
        json!({ "path": "senml", "format": "senml-json", "at": "t" }),
        json!({ "path": "binary", "format": "binary", "at": "0", "type": "u16" }),
    ];
    let bench = Bench::new(&peer.address(), &points).await;
    assert_eq!(bench.good(0).await, [Value::Float(21.5)]);
    let senml = bench.exec(1).await.expect("an answer");
    assert_eq!((&senml[0].value, senml[0].time), (&Value::Float(23.1), Timestamp::from_secs(1_320_067_464)));
    assert_eq!(bench.good(2).await, [Value::Int(258)]);
}

#[tokio::test]
async fn what_has_not_changed_is_told_again_with_the_time_of_the_payload_or_of_the_answer() {
    let peer = Peer::start(|asked| match asked.header("if-none-match") {
        Some("\"v1\"") => reply("304 Not Modified", &[("etag", "\"v1\"")], ""),
        _ => reply("200 OK", &[("etag", "\"v1\"")], STATUS),
    })
    .await;
    let points = [json!({ "at": "power.total" }), json!({ "at": "on", "time": "at" })];
    let bench = Bench::new(&peer.address(), &points).await;
    let (first, second) = (bench.exec(0).await.expect("an answer"), bench.exec(0).await.expect("an answer"));
    assert_eq!(peer.asked()[1].header("if-none-match"), Some("\"v1\""));
    let values =
        |all: &[crate::bench::Seen]| all.iter().map(|seen| (seen.value.clone(), seen.quality)).collect::<Vec<_>>();
    assert_eq!(values(&first), values(&second));
    assert!(second[0].time > first[0].time, "it was still so when the server said so");
    assert_eq!(second[1].time, Timestamp::parse("2026-11-23T09:00:00Z").unwrap(), "that is when it was measured");
    assert_eq!(bench.link.health()[2], ("unchanged_answers".into(), 1));

    // Another server may give the same name to something else.
    bench.link.connect(soon()).await.expect("it is there");
    bench.good(0).await;
    assert_eq!(peer.asked()[2].header("if-none-match"), None);
}

#[tokio::test]
async fn a_date_is_only_trusted_when_its_second_has_passed() {
    let exact = [("last-modified", "Fri, 27 Nov 2026 03:47:18 GMT"), ("date", "Fri, 27 Nov 2026 03:47:20 GMT")];
    let vague = [("last-modified", "Fri, 27 Nov 2026 03:47:20 GMT"), ("date", "Fri, 27 Nov 2026 03:47:20 GMT")];
    for (headers, asks) in [(exact, true), (vague, false)] {
        let peer = Peer::start(move |asked| match asked.header("if-modified-since") {
            Some(_) => reply("304 Not Modified", &[], ""),
            None => reply("200 OK", &headers, "7"),
        })
        .await;
        let bench = Bench::new(&peer.address(), &[json!({})]).await;
        assert_eq!((bench.good(0).await, bench.good(0).await), (vec![Value::Int(7)], vec![Value::Int(7)]));
        assert_eq!(peer.asked()[1].header("if-modified-since").is_some(), asks);
    }
}

#[tokio::test]
async fn a_device_whose_names_lie_is_asked_for_everything() {
    let peer = Peer::start(|_| reply("200 OK", &[("etag", "\"always\"")], "7")).await;
    let bench = Bench::with(&peer.address(), json!({}), json!({ "unchanged": "ignore" }), &[json!({})]).await;
    assert_eq!((bench.good(0).await, bench.good(0).await), (vec![Value::Int(7)], vec![Value::Int(7)]));
    assert_eq!(peer.asked()[1].header("if-none-match"), None);
}

#[tokio::test]
async fn nothing_is_unchanged_that_was_never_asked_for() {
    let peer = Peer::start(|_| reply("304 Not Modified", &[], "")).await;
    let bench = Bench::new(&peer.address(), &[json!({})]).await;
    assert!(bench.fault(0).await.ends_with("answered 304 Not Modified, which was not asked"));
}

#[tokio::test]
async fn a_resource_that_is_not_there_is_refused_and_nothing_else() {
    let peer = Peer::start(|asked| match asked.path.as_str() {
        "/there" => json("7"),
        _ => reply("404 Not Found", &[("content-type", "text/plain")], "no such\nthing"),
    })
    .await;
    let points = [
        json!({ "path": "gone", "at": "a" }),
        json!({ "path": "gone", "at": "b" }),
        json!({ "path": "there" }),
        json!({ "path": "alone" }),
    ];
    let bench = Bench::new(&peer.address(), &points).await;
    let reason = format!("{}/gone answered 404 Not Found: no suchthing", peer.address());
    assert_eq!(bench.exec(0).await, Err(Fault::Step(reason)));
    assert_eq!(bench.good(1).await, [Value::Int(7)]);
    assert!(matches!(bench.exec(2).await, Err(Fault::Step(_))));
}

#[tokio::test]
async fn what_only_a_device_that_sends_has_is_rejected() {
    let hmac = json!({ "header": "X-Sig", "secret": "s" });
    let cases = [("hmac", hmac), ("idempotency", json!("X-Id")), ("only", json!({ "at": "id", "is": "7" }))];
    for (key, value) in cases {
        let points = [json!({}), json!({ "access": "write" })];
        let bench = Bench::apart("http://meter", json!({}), json!({ key: value }), &points).await;
        let reason = format!("`{key}` is for a device that sends (leave it out)");
        assert_eq!(bench.plan.rejected, [0, 1].map(|point| (PointIx(point), reason.clone())));
        assert_eq!(bench.plan.steps, []);
        assert!(matches!(bench.write(1, 7).await, Err(Fault::Config(_))));
    }
}

/// Each of its points would be answered the same.
#[tokio::test]
async fn a_resource_that_is_refused_is_not_divided_and_can_come_back() {
    let peer = Peer::start(|asked| if asked.nth == 0 { reply("404 Not Found", &[], "") } else { json(STATUS) }).await;
    let points = [json!({ "at": "power.total" }), json!({ "at": "on" })];
    let bench = Bench::new(&peer.address(), &points).await;
    assert!(matches!(bench.exec(0).await, Err(Fault::Step(_))));
    let (device, step) = ([device_spec(json!({}))], &bench.plan.steps[0]);
    let parts = bench.link.plan(&device, &specs(&points), Split::Step(step)).await.expect("valid");
    assert_eq!((parts.steps, parts.rejected), (vec![], vec![]));
    assert_eq!(bench.good(0).await, [Value::Float(1250.5), Value::Bool(true)]);
}

#[tokio::test]
async fn a_server_that_wants_to_be_left_alone_is() {
    for status in ["429 Too Many Requests", "503 Service Unavailable"] {
        let peer = Peer::start(move |asked| match asked.nth {
            0 => reply(status, &[("retry-after", "1")], ""),
            _ => json("7"),
        })
        .await;
        let bench = Bench::new(&peer.address(), &[json!({})]).await;
        assert!(matches!(bench.exec(0).await, Err(Fault::Busy(_))));
        let busy = bench.exec(0).await.expect_err("not yet");
        assert_eq!(busy, Fault::Busy("the server wants to be left alone for 1s more".into()));
        assert_eq!(peer.asked().len(), 1, "{status}: it was asked before its time");
        wait_for("the server to be asked again", async || bench.exec(0).await.ok()).await;
        assert_eq!(peer.asked().len(), 2);
    }
}

#[tokio::test]
async fn other_statuses_say_what_is_wrong() {
    for (status, advice) in [
        ("401 Unauthorized", " (check the login)"),
        ("403 Forbidden", " (check the login)"),
        ("500 Internal Server Error", ""),
        ("503 Service Unavailable", ""),
        ("204 No Content", ", which has no payload"),
    ] {
        let peer = Peer::start(move |_| reply(status, &[], "")).await;
        let bench = Bench::new(&peer.address(), &[json!({})]).await;
        assert_eq!(bench.fault(0).await, format!("{}/ answered {status}{advice}", peer.address()));
    }
}

#[tokio::test]
async fn requests_are_as_far_apart_as_was_written() {
    let peer = Peer::start(|_| json("7")).await;
    let bench =
        Bench::with(&peer.address(), json!({ "pause": "120ms", "in_flight": 3 }), json!({}), &[json!({})]).await;
    let began = tokio::time::Instant::now();
    let (a, b, c) = tokio::join!(bench.exec(0), bench.exec(0), bench.exec(0));
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    assert!(began.elapsed().as_millis() >= 240, "{:?}", began.elapsed());
}

#[tokio::test]
async fn what_is_asked_elsewhere_waits_for_its_turn_too() {
    let moved = |asked: &Asked| if asked.nth < 2 { reply("302 Found", &[("location", "/x")], "") } else { json("7") };
    let peer = Peer::start(moved).await;
    let bench = Bench::with(&peer.address(), json!({ "pause": "400ms" }), json!({}), &[json!({})]).await;
    let began = tokio::time::Instant::now();
    assert_eq!(bench.good(0).await, [Value::Int(7)], "a turn that is waited for takes nothing of `timeout`");
    assert!(began.elapsed().as_millis() >= 800, "{:?}", began.elapsed());
}

#[tokio::test]
async fn connections_are_kept_unless_they_are_not_to_be() {
    for (idle, connections) in [("4s", 1), ("0s", 3)] {
        let peer = Peer::start(|_| json("7")).await;
        let bench = Bench::with(&peer.address(), json!({ "idle": idle }), json!({}), &[json!({})]).await;
        for _ in 0..3 {
            bench.good(0).await;
        }
        assert_eq!(peer.connections(), connections, "{idle}");
        bench.link.close(soon()).await;
        wait_for("connections to end", async || (peer.open() == 0).then_some(())).await;
    }
}
