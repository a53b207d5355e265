//! A link without a world: signals and registers, events and services.

mod telling;

use super::sentence;
use super::teller::Teller;
use crate::build::{Maker, Names, Sources, Wanted, hash};
use crate::clock::Clock;
use crate::config::{By, DeviceOptions, Point};
use crate::plan::{Steps, plan};
use crate::signals::{Moment, Source};
use crate::world::mix;
use async_trait::async_trait;
use edgeway_sdk::{
    Batch, Deadline, DeviceIx, DeviceSpec, Fault, Json, Link, LinkInfo, Plan, PointIx, PointSpec, Sink, Split, StepIx,
    Timestamp, Value, WriteOp, did_you_mean,
};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, RwLock, RwLockReadGuard};
use telling::{Happening, Pushed};

pub(crate) struct SignalLink {
    signals: Arc<Signals>,
    teller: Teller,
}

struct Signals {
    maker: Maker,
    planned: RwLock<Planned>,
}

/// What `plan` leaves for the others.
#[derive(Default)]
struct Planned {
    steps: Steps<Arc<Source>>,
    sources: Sources,
    /// What was written survives a new plan.
    registers: HashMap<PointIx, Arc<Source>>,
    pushed: Vec<Pushed>,
    happenings: Vec<Happening>,
    services: HashMap<(DeviceIx, String), Service>,
}

/// What comes of a call.
struct Service {
    output: Vec<(String, Arc<Source>)>,
    sets: Vec<(Arc<Source>, Value)>,
    /// Registers that are called as an input, which they take.
    inputs: HashMap<String, Arc<Source>>,
}

impl SignalLink {
    pub(crate) fn new(seed: u64, clock: Clock) -> Self {
        let signals = Signals { maker: Maker { seed, clock }, planned: RwLock::default() };
        SignalLink { signals: Arc::new(signals), teller: Teller::default() }
    }
}

impl Signals {
    fn planned(&self) -> RwLockReadGuard<'_, Planned> {
        self.planned.read().expect("no thread panics while it holds this lock")
    }

    fn moment(&self) -> Moment {
        Moment { now: Timestamp::now(), passed: self.maker.clock.passed() }
    }
}

impl Planned {
    /// Makes everything anew.
    ///
    /// # Errors
    /// [`Fault::Config`] if an event or a service cannot be made.
    fn make(&mut self, maker: &Maker, devices: &[DeviceSpec], points: &[PointSpec]) -> Result<(), Fault> {
        let mut named = Names::new();
        let mut wrong = vec![];
        let mut wanted = vec![];
        let mut by_push = HashSet::new();
        for point in points {
            match Point::read(&point.options, point.access) {
                Ok(options) => {
                    if options.by == By::Push && point.access.reads() {
                        by_push.insert(point.ix);
                    }
                    wanted.push(Wanted { point: point.ix, device: point.device, options });
                }
                Err(problems) => wrong.push((point.ix, sentence(&problems))),
            }
        }
        self.sources = maker.sources(wanted, &self.registers, &mut named);
        self.sources.extend(wrong.into_iter().map(|(point, reason)| (point, Err(reason))));
        self.keep_registers(points);
        self.happenings.clear();
        self.services.clear();
        for device in devices {
            let options =
                DeviceOptions::read(&device.options).map_err(|problems| Fault::Config(sentence(&problems)))?;
            if !options.events.is_empty() {
                listen(device.ix, points, &self.sources, &mut by_push);
            }
            self.furnish(maker, device.ix, options, &mut named).map_err(Fault::Config)?;
        }
        self.pushed = points.iter().filter(|p| by_push.contains(&p.ix)).filter_map(|p| self.push(p)).collect();
        Ok(())
    }

    fn keep_registers(&mut self, points: &[PointSpec]) {
        let made =
            points.iter().filter_map(|point| Some((point.ix, self.sources.get(&point.ix)?.as_ref().ok()?.clone())));
        self.registers = made.filter(|(_, source)| source.is_register()).collect();
    }

    fn push(&self, point: &PointSpec) -> Option<Pushed> {
        let source = self.sources.get(&point.ix)?.as_ref().ok()?.clone();
        Some(Pushed { point: point.ix, period: point.period, source })
    }

    /// Adds the events and services of a device.
    fn furnish(
        &mut self,
        maker: &Maker,
        device: DeviceIx,
        options: DeviceOptions,
        named: &mut Names,
    ) -> Result<(), String> {
        for event in options.events {
            let output = maker.outputs(device, &event.name, event.output, named)?;
            let salt = mix(mix(maker.seed) ^ mix(u64::from(device.0) << 32 ^ hash(&event.name)));
            self.happenings.push(Happening { device, name: event.name, every: event.every, output, salt });
        }
        let registers: BTreeMap<String, Arc<Source>> = named
            .iter()
            .filter(|((of, _), source)| *of == device && source.is_register())
            .map(|((_, name), source)| (name.clone(), source.clone()))
            .collect();
        for (name, service) in options.services {
            let mut sets = vec![];
            for (register, value) in &service.sets {
                let source = registers.get(register).ok_or_else(|| {
                    let help = did_you_mean(register, registers.keys().map(String::as_str));
                    let help = help.map(|help| format!(" ({help})")).unwrap_or_default();
                    format!(
                        "service `{name}` sets `{register}`, which is the `name` of no register of the device{help}"
                    )
                })?;
                sets.push((source.clone(), Value::from_json(value)));
            }
            let output = maker.outputs(device, &name, service.output, named)?;
            let inputs = registers.iter().map(|(name, source)| (name.clone(), source.clone())).collect();
            self.services.insert((device, name), Service { output, sets, inputs });
        }
        Ok(())
    }

