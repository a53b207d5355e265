//! Doing the steps of runs, with waits between, on one strand or on several at once.

use super::acts::NotDone;
use super::decisions::SetOff;
use super::run::{Failure, Key, Queued, Run, RunId, State, Strand, StrandIx};
use super::timers::SteadyKey;
use super::{Effect, Scenes};
use crate::clock::Steady;
use crate::history::{Cause, Done, StepResult, Verdict};
use crate::plan::{Block, Doing, SceneIx, Truth, WaitIx};
use std::sync::Arc;

/// Runs of one scene and key at the same time, in the mode `parallel`.
pub(super) const PARALLEL_MAX: usize = 16;
/// Runs of one scene and key that wait for others to end, in the mode `queue`.
pub(super) const QUEUE_MAX: usize = 16;
/// Steps of a run without a wait between them. More is a loop.
const STEPS_MAX: usize = 10_000;
/// Strands of a run at the same time.
const STRANDS_MAX: usize = 1_024;

impl Scenes {
    /// Begins the steps, or lets them wait for their turn.
    pub(super) fn begin(
        &mut self,
        scene: SceneIx,
        block: Block,
        set_off: SetOff,
        (key, decision): (Key, u64),
        out: &mut Vec<Effect>,
    ) {
        use crate::plan::Mode;
        match self.plan.scene(scene).mode {
            Mode::Restart => self.end_runs(scene, key),
            Mode::Queue if self.running(scene, key) > 0 => {
                let queued = Queued { block, set_off, key, decision };
                return self.scenes[scene.0 as usize].queue.push_back(queued);
            }
            Mode::Single | Mode::Queue | Mode::Parallel => {}
        }
        let program = self.plan.scene(scene).program(block).clone();
        let id = self.runs.next_id();
        let run = Run {
            id,
            scene,
            key,
            block,
            program,
            strands: vec![Strand::default()],
            chain: set_off.chain,
            cause: set_off.cause,
            facts: set_off.facts,
            decision,
            began: self.clock.wall(),
            shadow: self.is_shadow(scene),
            kept: false,
        };
        self.scenes[scene.0 as usize].runs.push(id);
        self.go_on(run, out);
    }

    /// How many runs of a scene are under way for a key.
    pub(super) fn running(&self, scene: SceneIx, key: Key) -> usize {
        let runs = self.scenes[scene.0 as usize].runs.iter();
        // One that is doing steps right now is not among those that wait.
        runs.filter(|id| self.runs.get(**id).is_none_or(|run| run.key == key)).count()
    }

    /// Forgets runs that were doing steps when the engine panicked, so that their scenes can run again.
    pub(super) fn bury_lost_runs(&mut self, out: &mut Vec<Effect>) {
        if self.doing.is_empty() {
            return;
        }
        for id in std::mem::take(&mut self.doing) {
            self.scenes.iter_mut().for_each(|state| state.runs.retain(|other| *other != id));
            self.dirty.runs.insert(id);
        }
        self.serve_queues(out);
    }

    /// Ends the runs of a scene for a key.
    fn end_runs(&mut self, scene: SceneIx, key: Key) {
        let of_key = |id: &RunId| self.runs.get(*id).is_some_and(|run| run.key == key);
        let ended: Vec<RunId> = self.scenes[scene.0 as usize].runs.iter().copied().filter(of_key).collect();
        ended.into_iter().for_each(|id| self.end_run(id));
    }

    /// Ends all runs of a scene, also those that have not begun.
    pub(super) fn end_all_runs(&mut self, scene: SceneIx) {
        self.scenes[scene.0 as usize].queue.clear();
        let ended = self.scenes[scene.0 as usize].runs.clone();
        ended.into_iter().for_each(|id| self.end_run(id));
    }

    fn end_run(&mut self, id: RunId) {
        if let Some(run) = self.runs.take(id) {
            self.forget_run(&run);
        }
    }

    /// Takes a run out of everything that may wake it.
    fn forget_run(&mut self, run: &Run) {
        self.scenes[run.scene.0 as usize].runs.retain(|id| *id != run.id);
        for (at, strand) in run.strands.iter().enumerate() {
            self.steady_timers.set(SteadyKey::Strand(run.id, at as StrandIx), None);
            if let State::WaitFor { wait, .. } = strand.state {
                self.waiting[wait.0 as usize].retain(|(id, _)| *id != run.id);
            }
        }
        if run.kept {
            self.dirty.runs.insert(run.id);
        }
    }

    /// What a timer was set for has come: a delay is over, or something was waited for in vain.
    pub(super) fn time_is_up(&mut self, id: RunId, at: StrandIx, out: &mut Vec<Effect>) {
        let Some(mut run) = self.runs.take(id) else { return };
        let strand = run.strand(at);
        match std::mem::take(&mut strand.state) {
            State::WaitFor { wait, may_fail, .. } => {
                self.waiting[wait.0 as usize].retain(|waiting| *waiting != (id, at));
                self.waited_in_vain(&mut run, at, wait, may_fail, out);
            }
            State::Answer(awaited) => {
                self.pending.remove(&awaited.command);
                let error = NotDone { reason: "no answer came".into(), may_be_done: true };
                self.answered(&mut run, at, *awaited, Err(error), out);
            }
            _ => {}
        }
        self.go_on(run, out);
    }

