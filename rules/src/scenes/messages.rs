//! From a message to the triggers that it sets off.

use super::decisions::SetOff;
use super::{Effect, Scenes};
use crate::facts::Facts;
use crate::history::{Cause, Chain};
use crate::plan::{HeldIx, Leaf, Plan, SceneIx, TriggerIx, Truth, WaitIx, Watcher, What, Who};
use crate::values::Slot;
use edgeway_sdk::{DeviceIx, Value};
use edgeway_thing_models::{Event, Observation, Report, Row, Status};
use std::sync::Arc;

/// Lists that are filled and emptied with every message, kept for their memory.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) watchers: Vec<Watcher>,
    fired: Vec<(SceneIx, TriggerIx)>,
    came_true: Vec<WaitIx>,
    chains: Vec<Chain>,
}

/// What a watcher saw that matters.
pub(super) enum Sight {
    Fired(TriggerIx),
    CameTrue(WaitIx),
}

/// What made a watcher look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Touch {
    /// Something came from a device.
    Message,
    /// Time passed.
    Clock,
}

/// What comes with what fires.
enum Came {
    /// Nothing: it is looked up for each trigger.
    Alone(Touch),
    /// What an event or a row brings.
    With(Chain, Arc<Facts>),
}

impl Scenes {
    /// All values of a report count at once; only then triggers look.
    pub(super) fn report(&mut self, report: &Report, out: &mut Vec<Effect>) {
        self.pass += 1;
        let mut watchers = std::mem::take(&mut self.scratch.watchers);
        let values = Arc::make_mut(&mut self.values);
        for observation in &report.values {
            let Some(slot) = values.observe(report.device, observation) else { continue };
            watchers.extend_from_slice(self.plan.index.of_slot(slot));
            if !self.traces.sets.is_empty()
                && let Some(echo) = self.traces.sets.get_mut(&slot)
            {
                // What comes after it is somebody else's doing.
                echo.pass = if is_echo(&echo.value, observation) { self.pass } else { 0 };
            }
        }
        self.touch(watchers, Touch::Message, out);
    }

    pub(super) fn status(&mut self, status: &Status, out: &mut Vec<Effect>) {
        self.pass += 1;
        if Arc::make_mut(&mut self.values).turn(status.device, status.online).is_none() {
            return;
        }
        let mut watchers = std::mem::take(&mut self.scratch.watchers);
        watchers.extend_from_slice(self.plan.index.of_device(status.device));
        self.touch(watchers, Touch::Message, out);
    }

    pub(super) fn event(&mut self, event: &Event, out: &mut Vec<Effect>) {
        self.pass += 1;
        let mut fired = std::mem::take(&mut self.scratch.fired);
        let triggers = self.plan.index.of_event(event.device, event.event);
        fired.extend(triggers.iter().map(|trigger| (self.plan.trigger(*trigger).scene, *trigger)));
        if fired.is_empty() {
            self.scratch.fired = fired;
            return;
        }
        let chain = self.chain_of_event(event.device, event.event);
        let facts = Arc::new(Facts::of_event(&self.plan, event));
        self.fire(fired, Came::With(chain, facts), out);
    }

    pub(super) fn row(&mut self, row: &Row, out: &mut Vec<Effect>) {
        let plan = self.plan.clone();
        let is_meant = |trigger: &&TriggerIx| match &plan.trigger(**trigger).what {
            What::Row(of) => of.is(row),
            _ => false,
        };
        self.pass += 1;
        let mut fired = std::mem::take(&mut self.scratch.fired);
        let triggers = plan.index.of_query(&row.query).iter().filter(is_meant);
        fired.extend(triggers.map(|trigger| (plan.trigger(*trigger).scene, *trigger)));
        if fired.is_empty() {
            self.scratch.fired = fired;
            return;
        }
        let facts = Arc::new(Facts::of_row(row));
        self.fire(fired, Came::With(Chain::default(), facts), out);
    }

    /// Lets the watchers look, `held` conditions before whatever contains them, and sets off scenes.
    pub(super) fn touch(&mut self, mut watchers: Vec<Watcher>, touch: Touch, out: &mut Vec<Effect>) {
        if !watchers.is_empty() {
            watchers.sort_unstable();
            watchers.dedup();
            let plan = self.plan.clone();
            let mut fired = std::mem::take(&mut self.scratch.fired);
            let mut came_true = std::mem::take(&mut self.scratch.came_true);
            for watcher in watchers.drain(..) {
                match self.look(&plan, watcher, touch) {
                    Some(Sight::Fired(trigger)) => fired.push((plan.trigger(trigger).scene, trigger)),
                    Some(Sight::CameTrue(wait)) => came_true.push(wait),
                    None => {}
                }
            }
            self.scratch.watchers = watchers;
            self.fire(fired, Came::Alone(touch), out);
            came_true.drain(..).for_each(|wait| self.came_true(wait, out));
            self.scratch.came_true = came_true;
            return;
        }
        self.scratch.watchers = watchers;
    }

    /// One watcher looks.
    pub(super) fn look(&mut self, plan: &Plan, watcher: Watcher, touch: Touch) -> Option<Sight> {
        if plan.index.is_timed(watcher) {
            self.arm_recheck(plan, watcher);
        }
        match plan.index.who(watcher) {
            Who::Held(held) => {
                self.update_held(plan, held);
                None
            }
            Who::Trigger(trigger) => self.is_set_off(plan, trigger, touch).then_some(Sight::Fired(trigger)),
            Who::Wait(wait) if self.waiting[wait.0 as usize].is_empty() => None,
            Who::Wait(wait) => {
                let truth = self.world(None).truth(&plan.waits[wait.0 as usize].condition);
                (truth == Truth::True).then_some(Sight::CameTrue(wait))
            }
        }
    }

