//! Devices that push with DTLS, here with the client of `webrtc-dtls`.

use crate::bench::{Bench, WITHIN, good, soon};
use coap_lite::{CoapOption, MessageClass, Packet, RequestType, ResponseType};
use edgeway_conformance::free_port;
use serde_json::json;
use std::sync::Arc;
use tokio::net::UdpSocket;
use tokio::time::timeout;
use webrtc_dtls::cipher_suite::CipherSuiteId;
use webrtc_dtls::config::Config;
use webrtc_dtls::conn::DTLSConn;

/// A gateway to which two devices push the same path, each with a key of its own, and one of them another.
async fn gateway() -> (Bench, u16) {
    let port = free_port();
    let link = json!({ "endpoint": format!("listens://127.0.0.1:{port}"), "max_payload": "4KiB" });
    let devices = ["a", "b"].map(|name| json!({ "identity": name, "secret": format!("key of {name}") }));
    let points = [(0, json!({ "path": "t" })), (1, json!({ "path": "t" })), (1, json!({ "path": "b/only" }))];
    (Bench::with_devices(link, &devices, &points).await.connected().await, port)
}

/// A device that has shaken hands.
struct Device {
    session: DTLSConn,
    message_id: u16,
}

impl Device {
    async fn come_in(port: u16, identity: &str) -> Device {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        socket.connect(("127.0.0.1", port)).await.expect("an address");
        let key = format!("key of {identity}").into_bytes();
        let config = Config {
            psk: Some(Arc::new(move |_| Ok(key.clone()))),
            psk_identity_hint: Some(identity.as_bytes().to_vec()),
            cipher_suites: vec![CipherSuiteId::Tls_Psk_With_Aes_128_Ccm_8],
            ..Config::default()
        };
        let handshake = timeout(WITHIN, DTLSConn::new(Arc::new(socket), config, true, None));
        let session = Box::pin(handshake).await.expect("in time").expect("it has the key");
        Device { session, message_id: 0 }
    }

    async fn ask(&mut self, method: RequestType, path: &str, payload: &[u8]) -> Packet {
        self.message_id += 1;
        let mut packet = Packet::new();
        packet.header.code = MessageClass::Request(method);
        packet.header.message_id = self.message_id;
        path.split('/').for_each(|part| packet.add_option(CoapOption::UriPath, part.as_bytes().to_vec()));
        packet.payload = payload.to_vec();
        self.session.write(&packet.to_bytes().expect("short"), None).await.expect("the session is open");
        let mut buffer = [0; 2048];
        let length = self.session.read(&mut buffer, Some(WITHIN)).await.expect("an answer");
        Packet::from_bytes(&buffer[..length]).expect("a message")
    }

    async fn put(&mut self, path: &str, payload: &[u8]) -> ResponseType {
        match self.ask(RequestType::Put, path, payload).await.header.code {
            MessageClass::Response(code) => code,
            other => panic!("{other:?} is no answer"),
        }
    }
}

#[tokio::test]
async fn a_device_pushes_for_itself_alone() {
    let (bench, port) = gateway().await;
    let (mut a, mut b) = (Device::come_in(port, "a").await, Device::come_in(port, "b").await);
    for value in [1, 2, 3] {
        assert_eq!(a.put("t", value.to_string().as_bytes()).await, ResponseType::Changed);
        assert_eq!(b.put("t", (10 * value).to_string().as_bytes()).await, ResponseType::Changed);
        bench.told(0, good(value)).await;
        bench.told(1, good(10 * value)).await;
    }
    assert_eq!(a.put("b/only", b"7").await, ResponseType::Forbidden);
    assert_eq!(a.put("nothing", b"7").await, ResponseType::NotFound);
    assert_eq!(b.put("b/only", b"7").await, ResponseType::Changed);
    bench.told(2, good(7)).await;
    let listed = a.ask(RequestType::Get, ".well-known/core", b"").await;
    assert_eq!(String::from_utf8_lossy(&listed.payload), "</t>", "it is not told of what is not its own");
    let counted = ["handshakes", "pushes", "refused_pushes", "unknown_pushes"].map(|name| bench.counted(name));
    assert_eq!(counted, [2, 7, 1, 1]);
}

#[tokio::test]
async fn what_strangers_send_costs_nobody_a_session() {
    let (bench, port) = gateway().await;
    let mut a = Device::come_in(port, "a").await;
    let stranger = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    stranger.connect(("127.0.0.1", port)).await.expect("an address");
    let plain = b"\x40\x03\x12\x34\xb1t\xff7";
    let data = b"\x17\xfe\xfd\0\x01\0\0\0\0\0\x09\0\x20abcdefghijklmnopqrstuvwxyzabcdef";
    for datagram in [plain.as_slice(), b"", b"\xff\0nonsense", data, &[0x16; 4000]] {
        stranger.send(datagram).await.expect("somebody listens");
    }
    assert_eq!(a.put("t", b"1").await, ResponseType::Changed);
    bench.told(0, good(1)).await;
    assert_eq!((bench.counted("malformed"), bench.counted("unreadable_records")), (4, 1));
    assert_eq!((bench.counted("pushes"), bench.counted("unknown_pushes")), (1, 0));
    assert!(stranger.try_recv(&mut [0; 64]).is_err(), "nobody answers to that");
    assert_eq!(bench.inbox.lost_because(), None);
}

#[tokio::test]
async fn a_gateway_that_closes_says_goodbye() {
    let (bench, port) = gateway().await;
    let mut a = Device::come_in(port, "a").await;
    assert_eq!(a.put("t", b"1").await, ResponseType::Changed);
    bench.link.close(soon()).await;
    let told = timeout(WITHIN, a.session.read(&mut [0; 64], None)).await.expect("a goodbye");
    assert!(told.is_err(), "{told:?}");
    bench.connect().await.expect("the port is free");
    assert_eq!(Device::come_in(port, "a").await.put("t", b"2").await, ResponseType::Changed);
    bench.told(0, good(2)).await;
}
