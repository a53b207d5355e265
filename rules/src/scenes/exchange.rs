//! Scenes in the place of others, while the gateway runs: as if nothing had happened to what has not changed.

use super::memory::{Gap, Restored};
use super::run::{Run, State};
use super::{Effect, Scenes, SteadyKey};
use crate::history::{Cause, Chain, Verdict};
use crate::plan::{Plan, SceneIx, TriggerIx};
use edgeway_sdk::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Scenes {
    /// Takes over from scenes that these replace, as if nothing had happened: values, clocks, runs, records.
    pub fn take_over(&mut self, now: Timestamp, mut old: Scenes, out: &mut Vec<Effect>) -> Restored {
        old.advance(now, out);
        self.values = old.values.clone();
        self.clock = old.clock;
        (self.born, self.commands, self.decisions) = (old.born, old.commands, old.decisions);
        self.runs.count_from(now);
        let mut moved = self.move_runs(&mut old);
        let whole = old.whole_memory();
        self.inherit_all(&mut old);
        let mut restored = self.take_up(&whole, Gap::None);
        restored.resumed.append(&mut moved);
        self.take_over_triggers(&old);
        self.take_stock(out);
        self.begin_again(out);
        self.serve_queues(out);
        self.do_what_is_due(out);
        // What was changed and not yet kept is to be kept still.
        self.mark_everything();
        restored
    }

    /// Counters, breakers, queues, and who has set what.
    fn inherit_all(&mut self, old: &mut Scenes) {
        let new_of = |plan: &Plan, old: &Scenes, before: SceneIx| plan.names.get(&old.plan.scene(before).name).copied();
        let plan = self.plan.clone();
        self.traces = std::mem::take(&mut old.traces).moved(|scene| new_of(&plan, old, scene));
        (self.errors, self.loops_stopped, self.gone) = (old.errors, old.loops_stopped, old.gone);
        for before in (0..old.scenes.len() as u32).map(SceneIx) {
            match new_of(&plan, old, before) {
                Some(new) => self.inherit(new, old, before),
                None => {
                    let state = &old.scenes[before.0 as usize];
                    self.gone.firings += state.fired;
                    self.gone.decisions += state.fired + state.declined;
                }
            }
        }
    }

    /// What triggers remember, by what they wait for.
    fn take_over_triggers(&mut self, old: &Scenes) {
        let places = (0u32..).zip(&old.plan.triggers);
        let before: BTreeMap<&str, TriggerIx> = places.map(|(at, trigger)| (&*trigger.text, TriggerIx(at))).collect();
        self.arm_crons();
        let plan = self.plan.clone();
        for (at, trigger) in (0u32..).zip(&plan.triggers) {
            let Some(was) = before.get(&*trigger.text) else { continue };
            let (state, was_state) = (&mut self.triggers[at as usize], &old.triggers[was.0 as usize]);
            state.last_value.clone_from(&was_state.last_value);
            state.fired = was_state.fired;
            if let Some(due) = old.cron_due(*was) {
                self.arm_cron_at(TriggerIx(at), due);
            }
        }
    }

    /// Moves runs over whose scenes have not changed, as they are. The scenes that they are of.
    fn move_runs(&mut self, old: &mut Scenes) -> Vec<Arc<str>> {
        let mut moved = vec![];
        for mut run in old.runs.take_all() {
            let before = old.plan.scene(run.scene);
            let new = self.plan.names.get(&before.name).copied();
            let same = new.filter(|new| self.plan.scene(*new).version == before.version && !run.has_emitted());
            let Some(scene) = same else {
                old.runs.keep(run);
                continue;
            };
            let chain = old.names_of(&run.chain);
            let chain = chain.iter().filter_map(|name| self.plan.names.get(name));
            let chain = chain.fold(Chain::default(), |chain, scene| chain.with(*scene).unwrap_or(chain));
            let number = self.record(scene, Cause::Before, Chain::default(), Verdict::Resumed);
            let program = self.plan.scene(scene).program(run.block).clone();
            run.move_to(scene, program, chain, number, self.is_shadow(scene));
            moved.push(self.plan.scene(scene).name.clone());
            self.adopt(run, old);
        }
        moved
    }

    /// Takes over what may wake a run, and what it waits for.
    fn adopt(&mut self, run: Run, old: &mut Scenes) {
        for (at, strand) in (0u16..).zip(&run.strands) {
            let key = SteadyKey::Strand(run.id, at);
            self.steady_timers.set(key, old.steady_timers.time_of(key));
            match &strand.state {
                State::WaitFor { wait, .. } => self.waiting[wait.0 as usize].push((run.id, at)),
                State::Answer(awaited) => {
                    if let Some(pending) = old.pending.remove(&awaited.command) {
                        self.pending.insert(awaited.command.clone(), pending.of(run.scene, run.decision));
                    }
                }
                _ => {}
            }
        }
        self.dirty.runs.insert(run.id);
        self.scenes[run.scene.0 as usize].runs.push(run.id);
        self.runs.keep(run);
    }

    /// What a scene of the same name has counted. Its record begins anew: it names conditions by their places in the
    /// scripts of before.
    fn inherit(&mut self, new: SceneIx, old: &mut Scenes, before: SceneIx) {
        let same = self.plan.scene(new).version == old.plan.scene(before).version;
        let (state, before) = (&mut self.scenes[new.0 as usize], &mut old.scenes[before.0 as usize]);
        (state.fired, state.declined, state.errors) = (before.fired, before.declined, before.errors);
        (state.last_fired, state.would_have_fired) = (before.last_fired, before.would_have_fired);
        if same {
            state.breaker = std::mem::take(&mut before.breaker);
            state.faults = before.faults;
            state.queue = std::mem::take(&mut before.queue).into_iter().map(|queued| queued.moved_to(new)).collect();
        }
    }
}
