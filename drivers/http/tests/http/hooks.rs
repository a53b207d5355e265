//! Devices that send.

use crate::bench::{Seen, device_spec, seen, soon, specs, wait_for};
use edgeway_conformance::free_port;
use edgeway_driver_http::Http;
use edgeway_sdk::{
    Batch, DeviceIx, DeviceSpec, Driver, Fault, Json, Link, PointIx, PointSpec, Quality, Sink, Split, Timestamp, Value,
};
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What was told.
#[derive(Default)]
struct Told(Mutex<Vec<Seen>>);

impl Sink for Told {
    fn data(&self, batch: Batch) {
        self.0.lock().unwrap().extend(seen(batch));
    }
    fn event(&self, _: DeviceIx, event: &str, _: Json, _: Timestamp) {
        panic!("nobody said {event}");
    }
    fn online(&self, _: DeviceIx, _: Option<&str>) {}
    fn lost(&self, reason: &str) {
        panic!("the wire is lost: {reason}");
    }
}

/// A link that listens.
pub(crate) struct Desk {
    pub(crate) port: u16,
    pub(crate) link: Arc<dyn Link>,
    told: Arc<Told>,
}

impl Desk {
    /// One device that sends to `/hook`, with a point for its temperature.
    pub(crate) async fn new(link: Json, device: Json) -> Desk {
        let mut options = json!({ "path": "/hook" });
        options.as_object_mut().unwrap().extend(device.as_object().unwrap().clone());
        Desk::of(link, &[device_spec(options)], &specs(&[json!({ "at": "temperature" })])).await
    }

    async fn of(link: Json, devices: &[DeviceSpec], points: &[PointSpec]) -> Desk {
        let port = free_port();
        let scheme = if link.get("cert").is_some() { "listens" } else { "listen" };
        let mut options = json!({ "endpoint": format!("{scheme}://127.0.0.1:{port}"), "timeout": "300ms" });
        options.as_object_mut().unwrap().extend(link.as_object().unwrap().clone());
        let link = Http.open(options).expect("valid options");
        let plan = link.plan(devices, points, Split::Nothing).await.expect("valid points");
        assert_eq!((plan.steps, plan.rejected), (vec![], vec![]));
        assert_eq!(plan.watched.len(), points.len());
        let told = Arc::new(Told::default());
        link.connect(soon()).await.expect("a free port");
        link.watch(told.clone(), soon()).await.expect("it listens");
        Desk { port, link, told }
    }

    pub(crate) fn told(&self) -> Vec<(u32, Value, Quality)> {
        let told = std::mem::take(&mut *self.told.0.lock().unwrap());
        told.into_iter().map(|seen| (seen.point.0, seen.value, seen.quality)).collect()
    }

    /// What `edgeway link show` tells under this name.
    pub(crate) fn counted(&self, name: &str) -> u64 {
        let health = self.link.health();
        health.into_iter().find(|(found, _)| found == name).unwrap_or_else(|| panic!("nobody counts {name}")).1
    }

    /// Sends a request to `/hook`; the status and the body of the answer.
    async fn post(&self, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        self.send("POST", "/hook", headers, body).await
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len();
        self.raw(&format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
        ))
        .await
    }

    async fn raw(&self, request: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.expect("it listens");
        stream.write_all(request.as_bytes()).await.expect("sent");
        answer(&mut stream).await
    }
}

/// All that comes until the connection ends.
pub(crate) async fn answer(stream: &mut (impl AsyncRead + Unpin)) -> (u16, String) {
    let mut bytes = vec![];
    let read = timeout(Duration::from_secs(9), stream.read_to_end(&mut bytes)).await.expect("an answer within 9 s");
    let _ = read;
    let text = String::from_utf8(bytes).expect("plain text");
    let status = text.split(' ').nth(1).map_or(0, |status| status.parse().unwrap());
    (status, text.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.to_owned()))
}

pub(crate) fn warm() -> Vec<(u32, Value, Quality)> {
    vec![(0, Value::Float(21.5), Quality::Good)]
}

pub(crate) const WARM: &str = r#"{"temperature": 21.5}"#;

#[tokio::test]
async fn what_is_sent_is_told() {
    let desk = Desk::new(json!({}), json!({})).await;
    assert_eq!(desk.post(&[], WARM).await, (204, String::new()));
    assert_eq!(desk.told(), warm());
    assert_eq!(desk.send("PUT", "/hook/?from=x", &[], WARM).await.0, 204);
    assert_eq!(desk.told(), warm());
    assert_eq!(desk.link.health()[0], ("hooks_taken".into(), 2));
}

#[tokio::test]
async fn a_series_is_told_in_its_order_with_its_own_times() {
    let points = specs(&[json!({ "format": "senml-json", "at": "t" })]);
    let desk = Desk::of(json!({}), &[device_spec(json!({ "path": "h" }))], &points).await;
    let pack = r#"[{"bn": "t", "bt": 1320067464, "v": 1}, {"t": 10, "v": 2}]"#;
    assert_eq!(desk.send("POST", "/h", &[], pack).await.0, 204);
    let told: Vec<_> = desk.told.0.lock().unwrap().iter().map(|seen| (seen.value.as_f64(), seen.time)).collect();
    let at = Timestamp::from_secs;
    assert_eq!(told, [(Some(1.0), at(1_320_067_464)), (Some(2.0), at(1_320_067_474))]);
}

