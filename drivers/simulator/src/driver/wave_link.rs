//! A link without a world: wave forms and registers.

use super::sentence;
use crate::config::Point;
use crate::plan::{Steps, plan};
use crate::waves::{Wave, phase, salt};
use async_trait::async_trait;
use edgeway_sdk::{
    Batch, Deadline, DeviceSpec, Fault, Link, LinkInfo, Plan, PointIx, PointSpec, Split, StepIx, Timestamp, Value,
    WriteOp,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

type Register = Arc<Mutex<Value>>;

/// Where a value comes from.
enum Source {
    Wave(Wave),
    Register(Register),
}

pub(crate) struct WaveLink {
    seed: u64,
    speed: f64,
    points: RwLock<Points>,
}

#[derive(Default)]
struct Points {
    steps: Steps<Source>,
    /// What was written survives a new plan.
    registers: HashMap<PointIx, Register>,
}

impl WaveLink {
    pub(crate) fn new(seed: u64, speed: f64) -> Self {
        WaveLink { seed, speed, points: RwLock::default() }
    }

    fn source(&self, point: &PointSpec, registers: &mut HashMap<PointIx, Register>) -> Result<Source, String> {
        let options = Point::read(&point.options, point.access).map_err(|problems| sentence(&problems))?;
        match options {
            Point::Wave { shape, cycle, amplitude, base, phase: given } => {
                let salt = salt(self.seed, point.ix);
                let phase = given.unwrap_or_else(|| phase(salt));
                Ok(Source::Wave(Wave { shape, cycle_ns: self.cycle_ns(cycle), phase, amplitude, base, salt }))
            }
            Point::Register { base } => {
                let register = registers.entry(point.ix).or_insert_with(|| Arc::new(Mutex::new(Value::Float(base))));
                Ok(Source::Register(Arc::clone(register)))
            }
            Point::Property { name } => Err(format!("`{name}` needs a link with `world = \"wind-farm\"` or \"hotel\"")),
        }
    }

    fn cycle_ns(&self, cycle: Duration) -> i64 {
        ((cycle.as_nanos() as f64 / self.speed) as i64).max(1)
    }
}

#[async_trait]
impl Link for WaveLink {
    async fn plan(&self, _: &[DeviceSpec], points: &[PointSpec], split: Split<'_>) -> Result<Plan, Fault> {
        let mut guard = self.points.write().expect("no thread panics while it holds this lock");
        let Points { steps, registers } = &mut *guard;
        let mut plan = plan(steps, points, split, |point| self.source(point, registers));
        for point in points.iter().filter(|point| !point.access.reads()) {
            plan.rejected.extend(self.source(point, registers).err().map(|reason| (point.ix, reason)));
        }
        Ok(plan)
    }

    async fn connect(&self, _: Deadline) -> Result<LinkInfo, Fault> {
        Ok(LinkInfo::default())
    }

    async fn exec(&self, step: StepIx, out: &mut Batch, _: Deadline) -> Result<(), Fault> {
        let points = self.points.read().expect("no thread panics while it holds this lock");
        let sources = points.steps.get(step.0 as usize).ok_or_else(|| Fault::Step("the step is not planned".into()))?;
        let now = Timestamp::now();
        for (point, source) in sources {
            let value = match source {
                Source::Wave(wave) => wave.at(now),
                Source::Register(register) => kept(register),
            };
            out.good(*point, value, now);
        }
        Ok(())
    }

    async fn write(&self, op: &WriteOp, _: Deadline) -> Result<Option<Value>, Fault> {
        let points = self.points.read().expect("no thread panics while it holds this lock");
        let register = points.registers.get(&op.point).ok_or(Fault::Unsupported("writing to a wave form"))?;
        *register.lock().expect("no thread panics while it holds this lock") = op.value.clone();
        Ok(Some(kept(register)))
    }

    async fn close(&self, _: Deadline) {}
}

fn kept(register: &Register) -> Value {
    register.lock().expect("no thread panics while it holds this lock").clone()
}