    pub(super) fn update_held(&mut self, plan: &Plan, held: HeldIx) {
        let inner = self.world(None).truth(&plan.helds[held.0 as usize].inner);
        let steady = self.clock.steady();
        let state = &mut self.helds[held.0 as usize];
        if state.update(inner, steady) {
            self.dirty.helds.insert(held);
        }
        let due = state.due();
        self.steady_timers.set(super::SteadyKey::Held(held), due);
    }

    fn is_set_off(&mut self, plan: &Plan, trigger: TriggerIx, touch: Touch) -> bool {
        match &plan.trigger(trigger).what {
            What::Edge(condition) => {
                let truth = self.world(None).truth(condition);
                let edge = &mut self.edges[trigger.0 as usize];
                let before = *edge;
                *edge = truth.known().or(before);
                if *edge != before {
                    self.dirty.edges.insert(trigger);
                }
                before == Some(false) && truth == Truth::True
            }
            What::Level(condition) => touch == Touch::Message && self.world(None).truth(condition) == Truth::True,
            What::Changed(slot) => self.has_changed(trigger, *slot),
            What::Event(..) | What::Row(_) | What::Cron(_) | What::Start => false,
        }
    }

    fn has_changed(&mut self, trigger: TriggerIx, slot: Slot) -> bool {
        let Some(value) = self.values.good(slot) else { return false };
        let state = &mut self.triggers[trigger.0 as usize];
        if state.last_value.as_ref() == Some(value) {
            return false;
        }
        state.last_value.replace(value.clone()).is_some()
    }

    /// Sets off each scene once, by priority and name; one that counts for each device, once for each.
    fn fire(&mut self, mut fired: Vec<(SceneIx, TriggerIx)>, came: Came, out: &mut Vec<Effect>) {
        if fired.len() > 1 {
            fired.sort_unstable();
            each_once(&self.plan, &mut fired);
        }
        // What the first of them sets hides what came back to the others, so that their chains are looked up before.
        let mut chains = std::mem::take(&mut self.scratch.chains);
        chains.extend(fired.iter().map(|(_, trigger)| match &came {
            Came::With(chain, _) => *chain,
            Came::Alone(touch) => self.chain_of(*trigger, *touch),
        }));
        for ((scene, trigger), chain) in fired.drain(..).zip(chains.drain(..)) {
            self.triggers[trigger.0 as usize].fired = Some(self.clock.wall());
            let facts = match &came {
                Came::With(_, facts) => Some(facts.clone()),
                Came::Alone(_) => None,
            };
            self.decide(scene, SetOff { cause: Cause::Trigger(trigger), chain, facts }, out);
        }
        (self.scratch.fired, self.scratch.chains) = (fired, chains);
    }

    /// The scenes whose doing set off the trigger: those that set a value which just came back, or, for what fires only
    /// after a while, which has come back and still stands.
    fn chain_of(&self, trigger: TriggerIx, touch: Touch) -> Chain {
        let mut chain = Chain::default();
        if self.traces.sets.is_empty() {
            return chain;
        }
        let mut consider = |leaf| {
            if let Leaf::Slot(slot) = leaf
                && let Some(echo) = self.traces.sets.get(&slot)
                && (echo.pass == self.pass || touch == Touch::Clock && echo.pass > 0)
                && echo.until >= self.clock.steady()
            {
                chain = echo.chain;
            }
        };
        match &self.plan.trigger(trigger).what {
            What::Edge(condition) | What::Level(condition) => self.plan.each_source(condition, &mut consider),
            What::Changed(slot) => consider(Leaf::Slot(*slot)),
            What::Event(..) | What::Row(_) | What::Cron(_) | What::Start => {}
        }
        chain
    }

    /// Brings everything up to date with the values as they are. No trigger is set off; runs that wait for what is true
    /// already go on.
    pub(super) fn take_stock(&mut self, out: &mut Vec<Effect>) {
        let plan = self.plan.clone();
        let mut came_true = vec![];
        for watcher in plan.index.all() {
            if let Some(Sight::CameTrue(wait)) = self.look(&plan, watcher, Touch::Clock) {
                came_true.push(wait);
            }
        }
        came_true.into_iter().for_each(|wait| self.came_true(wait, out));
    }
}

/// Leaves the first trigger of each scene, for each device if the scene counts for each.
fn each_once(plan: &Plan, fired: &mut Vec<(SceneIx, TriggerIx)>) {
    let mut devices: Vec<Option<DeviceIx>> = vec![];
    let mut last = None;
    fired.retain(|(scene, trigger)| {
        if last.replace(*scene) != Some(*scene) {
            devices.clear();
        }
        let device = if plan.scene(*scene).per_device { plan.device_of(*trigger) } else { None };
        let is_new = !devices.contains(&device);
        devices.push(device);
        is_new
    });
}

/// Whether a report brings the value that was set, give or take what a device's 32 bits make of it.
fn is_echo(set: &Value, observation: &Observation) -> bool {
    const RELATIVE_MAX: f64 = 1e-4;
    match (set, &observation.value) {
        (Value::Float(set), Value::Float(seen)) => (set - seen).abs() <= RELATIVE_MAX * set.abs().max(1.0),
        (set, seen) => set == seen,
    }
}
