//! The example server of libcoap, in the clear and with DTLS.

use super::process::Process;
use crate::bench::{Bench, good, soon, wait_for};
use edgeway_conformance::free_port;
use edgeway_sdk::{DeviceIx, Fault, Json, Value};
use serde_json::json;
use std::net::UdpSocket;
use tokio::process::Command;

const SECRET: &str = "secretkey";

/// In the clear on this port, with DTLS on the next.
struct Libcoap {
    port: u16,
    program: &'static str,
    arguments: Vec<String>,
    process: Option<Process>,
}

impl Libcoap {
    async fn start(arguments: &[&str]) -> Self {
        Libcoap::start_as("coap-server-gnutls", arguments).await
    }

    async fn start_as(program: &'static str, arguments: &[&str]) -> Self {
        // Both must be free.
        let port = loop {
            let port = free_port();
            if port < u16::MAX && UdpSocket::bind(("127.0.0.1", port + 1)).is_ok() {
                break port;
            }
        };
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let mut server = Libcoap { port, program, arguments, process: None };
        server.resume().await;
        server
    }

    async fn resume(&mut self) {
        let mut command = Command::new(self.program);
        command.args(["-A", "127.0.0.1", "-p", &self.port.to_string(), "-v", "0"]).args(&self.arguments);
        self.process = Some(Process::start(self.program, &mut command));
        // It does not say when it listens.
        let (at, socket) = (("127.0.0.1", self.port), UdpSocket::bind("127.0.0.1:0").expect("a free port"));
        socket.connect(at).expect("an address");
        socket.set_nonblocking(true).expect("a socket");
        wait_for("libcoap to listen", async || {
            let _ = socket.send(&[]);
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            let refused =
                socket.recv(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused);
            (!refused).then_some(())
        })
        .await;
    }

    async fn kill(&mut self) {
        self.process.take().expect("it runs").kill().await;
    }

    fn link(&self) -> Json {
        json!({ "endpoint": format!("coap://127.0.0.1:{}", self.port), "renew": "2s", "ack_timeout": "200ms" })
    }

    fn secure(&self, identity: &str, secret: &str) -> Json {
        let endpoint = format!("coaps://127.0.0.1:{}", self.port + 1);
        json!({ "endpoint": endpoint, "identity": identity, "secret": secret, "timeout": "3s", "renew": "2s" })
    }
}

/// A clock that counts.
fn ticks() -> Json {
    json!({ "path": "/time", "query": "ticks" })
}

/// Its last values, if they go up.
fn rising(bench: &Bench, point: u32) -> Option<Vec<i64>> {
    let told: Vec<i64> =
        bench.inbox.all(point).iter().filter_map(|read| read.0.as_f64()).map(|value| value as i64).collect();
    assert!(told.is_sorted(), "no old value after a newer one: {told:?}");
    (told.len() >= 4 && told.last() > told.first()).then_some(told)
}

#[tokio::test]
async fn a_clock_is_read_and_observed() {
    for mode in [&[][..], &["-N"]] {
        let server = Libcoap::start(mode).await;
        let mut observed = ticks();
        observed["watch"] = json!("observe");
        let bench = Bench::new(server.link(), json!({}), &[ticks(), observed]).await.connected().await;
        let (first, quality) = bench.read().await.expect("a value");
        assert!(quality.is_good() && first.as_f64().is_some_and(|ticks| ticks > 0.0), "{first:?}");
        wait_for("four notifications", async || rising(&bench, 1)).await;
        bench.link.close(soon()).await;
    }
}

#[tokio::test]
async fn a_long_payload_is_written_in_blocks() {
    let server = Libcoap::start(&[]).await;
    let point = json!({ "path": "/example_data", "format": "text", "write": true });
    let long = "0123456789abcdef".repeat(300);
    for block_size in [1024, 64] {
        let mut link = server.link();
        link["block_size"] = json!(block_size);
        let bench = Bench::new(link, json!({}), std::slice::from_ref(&point)).await.connected().await;
        let text = format!("{block_size} {long}");
        assert_eq!(bench.write(0, text.as_str()).await, Ok(Some(text.as_str().into())), "blocks of {block_size}");
        assert_eq!(bench.read().await, Ok(good(text.as_str())));
    }
}

#[tokio::test]
async fn a_third_of_all_datagrams_is_lost_and_no_value_is_wrong() {
    let server = Libcoap::start(&["-l", "33%"]).await;
    let mut link = server.link();
    link["ack_timeout"] = json!("60ms");
    link["max_retransmit"] = json!(8);
    let mut observed = ticks();
    observed["watch"] = json!("observe");
    let bench = Bench::new(link, json!({}), &[ticks(), observed]).await;
    wait_for("a connection", async || bench.connect().await.ok()).await;
    let mut last = Value::Int(0);
    let mut faults = 0;
    for _ in 0..60 {
        match bench.read().await {
            Ok((value, quality)) => {
                assert!(quality.is_good() && value.as_f64() >= last.as_f64(), "{value:?} after {last:?}");
                last = value;
            }
            Err(_) => faults += 1,
        }
    }
    assert!(faults <= 2, "what is lost is sent again: {faults} faults of 60");
    assert!(bench.counted("repetitions") > 5);
    wait_for("four notifications", async || rising(&bench, 1)).await;
}

