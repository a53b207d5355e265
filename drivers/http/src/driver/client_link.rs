//! A link to a server that is asked.

use super::{browse, call, read, write};
use crate::config::ClientOptions;
use crate::plan::{self, Device, Rejected, Resource, Writable};
use crate::wire::Wire;
use async_trait::async_trait;
use edgeway_sdk::{
    Batch, Deadline, DeviceIx, DeviceSpec, Discovered, Fault, Json, Link, LinkInfo, Plan, PointIx, PointSpec, Split,
    Step, StepIx, Value, WriteOp,
};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// A link to a server that is asked.
pub(super) struct ClientLink {
    options: ClientOptions,
    wire: Wire,
    planned: Mutex<Planned>,
}

/// What `plan` leaves for the other calls.
#[derive(Default)]
struct Planned {
    devices: HashMap<DeviceIx, Arc<Device>>,
    resources: HashMap<StepIx, Arc<Resource>>,
    writable: HashMap<PointIx, Arc<Writable>>,
    next: u32,
}

impl Planned {
    fn add(&mut self, resource: Resource) -> Step {
        let id = StepIx(self.next);
        self.next += 1;
        let points = resource.items.iter().map(|item| item.point).collect();
        let step = Step { id, device: resource.device, points, period: resource.period, wire_time: Duration::ZERO };
        self.resources.insert(id, Arc::new(resource));
        step
    }

    /// An answer from before says nothing of a server that may be another one.
    fn forget_answers(&self) {
        self.resources.values().for_each(|resource| resource.forget());
    }
}

impl ClientLink {
    pub(super) fn new(options: ClientOptions) -> Self {
        ClientLink { wire: Wire::new(options.clone()), options, planned: Mutex::default() }
    }

    fn planned(&self) -> MutexGuard<'_, Planned> {
        self.planned.lock().expect("no thread panics while it holds this lock")
    }

    fn device(&self, device: DeviceIx) -> Result<Arc<Device>, Fault> {
        let known = self.planned().devices.get(&device).cloned();
        known.ok_or_else(|| Fault::Config(format!("device {} was never planned", device.0)))
    }

    fn replan(&self, devices: &[DeviceSpec], points: &[PointSpec]) -> Result<(Vec<Resource>, Rejected), Fault> {
        let devices = plan::devices(&self.options, devices)?;
        let (points, rejected) = plan::askable(&devices, points)?;
        let items = plan::items(&points)?;
        let resources = plan::resources(&devices, &points, &items)?;
        let mut writable = HashMap::new();
        for (spec, item) in points.iter().zip(&items).filter(|(spec, _)| spec.access.writes()) {
            let device = plan::device_of(&devices, spec)?;
            writable.insert(spec.ix, Arc::new(plan::writable(&device, spec.access, item)));
        }
        let mut planned = self.planned();
        planned.resources.clear();
        planned.devices = devices;
        planned.writable = writable;
        Ok((resources, rejected))
    }
}

#[async_trait]
impl Link for ClientLink {
    async fn plan(&self, devices: &[DeviceSpec], points: &[PointSpec], split: Split<'_>) -> Result<Plan, Fault> {
        if let Split::Step(_) = split {
            // The points of a resource share its fate.
            return Ok(Plan::default());
        }
        let (resources, rejected) = self.replan(devices, points)?;
        let mut planned = self.planned();
        let steps = resources.into_iter().map(|resource| planned.add(resource)).collect();
        Ok(Plan { steps, rejected, concurrency: self.options.in_flight, ..Plan::default() })
    }

    async fn connect(&self, by: Deadline) -> Result<LinkInfo, Fault> {
        self.planned().forget_answers();
        self.wire.connect(by).await.map_err(|failure| failure.of_read())?;
        Ok(LinkInfo { concurrency: self.options.in_flight, ..LinkInfo::default() })
    }

    async fn exec(&self, step: StepIx, out: &mut Batch, by: Deadline) -> Result<(), Fault> {
        let resource = self.planned().resources.get(&step).cloned();
        let resource = resource.ok_or_else(|| Fault::Config(format!("step {} was never planned", step.0)))?;
        read::run(&self.wire, &resource, out, by).await
    }

    async fn write(&self, op: &WriteOp, by: Deadline) -> Result<Option<Value>, Fault> {
        let point = self.planned().writable.get(&op.point).cloned();
        let point = point.ok_or_else(|| Fault::Config(format!("point {} cannot be written", op.point.0)))?;
        write::run(&self.wire, &point, &op.value, by).await
    }

    async fn call(&self, device: DeviceIx, service: &str, input: Json, by: Deadline) -> Result<Json, Fault> {
        call::run(&self.wire, &*self.device(device)?, service, &input, by).await
    }

    async fn browse(&self, device: DeviceIx, at: Option<&str>, by: Deadline) -> Result<Vec<Discovered>, Fault> {
        browse::run(&self.wire, &self.options.base, &*self.device(device)?, at, by).await
    }

    fn health(&self) -> Vec<(Cow<'static, str>, u64)> {
        self.wire.counters().list().into_iter().map(|(name, count)| (name.into(), count)).collect()
    }

    async fn close(&self, _by: Deadline) {
        self.wire.close();
    }
}
