//! The driver is put to the test: the short form of `edgeway driver test`.

use edgeway_conformance::{Options, Subject, run};
use edgeway_driver_acme::Acme;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn the_driver_keeps_its_promises() {
    let subject = Subject::read("../python/examples/acme/conformance.toml").unwrap_or_else(|error| panic!("{error}"));
    let report = run(Arc::new(Acme), &subject, Options::short(1), &mut |_| {}).await.expect("it could be tested");
    assert!(report.is_clean(), "{report}");
}
