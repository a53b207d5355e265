//! Devices that send with TLS: who comes in, who does not, and files that are renewed meanwhile.

use crate::bench::{soon, wait_for};
use crate::hooks::{Desk, WARM, answer, warm};
use crate::tls::Authority;
use edgeway_conformance::free_port;
use edgeway_driver_http::Http;
use edgeway_sdk::{Driver, Fault};
use edgeway_tls::Files;
use serde_json::{Value as Json, json};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, HandshakeKind};

/// Long enough for the `timeout` of any link here, a few times over.
const WITHIN: Duration = Duration::from_secs(9);

/// A device, with what it remembers of earlier connections.
struct Device(Arc<ClientConfig>);

impl Device {
    fn new(trusted: &Authority, shows: Option<&Authority>) -> Device {
        let identity = shows.map(|authority| authority.issue("device", "device"));
        let files = Files { ca: Some(trusted.file("ca.pem")), identity };
        Device(Arc::new(edgeway_tls::client(&files).expect("usable files")))
    }

    /// The status of the answer to a payload, 0 if there is none, and how TLS was agreed on.
    async fn send(&self, port: u16) -> io::Result<(u16, Option<HandshakeKind>)> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let name = ServerName::try_from("127.0.0.1").expect("an address");
        let mut stream = TlsConnector::from(self.0.clone()).connect(name, stream).await?;
        let length = WARM.len();
        let request =
            format!("POST /hook HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{WARM}");
        stream.write_all(request.as_bytes()).await?;
        let (status, _) = answer(&mut stream).await;
        Ok((status, stream.get_ref().1.handshake_kind()))
    }

    async fn is_heard(&self, desk: &Desk) -> bool {
        let sent = timeout(WITHIN, self.send(desk.port)).await.expect("an answer, or the end of the connection");
        let status = sent.map_or(0, |(status, _)| status);
        let told = desk.told();
        assert_eq!(told == warm(), status == 204, "status {status}, {told:?}");
        status == 204
    }
}

/// Of a link with a certificate for this machine.
fn secure(authority: &Authority, more: Json) -> Json {
    let (cert, key) = authority.issue("gateway", "127.0.0.1");
    let mut options = json!({ "cert": cert, "key": key, "timeout": "2s" });
    options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    options
}

fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).expect("copied");
}

#[tokio::test]
async fn what_is_sent_with_tls_is_told() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let desk = Desk::new(secure(&ours, json!({})), json!({})).await;
    assert!(Device::new(&ours, None).is_heard(&desk).await);
    assert!(!Device::new(&theirs, None).is_heard(&desk).await);
    wait_for("the stranger to be counted", async || (desk.counted("hooks_handshakes_failed") == 1).then_some(())).await;
    assert_eq!(desk.counted("hooks_taken"), 1);
}

#[tokio::test]
async fn only_who_has_a_certificate_is_heard() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let desk = Desk::new(secure(&ours, json!({ "client_ca": theirs.file("ca.pem") })), json!({})).await;
    assert!(Device::new(&ours, Some(&theirs)).is_heard(&desk).await);
    assert!(!Device::new(&ours, None).is_heard(&desk).await);
    assert!(!Device::new(&ours, Some(&ours)).is_heard(&desk).await);
    assert_eq!(desk.counted("hooks_handshakes_failed"), 2);
}

#[tokio::test]
async fn a_session_of_before_is_taken_up_again_but_not_past_another_client_ca() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let desk = Desk::new(secure(&ours, json!({ "client_ca": theirs.file("ca.pem") })), json!({})).await;
    let device = Device::new(&ours, Some(&theirs));
    assert_eq!(device.send(desk.port).await.unwrap(), (204, Some(HandshakeKind::Full)));
    assert_eq!(device.send(desk.port).await.unwrap(), (204, Some(HandshakeKind::Resumed)));
    copy(&ours.file("ca.pem"), &theirs.file("ca.pem"));
    desk.told();
    assert!(!device.is_heard(&desk).await, "its certificate is not trusted any more");
    assert!(Device::new(&ours, Some(&ours)).is_heard(&desk).await);
}

