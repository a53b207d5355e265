//! The driver: what the gateway calls.

mod browse;
mod call;
mod discover;
mod exec;
mod fault;
mod observe;
mod write;

use crate::Coap;
use crate::config::{DeviceOptions, Endpoint, LinkOptions, Point, WrittenDevice, WrittenLink, WrittenPoint};
use crate::plan::{self, Devices, Resource, Target, Targets};
use crate::server::Server;
use crate::wire::{Counters, Task, Wire};
use async_trait::async_trait;
use edgeway_sdk::{
    Access, Batch, Capabilities, Deadline, DeviceIx, DeviceSpec, Discovered, Driver, Fault, Json, Link, LinkInfo,
    Manifest, Plan, PointIx, PointSpec, Problem, Sink, Split, Step, StepIx, Value, WriteOp,
};
use exec::Reading;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout_at;

#[async_trait]
impl Driver for Coap {
    fn manifest(&self) -> &Manifest {
        static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
            let summary = "CoAP: resources that are polled, observed or pushed";
            let can = Capabilities { write: true, watch: true, call: true, browse: true, discover: true };
            Manifest::new("coap", env!("CARGO_PKG_VERSION"), summary)
                .can(can)
                .wire(&["endpoint"])
                .options::<WrittenLink, WrittenDevice, WrittenPoint>()
        });
        &MANIFEST
    }

    fn check_link(&self, options: &Json) -> Result<String, Vec<Problem>> {
        LinkOptions::parse(options).map(|link| link.endpoint.to_string())
    }

    fn check_device(&self, options: &Json) -> Vec<Problem> {
        DeviceOptions::parse(options).err().unwrap_or_default()
    }

    fn check_point(&self, options: &Json, access: Access) -> Vec<Problem> {
        Point::parse(options, access).err().unwrap_or_default()
    }

    fn open(&self, options: Json) -> Result<Arc<dyn Link>, Fault> {
        let options = Arc::new(LinkOptions::parse(&options).map_err(|problems| plan::wrong(&problems))?);
        let counters = Arc::<Counters>::default();
        let end = match options.endpoint {
            Endpoint::Listen { at } => End::Server(Server::new(at, options.clone(), counters.clone())),
            _ => End::Client(Wire::new(options.clone(), counters.clone())),
        };
        let (planned, watching, writing) = Default::default();
        Ok(Arc::new(CoapLink { options, counters, end, planned, watching, writing }))
    }

    async fn discover(&self, hint: Json, found: mpsc::Sender<Discovered>, by: Deadline) -> Result<(), Fault> {
        discover::run(&hint, &found, by).await
    }
}

struct CoapLink {
    options: Arc<LinkOptions>,
    counters: Arc<Counters>,
    end: End,
    planned: Mutex<Planned>,
    watching: Mutex<Option<Task>>,
    /// Held from a write until the value has been read back.
    writing: tokio::sync::Mutex<()>,
}

/// Which end of the conversation the gateway is.
enum End {
    Client(Wire),
    Server(Server),
}

/// What `plan` leaves for the others.
#[derive(Default)]
struct Planned {
    steps: HashMap<StepIx, Arc<Reading>>,
    watched: Vec<Arc<Resource>>,
    writable: HashMap<PointIx, Arc<write::Writable>>,
    devices: Devices,
    next: u32,
}

impl Planned {
    fn add(&mut self, resource: Resource) -> Step {
        let id = StepIx(self.next);
        self.next += 1;
        let (device, period, points) = (resource.place.device, resource.place.period, resource.points());
        self.steps.insert(id, Arc::new(Reading::new(resource)));
        Step { id, device, points, period, wire_time: Duration::ZERO }
    }

    /// Replaces everything that was planned before.
    fn begin(&mut self, devices: Devices, targets: &Targets) {
        self.steps.clear();
        self.devices = devices;
        let all = [&targets.polled, &targets.watched, &targets.silent].into_iter().flatten();
        let writable = all.filter(|target| target.access.writes());
        self.writable = writable.map(|target| (target.item.point, Arc::new(write::Writable::new(target)))).collect();
    }
}

#[async_trait]
impl Link for CoapLink {
    async fn plan(&self, devices: &[DeviceSpec], points: &[PointSpec], split: Split<'_>) -> Result<Plan, Fault> {
        if let Split::Step(_) = split {
            // A device refuses a resource as a whole: to ask for the same in parts would bring nothing.
            return Ok(Plan::default());
        }
        let devices = plan::devices(devices)?;
        let targets = Targets::resolve(&self.options, &devices, points)?;
        let mut planned = self.planned();
        planned.begin(devices.clone(), &targets);
        Ok(self.planned_all(&mut planned, targets, &devices))
    }