    fn waited_in_vain(&mut self, run: &mut Run, at: StrandIx, wait: WaitIx, may_fail: bool, out: &mut Vec<Effect>) {
        let text = self.plan.waits[wait.0 as usize].text.clone();
        let failure = Failure { step: format!("wait for {text}").into(), error: "waited in vain".into() };
        self.note(run, failure.step.clone(), None, StepResult::Failed("in vain".into()));
        if !may_fail {
            self.strand_failed(run, at, failure, out);
        }
    }

    /// Goes on with runs whose condition has come true.
    pub(super) fn came_true(&mut self, wait: WaitIx, out: &mut Vec<Effect>) {
        for (id, at) in std::mem::take(&mut self.waiting[wait.0 as usize]) {
            let Some(mut run) = self.runs.take(id) else { continue };
            run.strand(at).state = State::Ready;
            self.steady_timers.set(SteadyKey::Strand(id, at), None);
            self.go_on(run, out);
        }
    }

    /// Does steps until all strands wait or are over.
    pub(super) fn go_on(&mut self, mut run: Run, out: &mut Vec<Effect>) {
        self.doing.push(run.id);
        let mut left = STEPS_MAX;
        while let Some(at) = run.ready() {
            let failure = match left.checked_sub(1) {
                Some(fewer) => {
                    left = fewer;
                    self.step(&mut run, at, out).err()
                }
                None => {
                    self.run_away(&mut run, out);
                    break;
                }
            };
            if let Some(failure) = failure {
                self.strand_failed(&mut run, at, failure, out);
            }
        }
        self.doing.pop();
        out.append(&mut self.alarms);
        if run.is_over() {
            return self.finish(run, out);
        }
        run.kept = true;
        self.dirty.runs.insert(run.id);
        self.runs.keep(run);
    }

    /// Ends a run that would go on without end, all of it.
    fn run_away(&mut self, run: &mut Run, out: &mut Vec<Effect>) {
        let error = format!("{STEPS_MAX} steps without a wait between them");
        for strand in &mut run.strands {
            strand.state = State::Over;
        }
        let undo: Vec<_> = run.strands.iter_mut().filter_map(|strand| strand.undo.take()).flatten().collect();
        undo.into_iter().rev().for_each(|deed| self.undo(run, deed, out));
        self.run_failed(run, Failure { step: "the run".into(), error });
    }

    fn finish(&mut self, run: Run, out: &mut Vec<Effect>) {
        self.forget_run(&run);
        self.serve_queue(run.scene, run.key, out);
    }

    /// Begins the next run that waits for its turn, if it has come.
    fn serve_queue(&mut self, scene: SceneIx, key: Key, out: &mut Vec<Effect>) {
        if self.running(scene, key) > 0 {
            return;
        }
        let queue = &mut self.scenes[scene.0 as usize].queue;
        if let Some(at) = queue.iter().position(|queued| queued.key == key)
            && let Some(next) = queue.remove(at)
        {
            self.begin(scene, next.block, next.set_off, (next.key, next.decision), out);
        }
    }

    /// The same for all that wait, after runs have gone without having ended.
    pub(super) fn serve_queues(&mut self, out: &mut Vec<Effect>) {
        for at in 0..self.scenes.len() {
            let keys: Vec<Key> = self.scenes[at].queue.iter().map(|queued| queued.key).collect();
            keys.into_iter().for_each(|key| self.serve_queue(SceneIx(at as u32), key, out));
        }
    }

