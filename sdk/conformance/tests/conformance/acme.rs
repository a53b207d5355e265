//! A driver for acme, honest or with one flaw, and its device.

pub(crate) mod device;
mod wire;

use async_trait::async_trait;
use edgeway_sdk::{
    Access, Batch, Capabilities, Deadline, DeviceIx, DeviceSpec, Driver, Fault, Json, Link, LinkInfo, Manifest, Plan,
    PointIx, PointSpec, Problem, Quality, Sink, Split, Step, StepIx, Timestamp, Value, WriteOp, options,
};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wire::{Said, Wire};

/// What is wrong with a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    /// Looks at nothing in an answer but its value, and goes on with the connection after a timeout.
    TakesLateAnswers,
    /// Does not look at who answers.
    TakesAnyUnit,
    /// Takes what has come when the connection ends for the whole answer.
    TakesHalfAnswers,
    /// Hands out the last values when nobody answers.
    AnswersFromCache,
    /// Every byte is given the whole timeout, and nobody looks at the deadline.
    WaitsForEveryByte,
    /// Keeps what it has connected before.
    LeaksConnections,
    /// Starts a task for each connection that never ends.
    LeaksTasks,
    /// Asks for every register at once.
    AsksAllAtOnce,
    /// Sends a write again when nobody answers.
    WritesTwice,
    /// Says that the device is silent when it refuses a register.
    RefusalIsSilence,
    /// Says that the wire is gone when the device refuses a register.
    RefusalIsLostLink,
    /// Takes for granted that an answer can be read.
    PanicsOnGarbage,
    /// The last point is in no step.
    LosesPoint,
    /// Unknown keys are no mistake.
    IgnoresUnknownKeys,
    /// Two plans for the same points differ.
    PlansAnew,
    /// Stamps values with a time that is to come.
    LivesInTheFuture,
    /// Takes no connection any more once it has been closed.
    ClosesForGood,
    /// Connects to what stands before a `#` in its address.
    GoesAround,
    /// Watches, and tells only of changes.
    TellsNoPresentValues,
    /// Watches as it ought to: no flaw.
    Watches,
}

pub(crate) struct Acme {
    flaw: Flaw,
    manifest: Manifest,
}

