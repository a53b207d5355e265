//! A link without a world: signals and registers, events and services.

mod telling;

use super::sentence;
use super::teller::Teller;
use crate::build::{Maker, Names, Sources, Wanted, hash};
use crate::clock::Clock;
use crate::config::{By, DeviceOptions, EventOptions, On, Point, ServiceOptions};
use crate::plan::{Steps, plan};
use crate::signals::{Moment, Source};
use crate::world::mix;
use async_trait::async_trait;
use edgeway_sdk::{
    Access, Batch, Deadline, DeviceIx, DeviceSpec, Fault, Json, Link, LinkInfo, Plan, PointIx, PointSpec, Sink, Split,
    StepIx, Timestamp, Value, WriteOp, did_you_mean,
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
        let mut known = HashMap::new();
        for point in points {
            match read(point, &mut known) {
                Ok(options) => {
                    if options.by == By::Push && point.access.reads() {
                        by_push.insert(point.ix);
                    }
                    wanted.push(Wanted { point: point.ix, device: point.device, options });
                }
                Err(reason) => wrong.push((point.ix, reason)),
            }
        }
        self.sources = maker.sources(wanted, &self.registers, &mut named);
        self.sources.extend(wrong.into_iter().map(|(point, reason)| (point, Err(reason))));
        self.keep_registers(points);
        self.furnish(maker, devices, points, &named, &mut by_push)?;
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

    /// Adds the events and services of the devices.
    fn furnish(
        &mut self,
        maker: &Maker,
        devices: &[DeviceSpec],
        points: &[PointSpec],
        named: &Names,
        by_push: &mut HashSet<PointIx>,
    ) -> Result<(), Fault> {
        let mut readable: HashMap<DeviceIx, Vec<PointIx>> = HashMap::new();
        for point in points.iter().filter(|point| point.access.reads() && self.find(point).is_ok()) {
            readable.entry(point.device).or_default().push(point.ix);
        }
        let mut registers: HashMap<DeviceIx, HashMap<String, Arc<Source>>> = HashMap::new();
        for ((device, name), source) in named.iter().filter(|(_, source)| source.is_register()) {
            registers.entry(*device).or_default().insert(name.clone(), source.clone());
        }
        self.happenings.clear();
        self.services.clear();
        for device in devices {
            let options = DeviceOptions::read_on(On::Signals, &device.options).map_err(Fault::Config)?;
            if !options.events.is_empty() {
                listen(readable.get(&device.ix).map_or(&[][..], Vec::as_slice), by_push);
            }
            let registers = registers.remove(&device.ix).unwrap_or_default();
            self.add_events(maker, device.ix, options.events, named).map_err(Fault::Config)?;
            self.add_services(maker, device.ix, options.services, named, &registers).map_err(Fault::Config)?;
        }
        Ok(())
    }

    fn add_events(
        &mut self,
        maker: &Maker,
        device: DeviceIx,
        events: Vec<EventOptions>,
        named: &Names,
    ) -> Result<(), String> {
        for event in events {
            let output = maker.outputs(device, &event.name, event.output, named)?;
            let salt = mix(mix(maker.seed) ^ mix(u64::from(device.0) << 32 ^ hash(&event.name)));
            self.happenings.push(Happening { device, name: event.name, every: event.every, output, salt });
        }
        Ok(())
    }

    fn add_services(
        &mut self,
        maker: &Maker,
        device: DeviceIx,
        services: BTreeMap<String, ServiceOptions>,
        named: &Names,
        registers: &HashMap<String, Arc<Source>>,
    ) -> Result<(), String> {
        for (name, service) in services {
            let mut sets = vec![];
            for (register, value) in &service.sets {
                let source = registers.get(register).ok_or_else(|| unknown_register(&name, register, registers))?;
                sets.push((source.clone(), Value::from_json(value)));
            }
            let output = maker.outputs(device, &name, service.output, named)?;
            self.services.insert((device, name), Service { output, sets, inputs: registers.clone() });
        }
        Ok(())
    }

    fn find(&self, point: &PointSpec) -> Result<Arc<Source>, String> {
        self.sources.get(&point.ix).cloned().unwrap_or_else(|| Err("the point is not planned".into()))
    }
}

/// The options of a point. Points that are written alike share them, and are read once.
fn read(point: &PointSpec, known: &mut HashMap<(usize, Access), Result<Point, String>>) -> Result<Point, String> {
    let place = Arc::as_ptr(&point.options) as usize;
    let read = || Point::read(&point.options, point.access).map_err(|problems| sentence(&problems));
    known.entry((place, point.access)).or_insert_with(read).clone()
}

/// The gateway listens only where points are pushed: a device with events pushes one, at least.
fn listen(readable: &[PointIx], by_push: &mut HashSet<PointIx>) {
    if !readable.iter().any(|point| by_push.contains(point)) {
        by_push.extend(readable.first());
    }
}

fn unknown_register(service: &str, found: &str, registers: &HashMap<String, Arc<Source>>) -> String {
    let mut names: Vec<&str> = registers.keys().map(String::as_str).collect();
    names.sort_unstable();
    let help = did_you_mean(found, names).map(|help| format!(" ({help})")).unwrap_or_default();
    format!("service `{service}` sets `{found}`, which is the `name` of no register of the device{help}")
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
