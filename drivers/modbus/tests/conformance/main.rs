//! The driver against the conformance kit. A program of its own, because the kit counts what the process holds: threads, files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod device;

use device::Framing;
use edgeway_conformance::{Options, Subject, run};
use edgeway_driver_modbus::Modbus;
use std::sync::Arc;
use tokio::net::TcpListener;

const TEXT: &str = include_str!("../../conformance.toml");

#[tokio::test]
async fn the_driver_passes_every_part_over_tcp() {
    passes(TEXT, Framing::Tcp).await;
}

/// No number tells two answers of one unit apart: what comes late is kept away by leaving the unit alone.
#[tokio::test]
async fn the_driver_passes_every_part_with_rtu_through_tcp() {
    let (text, _) = TEXT.split_once("[chaos]").expect("the last table");
    // Impatient, because every answer that does not come costs `late` too.
    let link = text.replace("200ms", "100ms").replacen("in_flight = 4", "framing = \"rtu\"\nlate = \"250ms\"", 1);
    let chaos = "[chaos]\nanswer_per_question = true\ngarbage = true\nunit = [0, 1]\nfunction = [1, 2]\n";
    passes(&format!("{link}{chaos}"), Framing::Rtu).await;
}

async fn passes(text: &str, framing: Framing) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    tokio::spawn(device::serve(listener, framing));
    let text = text.replace("127.0.0.1:15020", &address);
    let subject = Subject::parse(&text, env!("CARGO_MANIFEST_DIR")).unwrap_or_else(|error| panic!("{error}"));
    let report = run(Arc::new(Modbus), &subject, Options::short(17), &mut |_| {}).await.expect("the device is there");
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.score.to_string(), "12 of 12", "{report}");
}