#[tokio::test]
async fn what_is_refused_says_why_and_tells_nothing() {
    let desk = Desk::new(json!({ "max_body": "1KiB" }), json!({ "idempotency": "Idempotency-Key" })).await;
    let long = format!("[{}1]", "1,".repeat(5000));
    let chunked = format!(
        "POST /hook HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n2000\r\n{}",
        &long[..0x2000]
    );
    let number = "x".repeat(300);
    let cases = [
        (desk.send("POST", "/elsewhere", &[], WARM).await, 404, "no device sends to this path"),
        (desk.send("GET", "/hook", &[], "").await, 405, "send it with POST or PUT"),
        (desk.post(&[], "{\"temperature\"").await, 400, "the payload is not JSON"),
        (desk.post(&[], &long).await, 413, "the body has more than 1024 bytes"),
        (desk.raw(&chunked).await, 413, "the body has more than 1024 bytes"),
        (desk.post(&[("idempotency-key", &number)], WARM).await, 400, "the number of the request"),
        (desk.post(&[], &"[".repeat(900)).await, 400, ""),
    ];
    for ((status, body), expected, reason) in cases {
        assert_eq!(status, expected, "{body}");
        assert!(body.starts_with(reason), "{body}");
    }
    assert_eq!(desk.told(), []);
    assert_eq!(desk.link.health()[2], ("hooks_refused".into(), 7));
}

