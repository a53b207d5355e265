//! A link, polled as the gateway does it.

use crate::bench::{exec, soon, specs};
use edgeway_driver_modbus::Modbus;
use edgeway_sdk::{
    DeviceIx, DeviceSpec, Driver, Fault, Json, Link, Plan, PointIx, PointSpec, Quality, Split, Step, Value, WriteOp,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::task::JoinSet;

/// A link with the points of a device.
pub(crate) struct Polled {
    pub(crate) link: Arc<dyn Link>,
    devices: Vec<DeviceSpec>,
    points: Vec<PointSpec>,
}

/// What came of a point.
pub(crate) type Reading = Result<(Value, Quality), Fault>;

impl Polled {
    pub(crate) fn new(link: &Json, device: Json, points: &[Json]) -> Polled {
        Polled::with_devices(link, vec![device], specs(points))
    }

    /// Points of several devices.
    pub(crate) fn with_devices(link: &Json, devices: Vec<Json>, points: Vec<PointSpec>) -> Polled {
        let link = Modbus.open(link.clone()).expect("valid options");
        let spec = |(ix, options)| DeviceSpec { ix: DeviceIx(ix), options };
        Polled { link, devices: (0..).zip(devices).map(spec).collect(), points }
    }

    pub(crate) async fn plan(&self) -> Plan {
        self.link.plan(&self.devices, &self.points, Split::Nothing).await.expect("valid points")
    }

    /// What comes of each point when every step is run once. Steps that are refused are split.
    pub(crate) async fn readings(&self) -> Vec<Reading> {
        let mut waiting = self.plan().await.steps;
        let mut readings = BTreeMap::new();
        while let Some(step) = waiting.pop() {
            match exec(&*self.link, step.id, soon()).await {
                Err(Fault::Step(_)) => waiting.extend(self.split(&step).await),
                answer => readings.extend(by_point(&step, answer)),
            }
        }
        assert!(readings.keys().map(|point| point.0).eq(0..self.points.len() as u32), "every point once");
        readings.into_values().collect()
    }

    /// The values of all points, which have to be good.
    pub(crate) async fn values(&self) -> Vec<Value> {
        good(self.readings().await)
    }

    /// What comes of each point when so many steps are run at the same time, each once.
    pub(crate) async fn readings_at_once(&self, count: usize) -> Vec<Reading> {
        let mut readings = BTreeMap::new();
        for steps in self.plan().await.steps.chunks(count) {
            let mut asking = JoinSet::new();
            for step in steps.iter().cloned() {
                let link = self.link.clone();
                asking.spawn(async move { by_point(&step, exec(&*link, step.id, soon()).await) });
            }
            readings.extend(asking.join_all().await.into_iter().flatten());
        }
        readings.into_values().collect()
    }

    /// Writes a point; what was read back.
    pub(crate) async fn write(&self, point: usize, value: impl Into<Value>) -> Result<Option<Value>, Fault> {
        self.link.write(&WriteOp { point: PointIx(point as u32), value: value.into() }, soon()).await
    }

    async fn split(&self, step: &Step) -> Vec<Step> {
        let points: Vec<_> = self.points.iter().filter(|point| step.points.contains(&point.ix)).cloned().collect();
        self.link.plan(&self.devices, &points, Split::Step(step)).await.expect("valid points").steps
    }

    /// A counter of the driver.
    pub(crate) fn counted(&self, name: &str) -> u64 {
        let found = self.link.health().into_iter().find(|(other, _)| *other == name);
        found.unwrap_or_else(|| panic!("`{name}` is not counted")).1
    }
}

/// The values of readings, which have to be good.
pub(crate) fn good(readings: Vec<Reading>) -> Vec<Value> {
    let value = |reading| match reading {
        Ok((value, Quality::Good)) => value,
        other => panic!("{other:?}"),
    };
    readings.into_iter().map(value).collect()
}

/// An answer, or the lack of one, is a matter of every point of the step.
fn by_point(step: &Step, answer: Result<Vec<(PointIx, Value, Quality)>, Fault>) -> Vec<(PointIx, Reading)> {
    match answer {
        Ok(values) => values.into_iter().map(|(point, value, quality)| (point, Ok((value, quality)))).collect(),
        Err(fault) => step.points.iter().map(|point| (*point, Err(fault.clone()))).collect(),
    }
}
