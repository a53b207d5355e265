//! The driver: what the gateway calls.

mod browse;
mod discover;
mod keeping;
mod watching;

use crate::Ble;
use crate::bluez::Trouble;
use crate::config::{Characteristic, DeviceOptions, LinkOptions, Point, WrittenDevice, WrittenLink, WrittenPoint};
use crate::counters::Counters;
use crate::plan::{Request, Target, Whom, Work, wrong};
use crate::wire::Wire;
use async_trait::async_trait;
use edgeway_sdk::{
    Access, Batch, Capabilities, Deadline, DeviceIx, DeviceSpec, Discovered, Driver, Fault, Json, Link, LinkInfo,
    Manifest, Plan, PointIx, PointSpec, Problem, Sink, Split, Step, StepIx, Value, WriteOp,
};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::mpsc;
use watching::{Watcher, Watching};

#[async_trait]
impl Driver for Ble {
    fn manifest(&self) -> &Manifest {
        static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
            let summary = "Bluetooth Low Energy: BTHome, RuuviTag, iBeacon, Eddystone and GATT, through BlueZ";
            Manifest::new("ble", env!("CARGO_PKG_VERSION"), summary)
                .can(Capabilities { write: true, watch: true, browse: true, discover: true, ..Capabilities::default() })
                .wire(&["adapter", "bus"])
                .options::<WrittenLink, WrittenDevice, WrittenPoint>()
        });
        &MANIFEST
    }

    fn check_link(&self, options: &Json) -> Result<String, Vec<Problem>> {
        LinkOptions::parse(options).map(|link| link.wire())
    }

    fn check_device(&self, options: &Json) -> Vec<Problem> {
        DeviceOptions::parse(options).err().unwrap_or_default()
    }

    fn check_point(&self, options: &Json, access: Access) -> Vec<Problem> {
        Point::parse(options, access).err().unwrap_or_default()
    }

    fn open(&self, options: Json) -> Result<Arc<dyn Link>, Fault> {
        let options = LinkOptions::parse(&options).map_err(|problems| wrong(&problems))?;
        let (counters, planned, wire, watcher) = <(Arc<Counters>, _, _, _)>::default();
        Ok(Arc::new(BleLink { options, counters, planned, wire, watcher }))
    }

    async fn discover(&self, hint: Json, found: mpsc::Sender<Discovered>, by: Deadline) -> Result<(), Fault> {
        discover::run(&hint, &found, by).await
    }
}

struct BleLink {
    options: LinkOptions,
    counters: Arc<Counters>,
    planned: Mutex<Planned>,
    wire: Mutex<Option<Arc<Wire>>>,
    watcher: Watcher,
}

/// What `plan` leaves for the other calls.
#[derive(Default)]
struct Planned {
    work: Arc<Work>,
    requests: HashMap<StepIx, Arc<Request>>,
    next: u32,
}

impl Planned {
    fn add(&mut self, request: Request) -> Step {
        let id = StepIx(self.next);
        self.next += 1;
        let points = request.items.iter().map(|(_, target)| target.ix).collect();
        let step = Step { id, device: request.device, points, period: request.period, wire_time: Duration::ZERO };
        self.requests.insert(id, Arc::new(request));
        step
    }

    fn whom(&self, device: DeviceIx) -> Result<Whom, Fault> {
        self.work.whom(device).ok_or_else(|| Fault::Config(format!("device {} was never planned", device.0)))
    }
}

#[async_trait]
impl Link for BleLink {
    async fn plan(&self, devices: &[DeviceSpec], points: &[PointSpec], split: Split<'_>) -> Result<Plan, Fault> {
        let work = Work::resolve(devices, points)?;
        let rejected = work.rejected();
        let mut planned = self.planned();
        let (requests, watched) = match split {
            Split::Nothing => (work.requests(), work.watched()),
            Split::Step(_) => (work.halves(), vec![]),
        };
        match split {
            Split::Nothing => {
                planned.requests.clear();
                planned.work = Arc::new(work);
            }
            Split::Step(refused) => {
                planned.requests.remove(&refused.id);
            }
        }
        let steps = requests.into_iter().map(|request| planned.add(request)).collect();
        Ok(Plan { steps, watched, rejected, concurrency: self.options.connections })
    }

