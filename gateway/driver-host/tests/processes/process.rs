//! What an honest process does.

use crate::house::*;
use edgeway_sdk::*;
use parking_lot::Mutex;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::mpsc;

#[derive(Default)]
pub(crate) struct Heard(pub(crate) Mutex<Batch>, Mutex<Option<String>>);

impl Sink for Heard {
    fn data(&self, batch: Batch) {
        let mut heard = self.0.lock();
        heard.append(batch);
    }
    fn event(&self, _: DeviceIx, _: &str, _: Json, _: Timestamp) {}
    fn online(&self, _: DeviceIx, _: Option<&str>) {}
    fn lost(&self, reason: &str) {
        *self.1.lock() = Some(reason.to_owned());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_a_driver_can_do_goes_through_its_process() {
    let house = House::new().await;
    assert_eq!(house.driver.manifest().summary, "is experimented on");
    assert_eq!(house.driver.check_link(&json!({ "endpoint": "a" })), Ok("subject:a".into()));
    assert_eq!(house.driver.check_point(&json!({ "ta": 1 }), Access::Read).len(), 1);
    let (link, plan) = house.link("").await;
    assert_eq!(plan.steps.iter().map(|step| step.points.len()).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(plan.watched, [PointIx(20)]);
    assert_eq!(connected(&link).await.concurrency, 4);

    assert_eq!(values(&link, &plan.steps[1]).await, Ok(vec![Value::Float(12.5), Value::Float(13.5)]));
    let op = WriteOp { point: PointIx(12), value: Value::Int(3) };
    assert_eq!(link.write(&op, soon()).await, Ok(Some(Value::Int(3))));
    assert_eq!(values(&link, &plan.steps[1]).await, Ok(vec![Value::Int(3), Value::Float(13.5)]));

    let output = link.call(DeviceIx(7), "reset", json!({ "hard": true }), soon()).await.unwrap();
    assert_eq!((&output["service"], &output["input"]), (&json!("reset"), &json!({ "hard": true })));
    assert_ne!(output["pid"], std::process::id(), "it is another process");
    let offers = link.browse(DeviceIx(7), Some("/a"), soon()).await.unwrap();
    assert_eq!(offers[0].options, json!({ "device": 7, "at": "/a" }));

    let (sender, mut found) = mpsc::channel(16);
    house.driver.discover(json!({ "net": 1 }), sender, soon()).await.unwrap();
    let units: Vec<Json> = std::iter::from_fn(|| found.try_recv().ok()).map(|found| found.options).collect();
    assert_eq!(units, [json!({ "unit": 0 }), json!({ "unit": 1 }), json!({ "unit": 2 })]);

    let heard = Arc::new(Heard::default());
    link.watch(heard.clone(), soon()).await.unwrap();
    eventually("more than one credit's worth", || async { (heard.0.lock().len() > 100).then_some(()) }).await;
    assert!(heard.0.lock().points.iter().all(|point| *point == PointIx(20)));
    eventually("counters", || async { link.health().first().map(|(name, count)| (name == "planned_steps", *count)) })
        .await;
    link.close(soon()).await;
    house.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_questions_are_on_their_way_at_the_same_time() {
    let house = House::new().await;
    let (link, plan) = house.link("").await;
    connected(&link).await;
    let reads = (0..200).map(|number| {
        let (link, step) = (link.clone(), plan.steps[number % 2].clone());
        async move { values(&link, &step).await }
    });
    let all = futures::future::join_all(reads).await;
    for (number, read) in all.into_iter().enumerate() {
        let first = 10.5 + 2.0 * (number % 2) as f64;
        assert_eq!(read, Ok(vec![Value::Float(first), Value::Float(first + 1.0)]));
    }
    house.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_are_made_again_in_the_process_that_follows() {
    let house = House::new().await;
    let (link, plan) = house.link("").await;
    connected(&link).await;
    let step = &plan.steps[0];
    let refused: Vec<PointSpec> = points().into_iter().filter(|point| step.points.contains(&point.ix)).collect();
    let split = link.plan(&devices(), &refused, Split::Step(step)).await.unwrap();
    let smaller = &split.steps[1];
    assert_eq!(smaller.points, [PointIx(11)]);
    let before = values(&link, smaller).await;

    kill(&link).await;
    eventually("the link to be lost", || async { values(&link, smaller).await.err() }).await;
    connected(&link).await;
    assert_eq!(values(&link, smaller).await, before, "the split step is known to the new process");
    assert_eq!(values(&link, &plan.steps[1]).await.unwrap().len(), 2);
    assert_eq!(house.driver.status().starts, 2);
    house.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_only_listens_hears_that_the_process_is_gone() {
    let house = House::new().await;
    let (link, _) = house.link("").await;
    connected(&link).await;
    let heard = Arc::new(Heard::default());
    link.watch(heard.clone(), soon()).await.unwrap();
    kill(&link).await;
    let reason = eventually("the loss", || async { heard.1.lock().clone() }).await;
    assert!(reason.starts_with("driver subject has "), "{reason}");
    house.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_when_the_host_stops() {
    let house = House::new().await;
    let (link, _) = house.link("").await;
    connected(&link).await;
    let pid = pid(&link).await;
    let socket = house.socket();
    assert!(socket.exists());
    house.host.stop().await;
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "the process has ended");
    assert!(!socket.exists());
}

/// The number of the driver's process.
pub(crate) async fn pid(link: &Arc<dyn Link>) -> i32 {
    let output = link.call(DeviceIx(7), "pid", json!({}), soon()).await.unwrap();
    i32::try_from(output["pid"].as_i64().unwrap()).unwrap()
}

/// Kills the driver's process.
async fn kill(link: &Arc<dyn Link>) {
    signal(pid(link).await, rustix::process::Signal::KILL);
}

pub(crate) fn signal(pid: i32, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal).unwrap();
}