    fn find(&self, point: &PointSpec) -> Result<Arc<Source>, String> {
        self.sources.get(&point.ix).cloned().unwrap_or_else(|| Err("the point is not planned".into()))
    }
}

/// The gateway listens only where points are pushed: a device with events pushes one, at least.
fn listen(device: DeviceIx, points: &[PointSpec], sources: &Sources, by_push: &mut HashSet<PointIx>) {
    let mut readable = points
        .iter()
        .filter(|point| point.device == device && point.access.reads())
        .filter(|point| sources.get(&point.ix).is_some_and(Result::is_ok));
    if let Some(first) = readable.clone().next()
        && !readable.any(|point| by_push.contains(&point.ix))
    {
        by_push.insert(first.ix);
    }
}

impl Service {
    /// Registers take the inputs that are called like them, then what the service sets; then its output is worked out.
    fn call(&self, input: &Json, moment: Moment) -> Json {
        for (name, value) in input.as_object().into_iter().flatten() {
            if let Some(register) = self.inputs.get(name) {
                register.set(Value::from_json(value));
            }
        }
        for (register, value) in &self.sets {
            register.set(value.clone());
        }
        carried(&self.output, moment)
    }
}

/// The fields of an event or an answer.
fn carried(output: &[(String, Arc<Source>)], moment: Moment) -> Json {
    Json::Object(output.iter().map(|(name, source)| (name.clone(), source.at(moment).to_json())).collect())
}

#[async_trait]
impl Link for SignalLink {
    async fn plan(&self, devices: &[DeviceSpec], points: &[PointSpec], split: Split<'_>) -> Result<Plan, Fault> {
        let mut guard = self.signals.planned.write().expect("no thread panics while it holds this lock");
        if matches!(split, Split::Nothing) {
            self.teller.stop();
            guard.make(&self.signals.maker, devices, points)?;
        }
        let watched: Vec<PointIx> = guard.pushed.iter().map(|pushed| pushed.point).collect();
        let is_watched: HashSet<PointIx> = watched.iter().copied().collect();
        let polled: Vec<PointSpec> = points.iter().filter(|point| !is_watched.contains(&point.ix)).cloned().collect();
        let mut steps = std::mem::take(&mut guard.steps);
        let mut plan = plan(&mut steps, &polled, split, |point| guard.find(point));
        guard.steps = steps;
        for point in points.iter().filter(|point| !point.access.reads()) {
            plan.rejected.extend(guard.find(point).err().map(|reason| (point.ix, reason)));
        }
        if matches!(split, Split::Nothing) {
            plan.watched = watched;
        }
        Ok(plan)
    }

    async fn connect(&self, _: Deadline) -> Result<LinkInfo, Fault> {
        Ok(LinkInfo::default())
    }

    async fn exec(&self, step: StepIx, out: &mut Batch, _: Deadline) -> Result<(), Fault> {
        let planned = self.signals.planned();
        let sources =
            planned.steps.get(step.0 as usize).ok_or_else(|| Fault::Step("the step is not planned".into()))?;
        let moment = self.signals.moment();
        for (point, source) in sources {
            telling::add(out, *point, source.at(moment), moment.now);
        }
        Ok(())
    }

    async fn watch(&self, sink: Arc<dyn Sink>, _: Deadline) -> Result<(), Fault> {
        self.teller.start(telling::tell(self.signals.clone(), sink));
        Ok(())
    }

    async fn write(&self, op: &WriteOp, _: Deadline) -> Result<Option<Value>, Fault> {
        let planned = self.signals.planned();
        let register = planned.registers.get(&op.point).ok_or(Fault::Unsupported("writing to a signal"))?;
        register.set(op.value.clone());
        Ok(Some(register.at(self.signals.moment())))
    }

    async fn call(&self, device: DeviceIx, service: &str, input: Json, _: Deadline) -> Result<Json, Fault> {
        let planned = self.signals.planned();
        match planned.services.get(&(device, service.to_owned())) {
            Some(service) => Ok(service.call(&input, self.signals.moment())),
            None => {
                let names = planned.services.keys().filter(|(of, _)| *of == device).map(|(_, name)| name.as_str());
                let help = did_you_mean(service, names).map(|help| format!(" ({help})")).unwrap_or_default();
                Err(Fault::Config(format!("the options of the device have no service `{service}`{help}")))
            }
        }
    }

    async fn close(&self, _: Deadline) {
        self.teller.stop();
    }
}

#[cfg(test)]
mod tests;
