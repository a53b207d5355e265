//! From a message to the triggers that it sets off.

use super::decisions::SetOff;
use super::{Effect, Scenes};
use crate::facts::Facts;
use crate::history::{Cause, Chain};
use crate::plan::{HeldIx, Leaf, Plan, SceneIx, TriggerIx, Truth, WaitIx, Watcher, What, Who};
use crate::values::Slot;
use edgeway_sdk::Value;
use edgeway_thing_models::{Event, Observation, Report, Row, Status};
use std::sync::Arc;

/// Lists that are filled and emptied with every message, kept for their memory.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    watchers: Vec<Watcher>,
    fired: Vec<(SceneIx, TriggerIx)>,
    came_true: Vec<WaitIx>,
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

impl Scenes {
    /// Something new is being handled: what it sets off belongs together.
    pub(super) fn next_pass(&mut self) {
        self.pass += 1;
        self.last_due = None;
    }

    /// All values of a report count at once; only then triggers look.
    pub(super) fn report(&mut self, report: &Report, out: &mut Vec<Effect>) {
        self.next_pass();
        let mut watchers = std::mem::take(&mut self.scratch.watchers);
        let values = Arc::make_mut(&mut self.values);
        for observation in &report.values {
            let Some(slot) = values.observe(report.device, observation) else { continue };
            watchers.extend_from_slice(self.plan.index.of_slot(slot));
            if !self.traces.sets.is_empty()
                && let Some(echo) = self.traces.sets.get_mut(&slot)
                && is_echo(&echo.value, observation)
            {
                echo.pass = self.pass;
            }
        }
        self.touch(watchers, Touch::Message, out);
    }

    pub(super) fn status(&mut self, status: &Status, out: &mut Vec<Effect>) {
        self.next_pass();
        if Arc::make_mut(&mut self.values).turn(status.device, status.online).is_none() {
            return;
        }
        let mut watchers = std::mem::take(&mut self.scratch.watchers);
        watchers.extend_from_slice(self.plan.index.of_device(status.device));
        self.touch(watchers, Touch::Message, out);
    }

    pub(super) fn event(&mut self, event: &Event, out: &mut Vec<Effect>) {
        self.next_pass();
        let mut fired = std::mem::take(&mut self.scratch.fired);
        let triggers = self.plan.index.of_event(event.device, event.event);
        fired.extend(triggers.iter().map(|trigger| (self.plan.trigger(*trigger).scene, *trigger)));
        if fired.is_empty() {
            self.scratch.fired = fired;
            return;
        }
        let chain = self.chain_of_event(event.device, event.event);
        let facts = Arc::new(Facts::of_event(&self.plan, event));
        self.fire(fired, Some((chain, facts)), out);
    }

    pub(super) fn row(&mut self, row: &Row, out: &mut Vec<Effect>) {
        let plan = self.plan.clone();
        let is_meant = |trigger: &&TriggerIx| match &plan.trigger(**trigger).what {
            What::Row(of) => of.is(row),
            _ => false,
        };
        self.next_pass();
        let mut fired = std::mem::take(&mut self.scratch.fired);
        let triggers = plan.index.of_query(&row.query).iter().filter(is_meant);
        fired.extend(triggers.map(|trigger| (plan.trigger(*trigger).scene, *trigger)));
        if fired.is_empty() {
            self.scratch.fired = fired;
            return;
        }
        let facts = Arc::new(Facts::of_row(row));
        self.fire(fired, Some((Chain::default(), facts)), out);
    }

    /// Lets those look that depend on a `held` condition whose time has come.
    pub(super) fn touch_held(&mut self, held: HeldIx, out: &mut Vec<Effect>) {
        // It is full now, or something in it has changed.
        self.dirty.helds.insert(held);
        let mut watchers = std::mem::take(&mut self.scratch.watchers);
        watchers.extend_from_slice(self.plan.index.of_held(held));
        self.touch(watchers, Touch::Clock, out);
    }

    /// Lets one look because the clock may have changed what it sees; after a `held` also those that depend on it.
    pub(super) fn touch_timed(&mut self, watcher: Watcher, out: &mut Vec<Effect>) {
        if let Who::Held(held) = self.plan.index.who(watcher) {
            return self.touch_held(held, out);
        }
        let mut watchers = std::mem::take(&mut self.scratch.watchers);
        watchers.push(watcher);
        self.touch(watchers, Touch::Clock, out);
    }

    /// Lets the watchers look, `held` conditions before whatever contains them, and sets off scenes.
    fn touch(&mut self, mut watchers: Vec<Watcher>, touch: Touch, out: &mut Vec<Effect>) {
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
            self.fire(fired, None, out);
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
                let state = &mut self.triggers[trigger.0 as usize];
                let before = state.last;
                state.last = truth.known().or(before);
                if state.last != before {
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

    /// Sets off each scene once, by priority and name. What came with an event or a row is given.
    fn fire(&mut self, mut fired: Vec<(SceneIx, TriggerIx)>, with: Option<(Chain, Arc<Facts>)>, out: &mut Vec<Effect>) {
        fired.sort_unstable();
        fired.dedup_by_key(|(scene, _)| *scene);
        for (scene, trigger) in fired.drain(..) {
            self.triggers[trigger.0 as usize].fired = Some(self.clock.wall());
            let (chain, facts) = match &with {
                Some((chain, facts)) => (*chain, Some(facts.clone())),
                None => (self.chain_of(trigger), None),
            };
            self.decide(scene, SetOff { cause: Cause::Trigger(trigger), chain, facts }, out);
        }
        self.scratch.fired = fired;
    }

    /// The scenes whose doing set off the trigger: those that set a value which just came back.
    fn chain_of(&self, trigger: TriggerIx) -> Chain {
        let mut chain = Chain::default();
        if self.traces.sets.is_empty() {
            return chain;
        }
        let mut consider = |leaf| {
            if let Leaf::Slot(slot) = leaf
                && let Some(echo) = self.traces.sets.get(&slot)
                && echo.pass == self.pass
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

    /// Brings everything up to date with the seeded values, without setting anything off.
    pub(super) fn take_stock(&mut self) {
        let plan = self.plan.clone();
        for watcher in plan.index.all() {
            self.look(&plan, watcher, Touch::Clock);
        }
    }
}

/// Whether a report brings the value that was set, give or take what a device's 32 bits make of it.
fn is_echo(set: &Value, observation: &Observation) -> bool {
    const RELATIVE_MAX: f64 = 1e-4;
    match (set, &observation.value) {
        (Value::Float(set), Value::Float(seen)) => (set - seen).abs() <= RELATIVE_MAX * set.abs().max(1.0),
        (set, seen) => set == seen,
    }
}
