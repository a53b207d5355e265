//! A link with points, and everything that it says.

use crate::wait::{soon, wait_for};
use edgeway_driver_mqtt::Mqtt;
use edgeway_sdk::{
    Access, Batch, DeviceIx, DeviceSpec, Driver, Fault, Json, Link, PointIx, PointSpec, Quality, Sink, Split,
    Timestamp, Value, WriteOp,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A planned link.
pub(crate) struct Bench {
    pub(crate) link: Arc<dyn Link>,
    pub(crate) heard: Arc<Heard>,
    names: Vec<String>,
}

/// A value that was told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub(crate) value: Value,
    pub(crate) quality: Quality,
    pub(crate) time: Timestamp,
}

/// Everything that was told.
#[derive(Default)]
pub(crate) struct Heard(Mutex<Said>);

#[derive(Default)]
struct Said {
    values: HashMap<PointIx, Vec<Told>>,
    online: Vec<(DeviceIx, Option<String>)>,
    /// How many values had been told when a device was told to be gone.
    gone_after: HashMap<DeviceIx, usize>,
    lost: Vec<String>,
}

impl Sink for Heard {
    fn data(&self, batch: Batch) {
        let mut said = self.0.lock().unwrap();
        for at in 0..batch.len() {
            let (value, quality, time) = (batch.values[at].clone(), batch.qualities[at], batch.source_times[at]);
            said.values.entry(batch.points[at]).or_default().push(Told { value, quality, time });
        }
    }

    fn event(&self, _: DeviceIx, _: &str, _: Json, _: Timestamp) {}

    fn online(&self, device: DeviceIx, gone: Option<&str>) {
        let mut said = self.0.lock().unwrap();
        let count = said.count();
        gone.map(|_| said.gone_after.insert(device, count));
        said.online.push((device, gone.map(str::to_owned)));
    }

    fn lost(&self, reason: &str) {
        self.0.lock().unwrap().lost.push(reason.to_owned());
    }
}

impl Said {
    fn count(&self) -> usize {
        self.values.values().map(Vec::len).sum()
    }
}

/// A point's name, its options and what may be done with it.
pub(crate) type Named<'n> = (&'n str, Json, Access);

impl Bench {
    /// One device with these points; nothing is connected yet.
    pub(crate) async fn new(link: Json, device: Json, points: &[Named<'_>]) -> Bench {
        Bench::of(link, &[device], &points.iter().map(|point| (0, point.clone())).collect::<Vec<_>>()).await
    }

    /// Several devices, each point with the place of its own.
    pub(crate) async fn of(link: Json, devices: &[Json], points: &[(u32, Named<'_>)]) -> Bench {
        let link = Mqtt.open(link).expect("valid options");
        let devices: Vec<DeviceSpec> =
            (0..).zip(devices).map(|(ix, options)| DeviceSpec { ix: DeviceIx(ix), options: options.clone() }).collect();
        for device in &devices {
            assert_eq!(Mqtt.check_device(&device.options), [], "{}", device.options);
        }
        let spec = |(ix, (device, (_, options, access))): (u32, &(u32, Named<'_>))| PointSpec {
            ix: PointIx(ix),
            device: DeviceIx(*device),
            options: options.clone().into(),
            access: *access,
            period: Duration::from_secs(1),
        };
        let specs: Vec<PointSpec> = (0..).zip(points).map(spec).collect();
        for spec in &specs {
            assert_eq!(Mqtt.check_point(&spec.options, spec.access), [], "{}", spec.options);
        }
        let plan = link.plan(&devices, &specs, Split::Nothing).await.expect("valid points");
        let names = points.iter().map(|(_, (name, ..))| (*name).to_owned()).collect();
        assert_eq!(plan.rejected, [], "every point is planned");
        Bench { link, heard: Arc::default(), names }
    }

    /// Connects and watches, as the gateway does.
    pub(crate) async fn connect(&self) -> Result<(), Fault> {
        self.link.connect(soon()).await?;
        self.link.watch(self.heard.clone(), soon()).await
    }

    /// Connects as often as it takes.
    pub(crate) async fn reconnect(&self) {
        wait_for("a connection", async || self.connect().await.ok()).await;
    }

    fn point(&self, name: &str) -> PointIx {
        let at = self.names.iter().position(|known| known == name);
        PointIx(at.unwrap_or_else(|| panic!("there is no point `{name}`")) as u32)
    }

    /// Everything that was told of a point.
    pub(crate) fn all(&self, name: &str) -> Vec<Told> {
        self.heard.0.lock().unwrap().values.get(&self.point(name)).cloned().unwrap_or_default()
    }

    /// Waits until a point is told with this value and quality, and returns when it was.
    pub(crate) async fn told(&self, name: &str, value: impl Into<Value>, quality: Quality) -> Timestamp {
        let value = value.into();
        let is_it = |told: &&Told| told.value == value && told.quality == quality;
        wait_for(&format!("{name} = {value} ({quality})"), async || self.all(name).iter().rfind(is_it).map(|t| t.time))
            .await
    }

    /// Waits until a device is told to be gone for a reason with these words, or to be there.
    pub(crate) async fn online(&self, device: u32, gone: Option<&str>) {
        let is_it = |(_, said): &(DeviceIx, Option<String>)| match (said, gone) {
            (Some(said), Some(gone)) => said.contains(gone),
            (said, gone) => said.is_none() && gone.is_none(),
        };
        wait_for(&format!("device {device} to be gone for {gone:?}"), async || {
            let said = self.heard.0.lock().unwrap();
            said.online.iter().rfind(|(ix, _)| ix.0 == device).filter(|last| is_it(last)).map(drop)
        })
        .await;
    }

    /// Whether a device was told to be gone for a reason with these words.
    pub(crate) fn is_gone(&self, device: u32, words: &str) -> bool {
        let said = self.heard.0.lock().unwrap();
        said.online.iter().any(|(ix, gone)| ix.0 == device && gone.as_ref().is_some_and(|gone| gone.contains(words)))
    }

    /// Whether nothing was told after a device was told to be gone: the gateway takes a value for a sign of life.
    pub(crate) fn is_still_gone(&self, device: u32) -> bool {
        let said = self.heard.0.lock().unwrap();
        said.gone_after.get(&DeviceIx(device)) == Some(&said.count())
    }

    /// Waits until the wire is lost, and says why.
    pub(crate) async fn lost(&self) -> String {
        wait_for("the end of the connection", async || self.heard.0.lock().unwrap().lost.pop()).await
    }

    /// Forgets everything that was told.
    pub(crate) fn forget(&self) {
        *self.heard.0.lock().unwrap() = Said::default();
    }

    pub(crate) async fn write(&self, name: &str, value: impl Into<Value>) -> Result<Option<Value>, Fault> {
        self.link.write(&WriteOp { point: self.point(name), value: value.into() }, soon()).await
    }

    pub(crate) async fn call(&self, service: &str, input: Json) -> Result<Json, Fault> {
        self.link.call(DeviceIx(0), service, input, soon()).await
    }

    /// Something that the link counts.
    pub(crate) fn counted(&self, name: &str) -> u64 {
        let health = self.link.health();
        health.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("nobody counts `{name}`")).1
    }
}
