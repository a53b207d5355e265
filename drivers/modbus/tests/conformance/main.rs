//! The driver against the conformance kit. A program of its own, because the kit counts what the process holds: threads, files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod device;

use edgeway_conformance::{Options, Subject, run};
use edgeway_driver_modbus::Modbus;
use std::sync::Arc;
use tokio::net::TcpListener;

#[tokio::test]
async fn the_driver_passes_every_part_over_tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    tokio::spawn(device::serve(listener));
    let text = include_str!("../../conformance.toml").replace("127.0.0.1:15020", &address);
    let subject = Subject::parse(&text, env!("CARGO_MANIFEST_DIR")).unwrap_or_else(|error| panic!("{error}"));
    let report = run(Arc::new(Modbus), &subject, Options::short(17), &mut |_| {}).await.expect("the device is there");
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.applicable, 12, "{report}");
}