#[tokio::test]
async fn what_there_is_is_found_out() {
    let server = Libcoap::start(&[]).await;
    let bench = Bench::new(server.link(), json!({}), &[]).await.connected().await;
    let points = bench.link.browse(DeviceIx(0), None, soon()).await.expect("it says what it has");
    let clock = points.iter().find(|point| point.options["path"] == "/time").expect("a clock");
    assert_eq!(clock.options, json!({ "path": "/time", "format": "text", "watch": "observe" }));
    let offer = clock.offer.clone().expect("an offer");
    assert_eq!((offer.name.as_str(), offer.description.as_str()), ("time", "Internal Clock"));
    assert!(clock.identity.contains(&("type".into(), "ticks".into())), "{:?}", clock.identity);
}

#[tokio::test]
async fn a_clock_is_read_and_observed_with_dtls() {
    let server = Libcoap::start(&["-k", SECRET, "-h", "hint"]).await;
    let mut observed = ticks();
    observed["watch"] = json!("observe");
    let link = server.secure("gateway", SECRET);
    let bench = Bench::new(link, json!({}), &[ticks(), observed]).await.connected().await;
    assert!(bench.read().await.expect("a value").1.is_good());
    wait_for("four notifications", async || rising(&bench, 1)).await;
    // The same key as bytes.
    let bench = Bench::new(server.secure("gateway", "hex:7365637265746b6579"), json!({}), &[ticks()]).await;
    assert!(bench.connected().await.read().await.expect("a value").1.is_good());
}

async fn refused(link: Json) -> String {
    let bench = Bench::new(link, json!({}), &[ticks()]).await;
    match bench.connect().await {
        Err(Fault::Link(why)) => why,
        other => panic!("expected no connection, came {other:?}"),
    }
}

#[tokio::test]
async fn a_wrong_key_is_told_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let identities = folder.path().join("identities");
    std::fs::write(&identities, "hint,gateway,secretkey\n").expect("a file");
    let server = Libcoap::start(&["-k", "other", "-h", "hint", "-i", identities.to_str().expect("a path")]).await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let why = refused(server.secure("gateway", "wrong")).await;
    assert!(why.contains("`secret`"), "{why}");
    wait_for("what the handshake has started to end", async || (tasks() <= before).then_some(())).await;
    let why = refused(server.secure("stranger", SECRET)).await;
    assert!(why.contains("`identity`"), "{why}");
    // There is no DTLS at the other port.
    let mut link = server.secure("gateway", SECRET);
    link["endpoint"] = json!(format!("coaps://127.0.0.1:{}", server.port));
    let why = refused(link).await;
    assert!(why.contains("nobody speaks DTLS there"), "{why}");
}

/// Like GnuTLS it falls silent if the key is wrong, as RFC 6347 section 4.1.2.7 recommends.
#[tokio::test]
async fn another_make_of_dtls_is_spoken_to() {
    let server = Libcoap::start_as("coap-server-openssl", &["-k", SECRET, "-h", "hint"]).await;
    let bench = Bench::new(server.secure("gateway", SECRET), json!({}), &[ticks()]).await.connected().await;
    assert!(bench.read().await.expect("a value").1.is_good());
    let why = refused(server.secure("gateway", "wrong")).await;
    assert!(why.contains("`secret`"), "{why}");
}

#[tokio::test]
async fn a_dtls_server_that_has_forgotten_the_session_is_shaken_hands_with_again() {
    let mut server = Libcoap::start(&["-k", SECRET, "-h", "hint"]).await;
    let mut link = server.secure("gateway", SECRET);
    link["timeout"] = json!("1s");
    let mut observed = ticks();
    observed["watch"] = json!("observe");
    let bench = Bench::new(link, json!({}), &[ticks(), observed]).await.connected().await;
    for round in 0..5 {
        assert!(bench.read().await.expect("a value").1.is_good(), "round {round}");
        wait_for("a notification", async || bench.inbox.last(1).filter(|read| read.1.is_good())).await;
        server.kill().await;
        server.resume().await;
        // Nobody says that the session is gone: it is not answered.
        let fault = wait_for("the link to be given up", async || {
            bench.read().await.err().filter(|fault| matches!(fault, Fault::Link(_)))
        });
        fault.await;
        wait_for("a connection", async || bench.connect().await.ok()).await;
    }
}

/// Its client is a device that pushes.
#[tokio::test]
async fn what_its_client_pushes_is_told() {
    let port = free_port();
    let link = json!({ "endpoint": format!("listen://127.0.0.1:{port}") });
    let point = json!({ "path": "state", "at": "temperature" });
    let bench = Bench::new(link, json!({ "path": "/room/1" }), &[point]).await.connected().await;
    let long = format!("{{\"pad\": \"{}\", \"temperature\": 23.5}}", "x".repeat(3000));
    for (number, (how, payload)) in
        [("put", r#"{"temperature": 21.5}"#), ("post", r#"{"temperature": 22.5}"#), ("put", &long)].iter().enumerate()
    {
        let url = format!("coap://127.0.0.1:{port}/room/1/state");
        let mut command = Command::new("coap-client-notls");
        command.args(["-m", how, "-t", "50", "-B", "5", "-e", payload, &url]);
        let ended = command.kill_on_drop(true).output().await.expect("tests/run installs it");
        assert!(ended.status.success(), "{ended:?}");
        bench.told(0, good([21.5, 22.5, 23.5][number])).await;
    }
    let mut command = Command::new("coap-client-notls");
    command.args(["-m", "get", "-B", "5", &format!("coap://127.0.0.1:{port}/.well-known/core")]);
    let said = command.kill_on_drop(true).output().await.expect("tests/run installs it").stdout;
    assert_eq!(String::from_utf8_lossy(&said).trim(), "</room/1/state>");
}
