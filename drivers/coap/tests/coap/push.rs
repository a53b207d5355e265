//! Devices that push to the gateway.

use crate::bench::{Bench, good, soon, wait_for};
use coap_lite::{CoapOption, MessageClass, MessageType, Packet, RequestType, ResponseType};
use edgeway_conformance::free_port;
use edgeway_sdk::{Fault, Json, Timestamp};
use serde_json::json;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// A gateway that listens, and the port.
async fn listening(devices: &[Json], points: &[(u32, Json)]) -> (Bench, u16) {
    let port = free_port();
    let link = json!({ "endpoint": format!("listen://127.0.0.1:{port}"), "max_payload": "4KiB" });
    (Bench::with_devices(link, devices, points).await.connected().await, port)
}

/// A gateway that takes the temperature of a room.
async fn room() -> (Bench, u16) {
    listening(&[json!({ "path": "/room/1" })], &[(0, json!({ "path": "state", "at": "temperature" }))]).await
}

/// A device that pushes.
struct Pusher {
    socket: UdpSocket,
    message_id: u16,
}

impl Pusher {
    async fn to(port: u16) -> Pusher {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        socket.connect(("127.0.0.1", port)).await.expect("an address");
        Pusher { socket, message_id: 0 }
    }

    fn question(&mut self, method: RequestType, path: &str, payload: &[u8]) -> Packet {
        self.message_id += 1;
        let mut packet = Packet::new();
        packet.header.code = MessageClass::Request(method);
        packet.header.message_id = self.message_id;
        packet.set_token(vec![1, 2]);
        path.split('/').for_each(|part| packet.add_option(CoapOption::UriPath, part.as_bytes().to_vec()));
        packet.payload = payload.to_vec();
        packet
    }

    async fn send(&self, packet: &Packet) -> Packet {
        self.socket.send(&packet.to_bytes().expect("short")).await.expect("somebody listens");
        self.answer().await.expect("an answer")
    }

    async fn answer(&self) -> Option<Packet> {
        let mut buffer = [0; 2048];
        let received = timeout(Duration::from_secs(10), self.socket.recv(&mut buffer)).await.ok()?;
        let packet = Packet::from_bytes(&buffer[..received.expect("somebody listens")]).expect("a message");
        (packet.get_token() == [1, 2] || packet.header.code == MessageClass::Empty).then_some(packet)
    }

    async fn put(&mut self, path: &str, payload: &[u8]) -> MessageClass {
        let question = self.question(RequestType::Put, path, payload);
        self.send(&question).await.header.code
    }
}

fn code(code: ResponseType) -> MessageClass {
    MessageClass::Response(code)
}