    /// Does one step of a strand.
    fn step(&mut self, run: &mut Run, at: StrandIx, out: &mut Vec<Effect>) -> Result<(), Failure> {
        let program = run.program.clone();
        let Some((step, tries, place)) = run.strand(at).take_step(&program) else {
            self.strand_over(run, at, out);
            return Ok(());
        };
        if let Some(place) = place {
            self.scenes[run.scene.0 as usize].reached.mark(run.block, place);
        }
        let shadow = run.shadow;
        let strands = run.strands.len();
        let strand = run.strand(at);
        match &step.doing {
            Doing::Act(_) => return self.act(run, at, step, tries, out),
            Doing::Delay(duration) => {
                let until = self.clock.steady() + *duration;
                self.sleep(run, at, until, State::Delay { until });
            }
            Doing::WaitFor { wait, within, may_fail } => {
                let until = self.clock.steady() + *within;
                self.wait_for(run, at, (*wait, *may_fail), until);
            }
            Doing::RunScene(other) if shadow => {
                let text = format!("run scene {}", self.plan.scene(*other).name);
                self.note(run, text.into(), None, StepResult::Shadow);
            }
            Doing::RunScene(other) => {
                self.note(run, step.text.clone(), None, StepResult::Done);
                let set_off = SetOff { cause: Cause::Scene(run.scene), chain: run.chain, facts: run.facts.clone() };
                self.decide(*other, set_off, out);
            }
            Doing::Run(closure) => {
                let emitted = self.call(run, closure).map_err(|error| Failure { step: step.text, error })?.1;
                run.strand(at).emitted = emitted.into();
            }
            Doing::If { condition, otherwise } => {
                let truth = self.world(run.facts.as_ref()).truth(&condition.condition);
                self.note_check(run);
                if truth != Truth::True {
                    run.strand(at).at = *otherwise;
                }
                self.note(run, format!("{}: {}", step.text, truth.as_str()).into(), None, StepResult::Done);
            }
            Doing::Jump(to) => strand.at = *to,
            Doing::Repeat { times } => strand.loops.push(*times),
            Doing::Again { start } => {
                let left = strand.loops.pop().unwrap_or(1) - 1;
                if left > 0 {
                    strand.loops.push(left);
                    strand.at = start + 1;
                }
            }
            Doing::Fork { branches, .. } if strands + branches.len() > STRANDS_MAX => {
                let error = format!("more than {STRANDS_MAX} branches at once");
                return Err(Failure { step: step.text, error });
            }
            Doing::Fork { branches, end } => {
                strand.at = *end;
                strand.state = State::Branches { left: branches.len() as u16 };
                let branch = |start: &u32| Strand { at: *start, parent: Some(at), ..Strand::default() };
                run.strands.extend(branches.iter().map(branch));
            }
            Doing::End => self.strand_over(run, at, out),
            Doing::Begin => strand.undo = Some(vec![]),
            Doing::Commit => strand.undo = None,
        }
        Ok(())
    }

    pub(super) fn sleep(&mut self, run: &mut Run, at: StrandIx, until: Steady, state: State) {
        run.strand(at).state = state;
        self.steady_timers.set(SteadyKey::Strand(run.id, at), Some(until));
    }

    pub(super) fn wait_for(&mut self, run: &mut Run, at: StrandIx, (wait, may_fail): (WaitIx, bool), until: Steady) {
        let plan = self.plan.clone();
        let truth = self.world(run.facts.as_ref()).truth(&plan.waits[wait.0 as usize].condition);
        if truth == Truth::True {
            return;
        }
        self.waiting[wait.0 as usize].push((run.id, at));
        self.arm_recheck(&plan, plan.index.of_wait(wait));
        self.sleep(run, at, until, State::WaitFor { wait, until, may_fail });
    }

    fn strand_over(&mut self, run: &mut Run, at: StrandIx, out: &mut Vec<Effect>) {
        run.strand(at).state = State::Over;
        if let Some(parent) = run.strand(at).parent {
            self.branch_over(run, parent, out);
        }
    }

    /// One branch fewer; after the last the strand goes on, or fails as one of its branches did.
    fn branch_over(&mut self, run: &mut Run, parent: StrandIx, out: &mut Vec<Effect>) {
        let strand = run.strand(parent);
        let State::Branches { left } = &mut strand.state else { return };
        *left -= 1;
        if *left > 0 {
            return;
        }
        strand.state = State::Ready;
        let failed = strand.failed.take();
        // The branches stand last: a block that repeats makes room for the next ones.
        while run.strands.last().is_some_and(|strand| matches!(strand.state, State::Over)) {
            run.strands.pop();
        }
        if let Some(failure) = failed {
            self.strand_failed(run, parent, failure, out);
        }
    }

    /// Ends a strand: what comes after a step that failed may rely on it. What its transaction has done is undone.
    pub(super) fn strand_failed(&mut self, run: &mut Run, at: StrandIx, failure: Failure, out: &mut Vec<Effect>) {
        let strand = run.strand(at);
        strand.state = State::Over;
        for deed in strand.undo.take().into_iter().flatten().rev() {
            self.undo(run, deed, out);
        }
        match run.strand(at).parent {
            Some(parent) => {
                run.strand(parent).failed.get_or_insert(failure);
                self.branch_over(run, parent, out);
            }
            None => self.run_failed(run, failure),
        }
    }

    fn run_failed(&mut self, run: &Run, Failure { step, error }: Failure) {
        self.count_errors(run.scene, 1);
        self.record(run.scene, run.cause, run.chain.before(), Verdict::Failed { step, error });
    }

    /// Puts what the check of an `if_true` printed and failed at on record.
    fn note_check(&mut self, run: &Run) {
        let notes = self.scripts.take_notes();
        self.count_errors(run.scene, notes.errors.len() as u64);
        let failed = notes.errors.into_iter().map(|error| format!("error: {error}"));
        self.scenes[run.scene.0 as usize]
            .history
            .print(run.decision, notes.printed.into_iter().chain(failed).collect());
        if let Some(fault) = &notes.fault {
            self.count_fault(run.scene, fault);
        }
    }

    /// Puts a step on record.
    pub(super) fn note(&mut self, run: &Run, text: Arc<str>, command: Option<Arc<str>>, result: StepResult) {
        let done = Done { time: self.clock.wall(), text, command, result };
        self.scenes[run.scene.0 as usize].history.done(run.decision, done);
    }
}