#[tokio::test]
async fn a_payload_without_the_points_is_taken_and_counted() {
    let desk = Desk::new(json!({}), json!({})).await;
    assert_eq!(desk.post(&[], r#"{"hello": 1}"#).await.0, 204);
    assert_eq!(desk.told(), []);
    assert_eq!(desk.link.health()[3], ("hooks_without_values".into(), 1));
}

#[tokio::test]
async fn only_who_has_the_secret_is_heard() {
    let hmac = json!({ "hmac": { "header": "X-Hub-Signature-256", "secret": "It's a Secret", "prefix": "sha256=" } });
    let desk = Desk::new(json!({}), hmac).await;
    // Made with Python's hmac.
    let signature = "sha256=5b3e65e0e1b4ec5efb1a4a2c2d3f1d9d";
    assert_eq!(desk.post(&[], WARM).await, (401, "the signature is missing or wrong\n".into()));
    assert_eq!(desk.post(&[("x-hub-signature-256", signature)], WARM).await.0, 401);
    assert_eq!(desk.told(), []);
    let right = format!("sha256={SIGNATURE}");
    assert_eq!(desk.post(&[("x-hub-signature-256", &right)], WARM).await.0, 204);
    assert_eq!(desk.told(), warm());
    assert_eq!(desk.post(&[("x-hub-signature-256", &right)], r#"{"temperature": 99.5}"#).await.0, 401);
    assert_eq!(desk.told(), []);
}

const SIGNATURE: &str = "146b3237d82f4cf46c61887652e4204897fdc12f70d74a25987832622d4e3cd8";

#[tokio::test]
async fn only_who_has_the_login_is_heard() {
    for (login, header) in [
        (json!({ "token": "abc" }), "Bearer abc"),
        (json!({ "username": "Aladdin", "password": "open sesame" }), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
    ] {
        let desk = Desk::new(login, json!({})).await;
        assert_eq!(desk.post(&[], WARM).await.0, 401);
        assert_eq!(desk.post(&[("authorization", "Bearer abd")], WARM).await.0, 401);
        assert_eq!(desk.told(), []);
        assert_eq!(desk.post(&[("authorization", header)], WARM).await.0, 204);
        assert_eq!(desk.told(), warm());
    }
}

#[tokio::test]
async fn what_is_sent_again_is_answered_and_told_once() {
    let desk = Desk::new(json!({}), json!({ "idempotency": "Idempotency-Key" })).await;
    for _ in 0..3 {
        assert_eq!(desk.post(&[("idempotency-key", "7f")], WARM).await.0, 204);
    }
    assert_eq!(desk.told(), warm());
    // What was refused may be sent again, and what has no number is not known.
    assert_eq!(desk.post(&[("idempotency-key", "80")], "nonsense").await.0, 400);
    assert_eq!(desk.post(&[("idempotency-key", "80")], WARM).await.0, 204);
    assert_eq!(desk.post(&[], WARM).await.0, 204);
    assert_eq!(desk.told().len(), 2);
    assert_eq!(desk.link.health()[1], ("hooks_repeated".into(), 2));
}

#[tokio::test]
async fn devices_that_send_to_one_path_are_told_apart() {
    let device = |ix: u32, id: &str| DeviceSpec {
        ix: DeviceIx(ix),
        options: json!({ "path": "/hook", "only": { "at": "device.id", "is": id } }),
    };
    let mut points = specs(&[json!({ "at": "temperature" }), json!({ "at": "temperature" })]);
    points[1].device = DeviceIx(1);
    let desk = Desk::of(json!({}), &[device(0, "a"), device(1, "b")], &points).await;
    assert_eq!(desk.post(&[], r#"{"device": {"id": "b"}, "temperature": 2.5}"#).await.0, 204);
    assert_eq!(desk.told(), [(1, Value::Float(2.5), Quality::Good)]);
    assert_eq!(desk.post(&[], r#"{"device": {"id": "a"}, "temperature": 1.5}"#).await.0, 204);
    assert_eq!(desk.told(), [(0, Value::Float(1.5), Quality::Good)]);
    for stranger in [r#"{"device": {"id": "c"}, "temperature": 3}"#, WARM] {
        assert_eq!(desk.post(&[], stranger).await, (404, "no device sends this payload\n".into()));
    }
    assert_eq!(desk.told(), []);
}

#[tokio::test]
async fn points_that_nobody_can_tell_are_rejected_with_a_reason() {
    let link = Http.open(json!({ "endpoint": format!("listen://127.0.0.1:{}", free_port()) })).expect("valid");
    let asked = |key: &str| format!("`{key}` is for a device that is asked (leave it out)");
    let services = json!({ "boost": {} });
    let cases = [
        (json!({}), json!({}), "its device says at which path it sends: `path` is missing".to_owned()),
        (json!({ "path": "/a", "headers": { "X-Key": "x" } }), json!({}), asked("headers")),
        (json!({ "path": "/a", "unchanged": "ignore" }), json!({}), asked("unchanged")),
        (json!({ "path": "/a", "services": services }), json!({}), asked("services")),
        (json!({ "path": "/a" }), json!({ "path": "x" }), asked("path")),
        (json!({ "path": "/a" }), json!({ "query": { "c": "1" } }), asked("query")),
        (json!({ "path": "/a" }), json!({ "set": "/b" }), asked("set")),
        (json!({ "path": "/a" }), json!({ "method": "post" }), asked("method")),
        (json!({ "path": "/a" }), json!({ "payload": "{value}" }), asked("payload")),
    ];
    for (device, point, reason) in cases {
        let plan = link.plan(&[device_spec(device)], &specs(&[point]), Split::Nothing).await.expect("valid");
        assert_eq!((plan.watched, plan.rejected), (vec![], vec![(PointIx(0), reason)]));
    }
}

#[tokio::test]
async fn slow_senders_are_cut_off_and_keep_nobody_else_out() {
    let desk = Desk::new(json!({ "connections": 3 }), json!({})).await;
    let mut slow = vec![];
    for begin in ["", "POST /hook HT", "POST /hook HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{"] {
        let mut stream = TcpStream::connect(("127.0.0.1", desk.port)).await.expect("it listens");
        stream.write_all(begin.as_bytes()).await.expect("sent");
        slow.push(stream);
    }
    // There is no room until they are gone.
    assert_eq!(desk.post(&[], WARM).await.0, 204);
    assert_eq!(desk.told(), warm());
    for (stream, status) in slow.iter_mut().zip([0, 0, 408]) {
        assert_eq!(answer(stream).await.0, status);
    }
}

#[tokio::test]
async fn many_send_at_the_same_time() {
    let desk = Arc::new(Desk::new(json!({ "connections": 8 }), json!({})).await);
    let sending = (0..100).map(|_| {
        let desk = desk.clone();
        tokio::spawn(async move { desk.post(&[], WARM).await.0 })
    });
    for sent in sending.collect::<Vec<_>>() {
        assert_eq!(sent.await.unwrap(), 204);
    }
    assert_eq!(desk.told().len(), 100);
}

#[tokio::test]
async fn it_listens_again_after_each_of_20_times_and_leaves_nothing() {
    let desk = Desk::new(json!({}), json!({})).await;
    let open_files = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    assert_eq!(desk.post(&[], WARM).await.0, 204);
    let mut held = TcpStream::connect(("127.0.0.1", desk.port)).await.expect("it listens");
    let before = open_files();
    for round in 0..20 {
        desk.link.close(soon()).await;
        wait_for("nobody to listen", async || TcpStream::connect(("127.0.0.1", desk.port)).await.err()).await;
        assert_eq!(answer(&mut held).await.0, 0, "connections end with the link");
        desk.link.connect(soon()).await.expect("the port is free again");
        desk.link.watch(desk.told.clone(), soon()).await.expect("it listens");
        assert_eq!(desk.post(&[], WARM).await.0, 204, "round {round}");
        held = TcpStream::connect(("127.0.0.1", desk.port)).await.expect("it listens");
    }
    assert_eq!(desk.told().len(), 21);
    // Other tests of this program open files too.
    wait_for("files to be closed", async || (open_files() < before + 20).then_some(())).await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_a_fault_of_the_link() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let link = Http.open(json!({ "endpoint": format!("listen://127.0.0.1:{port}") })).expect("valid");
    match link.connect(soon()).await {
        Err(Fault::Link(reason)) => {
            assert!(reason.starts_with(&format!("cannot listen at 127.0.0.1:{port}")), "{reason}")
        }
        other => panic!("{other:?}"),
    }
}
