//! What happens when its time comes.

use super::decisions::SetOff;
use super::messages::Touch;
use super::run::{RunId, StrandIx};
use super::{Effect, Scenes};
use crate::history::{Cause, Chain, Verdict};
use crate::plan::{HeldIx, Plan, TriggerIx, Watcher, What, Who};
use edgeway_sdk::Timestamp;
use std::time::Duration;

/// A clock that was right jumps back by an hour at most, when someone sets it; farther only if it was wrong before.
const CLOCK_SET_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// How late a `cron` may still run.
const CRON_LATE_MAX: Duration = Duration::from_secs(5 * 60);
/// How many things one call does; what remains is due at once in the next.
const DUE_MAX: usize = 100_000;

/// What waits for a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum SteadyKey {
    Held(HeldIx),
    Strand(RunId, StrandIx),
}

/// What waits for a time of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum WallKey {
    Recheck(Watcher),
    Cron(TriggerIx),
}

impl Scenes {
    pub(super) fn do_what_is_due(&mut self, out: &mut Vec<Effect>) {
        for _ in 0..DUE_MAX {
            let is_done = self.look_at_what_is_due(out) || self.go_on_with_what_is_due(out);
            if !is_done {
                return;
            }
        }
    }

    /// What has come by this moment counts as one message: all conditions that the clock changes are looked at together.
    /// False if there are none.
    fn look_at_what_is_due(&mut self, out: &mut Vec<Effect>) -> bool {
        let mut watchers = std::mem::take(&mut self.scratch.watchers);
        while let Some((at, SteadyKey::Held(held))) = self.steady_timers.first()
            && at <= self.clock.steady()
        {
            self.steady_timers.set(SteadyKey::Held(held), None);
            // It is full now.
            self.dirty.helds.insert(held);
            watchers.extend_from_slice(self.plan.index.of_held(held));
        }
        // A run that should have gone on before now does so first.
        let is_late = self.steady_timers.next().is_some_and(|at| at < self.clock.steady());
        while let Some((at, WallKey::Recheck(watcher))) = self.wall_timers.first()
            && at <= self.clock.wall()
            && !is_late
        {
            self.wall_timers.set(WallKey::Recheck(watcher), None);
            match self.plan.index.who(watcher) {
                Who::Held(held) => watchers.extend_from_slice(self.plan.index.of_held(held)),
                Who::Trigger(_) | Who::Wait(_) => watchers.push(watcher),
            }
        }
        let is_due = !watchers.is_empty();
        self.touch(watchers, Touch::Clock, out);
        is_due
    }

    /// The next run that waited until now, or else the next `cron`. False if there is none.
    fn go_on_with_what_is_due(&mut self, out: &mut Vec<Effect>) -> bool {
        if let Some((_, key)) = self.steady_timers.pop_due(self.clock.steady()) {
            if let SteadyKey::Strand(run, strand) = key {
                self.time_is_up(run, strand, out);
            }
            return true;
        }
        let Some((due, key)) = self.wall_timers.pop_due(self.clock.wall()) else { return false };
        if let WallKey::Cron(trigger) = key {
            self.cron(trigger, due, out);
        }
        true
    }

    pub(super) fn arm_crons(&mut self) {
        for at in 0..self.plan.triggers.len() {
            self.arm_cron(TriggerIx(at as u32));
        }
    }

    fn arm_cron(&mut self, trigger: TriggerIx) {
        if let What::Cron(schedule) = &self.plan.trigger(trigger).what {
            let next = schedule.next_after(self.clock.wall(), &self.plan.locale);
            self.wall_timers.set(WallKey::Cron(trigger), next);
        }
    }

    pub(super) fn arm_cron_at(&mut self, trigger: TriggerIx, due: Timestamp) {
        self.wall_timers.set(WallKey::Cron(trigger), Some(due));
    }

    /// After a jump back, looks anew for the next moment at which the clock changes a condition. After a clock that was
    /// wrong, what it armed and what was seen by it is worth nothing.
    pub(super) fn mend_wall_timers(&mut self, jumped_back: Duration) {
        if jumped_back.is_zero() {
            return;
        }
        let plan = self.plan.clone();
        let was_wrong = jumped_back > CLOCK_SET_MAX;
        if was_wrong {
            self.arm_crons();
        }
        for watcher in plan.index.all().filter(|watcher| plan.index.is_timed(*watcher)) {
            self.arm_recheck(&plan, watcher);
            if was_wrong {
                self.look(&plan, watcher, Touch::Clock);
            }
        }
    }

    fn cron(&mut self, trigger: TriggerIx, due: Timestamp, out: &mut Vec<Effect>) {
        self.arm_cron(trigger);
        let scene = self.plan.trigger(trigger).scene;
        let set_off = SetOff { cause: Cause::Trigger(trigger), chain: Chain::default(), facts: None };
        if self.clock.wall().since(due) > CRON_LATE_MAX {
            self.decline(scene, &set_off, Verdict::Missed { was_due: due });
            return;
        }
        self.triggers[trigger.0 as usize].fired = Some(self.clock.wall());
        self.decide(scene, set_off, out);
    }

    /// Sets off what waits for the gateway to start.
    pub(super) fn fire_starts(&mut self, out: &mut Vec<Effect>) {
        let plan = self.plan.clone();
        self.pass += 1;
        for (at, trigger) in plan.triggers.iter().enumerate().filter(|(_, trigger)| matches!(trigger.what, What::Start))
        {
            let cause = Cause::Trigger(TriggerIx(at as u32));
            self.decide(trigger.scene, SetOff { cause, chain: Chain::default(), facts: None }, out);
        }
    }

    /// Arms the moment at which the clock alone may change what a watcher sees.
    pub(super) fn arm_recheck(&mut self, plan: &Plan, watcher: Watcher) {
        let condition = match plan.index.who(watcher) {
            Who::Held(held) => Some(&plan.helds[held.0 as usize].inner),
            Who::Trigger(trigger) => plan.trigger(trigger).what.condition(),
            Who::Wait(wait) if self.waiting[wait.0 as usize].is_empty() => None,
            Who::Wait(wait) => Some(&plan.waits[wait.0 as usize].condition),
        };
        let at = condition.and_then(|condition| self.world(None).next_change(condition));
        self.wall_timers.set(WallKey::Recheck(watcher), at);
    }
}
