//! A link to a world: its things are the devices, their properties the points.

use super::sentence;
use crate::config::{DeviceOptions, On, Point, What};
use crate::plan::{Steps, plan};
use crate::world::{Form, PropertyAt, World, set};
use async_trait::async_trait;
use edgeway_sdk::{
    Batch, Deadline, DeviceIx, DeviceSpec, Discovered, Fault, Holds, Json, Link, LinkInfo, Offer, Plan, PointIx,
    PointSpec, Quality, Split, StepIx, Timestamp, Value, WriteOp, did_you_mean,
};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;

/// A world that was not looked at for longer than this has stood still meanwhile.
const CATCH_UP_MAX: Duration = Duration::from_secs(60);

/// A property of a thing.
#[derive(Debug, Clone, Copy)]
struct Source {
    unit: u8,
    property: PropertyAt,
}

pub(crate) struct WorldLink(Mutex<State>);

struct State {
    world: World,
    /// When it was looked at last; its time passes whenever it is looked at.
    seen: Option<Instant>,
    units: HashMap<DeviceIx, u8>,
    steps: Steps<Source>,
    writable: HashMap<PointIx, Source>,
}

impl WorldLink {
    pub(crate) fn new(world: World) -> Self {
        let (units, steps, writable) = Default::default();
        WorldLink(Mutex::new(State { world, seen: None, units, steps, writable }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no thread panics while it holds this lock")
    }
}

impl State {
    fn catch_up(&mut self) {
        let now = Instant::now();
        let passed = self.seen.map_or(Duration::ZERO, |seen| now.saturating_duration_since(seen));
        self.seen = Some(now);
        self.world.step(passed.min(CATCH_UP_MAX));
    }
}

/// Finds the unit and the property of a point.
fn source(world: &World, units: &HashMap<DeviceIx, u8>, point: &PointSpec) -> Result<Source, String> {
    let options = Point::read(&point.options, point.access).map_err(|problems| sentence(&problems))?;
    let What::Property { name } = options.what else {
        return Err("signals and registers need a link with `world = \"waves\"`".into());
    };
    let unit = *units.get(&point.device).ok_or("the device needs a `unit`")?;
    let kind = world.thing(unit).ok_or_else(|| format!("there is no unit {unit}"))?.kind();
    let property = kind.find(&name).ok_or_else(|| {
        let names = kind.properties().into_iter().map(|about| about.name);
        let help = did_you_mean(&name, names).map(|help| format!(" ({help})")).unwrap_or_default();
        format!("a {kind} has no property `{name}`{help}")
    })?;
    Ok(Source { unit, property })
}

fn units(devices: &[DeviceSpec]) -> Result<HashMap<DeviceIx, u8>, Fault> {
    let mut units = HashMap::new();
    for device in devices {
        let options = DeviceOptions::read_on(On::World, &device.options).map_err(Fault::Config)?;
        units.extend(options.unit.map(|unit| (device.ix, unit)));
    }
    Ok(units)
}

#[async_trait]
impl Link for WorldLink {
    async fn plan(&self, devices: &[DeviceSpec], points: &[PointSpec], split: Split<'_>) -> Result<Plan, Fault> {
        let mut guard = self.lock();
        let State { world, units: known, steps, writable, .. } = &mut *guard;
        known.extend(units(devices)?);
        let mut plan = plan(steps, points, split, |point| source(world, known, point));
        for point in points.iter().filter(|point| point.access.writes()) {
            match source(world, known, point) {
                Ok(source) => _ = writable.insert(point.ix, source),
                Err(reason) if !point.access.reads() => plan.rejected.push((point.ix, reason)),
                Err(_) => {}
            }
        }
        Ok(plan)
    }

    async fn connect(&self, _: Deadline) -> Result<LinkInfo, Fault> {
        let mut state = self.lock();
        state.seen = Some(Instant::now());
        let identity = vec![("things".into(), state.world.units().count().to_string())];
        Ok(LinkInfo { identity, ..LinkInfo::default() })
    }

    async fn exec(&self, step: StepIx, out: &mut Batch, _: Deadline) -> Result<(), Fault> {
        let mut state = self.lock();
        state.catch_up();
        let State { world, steps, .. } = &*state;
        let sources = steps.get(step.0 as usize).ok_or_else(|| Fault::Step("the step is not planned".into()))?;
        let now = Timestamp::now();
        for (point, Source { unit, property }) in sources {
            let thing = world.thing(*unit).expect("planned points belong to units that exist");
            out.good(*point, thing.value(*property), now);
        }
        Ok(())
    }

    /// Commands read 0 whatever was written, so they are not read back.
    async fn write(&self, op: &WriteOp, _: Deadline) -> Result<Option<Value>, Fault> {
        let mut state = self.lock();
        state.catch_up();
        let Source { unit, property } =
            *state.writable.get(&op.point).ok_or(Fault::Unsupported("writing this point"))?;
        let thing = state.world.thing_mut(unit).expect("planned points belong to units that exist");
        set(thing, property, &op.value).map_err(|error| Fault::Point {
            point: op.point,
            quality: Quality::BadOutOfRange,
            reason: error.to_string(),
        })?;
        Ok((thing.about(property).form != Form::Command).then(|| thing.value(property)))
    }

    async fn browse(&self, device: DeviceIx, _: Option<&str>, _: Deadline) -> Result<Vec<Discovered>, Fault> {
        let state = self.lock();
        let unit = state.units.get(&device).ok_or_else(|| Fault::Config("the device needs a `unit`".into()))?;
        let found = |(name, value): (&str, Value)| {
            let found = Discovered::new(Json::from_iter([("at", name)])).said("value", value.to_string());
            match Holds::example(&value.to_json()) {
                Some(holds) => found.offering(Offer::new(name, holds)),
                None => found,
            }
        };
        Ok(state.world.properties(*unit).map(found).collect())
    }

    async fn close(&self, _: Deadline) {}
}
