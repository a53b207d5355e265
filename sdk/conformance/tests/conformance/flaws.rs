//! Every flaw is found, by the part of its name.

use crate::acme::{Acme, Flaw};
use crate::subject;
use edgeway_conformance::{Options, Report, run};

async fn report(flaw: Flaw) -> Report {
    let (subject, _device) = subject::in_process().await;
    run(Acme::with(flaw), &subject, Options::short(17), &mut |_| {}).await.expect("the device is there")
}

/// These parts fail and no others, and one of their findings has these words.
async fn fails(flaw: Flaw, parts: &[&str], words: &str) {
    let report = report(flaw).await;
    assert_eq!(report.failed(), parts, "{flaw:?}: {report}");
    let findings = report.parts.iter().flat_map(|part| &part.findings);
    assert!(findings.into_iter().any(|finding| finding.contains(words)), "{flaw:?}, `{words}`: {report}");
}

#[tokio::test]
async fn an_unknown_option_that_is_ignored() {
    fails(Flaw::IgnoresUnknownKeys, &["schema"], "expected a problem at an unknown key, came none").await;
}

#[tokio::test]
async fn a_point_that_is_in_no_step() {
    fails(Flaw::LosesPoint, &["plan"], "pump.flow: expected to be in one step, watched or rejected, it is so in 0")
        .await;
}

#[tokio::test]
async fn a_plan_that_is_another_each_time() {
    fails(Flaw::PlansAnew, &["plan"], "expected the same plan for the same points").await;
}

#[tokio::test]
async fn a_source_time_that_is_to_come() {
    let report = report(Flaw::LivesInTheFuture).await;
    assert!(report.failed().contains(&"values"), "{report}");
    assert!(report.to_string().contains("expected a source time not after"), "{report}");
}

#[tokio::test]
async fn a_late_answer_that_is_taken_for_another() {
    let report = report(Flaw::TakesLateAnswers).await;
    assert!(report.failed().contains(&"late answer"), "{report}");
    let late = report.parts.iter().find(|part| part.name == "late answer").expect("a part");
    assert!(late.findings.iter().any(|finding| finding.contains("press.force: expected 3405, came ")), "{report}");
}

#[tokio::test]
async fn an_answer_of_another_unit() {
    fails(Flaw::TakesAnyUnit, &["damaged answers"], "after an answer of somebody else: expected a fault").await;
}

#[tokio::test]
async fn a_short_answer() {
    fails(Flaw::TakesHalfAnswers, &["damaged answers"], ": expected ").await;
}

#[tokio::test]
async fn a_panic_at_garbage() {
    let report = report(Flaw::PanicsOnGarbage).await;
    assert!(report.failed().contains(&"damaged answers"), "{report}");
    assert!(report.to_string().contains("expected a fault, the driver panicked: an answer is"), "{report}");
}

#[tokio::test]
async fn a_refusal_that_is_told_as_silence() {
    fails(Flaw::RefusalIsSilence, &["fault scope"], "with points beside them that the device refuses").await;
}

#[tokio::test]
async fn a_refusal_that_is_told_as_a_lost_link() {
    let report = report(Flaw::RefusalIsLostLink).await;
    assert_eq!(report.failed(), ["fault scope"], "{report}");
}

#[tokio::test]
async fn old_values_that_are_handed_out_as_good() {
    let report = report(Flaw::AnswersFromCache).await;
    assert!(report.failed().contains(&"stale data"), "{report}");
    assert!(
        report.to_string().contains("the device is silent, press.force: expected a fault or a bad value"),
        "{report}"
    );
}

#[tokio::test]
async fn a_connection_that_is_left_over_each_time() {
    fails(Flaw::LeaksConnections, &["reconnect", "lifecycle"], "expected as many open files as before").await;
}

#[tokio::test]
async fn a_task_that_is_left_over_each_time() {
    fails(Flaw::LeaksTasks, &["reconnect", "lifecycle"], "expected as many running tasks as before").await;
}

#[tokio::test]
async fn a_call_that_does_not_come_back() {
    let words = "exec against an answer without end: expected an end by the deadline, it was still busy 1s later";
    fails(Flaw::WaitsForEveryByte, &["deadline"], words).await;
}

#[tokio::test]
async fn a_write_that_is_sent_twice() {
    fails(Flaw::WritesTwice, &["writes"], "expected the write to be sent once, it was sent 2 times").await;
}

#[tokio::test]
async fn more_questions_at_the_same_time_than_declared() {
    fails(Flaw::AsksAllAtOnce, &["concurrency"], "expected at most 1 questions under way at the same time").await;
}

#[tokio::test]
async fn a_link_that_cannot_be_connected_again_after_close() {
    fails(Flaw::ClosesForGood, &["lifecycle"], "after close and connect").await;
}

#[tokio::test]
async fn a_watched_point_that_does_not_tell_what_it_is() {
    let report = report(Flaw::TellsNoPresentValues).await;
    assert!(report.failed().contains(&"watch"), "{report}");
}

#[tokio::test]
async fn a_connection_that_does_not_go_through_the_proxy() {
    let (subject, _device) = subject::with_a_way_around().await;
    let report = run(Acme::with(Flaw::GoesAround), &subject, Options::short(17), &mut |_| {}).await;
    let report = report.expect("the device is there");
    assert!(report.failed().contains(&"values"), "{report}");
    assert!(report.to_string().contains("it has its values from elsewhere"), "{report}");
}