    async fn connect(&self, by: Deadline) -> Result<LinkInfo, Fault> {
        self.let_go(by).await;
        let wire = Wire::open(&self.options, self.counters.clone(), by).await?;
        let adapter = wire.bluez.adapter();
        let identity = vec![("adapter".into(), adapter.name.clone()), ("address".into(), adapter.address.clone())];
        *self.wire_slot() = Some(Arc::new(wire));
        Ok(LinkInfo { concurrency: self.options.connections, identity, ..LinkInfo::default() })
    }

    async fn exec(&self, step: StepIx, out: &mut Batch, by: Deadline) -> Result<(), Fault> {
        let (request, whom) = self.request(step)?;
        self.wire()?.read(&request, whom, out, by).await
    }

    async fn watch(&self, sink: Arc<dyn Sink>, by: Deadline) -> Result<(), Fault> {
        let (wire, work) = (self.wire()?, self.planned().work.clone());
        let gone = |trouble: Trouble| Fault::Link(trouble.to_string());
        let signals = wire.bluez.signals(by).await.map_err(gone)?;
        // After that, or the first to be heard would be missed.
        wire.bluez.start_scan(by).await.map_err(gone)?;
        let (watchdog, counters) = (self.options.watchdog, self.counters.clone());
        self.watcher.start(Watching::new(wire, work, sink, watchdog, counters).run(signals));
        Ok(())
    }

    async fn write(&self, op: &WriteOp, by: Deadline) -> Result<Option<Value>, Fault> {
        let (target, whom) = self.target(op.point)?;
        self.wire()?.write(&target, &op.value, whom, by).await
    }

    async fn browse(&self, device: DeviceIx, at: Option<&str>, by: Deadline) -> Result<Vec<Discovered>, Fault> {
        let work = self.planned().work.clone();
        let options = work.devices.get(&device);
        let options = options.ok_or_else(|| Fault::Config(format!("device {} was never planned", device.0)))?;
        browse::run(&self.wire()?, options, at, by).await
    }

    fn health(&self) -> Vec<(Cow<'static, str>, u64)> {
        self.counters.list().into_iter().map(|(name, count)| (name.into(), count)).collect()
    }

    async fn close(&self, by: Deadline) {
        self.let_go(by).await;
    }
}

impl BleLink {
    fn request(&self, step: StepIx) -> Result<(Arc<Request>, Whom), Fault> {
        let planned = self.planned();
        let request = planned.requests.get(&step).cloned();
        let request = request.ok_or_else(|| Fault::Config(format!("step {} was never planned", step.0)))?;
        let whom = planned.whom(request.device)?;
        Ok((request, whom))
    }

    fn target(&self, point: PointIx) -> Result<(Arc<(Characteristic, Target)>, Whom), Fault> {
        let planned = self.planned();
        let target = planned.work.writable(point)?;
        let whom = planned.whom(target.1.device)?;
        Ok((target, whom))
    }

    async fn let_go(&self, by: Deadline) {
        self.watcher.stop();
        let wire = self.wire_slot().take();
        if let Some(wire) = wire {
            wire.close(by).await;
        }
    }

    fn wire(&self) -> Result<Arc<Wire>, Fault> {
        self.wire_slot().clone().ok_or_else(|| Fault::Link("not connected to BlueZ".into()))
    }

    fn wire_slot(&self) -> MutexGuard<'_, Option<Arc<Wire>>> {
        self.wire.lock().expect("no thread panics while it holds this lock")
    }

    fn planned(&self) -> MutexGuard<'_, Planned> {
        self.planned.lock().expect("no thread panics while it holds this lock")
    }
}
