//! From a trigger to a verdict, with its grounds on record.

use super::breaker::Strain;
use super::run::Key;
use super::runs::{PARALLEL_MAX, QUEUE_MAX};
use super::{Effect, Scenes};
use crate::facts::Facts;
use crate::history::{Cause, Chain, Decision, Outcome, Read, Verdict};
use crate::plan::{Block, Clause, Leaf, Mode, Plan, SceneIx, Truth};
use edgeway_thing_models::Firing;
use std::sync::Arc;

/// What set a scene off.
#[derive(Debug, Clone)]
pub(super) struct SetOff {
    pub(super) cause: Cause,
    /// The scenes that led here.
    pub(super) chain: Chain,
    /// What came with it. For a property it is looked up when it is needed.
    pub(super) facts: Option<Arc<Facts>>,
}

impl Scenes {
    pub(super) fn decide_by_hand(&mut self, scene: SceneIx, out: &mut Vec<Effect>) -> bool {
        self.pass += 1;
        let set_off = SetOff { cause: Cause::Hand, chain: Chain::default(), facts: None };
        self.decide(scene, set_off, out)
    }

    /// Decides whether a scene acts, and lets it. True if it fired.
    pub(super) fn decide(&mut self, scene: SceneIx, mut set_off: SetOff, out: &mut Vec<Effect>) -> bool {
        let Some(own_chain) = set_off.chain.with(scene) else {
            self.loops_stopped += 1;
            self.scenes[scene.0 as usize].errors += 1;
            self.decline(scene, &set_off, Verdict::Loop);
            return false;
        };
        let plan = self.plan.clone();
        let key = if plan.scene(scene).per_device { self.key_of(&set_off) } else { None };
        if let Some(verdict) = self.refusal(scene, key) {
            self.decline(scene, &set_off, verdict);
            return false;
        }
        if plan.scene(scene).asks_scripts {
            set_off.facts = self.facts_of(&set_off);
        }
        let mut decision = self.blank(scene, set_off.cause, set_off.chain);
        let truth = self.weigh(&plan, scene, &mut decision, set_off.facts.as_ref());
        out.append(&mut self.alarms);
        if truth == Truth::True {
            return self.fire_scene(scene, decision, (set_off, own_chain), key, out);
        }
        let has_otherwise = !plan.scene(scene).otherwise.is_empty();
        if has_otherwise && self.is_too_much(scene, &mut decision, out) {
            self.record_decline(scene, decision);
            return false;
        }
        decision.verdict = Verdict::Declined { otherwise: has_otherwise };
        let number = decision.number;
        if has_otherwise {
            set_off.facts = self.facts_of(&set_off);
            decision.facts = set_off.facts.clone();
        }
        self.record_decline(scene, decision);
        if has_otherwise {
            let set_off = SetOff { chain: own_chain, ..set_off };
            self.begin(scene, Block::Otherwise, set_off, (key, number), out);
        }
        false
    }

    /// The device that a run is for.
    fn key_of(&self, set_off: &SetOff) -> Key {
        match (&set_off.facts, set_off.cause) {
            (Some(facts), _) => facts.device.as_ref().and_then(|id| self.plan.things.device_ix(id)),
            (None, Cause::Trigger(trigger)) => self.plan.device_of(trigger),
            (None, _) => None,
        }
    }

    fn facts_of(&self, set_off: &SetOff) -> Option<Arc<Facts>> {
        match (&set_off.facts, set_off.cause) {
            (Some(facts), _) => Some(facts.clone()),
            (None, Cause::Trigger(trigger)) => Facts::of_trigger(&self.plan, &self.values, trigger).map(Arc::new),
            (None, _) => None,
        }
    }

    /// Why the scene may not act now, for each device that it counts for.
    pub(crate) fn refusals(&self, scene: SceneIx) -> Vec<Verdict> {
        let state = &self.scenes[scene.0 as usize];
        let cooling = state.cooling_all(self.clock.steady()).map(|(key, _)| key);
        let running = state.runs.iter().filter_map(|id| Some(self.runs.get(*id)?.key));
        let mut keys: Vec<Key> = cooling.chain(running).chain([None]).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.into_iter().filter_map(|key| self.refusal(scene, key)).collect()
    }

