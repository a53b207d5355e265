//! The driver against the conformance kit. A program of its own, because the kit counts what the process holds: threads, files.

use edgeway_conformance::{Options, Outcome, Subject, run};
use edgeway_driver_simulator::Simulator;
use std::path::Path;
use std::sync::Arc;

#[tokio::test]
async fn the_driver_passes_every_part_that_needs_no_wire() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance.toml");
    let subject = Subject::read(path).unwrap_or_else(|error| panic!("{error}"));
    let report = run(Arc::new(Simulator), &subject, Options::short(17), &mut |_| {}).await.expect("there is no device");
    assert!(report.is_clean(), "{report}");
    let passed = report.parts.iter().filter(|part| part.outcome == Outcome::Passed).map(|part| part.name);
    let expected = ["schema", "plan", "values", "fault scope", "writes", "lifecycle", "watch"];
    assert_eq!(passed.collect::<Vec<_>>(), expected, "{report}");
}
