//! Which faults are there, and what they do to values.

use super::switch::{Switched, Thrown};
use super::{Entry, refused};
use crate::clock::Clock;
use crate::config::{DeviceOptions, Effect, Point, Trouble};
use crate::driver::sentence;
use crate::plan::Steps;
use crate::world::{fraction, mix};
use edgeway_sdk::{Batch, DeviceIx, DeviceSpec, Fault, PointIx, PointSpec, Quality, Step, StepIx, Value};
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What is known of a link's faults.
pub(super) struct State {
    clock: Clock,
    link: Vec<Trouble>,
    devices: HashMap<DeviceIx, Device>,
    /// Whether one of the devices has faults of its own.
    devices_can_fail: bool,
    /// Of those points that have any.
    points: HashMap<PointIx, Vec<Trouble>>,
    device_of: HashMap<PointIx, DeviceIx>,
    steps: HashMap<StepIx, (DeviceIx, Vec<PointIx>)>,
    pub(super) switches: HashMap<PointIx, Thrown>,
    pub(super) switch_steps: Steps<()>,
    /// The values that stuck points show.
    stuck: Mutex<HashMap<PointIx, (Value, Quality)>>,
    /// A cut of the wire by a switch.
    pub(super) cut: Mutex<Option<Switched>>,
    spoiled: AtomicU64,
}

/// A device that can fail.
#[derive(Default)]
pub(super) struct Device {
    pub(super) name: Option<String>,
    troubles: Vec<Trouble>,
    /// What was switched on last.
    pub(super) switched: Mutex<Option<Switched>>,
}

impl State {
    pub(super) fn new(clock: Clock, link: Vec<Trouble>) -> Self {
        State {
            clock,
            link,
            devices: HashMap::new(),
            devices_can_fail: false,
            points: HashMap::new(),
            device_of: HashMap::new(),
            steps: HashMap::new(),
            switches: HashMap::new(),
            switch_steps: vec![],
            stuck: Mutex::default(),
            cut: Mutex::default(),
            spoiled: AtomicU64::new(0),
        }
    }

    /// Learns everything anew.
    ///
    /// # Errors
    /// [`Fault::Config`] if options are wrong after all.
    pub(super) fn learn(&mut self, devices: &[DeviceSpec], points: &[PointSpec]) -> Result<(), Fault> {
        self.steps.clear();
        self.switches.clear();
        self.points.clear();
        self.devices.clear();
        for device in devices {
            let options =
                DeviceOptions::read(&device.options).map_err(|problems| Fault::Config(sentence(&problems)))?;
            let DeviceOptions { name, faults: troubles, .. } = options;
            self.devices.insert(device.ix, Device { name, troubles, switched: Mutex::default() });
        }
        self.devices_can_fail = self.devices.values().any(|device| !device.troubles.is_empty());
        self.device_of = points.iter().map(|point| (point.ix, point.device)).collect();
        for point in points.iter().filter(|point| !point.options["faults"].is_null()) {
            // What is wrong with a point is for the link within to say.
            if let Ok(options) = Point::read(&point.options, point.access) {
                self.points.insert(point.ix, options.faults);
            }
        }
        Ok(())
    }

    pub(super) fn note_steps(&mut self, steps: &[Step]) {
        self.steps.extend(steps.iter().map(|step| (step.id, (step.device, step.points.clone()))));
    }

    /// False if nothing can ever go wrong, which is what the hot path asks.
    pub(super) fn can_fail(&self) -> bool {
        !self.link.is_empty() || !self.switches.is_empty() || !self.points.is_empty() || self.devices_can_fail
    }

    pub(super) fn device_of_step(&self, step: StepIx) -> Result<DeviceIx, Fault> {
        let of_switch = || {
            let at = step.0.checked_sub(super::SWITCH_STEPS)?;
            let (point, ()) = self.switch_steps.get(at as usize)?.first()?;
            self.switches.get(point).map(|thrown| thrown.of_step)
        };
        let device = self.steps.get(&step).map(|(device, _)| *device).or_else(of_switch);
        device.ok_or_else(|| Fault::Step("the step is not planned".into()))
    }

    pub(super) fn device_of_point(&self, point: PointIx) -> Option<DeviceIx> {
        self.device_of.get(&point).copied()
    }

    pub(super) fn device(&self, device: DeviceIx) -> Option<&Device> {
        self.devices.get(&device)
    }

    pub(super) fn named(&self) -> impl Iterator<Item = (DeviceIx, &str)> {
        self.devices.iter().filter_map(|(ix, device)| Some((*ix, device.name.as_deref()?)))
    }

