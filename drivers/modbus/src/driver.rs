//! The driver: what the gateway calls.

mod discover;
mod exception;
mod write;

use crate::Modbus;
use crate::config::{DeviceOptions, LinkOptions, Point, WrittenDevice, WrittenLink, WrittenPoint};
use crate::pdu::Ask;
use crate::plan::{self, Request, Target, Targets};
use crate::wire::Wire;
use async_trait::async_trait;
use edgeway_sdk::{
    Access, Batch, Capabilities, Deadline, DeviceSpec, Discovered, Driver, Fault, Json, Link, LinkInfo, Manifest, Plan,
    PointIx, PointSpec, Problem, Split, Step, StepIx, Timestamp, Value, WriteOp,
};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout_at;

#[async_trait]
impl Driver for Modbus {
    fn manifest(&self) -> &Manifest {
        static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
            Manifest::new("modbus", env!("CARGO_PKG_VERSION"), "Modbus: TCP, RTU and ASCII")
                .can(Capabilities { write: true, discover: true, ..Capabilities::default() })
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
        let options = LinkOptions::parse(&options).map_err(|problems| plan::wrong(&problems))?;
        let wire = Wire::new(&options);
        Ok(Arc::new(ModbusLink { options, planned: Mutex::default(), wire, writing: tokio::sync::Mutex::default() }))
    }

    async fn discover(&self, hint: Json, found: mpsc::Sender<Discovered>, by: Deadline) -> Result<(), Fault> {
        discover::run(hint, &found, by).await
    }
}

struct ModbusLink {
    options: LinkOptions,
    planned: Mutex<Planned>,
    wire: Wire,
    /// Held from a write until the value has been read back: of two writes, nobody comes between the two halves of
    /// changing one bit.
    writing: tokio::sync::Mutex<()>,
}

/// What `plan` leaves for `exec` and `write`.
#[derive(Default)]
struct Planned {
    requests: HashMap<StepIx, Arc<Request>>,
    writable: HashMap<PointIx, Arc<Target>>,
    next: u32,
}

impl Planned {
    fn add(&mut self, request: Request, wire_time: Duration) -> Step {
        let id = StepIx(self.next);
        self.next += 1;
        let points = request.items.iter().map(|item| item.point).collect();
        let step = Step { id, device: request.device, points, period: request.period, wire_time };
        self.requests.insert(id, Arc::new(request));
        step
    }

    fn set_writable(&mut self, targets: &[Target]) {
        let writable = targets.iter().filter(|target| target.access.writes());
        self.writable = writable.map(|target| (target.point, Arc::new(target.clone()))).collect();
    }
}

#[async_trait]
impl Link for ModbusLink {
    async fn plan(&self, devices: &[DeviceSpec], points: &[PointSpec], split: Split<'_>) -> Result<Plan, Fault> {
        let Targets { accepted, rejected } = Targets::resolve(&self.options, devices, points)?;
        let mut planned = self.planned();
        let requests = match split {
            Split::Nothing => {
                planned.requests.clear();
                planned.set_writable(&accepted);
                plan::requests(accepted)
            }
            Split::Step(refused) => {
                planned.requests.remove(&refused.id);
                plan::halves(accepted)
            }
        };
        let add = |request: Request| {
            let wire_time = request.wire_time(&self.options);
            planned.add(request, wire_time)
        };
        let steps = requests.into_iter().map(add).collect();
        Ok(Plan { steps, rejected, concurrency: self.options.in_flight, ..Plan::default() })
    }

    async fn connect(&self, by: Deadline) -> Result<LinkInfo, Fault> {
        self.wire.connect(by).await?;
        Ok(LinkInfo { concurrency: self.options.in_flight, settle: self.options.settle(), ..LinkInfo::default() })
    }

    async fn exec(&self, step: StepIx, out: &mut Batch, by: Deadline) -> Result<(), Fault> {
        let request = self.planned().requests.get(&step).cloned();
        let request = request.ok_or_else(|| Fault::Config(format!("step {} was never planned", step.0)))?;
        let answer = self.wire.ask(request.place.unit, request.place.ask(), by).await;
        let answer = answer.map_err(|failure| exception::of_read(failure, &request))?;
        request.unpack(&answer, out, Timestamp::now());
        Ok(())
    }

    async fn write(&self, op: &WriteOp, by: Deadline) -> Result<Option<Value>, Fault> {
        let target = self.planned().writable.get(&op.point).cloned();
        let target = target.ok_or_else(|| Fault::Config(format!("point {} cannot be written", op.point.0)))?;
        let waiting = timeout_at(by, self.writing.lock()).await;
        let _alone = waiting.map_err(|_| Fault::Busy("another write was under way".into()))?;
        write::run(&self.wire, &target, &op.value, by).await
    }

    fn health(&self) -> Vec<(Cow<'static, str>, u64)> {
        self.wire.counters().list().into_iter().map(|(name, count)| (name.into(), count)).collect()
    }

    async fn close(&self, by: Deadline) {
        // What does not close in time is closed when the link is dropped.
        let _ = timeout_at(by, self.wire.close()).await;
    }
}

impl ModbusLink {
    fn planned(&self) -> MutexGuard<'_, Planned> {
        self.planned.lock().expect("no thread panics while it holds this lock")
    }
}

impl plan::Place {
    /// The question that reads it.
    fn ask(self) -> Ask<'static> {
        Ask::Read { table: self.table, start: self.start, count: self.count }
    }
}
