//! The driver against the conformance kit. A program of its own, because the kit counts what the process holds: threads, files.

mod device;

use edgeway_conformance::{Options, Subject, run};
use edgeway_driver_coap::Coap;
use std::sync::Arc;
use tokio::net::UdpSocket;

const TEXT: &str = include_str!("../../conformance.toml");

#[tokio::test]
async fn the_driver_passes_every_part() {
    passes(TEXT).await;
}

/// Nothing is acknowledged, and what is answered is so once.
#[tokio::test]
async fn the_driver_passes_every_part_with_messages_that_are_not_confirmable() {
    passes(&TEXT.replace("in_flight = 4", "in_flight = 1\nmessages = \"non-confirmable\"")).await;
}

async fn passes(text: &str) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    let address = socket.local_addr().expect("bound").to_string();
    tokio::spawn(device::serve(socket));
    let text = text.replace("127.0.0.1:15683", &address);
    let subject = Subject::parse(&text, env!("CARGO_MANIFEST_DIR")).unwrap_or_else(|error| panic!("{error}"));
    let report = run(Arc::new(Coap), &subject, Options::short(17), &mut |_| {}).await.expect("the device is there");
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.score.to_string(), "13 of 13", "{report}");
}