#[tokio::test]
async fn what_is_put_or_posted_is_told() {
    let (bench, port) = room().await;
    assert_eq!((bench.plan.watched.len(), bench.plan.steps.len()), (1, 0));
    let mut pusher = Pusher::to(port).await;
    assert_eq!(pusher.put("room/1/state", br#"{"temperature": 21.5}"#).await, code(ResponseType::Changed));
    bench.told(0, good(21.5)).await;
    let mut post = pusher.question(RequestType::Post, "room/1/state", br#"{"temperature": 22.5}"#);
    post.header.set_type(MessageType::NonConfirmable);
    let answer = pusher.send(&post).await;
    assert_eq!(
        (answer.header.get_type(), answer.header.code),
        (MessageType::NonConfirmable, code(ResponseType::Changed))
    );
    bench.told(0, good(22.5)).await;
    let mut cbor = pusher.question(RequestType::Post, "room/1/state", b"\xa1\x6btemperature\x17");
    cbor.add_option(CoapOption::ContentFormat, vec![60]);
    pusher.send(&cbor).await;
    bench.told(0, good(23)).await;
}

#[tokio::test]
async fn what_comes_twice_is_told_once_and_answered_twice() {
    let (bench, port) = room().await;
    let mut pusher = Pusher::to(port).await;
    let put = pusher.question(RequestType::Put, "room/1/state", br#"{"temperature": 21.5}"#);
    let (first, second) = (pusher.send(&put).await, pusher.send(&put).await);
    assert_eq!(first, second);
    pusher.put("room/1/state", br#"{"temperature": 22.5}"#).await;
    bench.told(0, good(22.5)).await;
    assert_eq!(bench.inbox.all(0), [good(21.5), good(22.5)]);
    assert_eq!(bench.counted("duplicates"), 1);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_changes_nothing() {
    let (bench, port) = room().await;
    let mut pusher = Pusher::to(port).await;
    assert_eq!(pusher.put("room/1/state", br#"{"temperature": 21.5}"#).await, code(ResponseType::Changed));
    assert_eq!(pusher.put("room/2/state", b"{}").await, code(ResponseType::NotFound));
    assert_eq!(pusher.put("room/1/state", b"{").await, code(ResponseType::BadRequest));
    let get = pusher.question(RequestType::Get, "room/1/state", b"");
    assert_eq!(pusher.send(&get).await.header.code, code(ResponseType::MethodNotAllowed));
    let mut other = pusher.question(RequestType::Put, "room/1/state", b"<a/>");
    other.add_option(CoapOption::ContentFormat, vec![41]);
    assert_eq!(pusher.send(&other).await.header.code, code(ResponseType::UnsupportedContentFormat));
    let mut odd = pusher.question(RequestType::Put, "room/1/state", b"{}");
    odd.add_option(CoapOption::Unknown(65_001), vec![]);
    assert_eq!(pusher.send(&odd).await.header.code, code(ResponseType::BadOption));
    pusher.socket.send(b"\xff\x00nonsense").await.expect("somebody listens");
    // A ping.
    pusher.socket.send(b"\x40\x00\x12\x34").await.expect("somebody listens");
    assert_eq!(pusher.answer().await.expect("a pong").header.get_type(), MessageType::Reset);
    assert_eq!(bench.inbox.all(0), [good(21.5)]);
    assert_eq!((bench.counted("unknown_pushes"), bench.counted("unreadable_payloads")), (1, 2));
}

#[tokio::test]
async fn a_long_payload_is_pushed_in_blocks() {
    let (bench, port) = room().await;
    let mut pusher = Pusher::to(port).await;
    let send = async |pusher: &mut Pusher, long: &str, option: &dyn Fn(usize, bool) -> u8| {
        let blocks: Vec<&[u8]> = long.as_bytes().chunks(256).collect();
        let mut codes = vec![];
        for (number, block) in blocks.iter().enumerate() {
            let mut put = pusher.question(RequestType::Put, "room/1/state", block);
            put.add_option(CoapOption::Block1, vec![option(number, number + 1 < blocks.len())]);
            codes.push(pusher.send(&put).await.header.code);
        }
        codes.pop().expect("a block")
    };
    let option = |number: usize, more: bool| (number << 4) as u8 | u8::from(more) << 3 | 4;
    let long = format!("{{\"pad\": \"{}\", \"temperature\": 21.5}}", "x".repeat(600));
    assert_eq!(send(&mut pusher, &long, &option).await, code(ResponseType::Changed));
    bench.told(0, good(21.5)).await;
    let skips = |number: usize, more: bool| option(number * 2, more);
    assert_eq!(send(&mut pusher, &long, &skips).await, code(ResponseType::RequestEntityIncomplete));
    let more = |number: usize, _| vec![(number >> 4) as u8, option(number, true)];
    let send_on = async |pusher: &mut Pusher, number: usize| {
        let mut put = pusher.question(RequestType::Put, "room/1/state", &[b'x'; 256]);
        put.add_option(CoapOption::Block1, more(number, true));
        pusher.send(&put).await.header.code
    };
    for number in 0..16 {
        assert_eq!(send_on(&mut pusher, number).await, code(ResponseType::Continue));
    }
    assert_eq!(send_on(&mut pusher, 16).await, code(ResponseType::RequestEntityTooLarge), "4 KiB is the most");
    assert_eq!(bench.inbox.all(0), [good(21.5)]);
}

#[tokio::test]
async fn the_gateway_says_what_it_takes() {
    let points: Vec<(u32, Json)> = (0..100).map(|at| (0, json!({ "path": format!("sensor/{at}") }))).collect();
    let (_bench, port) = listening(&[json!({ "path": "/a b" })], &points).await;
    let mut pusher = Pusher::to(port).await;
    let (mut all, mut number) = (vec![], 0u8);
    loop {
        let mut get = pusher.question(RequestType::Get, ".well-known/core", b"");
        if number > 0 {
            get.add_option(CoapOption::Block2, vec![number << 4 | 6]);
        }
        let answer = pusher.send(&get).await;
        assert_eq!(answer.get_first_option(CoapOption::ContentFormat), Some(&vec![40]));
        all.extend_from_slice(&answer.payload);
        let block = answer.get_first_option(CoapOption::Block2).and_then(|bytes| bytes.last().copied());
        number += 1;
        if block.is_none_or(|block| block & 8 == 0) {
            break;
        }
    }
    let text = String::from_utf8(all).expect("text");
    assert!(text.starts_with("</a%20b/sensor/0>,</a%20b/sensor/1>"), "{text}");
    assert_eq!((text.matches('<').count(), number), (100, 2));
}

#[tokio::test]
async fn devices_with_one_path_are_told_apart_by_where_they_are() {
    let here = Pusher::to(free_port()).await;
    let port = here.socket.local_addr().expect("bound").port();
    let devices = [json!({ "source": format!("127.0.0.1:{port}") }), json!({ "source": "10.0.0.9" })];
    let points = [(0, json!({ "path": "t" })), (1, json!({ "path": "t" }))];
    let (bench, gateway) = listening(&devices, &points).await;
    here.socket.connect(("127.0.0.1", gateway)).await.expect("an address");
    let mut here = here;
    assert_eq!(here.put("t", b"7").await, code(ResponseType::Changed));
    bench.told(0, good(7)).await;
    assert_eq!(bench.inbox.all(1), []);
    assert_eq!(Pusher::to(gateway).await.put("t", b"8").await, code(ResponseType::NotFound));
}

#[tokio::test]
async fn readings_of_one_path_are_told_apart_by_their_query() {
    let points = ["n=1", "n=2"].map(|query| (0, json!({ "path": "t", "query": query })));
    let (bench, port) = listening(&[json!({})], &points).await;
    let mut pusher = Pusher::to(port).await;
    let mut put = pusher.question(RequestType::Put, "t", b"7");
    put.add_option(CoapOption::UriQuery, b"n=2".to_vec());
    assert_eq!(pusher.send(&put).await.header.code, code(ResponseType::Changed));
    bench.told(1, good(7)).await;
    assert_eq!(bench.inbox.all(0), []);
    assert_eq!(pusher.put("t", b"8").await, code(ResponseType::NotFound));
}

#[tokio::test]
async fn a_series_is_told_in_its_order() {
    let point = json!({ "path": "t", "at": "room:t", "format": "senml-json" });
    let (bench, port) = listening(&[json!({})], &[(0, point)]).await;
    let pack = br#"[{"bn": "room:", "bt": 1700000000, "n": "t", "v": 1}, {"n": "t", "t": 5, "v": 2}]"#;
    Pusher::to(port).await.put("t", pack).await;
    bench.told(0, good(2)).await;
    assert_eq!(bench.inbox.all(0), [good(1), good(2)]);
    assert_eq!(bench.inbox.times(0), [1_700_000_000, 1_700_000_005].map(Timestamp::from_secs));
}

#[tokio::test]
async fn a_port_is_given_back_and_one_that_somebody_has_is_told() {
    let (bench, port) = room().await;
    let other = json!({ "endpoint": format!("listen://127.0.0.1:{port}") });
    let second = Bench::new(other, json!({}), &[json!({ "path": "a" })]).await;
    let fault = second.connect().await.expect_err("somebody has it");
    assert!(matches!(&fault, Fault::Link(why) if why.contains("in use")), "{fault:?}");
    for _ in 0..20 {
        bench.connect().await.expect("it is ours");
    }
    bench.link.close(soon()).await;
    wait_for("the port", async || second.connect().await.ok()).await;
    let write = bench.write(0, 1).await.expect_err("nobody can be asked");
    assert!(matches!(write, Fault::Config(_) | Fault::Unsupported(_)), "{write:?}");
}
