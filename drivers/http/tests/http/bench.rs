//! A link with one device and its points, ready to be asked.

use edgeway_driver_http::Http;
use edgeway_sdk::{
    Access, Batch, Deadline, DeviceIx, DeviceSpec, Driver, Fault, Json, Link, Plan, PointIx, PointSpec, Quality, Split,
    StepIx, Timestamp, Value, WriteOp,
};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Long enough for an honest answer on a busy machine, short enough to wait for in a test.
pub(crate) const TIMEOUT: &str = "300ms";
/// How long anything may take on a busy machine.
pub(crate) const WITHIN: Duration = Duration::from_secs(30);

/// A planned link.
pub(crate) struct Bench {
    pub(crate) link: Arc<dyn Link>,
    pub(crate) plan: Plan,
}

/// What a point was read as.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) point: PointIx,
    pub(crate) value: Value,
    pub(crate) quality: Quality,
    pub(crate) time: Timestamp,
}

/// When everything in a test ought to have ended.
pub(crate) fn soon() -> Deadline {
    Instant::now() + Duration::from_secs(9)
}

impl Bench {
    /// Connected, with points of a device at the root.
    pub(crate) async fn new(address: &str, points: &[Json]) -> Bench {
        Bench::with(address, json!({}), json!({}), points).await
    }

    /// The same with options of the link and the device.
    pub(crate) async fn with(address: &str, link: Json, device: Json, points: &[Json]) -> Bench {
        let bench = Bench::apart(address, link, device, points).await;
        bench.link.connect(soon()).await.expect("the server is there");
        bench
    }

    /// The same, not connected yet.
    pub(crate) async fn apart(address: &str, link: Json, device: Json, points: &[Json]) -> Bench {
        let mut options = json!({ "endpoint": address, "timeout": TIMEOUT });
        options.as_object_mut().unwrap().extend(link.as_object().unwrap().clone());
        let link = Http.open(options).expect("valid options");
        let plan = link.plan(&[device_spec(device)], &specs(points), Split::Nothing).await.expect("valid points");
        Bench { link, plan }
    }

    /// Runs a step of the plan, counted from 0.
    pub(crate) async fn exec(&self, step: usize) -> Result<Vec<Seen>, Fault> {
        exec(&*self.link, self.plan.steps[step].id, soon()).await
    }

    /// The values of a step that works, all of them good.
    pub(crate) async fn good(&self, step: usize) -> Vec<Value> {
        let seen = self.exec(step).await.unwrap_or_else(|fault| panic!("step {step}: {fault:?}"));
        assert!(seen.iter().all(|seen| seen.quality.is_good()), "{seen:?}");
        seen.into_iter().map(|seen| seen.value).collect()
    }

    /// Why a step is a fault of the device.
    pub(crate) async fn fault(&self, step: usize) -> String {
        match self.exec(step).await {
            Err(Fault::Device(reason)) => reason,
            other => panic!("expected a fault of the device, got {other:?}"),
        }
    }

    /// Writes a point.
    pub(crate) async fn write(&self, point: u32, value: impl Into<Value>) -> Result<Option<Value>, Fault> {
        self.link.write(&WriteOp { point: PointIx(point), value: value.into() }, soon()).await
    }
}

pub(crate) fn device_spec(options: Json) -> DeviceSpec {
    DeviceSpec { ix: DeviceIx(0), options }
}

/// Points; one with `access` in its options has that.
pub(crate) fn specs(points: &[Json]) -> Vec<PointSpec> {
    let spec = |(ix, options): (usize, &Json)| {
        let mut options = options.clone();
        let access = match options.as_object_mut().unwrap().remove("access") {
            None => Access::Read,
            Some(access) => serde_json::from_value(access).expect("an access"),
        };
        let period = Duration::from_secs(1);
        PointSpec { ix: PointIx(ix as u32), device: DeviceIx(0), options: options.into(), access, period }
    };
    points.iter().enumerate().map(spec).collect()
}

/// Runs a step and hands out what it pushed, which after an error must be nothing.
pub(crate) async fn exec(link: &dyn Link, step: StepIx, by: Deadline) -> Result<Vec<Seen>, Fault> {
    let mut batch = Batch::default();
    let result = link.exec(step, &mut batch, by).await;
    if result.is_err() {
        assert!(batch.is_empty(), "values were pushed before an error");
    }
    result.map(|()| seen(batch))
}

pub(crate) fn seen(batch: Batch) -> Vec<Seen> {
    let columns = batch.points.into_iter().zip(batch.values).zip(batch.qualities).zip(batch.source_times);
    columns.map(|(((point, value), quality), time)| Seen { point, value, quality, time }).collect()
}

/// Waits until there is something.
///
/// # Panics
/// If there is nothing in time.
pub(crate) async fn wait_for<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let until = Instant::now() + WITHIN;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < until, "waited {WITHIN:?} for {what}");
        sleep(Duration::from_millis(20)).await;
    }
}