    /// Why the scene may not act now whatever its conditions say.
    fn refusal(&self, scene: SceneIx, key: Key) -> Option<Verdict> {
        let state = &self.scenes[scene.0 as usize];
        if let Some(reason) = state.off_because() {
            return Some(Verdict::Off { reason });
        }
        let now = self.clock.steady();
        if let Some(until) = state.breaker.rests_until(now) {
            return Some(Verdict::Resting { until: self.clock.wall_at(until) });
        }
        if let Some(until) = state.cooling(key, now) {
            return Some(Verdict::Cooling { until: self.clock.wall_at(until) });
        }
        let busy = match self.plan.scene(scene).mode {
            _ if state.runs.is_empty() => false,
            Mode::Restart => false,
            Mode::Single => self.running(scene, key) > 0,
            Mode::Parallel => self.running(scene, key) >= PARALLEL_MAX,
            Mode::Queue => state.queue.iter().filter(|queued| queued.key == key).count() >= QUEUE_MAX,
        };
        busy.then_some(Verdict::Running)
    }

    /// Evaluates all conditions, so that the record shows each. A script is asked only while nothing has failed.
    fn weigh(&mut self, plan: &Plan, scene: SceneIx, decision: &mut Decision, facts: Option<&Arc<Facts>>) -> Truth {
        let mut all = Truth::True;
        for clause in &plan.scene(scene).conditions {
            let ask = all == Truth::True || !clause.condition.has_script();
            let outcome = if ask { self.ask(plan, scene, clause, decision, facts) } else { Outcome::not_asked() };
            all = all.and(outcome.truth.unwrap_or(Truth::Unknown));
            decision.outcomes.push(outcome);
        }
        all
    }

    fn ask(
        &mut self,
        plan: &Plan,
        scene: SceneIx,
        clause: &Clause,
        decision: &mut Decision,
        facts: Option<&Arc<Facts>>,
    ) -> Outcome {
        let before = decision.reads.len();
        let truth = self.world(facts).truth(&clause.condition);
        if plan.decisions > 0 {
            plan.each_source(&clause.condition, &mut |leaf| match leaf {
                Leaf::Slot(slot) => decision.reads.push(Read::Property(slot, self.values.seen(slot).cloned())),
                Leaf::Device(device) => decision.reads.push(Read::Device(device, self.values.online(device))),
                Leaf::Held(_) | Leaf::Clock | Leaf::Script => {}
            });
        }
        let has_script = plan.scene(scene).asks_scripts && clause.condition.has_script();
        let error = if has_script { self.note_script(scene, decision) } else { None };
        Outcome { truth: Some(truth), reads: decision.reads.len() - before, error }
    }

    /// Puts what a check read, printed and failed at on record.
    fn note_script(&mut self, scene: SceneIx, decision: &mut Decision) -> Option<String> {
        let notes = self.scripts.take_notes();
        let reads = notes.reads.into_iter().map(|slot| Read::Property(slot, self.values.seen(slot).cloned()));
        decision.reads.extend(reads);
        decision.printed.extend(notes.printed);
        self.count_errors(scene, notes.errors.len() as u64);
        if let Some(fault) = &notes.fault {
            self.count_fault(scene, fault);
        }
        (!notes.errors.is_empty()).then(|| notes.errors.join("; "))
    }

    pub(super) fn count_errors(&mut self, scene: SceneIx, errors: u64) {
        self.errors += errors;
        self.scenes[scene.0 as usize].errors += errors;
    }