#[tokio::test]
async fn renewed_files_are_used_and_broken_ones_are_told_once() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let subscriber = tracing_subscriber::fmt().with_writer(Arc::new(log.reopen().unwrap())).with_ansi(false).finish();
    let _log = tracing::subscriber::set_default(subscriber);
    let logged = || fs::read_to_string(log.path()).unwrap();

    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let desk = Desk::new(secure(&old, json!({})), json!({})).await;
    let (cert, key) = new.issue("renewed", "127.0.0.1");
    let (of_old, of_new) = (Device::new(&old, None), Device::new(&new, None));
    assert!(of_old.is_heard(&desk).await);
    assert!(!of_new.is_heard(&desk).await);
    assert_eq!(logged(), "");

    copy(&cert, &old.file("gateway.pem"));
    assert!(of_old.is_heard(&desk).await, "a certificate without its key yet is not used");
    assert!(of_old.is_heard(&desk).await);
    assert_eq!(desk.counted("hooks_files_unusable"), 1);
    let lines = logged();
    assert_eq!(lines.matches("WARN").count(), 1, "{lines}");
    let place = format!("`key`: {}: it is not the key of", old.file("gateway.key").display());
    assert!(lines.contains(&place), "{lines}");

    copy(&key, &old.file("gateway.key"));
    assert!(of_new.is_heard(&desk).await);
    assert!(!of_old.is_heard(&desk).await);
    fs::remove_file(old.file("gateway.pem")).unwrap();
    assert!(of_new.is_heard(&desk).await);
    assert!(of_new.is_heard(&desk).await);
    assert_eq!(desk.counted("hooks_files_unusable"), 2);
    let lines = logged();
    assert_eq!((lines.matches("WARN").count(), lines.matches("INFO").count()), (2, 1), "{lines}");
}

#[tokio::test]
async fn who_does_not_come_through_the_door_costs_one_connection_for_a_time() {
    let ours = Authority::new("ours");
    let desk = Desk::new(secure(&ours, json!({ "timeout": "500ms", "connections": 2 })), json!({})).await;
    let plain = format!("POST /hook HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{WARM}", WARM.len());
    let mut strangers = vec![];
    // The first two say too little, and there is no room for the others until they are gone.
    for begin in [&b""[..], b"\x16\x03\x01\x02", plain.as_bytes(), b"\x16\x03\x01\x00\x05hello"] {
        let mut stream = TcpStream::connect(("127.0.0.1", desk.port)).await.expect("it listens");
        stream.write_all(begin).await.expect("sent");
        strangers.push(stream);
    }
    assert!(Device::new(&ours, None).is_heard(&desk).await);
    for stream in &mut strangers {
        wait_for("the end of the connection", async || ended(stream).await.then_some(())).await;
    }
    assert_eq!(desk.counted("hooks_handshakes_failed"), 4);
    assert_eq!(desk.counted("hooks_refused"), 0);
}

/// What is no HTTP may have come before.
async fn ended(stream: &mut TcpStream) -> bool {
    !matches!(stream.read(&mut [0; 64]).await, Ok(1..))
}

#[tokio::test]
async fn who_says_nothing_behind_the_door_is_cut_off_too() {
    let ours = Authority::new("ours");
    let desk = Desk::new(secure(&ours, json!({ "timeout": "500ms", "connections": 1 })), json!({})).await;
    let stream = TcpStream::connect(("127.0.0.1", desk.port)).await.expect("it listens");
    let connector = TlsConnector::from(Device::new(&ours, None).0);
    let mut silent = connector.connect(ServerName::try_from("127.0.0.1").unwrap(), stream).await.expect("trusted");
    assert!(Device::new(&ours, None).is_heard(&desk).await);
    assert_eq!(answer(&mut silent).await.0, 0);
    assert_eq!(desk.counted("hooks_handshakes_failed"), 0);
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_a_fault_of_the_configuration() {
    let ours = Authority::new("ours");
    fs::write(ours.file("empty.pem"), "").unwrap();
    for (option, name) in [("cert", "missing.pem"), ("key", "empty.pem"), ("client_ca", "empty.pem")] {
        let mut options = secure(&ours, json!({ option: ours.file(name) }));
        options["endpoint"] = format!("listens://127.0.0.1:{}", free_port()).into();
        match Http.open(options).expect("valid options").connect(soon()).await {
            Err(Fault::Config(reason)) => {
                let place = format!("`{option}`: {}: ", ours.file(name).display());
                assert!(reason.starts_with(&place), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    }
}
