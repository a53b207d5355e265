//! The driver: what the gateway calls.

mod exception;

use crate::Modbus;
use crate::codec::{self, Kind};
use crate::config::{DeviceOptions, LinkOptions, Point, Table};
use crate::plan::{self, Answer, Request, Target, Targets};
use crate::wire::{Failure, Wire};
use async_trait::async_trait;
use edgeway_sdk::{
    Access, Batch, Deadline, DeviceSpec, Driver, Fault, Json, Link, LinkInfo, Manifest, Plan, PointIx, PointSpec,
    Problem, Quality, Split, Step, StepIx, Timestamp, Value, WriteOp,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::time::timeout_at;

#[async_trait]
impl Driver for Modbus {
    fn manifest(&self) -> Manifest {
        Manifest { name: "modbus", version: env!("CARGO_PKG_VERSION"), summary: "Modbus TCP" }
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
        let wire = tokio::sync::Mutex::new(Wire::new(options.clone()));
        Ok(Arc::new(ModbusLink { options, planned: Mutex::default(), wire }))
    }
}

struct ModbusLink {
    options: LinkOptions,
    planned: Mutex<Planned>,
    wire: tokio::sync::Mutex<Wire>,
}

/// What `plan` leaves for `exec` and `write`.
#[derive(Default)]
struct Planned {
    requests: HashMap<StepIx, Arc<Request>>,
    writable: HashMap<PointIx, Arc<Target>>,
    next: u32,
}

impl Planned {
    fn add(&mut self, request: Request) -> Step {
        let id = StepIx(self.next);
        self.next += 1;
        let points = request.items.iter().map(|item| item.point).collect();
        let step = Step { id, device: request.device, points, period: request.period };
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
        Ok(Plan { steps: requests.into_iter().map(|request| planned.add(request)).collect(), rejected })
    }

    async fn connect(&self, by: Deadline) -> Result<LinkInfo, Fault> {
        self.wire(by).await?.connect(by).await?;
        Ok(LinkInfo::default())
    }

    async fn exec(&self, step: StepIx, out: &mut Batch, by: Deadline) -> Result<(), Fault> {
        let request = self.planned().requests.get(&step).cloned();
        let request = request.ok_or_else(|| Fault::Config(format!("step {} was never planned", step.0)))?;
        let answer = self.wire(by).await?.read(request.place, by).await;
        let answer = answer.map_err(|failure| exception::of_read(failure, &request))?;
        request.unpack(&answer, out, Timestamp::now());
        Ok(())
    }

    async fn write(&self, op: &WriteOp, by: Deadline) -> Result<Option<Value>, Fault> {
        let target = self.planned().writable.get(&op.point).cloned();
        let target = target.ok_or_else(|| Fault::Config(format!("point {} cannot be written", op.point.0)))?;
        // Held until the value has been read back: nobody comes between the two halves of changing one bit.
        let mut wire = self.wire(by).await?;
        set(&mut wire, &target, &op.value, by).await?;
        let answer = match wire.read(target.place, by).await {
            // The write was acknowledged. That the place can only be written, or that no time is left, does not undo it.
            Err(Failure::Exception(_) | Failure::Fault(Fault::Busy(_))) => return Ok(None),
            other => other.map_err(|failure| exception::of_write(failure, &target))?,
        };
        let (value, quality) = answer.value(0, target.format);
        Ok((!quality.is_bad()).then_some(value))
    }

    async fn close(&self, by: Deadline) {
        if let Ok(mut wire) = self.wire(by).await {
            wire.close(by).await;
        }
    }
}

impl ModbusLink {
    fn planned(&self) -> MutexGuard<'_, Planned> {
        self.planned.lock().expect("no thread panics while it holds this lock")
    }

    async fn wire(&self, by: Deadline) -> Result<tokio::sync::MutexGuard<'_, Wire>, Fault> {
        timeout_at(by, self.wire.lock()).await.map_err(|_| Fault::Busy("the wire was in use".into()))
    }
}

async fn set(wire: &mut Wire, target: &Target, value: &Value, by: Deadline) -> Result<(), Fault> {
    let unfit = |reason| Fault::Point { point: target.point, quality: Quality::BadOutOfRange, reason };
    let written = match (target.place.table, target.format.kind) {
        (Table::Coil, _) => wire.write_coil(target.place, codec::bit(value).map_err(unfit)?, by).await,
        (_, Kind::Bit(bit)) => set_bit(wire, target, bit, codec::bit(value).map_err(unfit)?, by).await,
        _ => wire.write_registers(target.place, &codec::encode(value, target.format).map_err(unfit)?, by).await,
    };
    written.map_err(|failure| exception::of_write(failure, target))
}

/// Reads the register, changes the bit and writes the register. A change of another bit by the device itself in between
/// is lost; few devices know the function that would prevent it.
async fn set_bit(wire: &mut Wire, target: &Target, bit: u8, on: bool, by: Deadline) -> Result<(), Failure> {
    let Answer::Registers(registers) = wire.read(target.place, by).await? else {
        unreachable!("a holding register is answered with registers")
    };
    let register = codec::with_bit(registers[0], bit, target.format.order, on);
    wire.write_registers(target.place, &[register], by).await
}
