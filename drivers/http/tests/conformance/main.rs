//! The driver against the conformance kit. A program of its own, because the kit counts what the process holds: threads, files.

use edgeway_conformance::{Options, Subject, run};
use edgeway_driver_http::Http;
use std::sync::Arc;

const TEXT: &str = include_str!("../../conformance.toml");

#[tokio::test]
async fn the_driver_passes_every_part() {
    passes(TEXT).await;
}

#[tokio::test]
async fn the_driver_passes_every_part_with_a_connection_for_each_request() {
    passes(&TEXT.replacen("in_flight = 4", "in_flight = 2\nidle = \"0s\"", 1)).await;
}

async fn passes(text: &str) {
    let subject = Subject::parse(text, env!("CARGO_MANIFEST_DIR")).unwrap_or_else(|error| panic!("{error}"));
    let report = run(Arc::new(Http), &subject, Options::short(17), &mut |_| {}).await.expect("the device starts");
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.score.to_string(), "13 of 13", "{report}");
}