    async fn connect(&self, by: Deadline) -> Result<LinkInfo, Fault> {
        self.stop_watching();
        match &self.end {
            End::Client(wire) => {
                self.planned().steps.values().for_each(|reading| reading.forget());
                wire.connect(by).await?;
            }
            End::Server(server) => server.bind().await?,
        }
        Ok(LinkInfo { concurrency: self.options.in_flight, ..LinkInfo::default() })
    }

    async fn exec(&self, step: StepIx, out: &mut Batch, by: Deadline) -> Result<(), Fault> {
        let reading = self.planned().steps.get(&step).cloned();
        let reading = reading.ok_or_else(|| Fault::Config(format!("step {} was never planned", step.0)))?;
        exec::run(self.wire()?, &reading, out, by).await
    }

    async fn watch(&self, sink: Arc<dyn Sink>, _: Deadline) -> Result<(), Fault> {
        let watched = self.planned().watched.clone();
        if watched.is_empty() {
            return Err(Fault::Unsupported("watching where nothing is watched"));
        }
        match &self.end {
            End::Client(wire) => {
                let connection = wire.connection().map_err(fault::of_wire)?;
                *self.watching() = Some(Task::spawn(observe::run(connection, watched, sink)));
                Ok(())
            }
            End::Server(server) => server.serve(watched, sink),
        }
    }

    async fn write(&self, op: &WriteOp, by: Deadline) -> Result<Option<Value>, Fault> {
        let writable = self.planned().writable.get(&op.point).cloned();
        let writable = writable.ok_or_else(|| Fault::Config(format!("point {} cannot be written", op.point.0)))?;
        let waiting = timeout_at(by, self.writing.lock()).await;
        let _alone = waiting.map_err(|_| Fault::Busy("another write was under way".into()))?;
        write::run(self.wire()?, &writable, &op.value, by).await
    }

    async fn call(&self, device: DeviceIx, service: &str, input: Json, by: Deadline) -> Result<Json, Fault> {
        let device = self.device(device)?;
        call::run(self.wire()?, &device, service, &input, by).await
    }

    async fn browse(&self, device: DeviceIx, at: Option<&str>, by: Deadline) -> Result<Vec<Discovered>, Fault> {
        let device = self.device(device)?;
        browse::run(self.wire()?, &device, at, by).await
    }

    fn health(&self) -> Vec<(Cow<'static, str>, u64)> {
        self.counters.list().into_iter().map(|(name, count)| (name.into(), count)).collect()
    }

    async fn close(&self, by: Deadline) {
        // What does not close in time is closed when the link is dropped.
        let _ = match &self.end {
            End::Client(wire) => timeout_at(by, self.hang_up(wire)).await,
            End::Server(server) => timeout_at(by, server.close()).await,
        };
    }
}

impl CoapLink {
    fn planned(&self) -> MutexGuard<'_, Planned> {
        self.planned.lock().expect("no thread panics while it holds this lock")
    }

    fn watching(&self) -> MutexGuard<'_, Option<Task>> {
        self.watching.lock().expect("no thread panics while it holds this lock")
    }

    fn stop_watching(&self) {
        self.watching().take();
    }

    async fn hang_up(&self, wire: &Wire) {
        let Some(connection) = wire.take() else { return self.stop_watching() };
        // Before the observations end with their task: whoever tells of them is to know.
        let goodbyes = connection.goodbyes();
        let watching = self.watching().take();
        if let Some(watching) = watching {
            watching.end().await;
        }
        connection.close(&goodbyes).await;
    }

    fn planned_all(&self, planned: &mut Planned, targets: Targets, devices: &Devices) -> Plan {
        let watched_points = targets.watched.iter().map(|target| target.item.point).collect();
        let watched = plan::resources(targets.watched, devices);
        planned.watched = watched.into_iter().map(Arc::new).collect();
        let steps = plan::resources(targets.polled, devices).into_iter().map(|one| planned.add(one)).collect();
        Plan { steps, watched: watched_points, rejected: targets.rejected, concurrency: self.options.in_flight }
    }

    /// The wire of a client.
    fn wire(&self) -> Result<&Wire, Fault> {
        match &self.end {
            End::Client(wire) => Ok(wire),
            End::Server(_) => Err(Fault::Unsupported("asking a device that pushes")),
        }
    }

    fn device(&self, device: DeviceIx) -> Result<DeviceOptions, Fault> {
        let found = self.planned().devices.get(&device).cloned();
        found.ok_or_else(|| Fault::Config(format!("device {} was never planned", device.0)))
    }
}

impl write::Writable {
    fn new(target: &Target) -> Self {
        let Target { item, access, method, place, .. } = target;
        write::Writable { item: item.clone(), access: *access, method: *method, place: place.clone() }
    }
}
