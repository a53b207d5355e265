//! From a trigger to a verdict, with its grounds on record.

use super::{Effect, Scenes};
use crate::history::{Cause, Chain, Decision, Outcome, Read, Verdict};
use crate::plan::{Clause, Leaf, Mode, Plan, SceneIx, Truth};
use edgeway_thing_models::Firing;

impl Scenes {
    pub(super) fn decide_by_hand(&mut self, scene: SceneIx, out: &mut Vec<Effect>) -> bool {
        self.pass += 1;
        self.decide(scene, Cause::Hand, Chain::default(), out)
    }

    /// Decides whether a scene acts, and lets it. True if it fired.
    pub(super) fn decide(&mut self, scene: SceneIx, cause: Cause, chain: Chain, out: &mut Vec<Effect>) -> bool {
        let Some(own_chain) = chain.with(scene) else {
            self.loops_stopped += 1;
            self.scenes[scene.0 as usize].errors += 1;
            self.decline(scene, cause, chain, Verdict::Loop);
            return false;
        };
        if let Some(verdict) = self.refusal(scene) {
            self.decline(scene, cause, chain, verdict);
            return false;
        }
        let plan = self.plan.clone();
        let mut decision = self.scenes[scene.0 as usize].history.blank(self.clock.wall(), cause, chain);
        if self.weigh(&plan, scene, &mut decision) == Truth::True {
            self.fire_scene(&plan, scene, decision, own_chain, out);
            return true;
        }
        let otherwise = plan.scene(scene).otherwise.clone();
        decision.verdict = Verdict::Declined { otherwise: !otherwise.is_empty() };
        self.record_decline(scene, decision);
        if !otherwise.is_empty() {
            self.begin(scene, otherwise, (cause, own_chain), out);
        }
        false
    }

    /// Why the scene may not act now whatever its conditions say.
    fn refusal(&self, scene: SceneIx) -> Option<Verdict> {
        let state = &self.scenes[scene.0 as usize];
        let cooling = state.cool_until.filter(|until| *until > self.clock.steady());
        if let Some(until) = cooling {
            return Some(Verdict::Cooling { until: self.clock.wall_at(until) });
        }
        let busy = state.run.is_some() && self.plan.scene(scene).mode == Mode::Single;
        busy.then_some(Verdict::Running)
    }

    /// Evaluates all conditions, so that the record shows each. A script is asked only while nothing has failed.
    fn weigh(&mut self, plan: &Plan, scene: SceneIx, decision: &mut Decision) -> Truth {
        let mut all = Truth::True;
        for clause in &plan.scene(scene).conditions {
            let ask = all == Truth::True || !clause.condition.has_script();
            let outcome = if ask { self.ask(plan, scene, clause, decision) } else { Outcome::not_asked() };
            all = all.and(outcome.truth.unwrap_or(Truth::Unknown));
            decision.outcomes.push(outcome);
        }
        all
    }

    fn ask(&mut self, plan: &Plan, scene: SceneIx, clause: &Clause, decision: &mut Decision) -> Outcome {
        let before = decision.reads.len();
        let truth = self.world().truth(&clause.condition);
        let mut has_script = false;
        plan.each_source(&clause.condition, &mut |leaf| match leaf {
            Leaf::Slot(slot) => decision.reads.push(Read::Property(slot, self.values.seen(slot).cloned())),
            Leaf::Device(device) => decision.reads.push(Read::Device(device, self.values.online(device))),
            Leaf::Script => has_script = true,
            Leaf::Held(_) | Leaf::Clock => {}
        });
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
        (!notes.errors.is_empty()).then(|| notes.errors.join("; "))
    }

    pub(super) fn count_errors(&mut self, scene: SceneIx, errors: u64) {
        self.errors += errors;
        self.scenes[scene.0 as usize].errors += errors;
    }

    fn fire_scene(&mut self, plan: &Plan, scene: SceneIx, mut decision: Decision, chain: Chain, out: &mut Vec<Effect>) {
        let found = plan.scene(scene);
        let cool_until = (!found.cooldown.is_zero()).then(|| self.clock.steady() + found.cooldown);
        let firing = Firing {
            scene: found.name.clone(),
            cause: self.cause_text(decision.cause).into(),
            chain: self.names_of(&decision.chain),
        };
        let cause = decision.cause;
        let state = &mut self.scenes[scene.0 as usize];
        decision.verdict = Verdict::Fired { restarted: state.run.is_some() };
        state.fired += 1;
        state.last_fired = Some(decision.time);
        state.cool_until = cool_until;
        state.history.push(decision);
        out.push(Effect::Firing(firing));
        self.begin(scene, found.then.clone(), (cause, chain), out);
    }

    pub(super) fn decline(&mut self, scene: SceneIx, cause: Cause, chain: Chain, verdict: Verdict) {
        let mut decision = self.scenes[scene.0 as usize].history.blank(self.clock.wall(), cause, chain);
        decision.verdict = verdict;
        self.record_decline(scene, decision);
    }

    fn record_decline(&mut self, scene: SceneIx, decision: Decision) {
        let state = &mut self.scenes[scene.0 as usize];
        state.declined += 1;
        state.history.push(decision);
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
        }
    }
}

impl Outcome {
    fn not_asked() -> Self {
        Outcome { truth: None, reads: 0, error: None }
    }
}
