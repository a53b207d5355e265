//! Steps, and what becomes of them.

use super::super::events::Answer;
use super::super::script::{Act, Deed, Place, Step};
use super::super::world::{Effect, Wish};
use super::{Attempt, Claim, ECHO, Reference, Run, SECOND, Set, SetOff, State, Strand};
use edgeway_sdk::Value;

/// How long a command may take, and how much longer its answer is waited for.
const WITHIN_S: u64 = 10;
const LATE_S: u64 = 5;

/// What came of a deed.
enum Done {
    /// It is over.
    Told,
    /// A command is under way.
    Sent(usize),
    /// Another scene has the property.
    Lost,
}

impl Reference {
    fn run(&mut self, number: usize) -> &mut Run {
        self.runs.iter_mut().find(|run| run.number == number).expect("it is under way")
    }

    fn strand(&mut self, number: usize, at: usize) -> &mut Strand {
        &mut self.run(number).strands[at]
    }

    /// Does steps until all strands wait or are over; of several that can go on, the first does.
    pub(super) fn go_on(&mut self, number: usize) {
        loop {
            let strands = &self.run(number).strands;
            if matches!(strands[0].state, State::Over) {
                return self.end(number);
            }
            let Some(at) = strands.iter().position(|strand| matches!(strand.state, State::Ready)) else { return };
            match self.strand(number, at).next_step() {
                Some(step) => self.step(number, at, step),
                None => self.strand_over(number, at),
            }
        }
    }

    fn step(&mut self, number: usize, at: usize, step: Step) {
        let now = self.now;
        match step {
            Step::Act(act) => {
                let undo = self.undoing(&act);
                self.attempt(number, at, Attempt { act, tries: 0, undo });
            }
            Step::Delay(seconds) => self.strand(number, at).state = State::Delay(now + seconds * SECOND),
            Step::WaitFor { id, condition, within_s, may_fail } => {
                if self.truth(&condition) != Some(true) {
                    self.waits_begun += 1;
                    let (since, until) = (self.waits_begun, now + within_s * SECOND);
                    self.strand(number, at).state = State::WaitFor { until, id, condition, may_fail, since };
                }
            }
            Step::If { condition, then, otherwise } => {
                let steps = if self.truth(&condition) == Some(true) { then } else { otherwise };
                self.strand(number, at).enter(steps, 0, false);
            }
            Step::Parallel(branches) => {
                self.strand(number, at).state = State::Branches(branches.len());
                self.run(number).strands.extend(branches.into_iter().map(|steps| Strand::new(Some(at), steps)));
            }
            Step::Repeat(times, body) => self.strand(number, at).enter(body, times - 1, false),
            Step::Transaction(body) => self.strand(number, at).enter(body, 0, true),
            Step::RunScene(scene) => {
                let run = self.run(number);
                let set_off = SetOff { chain: run.chain.clone(), device: run.device };
                self.decide(scene, set_off);
            }
        }
    }

    fn strand_over(&mut self, number: usize, at: usize) {
        let strand = self.strand(number, at);
        strand.state = State::Over;
        if let Some(parent) = strand.parent {
            self.branch_over(number, parent);
        }
    }

    fn branch_over(&mut self, number: usize, parent: usize) {
        let strand = self.strand(number, parent);
        let State::Branches(left) = &mut strand.state else { panic!("it waits for its branches") };
        *left -= 1;
        if *left > 0 {
            return;
        }
        strand.state = State::Ready;
        if strand.has_failed_branch {
            self.strand_failed(number, parent);
        }
    }

    /// Ends a strand, and undoes what its transaction has done.
    fn strand_failed(&mut self, number: usize, at: usize) {
        let strand = self.strand(number, at);
        strand.state = State::Over;
        let (parent, undo) = (strand.parent, strand.undo.take());
        for deed in undo.into_iter().flatten() {
            self.perform(number, &deed, WITHIN_S);
        }
        match parent {
            Some(parent) => {
                self.strand(number, parent).has_failed_branch = true;
                self.branch_over(number, parent);
            }
            None => {
                let scene = self.run(number).scene;
                self.scenes[scene].counts.errors += 1;
            }
        }
    }

    /// A delay is over, a pause before a retry, or something was waited for in vain.
    pub(super) fn time_is_up(&mut self, number: usize, at: usize) {
        match std::mem::replace(&mut self.strand(number, at).state, State::Ready) {
            State::WaitFor { may_fail: false, .. } => self.strand_failed(number, at),
            State::Retry { attempt, .. } => self.attempt(number, at, attempt),
            State::Answer { attempt, .. } => self.perhaps_done(number, at, attempt),
            _ => {}
        }
        self.go_on(number);
    }

    pub(super) fn came_true(&mut self, number: usize, at: usize) {
        // The scenes that were set off may have ended it.
        if self.runs.iter().any(|run| run.number == number) {
            self.strand(number, at).state = State::Ready;
            self.go_on(number);
        }
    }

    fn attempt(&mut self, number: usize, at: usize, attempt: Attempt) {
        let in_transaction = self.strand(number, at).undo.is_some();
        let act = &attempt.act;
        let within_s = act.within_s.unwrap_or(WITHIN_S);
        match self.perform(number, &act.deed, within_s) {
            Done::Sent(command) => {
                let waits =
                    act.confirmed || act.retry.is_some() || in_transaction || matches!(act.deed, Deed::Invoke(..));
                if waits {
                    let until = self.now + (within_s + LATE_S) * SECOND;
                    self.strand(number, at).state = State::Answer { until, command, attempt };
                }
            }
            Done::Lost if in_transaction && !act.may_fail => self.strand_failed(number, at),
            Done::Lost | Done::Told => {}
        }
    }

