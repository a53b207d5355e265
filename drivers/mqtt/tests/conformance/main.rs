//! The driver against the conformance kit, with mosquitto as the broker. A program of its own, because the kit counts what the
//! process holds: threads, files.
#![cfg(feature = "peers")]

use edgeway_conformance::{Options, Outcome, Subject, run};
use edgeway_driver_mqtt::Mqtt;
use std::sync::Arc;

const TEXT: &str = include_str!("../../conformance.toml");

#[tokio::test]
async fn the_driver_passes_every_part_with_mqtt_5() {
    passes(TEXT).await;
}

#[tokio::test]
async fn the_driver_passes_every_part_with_mqtt_3() {
    passes(&TEXT.replacen("keep_alive = \"1s\"", "keep_alive = \"1s\"\nversion = \"3.1.1\"", 1)).await;
}

async fn passes(text: &str) {
    let subject = Subject::parse(text, env!("CARGO_MANIFEST_DIR")).unwrap_or_else(|error| panic!("{error}"));
    let report = run(Arc::new(Mqtt), &subject, Options::short(17), &mut |_| {}).await.expect("the broker starts");
    assert!(report.is_clean(), "{report}");
    let passed = report.parts.iter().filter(|part| part.outcome == Outcome::Passed).map(|part| part.name);
    // What needs a question and its answer does not apply: nothing is asked.
    let expected = [
        "schema",
        "plan",
        "values",
        "damaged answers",
        "fault scope",
        "stale data",
        "reconnect",
        "deadline",
        "writes",
        "lifecycle",
        "watch",
    ];
    assert_eq!(passed.collect::<Vec<_>>(), expected, "{report}");
}
