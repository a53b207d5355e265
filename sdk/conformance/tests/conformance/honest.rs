//! An honest driver passes.

use crate::acme::{Acme, Flaw};
use crate::subject;
use edgeway_conformance::{Options, Outcome, run};

#[tokio::test]
async fn an_honest_driver_passes_every_part() {
    let mut told = vec![];
    let mut progress = |part: &edgeway_conformance::PartReport| told.push(part.name);
    let report = run(Acme::with(Flaw::None), &subject::as_program(), Options::short(17), &mut progress).await;
    let report = report.expect("the device starts");
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.score.to_string(), "12 of 12", "{report}");
    assert_eq!(told.len(), 13);
    let watch = report.parts.last().expect("parts");
    assert_eq!((watch.name, watch.outcome), ("watch", Outcome::NotApplicable));
    assert_eq!(watch.why.as_deref(), Some("the driver does not watch"));
    assert!(report.to_string().ends_with("score 12 of 12, seed 17"));
}

#[tokio::test]
async fn an_honest_driver_that_watches_passes_every_part() {
    let (subject, _device) = subject::in_process().await;
    let report = run(Acme::with(Flaw::Watches), &subject, Options::short(18), &mut |_| {}).await.expect("a device");
    assert_eq!(report.score.to_string(), "13 of 13", "{report}");
}

#[tokio::test]
async fn a_device_that_is_not_there_is_no_fault_of_the_driver() {
    let (subject, device) = subject::in_process().await;
    device.abort();
    let _ = device.await;
    let error = run(Acme::with(Flaw::None), &subject, Options::short(1), &mut |_| {}).await.expect_err("no device");
    assert!(
        error.to_string().starts_with("the device of the subject is not there: nobody can be connected to at"),
        "{error}"
    );
}