/// A link to acme devices.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct LinkOptions {
    /// Host and port
    address: String,
    /// How long an answer may take
    #[serde(with = "options::duration")]
    #[schemars(with = "String")]
    timeout: Duration,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeviceOptions {
    /// The unit, 0 to 9
    unit: u8,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct PointOptions {
    /// The register, 0 to 99
    register: u16,
}

impl Acme {
    pub(crate) fn with(flaw: Flaw) -> Arc<dyn Driver> {
        let watch = matches!(flaw, Flaw::Watches | Flaw::TellsNoPresentValues);
        let can = Capabilities { write: true, watch, ..Capabilities::default() };
        let manifest = Manifest::new("acme", "0.1.0", "lines of text over TCP").can(can);
        Arc::new(Acme { flaw, manifest: manifest.options::<LinkOptions, DeviceOptions, PointOptions>() })
    }

    /// Options without the keys that nobody knows, for a driver that ignores them.
    fn known(&self, options: &Json) -> Json {
        let mut options = options.clone();
        if let (Flaw::IgnoresUnknownKeys, Some(fields)) = (self.flaw, options.as_object_mut()) {
            fields.retain(|key, _| ["address", "timeout", "unit", "register"].contains(&key.as_str()));
        }
        options
    }

    fn check<T: serde::de::DeserializeOwned>(&self, options: &Json, key: &'static str) -> Result<T, Vec<Problem>> {
        options::parse(&self.known(options)).map_err(|problem| {
            // What is missing is missing at its own key.
            let is_missing = problem.message.starts_with("missing field");
            vec![if is_missing { Problem::key(key, problem.message) } else { problem }]
        })
    }
}

#[async_trait]
impl Driver for Acme {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn check_link(&self, options: &Json) -> Result<String, Vec<Problem>> {
        self.check::<LinkOptions>(options, "address").map(|link| link.address)
    }

    fn check_device(&self, options: &Json) -> Vec<Problem> {
        self.check::<DeviceOptions>(options, "unit").err().unwrap_or_default()
    }

    fn check_point(&self, options: &Json, _: Access) -> Vec<Problem> {
        self.check::<PointOptions>(options, "register").err().unwrap_or_default()
    }

    fn open(&self, options: Json) -> Result<Arc<dyn Link>, Fault> {
        let link: LinkOptions = options::parse(&options).map_err(|problem| Fault::Config(problem.to_string()))?;
        let address = match (self.flaw, link.address.split_once('#')) {
            (Flaw::GoesAround, Some((before, _))) => before.to_owned(),
            _ => link.address,
        };
        let wire = Wire::new(address, link.timeout, self.flaw);
        Ok(Arc::new(AcmeLink { flaw: self.flaw, wire, planned: Mutex::default(), cache: Mutex::default() }))
    }
}

struct AcmeLink {
    flaw: Flaw,
    wire: Wire,
    planned: Mutex<Planned>,
    cache: Mutex<HashMap<StepIx, Vec<i64>>>,
}

#[derive(Default)]
struct Planned {
    next: u32,
    steps: HashMap<StepIx, Asked>,
    places: HashMap<PointIx, (u8, u16)>,
    watched: Vec<PointIx>,
}

/// What a step asks for.
#[derive(Clone, Default)]
struct Asked {
    unit: u8,
    registers: Vec<u16>,
    points: Vec<PointIx>,
}

/// How many plans there have been, for a driver to which that makes a difference.
static PLANS: AtomicUsize = AtomicUsize::new(0);

/// So many registers in one question.
const REGISTERS_MAX: usize = 3;

#[async_trait]
impl Link for AcmeLink {
    async fn plan(&self, devices: &[DeviceSpec], points: &[PointSpec], split: Split<'_>) -> Result<Plan, Fault> {
        let wrong = |problem: Problem| Fault::Config(problem.to_string());
        let mut units = HashMap::new();
        for device in devices {
            units.insert(device.ix, options::parse::<DeviceOptions>(&device.options).map_err(wrong)?.unit);
        }
        let mut planned = self.planned.lock().unwrap();
        let mut readable: Vec<(DeviceIx, PointIx, u16)> = vec![];
        for point in points {
            let register = options::parse::<PointOptions>(&point.options).map_err(wrong)?.register;
            planned.places.insert(point.ix, (units[&point.device], register));
            if point.access.reads() {
                readable.push((point.device, point.ix, register));
            }
        }
        readable.sort();
        let mut plan = Plan::default();
        if matches!(self.flaw, Flaw::Watches | Flaw::TellsNoPresentValues) {
            plan.watched =
                readable.iter().filter(|(.., register)| *register == 13).map(|(_, point, _)| *point).collect();
            readable.retain(|(_, point, _)| !plan.watched.contains(point));
            planned.watched.clone_from(&plan.watched);
        }
        if self.flaw == Flaw::LosesPoint {
            readable.pop();
        }
        let most = match split {
            Split::Nothing => REGISTERS_MAX,
            Split::Step(step) => step.points.len().div_ceil(2),
        };
        let most = if self.flaw == Flaw::PlansAnew { 1 + PLANS.fetch_add(1, Ordering::Relaxed) % 2 } else { most };
        let period = points.first().map(|point| point.period).unwrap_or_default();
        for of_device in readable.chunk_by(|a, b| a.0 == b.0) {
            for chunk in of_device.chunks(most) {
                let id = StepIx(planned.next);
                planned.next += 1;
                let asked = Asked {
                    unit: units[&chunk[0].0],
                    registers: chunk.iter().map(|(.., register)| *register).collect(),
                    points: chunk.iter().map(|(_, point, _)| *point).collect(),
                };
                let (device, points) = (chunk[0].0, asked.points.clone());
                plan.steps.push(Step { id, device, points, period, wire_time: Duration::ZERO });
                planned.steps.insert(id, asked);
            }
        }
        Ok(plan)
    }

    async fn connect(&self, by: Deadline) -> Result<LinkInfo, Fault> {
        self.wire.connect(by).await?;
        Ok(LinkInfo::default())
    }

    async fn exec(&self, step: StepIx, out: &mut Batch, by: Deadline) -> Result<(), Fault> {
        let asked = self.planned.lock().unwrap().steps[&step].clone();
        let answered = match self.flaw {
            Flaw::AsksAllAtOnce => self.wire.ask_each(asked.unit, &asked.registers, by).await,
            _ => self.wire.ask("R", asked.unit, &asked.registers, None, by).await,
        };
        let values = match answered {
            Ok(Said::Values(values)) => values,
            Ok(Said::Refused) => return Err(self.refused(&asked)),
            Err(fault) => match self.cache.lock().unwrap().get(&step) {
                Some(values) if self.flaw == Flaw::AnswersFromCache => values.clone(),
                _ => return Err(fault),
            },
        };
        let time = match self.flaw {
            Flaw::LivesInTheFuture => Timestamp::now() + Duration::from_secs(60),
            _ => Timestamp::now(),
        };
        for (point, value) in asked.points.iter().zip(&values) {
            out.push(*point, Value::Int(*value), Quality::Good, time);
        }
        self.cache.lock().unwrap().insert(step, values);
        Ok(())
    }

    async fn watch(&self, sink: Arc<dyn Sink>, by: Deadline) -> Result<(), Fault> {
        let watched: Vec<_> = {
            let planned = self.planned.lock().unwrap();
            planned.watched.iter().map(|point| (*point, planned.places[point])).collect()
        };
        if watched.is_empty() {
            return Err(Fault::Unsupported("watching nothing"));
        }
        self.wire.watch(watched, sink, by).await
    }

    async fn write(&self, op: &WriteOp, by: Deadline) -> Result<Option<Value>, Fault> {
        let (unit, register) = self.planned.lock().unwrap().places[&op.point];
        let value = Some(op.value.to_string());
        let mut answered = self.wire.ask("W", unit, &[register], value.clone(), by).await;
        if self.flaw == Flaw::WritesTwice && answered.is_err() {
            answered = self.wire.ask("W", unit, &[register], value, by).await;
        }
        match answered? {
            Said::Values(values) => Ok(Some(Value::Int(values[0]))),
            Said::Refused => {
                Err(Fault::Point { point: op.point, quality: Quality::BadConfig, reason: "no such register".into() })
            }
        }
    }

    async fn close(&self, _: Deadline) {
        self.wire.close().await;
    }
}

impl AcmeLink {
    fn refused(&self, asked: &Asked) -> Fault {
        let reason = format!("unit {} has not all of the registers {:?}", asked.unit, asked.registers);
        match (self.flaw, &asked.points[..]) {
            (Flaw::RefusalIsSilence, _) => Fault::Device(reason),
            (Flaw::RefusalIsLostLink, _) => Fault::Link(reason),
            (_, [point]) => Fault::Point { point: *point, quality: Quality::BadConfig, reason },
            _ => Fault::Step(reason),
        }
    }
}