    /// # Errors
    /// [`Fault::Link`] while the wire is cut. A cut without an end is told once.
    pub(super) fn check_link(&self) -> Result<(), Fault> {
        let is_lost = self.is_link_lost();
        let mut cut = self.cut.lock().expect("no thread panics while it holds this lock");
        let is_cut_once = cut.take_if(|cut| cut.until.is_none() || !cut.is_on()).is_some_and(|cut| cut.until.is_none());
        if is_lost || is_cut_once { Err(Fault::Link("the simulated link is cut".into())) } else { Ok(()) }
    }

    /// True while the wire is cut for a time.
    pub(super) fn is_link_lost(&self) -> bool {
        let passed = self.clock.passed();
        let cut = self.cut.lock().expect("no thread panics while it holds this lock");
        cut.as_ref().is_some_and(|cut| cut.until.is_some() && cut.is_on())
            || self.link.iter().any(|trouble| trouble.effect == Effect::LinkLoss && trouble.is_on(passed))
    }

    /// What is wrong with a device now: what was switched on, then its own faults, then those of the link.
    pub(super) fn of_device(&self, device: DeviceIx) -> impl Iterator<Item = &Effect> + use<'_> {
        let passed = self.clock.passed();
        let device = self.devices.get(&device);
        let switched = device.and_then(Device::switched_effect);
        let scheduled = device.into_iter().flat_map(|device| &device.troubles).chain(&self.link);
        switched
            .into_iter()
            .chain(scheduled.filter(move |trouble| trouble.is_on(passed)).map(|trouble| &trouble.effect))
    }

    /// What is wrong with a point now, its own faults first.
    pub(super) fn of_point(&self, point: PointIx) -> impl Iterator<Item = &Effect> + use<'_> {
        let passed = self.clock.passed();
        let own = self.points.get(&point).into_iter().flatten().filter(move |trouble| trouble.is_on(passed));
        let of_device = self.device_of.get(&point).into_iter().flat_map(|device| self.of_device(*device));
        own.map(|trouble| &trouble.effect).chain(of_device)
    }

    /// # Errors
    /// [`Fault::Point`] if the only point of the step is refused, [`Fault::Step`] if one of several is.
    pub(super) fn check_refused(&self, step: StepIx) -> Result<(), Fault> {
        let Some((_, points)) = self.steps.get(&step) else { return Ok(()) };
        let is_refused = |point: &&PointIx| self.of_point(**point).any(|effect| *effect == Effect::Refused);
        match (points.iter().find(is_refused), points.len()) {
            (None, _) => Ok(()),
            (Some(point), 1) => Err(refused(*point)),
            (Some(_), _) => Err(Fault::Step("the simulated device refuses a point of this step".into())),
        }
    }

    /// Does to the values of a batch, from an entry on, what their faults do.
    pub(super) fn spoil(&self, batch: &mut Batch, start: usize) {
        for at in start..batch.len() {
            let entry = (std::mem::take(&mut batch.values[at]), batch.qualities[at], batch.source_times[at]);
            (batch.values[at], batch.qualities[at], batch.source_times[at]) = self.spoilt(batch.points[at], entry);
        }
    }

    fn spoilt(&self, point: PointIx, entry: Entry) -> Entry {
        let effect = self.of_point(point).find(|effect| !super::is_of_requests(effect));
        let mut stuck = self.stuck.lock().expect("no thread panics while it holds this lock");
        if effect != Some(&Effect::Stuck) {
            stuck.remove(&point);
        }
        let (value, quality, time) = entry;
        let (value, quality) = match effect {
            None | Some(Effect::LinkLoss | Effect::Refused) => return (value, quality, time),
            Some(Effect::Stuck) => stuck.entry(point).or_insert((value, quality)).clone(),
            Some(Effect::Spike { size, chance }) => (self.spiked(point, value, *size, *chance), quality),
            Some(Effect::Nan) => (Value::Null, Quality::BadOutOfRange),
            Some(Effect::Value(instead)) => (instead.clone(), Quality::Good),
            Some(Effect::Bad) => (Value::Null, Quality::BadDevice),
            Some(Effect::Uncertain) if quality.is_bad() => (value, quality),
            Some(Effect::Uncertain) => (value, Quality::Uncertain),
            Some(Effect::Offline(_) | Effect::Slow(_) | Effect::Busy) => (value, quality),
        };
        self.spoiled.fetch_add(1, Relaxed);
        (value, quality, time)
    }

    /// Now and then higher than it is; drawn from the point and the link's own time.
    fn spiked(&self, point: PointIx, value: Value, size: f64, chance: f64) -> Value {
        let drawn = fraction(mix(u64::from(point.0) ^ mix(self.clock.passed().as_nanos() as u64)));
        match value {
            Value::Int(int) if drawn < chance => Value::Int(int.saturating_add(size as i64)),
            Value::Float(float) if drawn < chance => Value::Float(float + size),
            value => value,
        }
    }

    pub(super) fn spoiled(&self) -> u64 {
        self.spoiled.load(Relaxed)
    }
}
