//! A link with devices and points, watched and polled as the gateway does it.

use super::bluez::Bluez;
use super::{LOOK_EVERY, WITHIN, wait_for};
use edgeway_driver_ble::Ble;
use edgeway_sdk::{
    Access, Batch, Deadline, DeviceIx, DeviceSpec, Driver, Fault, Json, Link, Plan, PointIx, PointSpec, Quality, Sink,
    Split, Timestamp, Value, WriteOp,
};
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The address of the device that most tests have.
pub(crate) const SENSOR: &str = "A4:C1:38:00:11:22";

/// When everything in a test ought to have ended.
pub(crate) fn soon() -> Deadline {
    Instant::now() + Duration::from_secs(20)
}

/// What was told: `0 = 21.5`, `0 = bad:config`, `button {...}`, `device 0 gone: why`, `device 0 back`, `lost: why`.
#[derive(Default)]
pub(crate) struct Heard(Mutex<Vec<String>>);

impl Heard {
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn say(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }

    /// Waits for something that is told, and forgets what came before it.
    ///
    /// # Panics
    /// If it is not told in time.
    pub(crate) async fn wait(&self, wanted: &str) {
        let until = Instant::now() + WITHIN;
        while self.takes(wanted).is_none() {
            let said = || self.0.lock().unwrap().iter().rev().take(9).rev().cloned().collect::<Vec<_>>();
            assert!(Instant::now() < until, "waited {WITHIN:?} for `{wanted}`, came {:?}", said());
            sleep(LOOK_EVERY).await;
        }
    }

    fn takes(&self, wanted: &str) -> Option<()> {
        let mut said = self.0.lock().unwrap();
        let at = said.iter().position(|text| text.starts_with(wanted))?;
        said.drain(..=at);
        Some(())
    }
}

impl Sink for Heard {
    fn data(&self, batch: Batch) {
        for at in 0..batch.len() {
            let age = Timestamp::now().since(batch.source_times[at]);
            assert!(age < Duration::from_secs(10), "told {age:?} after it came");
            let (value, quality) = (&batch.values[at], batch.qualities[at]);
            let shown = if quality.is_good() { value.to_string() } else { quality.to_string() };
            self.say(format!("{} = {shown}", batch.points[at].0));
        }
    }

    fn event(&self, _: DeviceIx, event: &str, output: Json, _: Timestamp) {
        self.say(format!("{event} {output}"));
    }

    fn online(&self, device: DeviceIx, gone: Option<&str>) {
        self.say(match gone {
            Some(reason) => format!("device {} gone: {reason}", device.0),
            None => format!("device {} back", device.0),
        });
    }

    fn lost(&self, reason: &str) {
        self.say(format!("lost: {reason}"));
    }
}

/// A planned link.
pub(crate) struct Bench {
    pub(crate) link: Arc<dyn Link>,
    pub(crate) plan: Plan,
    pub(crate) heard: Arc<Heard>,
}

impl Bench {
    /// Points of one device.
    pub(crate) async fn new(bluez: &Bluez, points: &[Json]) -> Bench {
        let all = points.iter().map(|point| (0, point.clone())).collect();
        Bench::of(bluez, json!({}), &[json!({ "address": SENSOR })], all).await
    }

    /// Points of several devices, and options of the link. A point with `write` is written too, with `write-only` alone.
    pub(crate) async fn of(bluez: &Bluez, options: Json, devices: &[Json], points: Vec<(u32, Json)>) -> Bench {
        let mut all = json!({ "bus": bluez.address(), "timeout": "2s", "connect_timeout": "5s" });
        all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        Bench::on(all, devices, points).await
    }

    /// The same with all options of the link.
    pub(crate) async fn on(options: Json, devices: &[Json], points: Vec<(u32, Json)>) -> Bench {
        let link = Ble.open(options).expect("valid options");
        let spec = |(ix, options): (u32, &Json)| DeviceSpec { ix: DeviceIx(ix), options: options.clone() };
        let devices: Vec<_> = (0..).zip(devices).map(spec).collect();
        let points: Vec<_> = (0..).zip(points).map(point).collect();
        let plan = link.plan(&devices, &points, Split::Nothing).await.expect("valid points");
        Bench { link, plan, heard: Arc::default() }
    }

    /// Connects and watches, as the gateway does.
    pub(crate) async fn begin(&self) {
        self.try_to_begin().await.expect("BlueZ is there");
    }

    pub(crate) async fn try_to_begin(&self) -> Result<(), Fault> {
        self.link.connect(soon()).await?;
        self.link.watch(self.heard.clone(), soon()).await
    }

    /// Connects until it works.
    pub(crate) async fn come_back(&self) {
        wait_for("BlueZ to be back", async || self.try_to_begin().await.ok()).await;
    }

    /// Runs a step of the plan, counted from 0: `0 = 21.5`, as [`Heard`].
    pub(crate) async fn exec(&self, step: usize) -> Result<Vec<String>, Fault> {
        let mut batch = Batch::default();
        let done = self.link.exec(self.plan.steps[step].id, &mut batch, soon()).await;
        assert!(done.is_ok() || batch.is_empty(), "values were pushed before an error");
        let heard = Heard::default();
        heard.data(batch);
        done.map(|()| heard.take())
    }

    pub(crate) async fn write(&self, point: u32, value: impl Into<Value>) -> Result<Option<Value>, Fault> {
        self.link.write(&WriteOp { point: PointIx(point), value: value.into() }, soon()).await
    }

    pub(crate) fn counted(&self, name: &str) -> u64 {
        let found = self.link.health().into_iter().find(|(other, _)| *other == name);
        found.unwrap_or_else(|| panic!("`{name}` is not counted")).1
    }
}

fn point((ix, (device, mut options)): (u32, (u32, Json))) -> PointSpec {
    let write = options.as_object_mut().unwrap().remove("write");
    let access = match write.as_ref().and_then(Json::as_str) {
        Some("only") => Access::Write,
        Some(_) => Access::ReadWrite,
        None => Access::Read,
    };
    PointSpec {
        ix: PointIx(ix),
        device: DeviceIx(device),
        options: options.into(),
        access,
        period: Duration::from_secs(1),
    }
}

/// Of a fault of one point.
pub(crate) fn quality(fault: &Fault) -> Quality {
    match fault {
        Fault::Point { quality, .. } => *quality,
        other => panic!("{other:?}"),
    }
}
