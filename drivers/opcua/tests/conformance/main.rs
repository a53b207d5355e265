//! The driver against the conformance kit, with asyncua as the device. A program of its own, because the kit counts what the
//! process holds: threads, files.
#![cfg(feature = "peers")]

use edgeway_conformance::{Options, Subject, run};
use edgeway_driver_opcua::OpcUa;
use std::sync::Arc;

const TEXT: &str = include_str!("../../conformance.toml");

#[tokio::test]
async fn the_driver_passes_every_part_with_points_that_are_asked_for() {
    passes(TEXT, "13 of 13").await;
}

/// An answer to a Publish comes when there is something to tell: questions and answers cannot be counted.
#[tokio::test]
async fn the_driver_passes_every_part_with_points_that_are_told() {
    let (text, _) = TEXT.split_once("[chaos]").expect("the last table");
    let text = text.replacen("watch = \"poll\"\n", "", 1);
    let chaos = "[chaos]\nframe = \"length\"\nlength = { at = [4, 8], order = \"little\" }\nid = [20, 24]\n";
    passes(&format!("{text}{chaos}"), "11 of 11").await;
}

async fn passes(text: &str, score: &str) {
    let subject = Subject::parse(text, env!("CARGO_MANIFEST_DIR")).unwrap_or_else(|error| panic!("{error}"));
    let report = run(Arc::new(OpcUa), &subject, Options::short(17), &mut |_| {}).await.expect("the device is there");
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.score.to_string(), score, "{report}");
}
