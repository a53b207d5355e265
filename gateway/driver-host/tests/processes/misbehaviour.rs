//! What becomes of a process that does not do as it should. Its neighbour is always an honest link.

use crate::house::*;
use crate::process::{Heard, pid, signal};
use edgeway_driver_host::{Condition, DriverHost, ProcessDriver, manifest};
use edgeway_sdk::*;
use rustix::process::Signal;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Lets a link misbehave, and gives the reason that the link is down with.
async fn lost(house: &House, does: &str) -> String {
    let (link, plan) = house.link(does).await;
    connected(&link).await;
    match values(&link, &plan.steps[0]).await {
        Err(Fault::Link(reason)) => reason,
        other => panic!("a lost link, not {other:?}"),
    }
}

/// An honest link answers in the process that follows.
async fn recovers(house: &House) {
    let (link, plan) = house.link("").await;
    connected(&link).await;
    eventually("an honest answer", || async {
        if values(&link, &plan.steps[0]).await.is_ok() {
            return Some(());
        }
        connected(&link).await;
        None
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_is_said_with_the_last_words() {
    let house = House::new().await;
    let (link, plan) = house.link("crash").await;
    connected(&link).await;
    assert!(matches!(values(&link, &plan.steps[0]).await, Err(Fault::Link(_))));
    let reason = house.until("waiting").await;
    assert!(reason.contains("signal: 6") && reason.ends_with("connected"), "{reason}");
    recovers(&house).await;
    house.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_was_under_way_is_not_repeated() {
    let house = House::new().await;
    let (link, _) = house.link("crash-on-write").await;
    connected(&link).await;
    let op = WriteOp { point: PointIx(10), value: Value::Int(1) };
    assert!(matches!(link.write(&op, soon()).await, Err(Fault::Link(_))), "nobody knows whether it was applied");
    connected(&link).await;
    assert_eq!(house.driver.status().starts, 2, "a repeated write would have crashed the second one too");
    house.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_costs_one_answer() {
    let house = House::new().await;
    let (link, plan) = house.link("panic").await;
    connected(&link).await;
    let Err(Fault::Device(reason)) = values(&link, &plan.steps[0]).await else { panic!("a fault") };
    assert_eq!(reason, "the driver has a bug: it panicked: as it was told");
    assert_eq!(house.driver.status().starts, 1);
    house.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_costs_the_link_and_not_the_process() {
    let house = House::new().await;
    let start = Instant::now();
    let reason = lost(&house, "hang").await;
    assert_eq!(reason, "driver subject has not answered by the deadline");
    assert!(start.elapsed() >= Duration::from_secs(2));
    recovers(&house).await;
    assert_eq!(house.driver.status().starts, 1);
    house.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_stopped_is_killed_and_started_anew() {
    let house = House::new().await;
    let (link, _) = house.link("").await;
    connected(&link).await;
    signal(pid(&link).await, Signal::STOP);
    let reason = house.until("waiting").await;
    assert_eq!(reason, "has not answered 3 pings in a row");
    recovers(&house).await;
    house.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_takes_too_much_memory_is_killed() {
    let house = House::with(|launch| launch.memory_max = Some(128 << 20)).await;
    let (link, plan) = house.link("eat").await;
    connected(&link).await;
    let eating = tokio::spawn(async move { values(&link, &plan.steps[0]).await.is_err() });
    let reason = house.until("waiting").await;
    assert!(reason.ends_with("MiB of memory, and may use 128"), "{reason}");
    assert!(eating.await.unwrap());
    recovers(&house).await;
    house.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_is_too_long_ends_the_session() {
    let house = House::new().await;
    let reason = lost(&house, "long").await;
    assert!(reason.contains("too long") || reason.contains("has gone"), "{reason}");
    recovers(&house).await;
    house.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_somebody_elses_points_are_not_taken() {
    let house = House::new().await;
    let (link, plan) = house.link("stranger").await;
    connected(&link).await;
    let fault = values(&link, &plan.steps[0]).await;
    assert_eq!(fault, Err(Fault::Device("driver subject answers for other points".into())));
    house.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_leaves_the_other_links_their_answers() {
    let house = House::new().await;
    let (flooding, _) = house.link("flood").await;
    connected(&flooding).await;
    let heard = Arc::new(Heard::default());
    flooding.watch(heard.clone(), soon()).await.unwrap();
    let (link, plan) = house.link("").await;
    connected(&link).await;
    for _ in 0..100 {
        values(&link, &plan.steps[0]).await.expect("answered amid the flood");
    }
    assert!(!heard.0.lock().is_empty());
    house.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_dies_again_and_again_is_quarantined() {
    let house = House::with(|launch| {
        launch.command = ["sh", "-c", "echo cannot find the bus >&2; exit 1"].map(str::to_owned).into();
    })
    .await;
    let reason = house.until("quarantined").await;
    assert_eq!(reason, "is quarantined for ten minutes: has ended (exit status: 1): cannot find the bus");
    let status = house.driver.status();
    assert_eq!((status.starts, status.lines.len()), (5, 5));
    house.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_process_that_is_expected_may_sit_down() {
    let house = House::new().await;
    let (link, _) = house.link("").await;
    connected(&link).await;
    let environment = std::fs::read_to_string(format!("/proc/{}/environ", pid(&link).await)).unwrap();
    let token = environment.split('\0').find_map(|variable| variable.strip_prefix("EDGEWAY_TOKEN=")).unwrap();
    for (token, epoch, why) in [("wrong", "1", "token"), ("", "1", "token"), (token, "0", "epoch 0 is over")] {
        let said = dial(&house, token, epoch).await;
        assert!(said.contains("turned this driver away") && said.contains(why), "{said}");
    }
    assert!(link.connect(soon()).await.is_ok(), "the one that sits there is not disturbed");
    house.host.stop().await;
}

/// Another process that dials in; what it says of how it went.
async fn dial(house: &House, token: &str, epoch: &str) -> String {
    let mut command = tokio::process::Command::new(&launch("/".into()).command[0]);
    command.env("EDGEWAY_SOCKET", format!("unix:{}", house.socket().display()));
    command.env("EDGEWAY_TOKEN", token).env("EDGEWAY_EPOCH", epoch).stdin(std::process::Stdio::piped());
    let output = tokio::time::timeout(WITHIN, command.output()).await.expect("it gives up").unwrap();
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_is_not_there_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut launch = launch(folder.path().to_owned());
    let manifest = manifest(&launch).unwrap();
    launch.command = vec!["./no-such-program".into()];
    let driver = Arc::new(ProcessDriver::launched(launch, manifest).unwrap());
    assert_eq!(driver.status().condition, Condition::Awaited);
    let host = DriverHost::start(folder.path(), std::slice::from_ref(&driver), None).await.unwrap();
    let link = driver.open(serde_json::json!({})).unwrap();
    let Err(Fault::Link(reason)) = link.plan(&[], &[], Split::Nothing).await else { panic!("a fault") };
    assert!(reason.starts_with("driver subject cannot be started: `./no-such-program`"), "{reason}");
    host.stop().await;
}
