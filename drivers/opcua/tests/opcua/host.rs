//! A link, called as the gateway does it, and what it tells.
#![cfg_attr(not(feature = "peers"), expect(dead_code, reason = "most of it is for tests against peers"))]

use crate::{soon, wait_for};
use edgeway_driver_opcua::OpcUa;
use edgeway_sdk::{
    Access, Batch, DeviceIx, DeviceSpec, Discovered, Driver, Fault, Json, Link, LinkInfo, Plan, PointIx, PointSpec,
    Quality, Sink, Split, Timestamp, Value, WriteOp,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A value with its quality and its time.
pub(crate) type Reading = (Value, Quality, Timestamp);

/// A link with the points of one device.
pub(crate) struct Host {
    pub(crate) link: Arc<dyn Link>,
    devices: Vec<DeviceSpec>,
    points: Vec<PointSpec>,
    pub(crate) heard: Arc<Heard>,
}

/// Keeps what a link tells.
#[derive(Default)]
pub(crate) struct Heard {
    told: Mutex<Told>,
}

#[derive(Default, Clone)]
pub(crate) struct Told {
    pub(crate) latest: HashMap<u32, Reading>,
    /// Every value, in the order in which it was told.
    pub(crate) all: Vec<(u32, Value, Quality)>,
    pub(crate) events: Vec<(String, Json, Timestamp)>,
    pub(crate) lost: Vec<String>,
}

impl Heard {
    pub(crate) fn told(&self) -> Told {
        self.told.lock().unwrap().clone()
    }

    pub(crate) fn forget(&self) {
        *self.told.lock().unwrap() = Told::default();
    }
}

impl Sink for Heard {
    fn data(&self, batch: Batch) {
        let mut told = self.told.lock().unwrap();
        for at in 0..batch.len() {
            let (ix, value, quality) = (batch.points[at].0, batch.values[at].clone(), batch.qualities[at]);
            told.latest.insert(ix, (value.clone(), quality, batch.source_times[at]));
            told.all.push((ix, value, quality));
        }
    }

    fn event(&self, _: DeviceIx, event: &str, output: Json, source_time: Timestamp) {
        self.told.lock().unwrap().events.push((event.to_owned(), output, source_time));
    }

    fn online(&self, _: DeviceIx, _: Option<&str>) {}

    fn lost(&self, reason: &str) {
        self.told.lock().unwrap().lost.push(reason.to_owned());
    }
}

impl Host {
    /// Points that can be read and written, if the driver lets them be.
    pub(crate) fn new(link: &Json, device: Json, points: &[Json]) -> Host {
        assert_eq!(OpcUa.check_link(link).err(), None);
        assert_eq!(OpcUa.check_device(&device), []);
        let devices = vec![DeviceSpec { ix: DeviceIx(0), options: device }];
        let spec = |(ix, options): (u32, &Json)| {
            let is_writable = OpcUa.check_point(options, Access::ReadWrite).is_empty();
            PointSpec {
                ix: PointIx(ix),
                device: DeviceIx(0),
                options: Arc::new(options.clone()),
                access: if is_writable { Access::ReadWrite } else { Access::Read },
                period: Duration::from_millis(100),
            }
        };
        let points = (0..).zip(points).map(spec).collect();
        let link = OpcUa.open(link.clone()).expect("valid options");
        Host { link, devices, points, heard: Arc::default() }
    }

    pub(crate) async fn plan(&self) -> Plan {
        self.link.plan(&self.devices, &self.points, Split::Nothing).await.expect("valid points")
    }

    pub(crate) async fn connect(&self) -> Result<LinkInfo, Fault> {
        self.plan().await;
        self.link.connect(soon()).await
    }

    /// Connects, and listens.
    pub(crate) async fn listen(&self) -> Result<(), Fault> {
        self.connect().await?;
        self.heard.forget();
        self.link.watch(self.heard.clone(), soon()).await
    }

    /// Connects again, as the gateway does it after a loss, until it works.
    pub(crate) async fn listen_again(&self) {
        wait_for("the server to be back", async || self.listen().await.ok()).await;
    }

    /// What comes of each point that is asked for, when every step is run once.
    pub(crate) async fn readings(&self) -> Result<Vec<Reading>, Fault> {
        let mut readings: Vec<Option<Reading>> = vec![None; self.points.len()];
        for step in self.plan().await.steps {
            let mut batch = Batch::default();
            self.link.exec(step.id, &mut batch, soon()).await?;
            for at in 0..batch.len() {
                let reading = (batch.values[at].clone(), batch.qualities[at], batch.source_times[at]);
                let before = readings[batch.points[at].0 as usize].replace(reading);
                assert!(before.is_none(), "every point once");
            }
        }
        Ok(readings.into_iter().flatten().collect())
    }

    /// What comes of each point when steps that cannot be read are divided, as the gateway does it.
    pub(crate) async fn readings_apart(&self) -> HashMap<u32, (Value, Quality)> {
        let mut readings = HashMap::new();
        let mut steps = self.plan().await.steps;
        while let Some(step) = steps.pop() {
            let mut batch = Batch::default();
            match self.link.exec(step.id, &mut batch, soon()).await {
                Ok(()) => readings.extend(
                    (0..batch.len()).map(|at| (batch.points[at].0, (batch.values[at].clone(), batch.qualities[at]))),
                ),
                Err(Fault::Point { point, quality, .. }) => {
                    readings.insert(point.0, (Value::Null, quality));
                }
                Err(Fault::Step(_)) => {
                    let points: Vec<_> = step.points.iter().map(|ix| self.points[ix.0 as usize].clone()).collect();
                    steps.extend(self.link.plan(&self.devices, &points, Split::Step(&step)).await.unwrap().steps);
                }
                Err(other) => panic!("{other:?}"),
            }
        }
        readings
    }

    /// The values of all points, which have to be good.
    pub(crate) async fn values(&self) -> Vec<Value> {
        let good = |(value, quality, _): Reading| {
            assert_eq!(quality, Quality::Good, "{value:?}");
            value
        };
        self.readings().await.expect("an answer").into_iter().map(good).collect()
    }

    /// Waits until a point has been told to be this.
    pub(crate) async fn hears(&self, point: u32, value: impl Into<Value>) {
        let value = value.into();
        let is_it = |told: &Told| {
            told.latest.get(&point).is_some_and(|(latest, quality, _)| *latest == value && *quality == Quality::Good)
        };
        wait_for(&format!("point {point} to be {value}"), async || is_it(&self.heard.told()).then_some(())).await;
    }

    /// Waits until a point has been told with this quality.
    pub(crate) async fn hears_quality(&self, point: u32, quality: Quality) {
        let is_it = |told: &Told| told.latest.get(&point).is_some_and(|(_, latest, _)| *latest == quality);
        wait_for(&format!("point {point} to be {quality}"), async || is_it(&self.heard.told()).then_some(())).await;
    }

    /// Waits until the link says that it is lost, and why.
    pub(crate) async fn hears_loss(&self) -> String {
        wait_for("the link to say that it is lost", async || self.heard.told().lost.first().cloned()).await
    }

    pub(crate) async fn write(&self, point: u32, value: impl Into<Value>) -> Result<Option<Value>, Fault> {
        self.link.write(&WriteOp { point: PointIx(point), value: value.into() }, soon()).await
    }

    pub(crate) async fn call(&self, service: &str, input: Json) -> Result<Json, Fault> {
        self.link.call(DeviceIx(0), service, input, soon()).await
    }

    pub(crate) async fn browse(&self, at: Option<&str>) -> Result<Vec<Discovered>, Fault> {
        self.link.browse(DeviceIx(0), at, soon()).await
    }

    pub(crate) async fn close(&self) {
        self.link.close(soon()).await;
    }

    /// A counter of the driver.
    pub(crate) fn counted(&self, name: &str) -> u64 {
        let found = self.link.health().into_iter().find(|(other, _)| *other == name);
        found.unwrap_or_else(|| panic!("`{name}` is not counted")).1
    }
}