    /// Lets a scene act whose conditions are true, unless it does so too often.
    fn fire_scene(
        &mut self,
        scene: SceneIx,
        mut decision: Box<Decision>,
        (mut set_off, chain): (SetOff, Chain),
        key: Key,
        out: &mut Vec<Effect>,
    ) -> bool {
        let plan = self.plan.clone();
        let found = plan.scene(scene);
        let now = self.clock.steady();
        if self.is_too_much(scene, &mut decision, out) {
            self.record_decline(scene, decision);
            return false;
        }
        set_off.facts = self.facts_of(&set_off);
        let busy = self.running(scene, key) > 0;
        let shadow = self.is_shadow(scene);
        let (restarted, queued) = (busy && found.mode == Mode::Restart, busy && found.mode == Mode::Queue);
        decision.verdict = Verdict::Fired { restarted, queued, shadow };
        decision.facts = set_off.facts.clone();
        let firing = Firing {
            scene: found.name.clone(),
            cause: self.cause_text(decision.cause).into(),
            chain: self.names_of(&decision.chain),
        };
        let number = decision.number;
        let state = &mut self.scenes[scene.0 as usize];
        state.fired += u64::from(!shadow);
        state.would_have_fired += u64::from(shadow);
        state.last_fired = Some(decision.time);
        if !found.cooldown.is_zero() {
            state.cool(key, now + found.cooldown, now);
            self.dirty.scenes.insert(scene);
        }
        self.push(scene, decision);
        if !shadow {
            out.push(Effect::Firing(firing));
        }
        self.begin(scene, Block::Then, SetOff { chain, ..set_off }, (key, number), out);
        true
    }

    /// Counts that a scene acts, and lets it rest if it does so too often.
    fn is_too_much(&mut self, scene: SceneIx, decision: &mut Decision, out: &mut Vec<Effect>) -> bool {
        let now = self.clock.steady();
        let at_most = self.plan.scene(scene).at_most;
        if self.scenes[scene.0 as usize].breaker.count(at_most, now) == Strain::Fine {
            return false;
        }
        self.rest(scene);
        out.append(&mut self.alarms);
        decision.verdict = Verdict::Resting { until: self.clock.wall_at(now + super::breaker::REST) };
        true
    }

    /// A decision to fill in.
    fn blank(&mut self, scene: SceneIx, cause: Cause, chain: Chain) -> Box<Decision> {
        self.decisions += 1;
        let max = self.plan.decisions;
        self.scenes[scene.0 as usize].history.blank(self.decisions, self.clock.wall(), cause, chain, max)
    }

    fn push(&mut self, scene: SceneIx, decision: Box<Decision>) {
        if self.plan.decisions == 0 {
            return;
        }
        self.recent.push(decision.number, scene);
        self.scenes[scene.0 as usize].history.push(decision);
    }

    /// Puts a verdict without conditions on record.
    pub(super) fn record(&mut self, scene: SceneIx, cause: Cause, chain: Chain, verdict: Verdict) -> u64 {
        let mut decision = self.blank(scene, cause, chain);
        decision.verdict = verdict;
        let number = decision.number;
        self.push(scene, decision);
        number
    }

    pub(super) fn decline(&mut self, scene: SceneIx, set_off: &SetOff, verdict: Verdict) {
        self.scenes[scene.0 as usize].declined += 1;
        self.record(scene, set_off.cause, set_off.chain, verdict);
    }

    fn record_decline(&mut self, scene: SceneIx, decision: Box<Decision>) {
        self.scenes[scene.0 as usize].declined += 1;
        self.push(scene, decision);
    }

    pub(super) fn names_of(&self, chain: &Chain) -> Vec<std::sync::Arc<str>> {
        chain.scenes().map(|scene| self.plan.scene(scene).name.clone()).collect()
    }

    /// What set a scene off, in words.
    pub(crate) fn cause_text(&self, cause: Cause) -> String {
        match cause {
            Cause::Trigger(trigger) => self.plan.trigger(trigger).text.to_string(),
            Cause::Scene(scene) => format!("scene {}", self.plan.scene(scene).name),
            Cause::Hand => "by hand".into(),
            Cause::Before => "a run of before".into(),
        }
    }
}

impl Outcome {
    fn not_asked() -> Self {
        Outcome { truth: None, reads: 0, error: None }
    }
}
