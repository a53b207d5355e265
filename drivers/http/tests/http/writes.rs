//! Writing and reading back.

use crate::bench::{Bench, soon};
use crate::peer::{Act, Asked, Peer, json, reply};
use edgeway_sdk::{Access, DeviceIx, DeviceSpec, Fault, Link, PointIx, Quality, Split, Value, WriteOp};
use serde_json::json;
use std::sync::Mutex;

/// A thermostat that keeps what is put.
async fn thermostat() -> Peer {
    let kept = Mutex::new(r#"{"setpoint": 20.5}"#.to_owned());
    Peer::start(move |asked| {
        let mut kept = kept.lock().unwrap();
        if asked.method != "GET" {
            *kept = asked.body.clone();
            return reply("204 No Content", &[], "");
        }
        json(&kept)
    })
    .await
}

fn setpoint() -> serde_json::Value {
    json!({ "path": "/state", "at": "setpoint", "access": "read-write" })
}

#[tokio::test]
async fn what_is_written_is_read_back() {
    let peer = thermostat().await;
    let bench = Bench::new(&peer.address(), &[setpoint()]).await;
    assert_eq!(bench.write(0, 21.5).await, Ok(Some(Value::Float(21.5))));
    let asked = &peer.asked()[0];
    assert_eq!((asked.line(), asked.body.as_str()), ("PUT /state".to_owned(), r#"{"setpoint":21.5}"#));
    assert_eq!(asked.header("content-type"), Some("application/json"));
    assert_eq!(peer.lines()[1], "GET /state");
    assert_eq!(bench.good(0).await, [Value::Float(21.5)]);
}

#[tokio::test]
async fn a_point_is_written_the_way_that_was_written() {
    let peer = Peer::start(|_| reply("200 OK", &[], "")).await;
    let point = json!({
        "path": "state", "set": "command", "method": "patch", "at": "on", "map": { "ON": true, "OFF": false },
        "payload": r#"{"turn": {value}}"#, "query": { "ch": "0" }, "access": "write",
    });
    let device = json!({ "headers": { "Content-Type": "application/merge-patch+json" } });
    let bench = Bench::with(&peer.address(), json!({}), device, &[point]).await;
    assert_eq!(bench.plan.steps, []);
    assert_eq!(bench.write(0, true).await, Ok(None));
    let asked = &peer.asked()[0];
    assert_eq!((asked.line(), asked.body.as_str()), ("PATCH /command?ch=0".to_owned(), r#"{"turn": "ON"}"#));
    assert_eq!(asked.header("content-type"), Some("application/merge-patch+json"));
    assert_eq!(peer.asked().len(), 1, "it cannot be read back");
}

#[tokio::test]
async fn what_the_device_made_of_a_value_is_what_comes_back() {
    let peer = Peer::start(|asked| if asked.method == "GET" { json(r#"{"setpoint": 19}"#) } else { json("{}") }).await;
    let bench = Bench::new(&peer.address(), &[setpoint()]).await;
    assert_eq!(bench.write(0, 50.0).await, Ok(Some(Value::Int(19))));
}

#[tokio::test]
async fn what_will_be_done_later_is_not_read_back_now() {
    let peer = Peer::start(|_| reply("202 Accepted", &[], "")).await;
    let bench = Bench::new(&peer.address(), &[setpoint()]).await;
    assert_eq!(bench.write(0, 21.5).await, Ok(None));
    assert_eq!(peer.asked().len(), 1);
}

#[tokio::test]
async fn a_refusal_names_its_reason_and_a_busy_server_has_done_nothing() {
    let answer = |status: &'static str, headers: &'static [(&str, &str)]| {
        Peer::start(move |_| reply(status, headers, r#"{"error": "too hot"}"#))
    };
    for status in
        ["400 Bad Request", "401 Unauthorized", "404 Not Found", "409 Conflict", "302 Found", "501 Not Implemented"]
    {
        let peer = answer(status, &[]).await;
        let bench = Bench::new(&peer.address(), &[setpoint()]).await;
        let reason = format!("{}/state answered {status}: {{\"error\": \"too hot\"}}", peer.address());
        let expected = Fault::Point { point: PointIx(0), quality: Quality::BadDevice, reason };
        assert_eq!(bench.write(0, 21.5).await, Err(expected));
    }
    for (status, headers) in [("429 Too Many Requests", &[][..]), ("503 Service Unavailable", &[("retry-after", "9")])]
    {
        let peer = answer(status, headers).await;
        let bench = Bench::new(&peer.address(), &[setpoint()]).await;
        assert!(matches!(bench.write(0, 21.5).await, Err(Fault::Busy(_))), "{status}");
    }
}

#[tokio::test]
async fn a_write_that_may_have_been_done_is_not_called_refused_and_not_sent_again() {
    let acts = [
        Act::Silent,
        Act::Last(vec![]),
        Act::Last(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1".to_vec()),
        Act::Bytes(b"garbage\r\n\r\n".to_vec()),
        reply("500 Internal Server Error", &[], ""),
        reply("503 Service Unavailable", &[], ""),
    ];
    for act in acts {
        let told = act.clone();
        let peer = Peer::start(move |asked| if asked.method == "GET" { json("{}") } else { told.clone() }).await;
        let bench = Bench::new(&peer.address(), &[setpoint()]).await;
        // The second goes out on a connection that was used before, where the client might try again.
        bench.exec(0).await.expect("an answer");
        let result = bench.write(0, 21.5).await;
        assert!(matches!(result, Err(Fault::Device(_))), "{act:?}: {result:?}");
        let sent = peer.asked().iter().filter(|asked| asked.method == "PUT").count();
        assert_eq!(sent, 1, "{act:?}: a write is never sent twice");
    }
}

#[tokio::test]
async fn a_redirection_does_not_take_a_write_elsewhere() {
    let peer = Peer::start(|_| reply("307 Temporary Redirect", &[("location", "/new")], "")).await;
    let bench = Bench::new(&peer.address(), &[setpoint()]).await;
    assert!(matches!(bench.write(0, 21.5).await, Err(Fault::Point { .. })));
    assert_eq!(peer.lines(), ["PUT /state"]);
}

#[tokio::test]
async fn nothing_was_done_when_nobody_was_there() {
    let peer = thermostat().await;
    let bench = Bench::with(&peer.address(), json!({ "idle": "0s" }), json!({}), &[setpoint()]).await;
    drop(peer);
    assert!(matches!(bench.write(0, 21.5).await, Err(Fault::Busy(_))));
}

#[tokio::test]
async fn an_acknowledged_write_is_done_even_if_it_cannot_be_read_back() {
    let not_read = [Act::Silent, Act::Last(vec![]), reply("404 Not Found", &[], ""), json("nonsense"), json("{}")];
    for act in not_read {
        let told = act.clone();
        let peer = Peer::start(move |asked| if asked.method == "GET" { told.clone() } else { json("{}") }).await;
        let bench = Bench::new(&peer.address(), &[setpoint()]).await;
        assert_eq!(bench.write(0, 21.5).await, Ok(None), "{act:?}");
    }
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_not_sent() {
    let peer = thermostat().await;
    let point = json!({ "at": "on", "map": { "ON": true, "OFF": false }, "access": "read-write" });
    let bench = Bench::new(&peer.address(), &[point, json!({ "at": "x" })]).await;
    assert!(matches!(bench.write(0, 7).await, Err(Fault::Point { quality: Quality::BadOutOfRange, .. })));
    assert!(matches!(bench.write(1, 7).await, Err(Fault::Config(_))), "it can only be read");
    assert_eq!(peer.asked(), Vec::<Asked>::new());
}

#[tokio::test]
async fn a_link_that_listens_writes_nothing() {
    let options = json!({ "endpoint": "listen://127.0.0.1:8099" });
    let link = edgeway_sdk::Driver::open(&edgeway_driver_http::Http, options).expect("valid");
    let devices = [DeviceSpec { ix: DeviceIx(0), options: json!({ "path": "/hook" }) }];
    let points = crate::bench::specs(&[json!({ "at": "x", "access": "read-write" })]);
    assert_eq!(points[0].access, Access::ReadWrite);
    let plan = Link::plan(&*link, &devices, &points, Split::Nothing).await.expect("valid");
    assert_eq!(plan.rejected[0].1, "a device that sends cannot be written (make the point read-only)");
    let op = WriteOp { point: PointIx(0), value: Value::Int(1) };
    assert!(matches!(link.write(&op, soon()).await, Err(Fault::Unsupported(_))));
}
