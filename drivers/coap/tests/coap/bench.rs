//! A link with one device, called as the gateway calls it.

use edgeway_driver_coap::Coap;
use edgeway_sdk::{
    Access, Batch, Deadline, DeviceIx, DeviceSpec, Driver, Fault, Json, Link, Plan, PointIx, PointSpec, Quality, Sink,
    Split, Timestamp, Value, WriteOp,
};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long anything may take on a busy machine.
pub(crate) const WITHIN: Duration = Duration::from_secs(30);
/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub(crate) fn soon() -> Deadline {
    Instant::now() + Duration::from_secs(10)
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
        sleep(LOOK_EVERY).await;
    }
}

pub(crate) type Read = (Value, Quality);

pub(crate) fn good(value: impl Into<Value>) -> Read {
    (value.into(), Quality::Good)
}

/// A link with one device.
pub(crate) struct Bench {
    pub(crate) link: Arc<dyn Link>,
    pub(crate) plan: Plan,
    pub(crate) inbox: Arc<Inbox>,
}

impl Bench {
    /// Plans these points; nothing is connected yet. A point with `write` may be written, one with `write = "only"` only that.
    pub(crate) async fn new(link: Json, device: Json, points: &[Json]) -> Bench {
        Bench::with_devices(link, &[device], &points.iter().map(|point| (0, point.clone())).collect::<Vec<_>>()).await
    }

    /// The same with several devices, each point with the number of its own.
    pub(crate) async fn with_devices(link: Json, devices: &[Json], points: &[(u32, Json)]) -> Bench {
        assert_eq!(Coap.check_link(&link).err(), None);
        devices.iter().for_each(|device| assert_eq!(Coap.check_device(device), []));
        let link = Coap.open(link).expect("right options");
        let devices: Vec<DeviceSpec> =
            (0..).map(DeviceIx).zip(devices).map(|(ix, options)| DeviceSpec { ix, options: options.clone() }).collect();
        let points: Vec<PointSpec> = (0..).map(PointIx).zip(points).map(|(ix, point)| spec(ix, point)).collect();
        let plan = link.plan(&devices, &points, Split::Nothing).await.expect("right options");
        Bench { link, plan, inbox: Arc::default() }
    }

    pub(crate) async fn connect(&self) -> Result<(), Fault> {
        self.link.connect(soon()).await?;
        self.inbox.clear();
        match self.link.watch(self.inbox.clone(), soon()).await {
            Err(Fault::Unsupported(_)) | Ok(()) => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    /// Connects.
    ///
    /// # Panics
    /// If nobody is there.
    pub(crate) async fn connected(self) -> Bench {
        self.connect().await.unwrap_or_else(|fault| panic!("{fault}"));
        self
    }

    /// Runs every step once; each point with its value.
    pub(crate) async fn poll(&self) -> Result<Vec<Read>, Fault> {
        let mut batch = Batch::default();
        for step in &self.plan.steps {
            self.link.exec(step.id, &mut batch, soon()).await?;
        }
        let mut all: Vec<(PointIx, Read)> = batch
            .points
            .iter()
            .zip(batch.values.iter().zip(&batch.qualities))
            .map(|(point, (value, quality))| (*point, (value.clone(), *quality)))
            .collect();
        all.sort_by_key(|(point, _)| *point);
        Ok(all.into_iter().map(|(_, read)| read).collect())
    }

    /// The value of the only point.
    pub(crate) async fn read(&self) -> Result<Read, Fault> {
        self.poll().await.map(|mut all| all.remove(0))
    }

    pub(crate) async fn write(&self, point: u32, value: impl Into<Value>) -> Result<Option<Value>, Fault> {
        self.link.write(&WriteOp { point: PointIx(point), value: value.into() }, soon()).await
    }

    pub(crate) fn counted(&self, name: &str) -> u64 {
        self.link.health().into_iter().find(|(known, _)| known == name).expect("a counter of this name").1
    }

    /// Waits until a watched point has this value.
    pub(crate) async fn told(&self, point: u32, read: Read) {
        let what = format!("{read:?} of point {point}, last {:?}", self.inbox.last(point));
        wait_for(&what, async || (self.inbox.last(point) == Some(read.clone())).then_some(())).await;
    }
}

fn spec(ix: PointIx, (device, options): &(u32, Json)) -> PointSpec {
    let mut options = options.clone();
    let write = options.as_object_mut().expect("a table").remove("write");
    let access = match write {
        None => Access::Read,
        Some(only) if only == "only" => Access::Write,
        Some(_) => Access::ReadWrite,
    };
    assert_eq!(Coap.check_point(&options, access), []);
    let period = Duration::from_secs(1);
    PointSpec { ix, device: DeviceIx(*device), options: options.into(), access, period }
}

/// What devices say unasked.
#[derive(Default)]
pub(crate) struct Inbox {
    told: Mutex<Vec<(PointIx, Read, Timestamp)>>,
    lost: Mutex<Option<String>>,
}

impl Inbox {
    fn clear(&self) {
        self.told.lock().unwrap().clear();
        self.lost.lock().unwrap().take();
    }

    pub(crate) fn all(&self, point: u32) -> Vec<Read> {
        let told = self.told.lock().unwrap();
        told.iter().filter(|(of, ..)| of.0 == point).map(|(_, read, _)| read.clone()).collect()
    }

    pub(crate) fn times(&self, point: u32) -> Vec<Timestamp> {
        let told = self.told.lock().unwrap();
        told.iter().filter(|(of, ..)| of.0 == point).map(|(.., time)| *time).collect()
    }

    pub(crate) fn last(&self, point: u32) -> Option<Read> {
        self.all(point).pop()
    }

    pub(crate) fn lost_because(&self) -> Option<String> {
        self.lost.lock().unwrap().clone()
    }
}

impl Sink for Inbox {
    fn data(&self, batch: Batch) {
        let mut told = self.told.lock().unwrap();
        let values = batch.values.into_iter().zip(batch.qualities);
        for ((point, read), time) in batch.points.into_iter().zip(values).zip(batch.source_times) {
            told.push((point, read, time));
        }
    }

    fn event(&self, _: DeviceIx, _: &str, _: Json, _: Timestamp) {}

    fn online(&self, _: DeviceIx, _: Option<&str>) {}

    fn lost(&self, reason: &str) {
        self.lost.lock().unwrap().get_or_insert(reason.into());
    }
}