    pub(super) fn answered(&mut self, command: usize, answer: Answer) {
        let waits = |strand: &Strand| matches!(&strand.state, State::Answer { command: of, .. } if *of == command);
        let place = self.runs.iter().find_map(|run| Some((run.number, run.strands.iter().position(waits)?)));
        let Some((number, at)) = place else { return };
        let strand = self.strand(number, at);
        let State::Answer { attempt, .. } = std::mem::replace(&mut strand.state, State::Ready) else { return };
        match answer {
            Answer::Applied => {
                if let Some(undo) = &mut strand.undo {
                    // What was done last is undone first.
                    undo.splice(0..0, attempt.undo);
                }
            }
            Answer::Unconfirmed => self.perhaps_done(number, at, attempt),
            Answer::Failed | Answer::Refused | Answer::Expired => self.attempt_failed(number, at, attempt),
        }
        self.go_on(number);
    }

    /// Nobody knows whether the device has done it, so it is undone as if it had.
    pub(super) fn perhaps_done(&mut self, number: usize, at: usize, mut attempt: Attempt) {
        let undo = std::mem::take(&mut attempt.undo);
        if let Some(list) = &mut self.strand(number, at).undo {
            list.splice(0..0, undo);
        }
        self.attempt_failed(number, at, attempt);
    }

    fn attempt_failed(&mut self, number: usize, at: usize, mut attempt: Attempt) {
        match attempt.act.retry {
            Some((times, pause_s)) if attempt.tries < times => {
                attempt.tries += 1;
                let until = self.now + pause_s * SECOND;
                self.strand(number, at).state = State::Retry { until, attempt };
            }
            _ if attempt.act.may_fail => {}
            _ => self.strand_failed(number, at),
        }
    }

    /// What the script says, or the good value that a property has before.
    fn undoing(&self, act: &Act) -> Vec<Deed> {
        match (&act.undo, &act.deed) {
            (Some(undo), _) => undo.clone(),
            (None, Deed::Set(place, _)) => {
                self.good(*place).map(|before| Deed::Set(*place, before.clone())).into_iter().collect()
            }
            (None, _) => vec![],
        }
    }

    fn perform(&mut self, number: usize, deed: &Deed, within_s: u64) -> Done {
        let run = self.run(number);
        let (scene, chain) = (run.scene, run.chain.clone());
        let name = self.set.scenes[scene].name;
        match deed {
            Deed::Set(place, value) => {
                if !self.may_set(number, *place, value) {
                    return Done::Lost;
                }
                self.command(number, Wish::Set(*place, value.clone()), within_s)
            }
            Deed::Invoke(device, service) => self.command(number, Wish::Invoke(device, service), within_s),
            Deed::Notify(text) => {
                self.effects.push(Effect::Notice { scene: name, text: text.to_string() });
                Done::Told
            }
            Deed::Emit(device) => {
                let until = self.now + ECHO;
                self.emitted.entry(device).or_default().push_back((chain, until));
                self.effects.push(Effect::Event(device));
                Done::Told
            }
        }
    }

    fn command(&mut self, number: usize, wish: Wish, within_s: u64) -> Done {
        let run = self.run(number);
        let (scene, mut chain) = (run.scene, run.chain.clone());
        chain.pop();
        let chain = self.names(&chain);
        let found = &self.set.scenes[scene];
        let (scene, priority) = (found.name, found.priority);
        self.effects.push(Effect::Command { wish, scene, chain, priority, within_s });
        self.commands += 1;
        Done::Sent(self.commands - 1)
    }

    /// Takes the property, unless a scene has it that comes first and wants something else. A scene that comes first and
    /// wants the same keeps it.
    fn may_set(&mut self, number: usize, place: Place, value: &Value) -> bool {
        let holder = self.who_comes_first(number, place);
        if holder.is_some() && self.sets[&place].value != *value {
            return false;
        }
        let (message, at) = (self.message, self.now);
        let run = self.run(number);
        let claim = holder.unwrap_or(Claim { scene: run.scene, run: number, message, at });
        let set = Set { value: value.clone(), chain: run.chain.clone(), until: at + ECHO, back_in: None, claim };
        self.sets.insert(place, set);
        true
    }

    /// By the same message the scene of higher priority, then of the first name; otherwise one of higher priority that set
    /// the property and is still under way. A scene that led here is not in the way.
    fn who_comes_first(&mut self, number: usize, place: Place) -> Option<Claim> {
        let claim = self.sets.get(&place)?.claim;
        let run = self.run(number);
        if run.chain.contains(&claim.scene) {
            return None;
        }
        let scene = run.scene;
        let by_same_message = (claim.message, claim.at) == (self.message, self.now);
        let is_first = self.rank(claim.scene) < self.rank(scene);
        let is_higher = self.set.scenes[claim.scene].priority > self.set.scenes[scene].priority;
        let is_at_it = self.runs.iter().any(|run| run.number == claim.run);
        (by_same_message && is_first || is_higher && is_at_it).then_some(claim)
    }
}
