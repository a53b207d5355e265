//! Doing something to the world: commands and their answers, notices, events; and who comes first.

use super::run::{Failure, Run, RunId, State, StrandIx};
use super::{Effect, Scenes};
use crate::clock::Steady;
use crate::history::{Chain, StepResult};
use crate::load::{Kind, value_of};
use crate::plan::{Act, Computed, Deed, Doing, SceneIx, Step, command_text};
use crate::scripts::{Closure, ScriptError};
use crate::values::Slot;
use edgeway_sdk::{DeviceIx, Value};
use edgeway_thing_models::{Action, CommandRecord, CommandState, Event, EventIx, Notice, Origin, PropertyIx};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How long a command may take, unless its step says.
const COMMAND_WITHIN: Duration = Duration::from_secs(10);
/// How much longer an answer is waited for: the gateway tells of a deadline that has passed a little after it.
const ANSWER_LATE: Duration = Duration::from_secs(5);
/// How many entries are remembered before those that are over are swept out, and each time that they have doubled.
const SWEEP: usize = 1_024;

/// A command whose answer is waited for.
#[derive(Debug)]
pub(super) struct Awaited {
    pub(super) command: Arc<str>,
    step: Step,
    tries: u32,
    /// What undoes it.
    undo: Vec<Deed>,
}

/// A step that could not be done, and how often it has been tried before.
struct Try {
    step: Step,
    tries: u32,
    undo: Vec<Deed>,
}

/// Why a device has not done something, as far as that is known.
pub(super) struct NotDone {
    pub(super) reason: String,
    pub(super) may_be_done: bool,
}

/// A command that is under way.
#[derive(Debug)]
pub(super) struct Pending {
    run: RunId,
    scene: SceneIx,
    decision: u64,
    /// The strand that waits for its answer.
    strand: Option<StrandIx>,
    until: Steady,
}

impl Run {
    /// Remembers what undoes something, in a transaction.
    fn remember_undo(&mut self, at: StrandIx, undo: Vec<Deed>) {
        if let Some(list) = &mut self.strand(at).undo {
            // What is undone last was done first; a list of the script's is done in its own order.
            list.extend(undo.into_iter().rev());
        }
    }
}

impl Pending {
    /// The same for a run that has moved.
    pub(super) fn of(self, scene: SceneIx, decision: u64) -> Self {
        Pending { scene, decision, ..self }
    }
}

/// What scenes have done lately and may see again.
#[derive(Debug, Default)]
pub(super) struct Traces {
    pub(super) sets: HashMap<Slot, Echo>,
    /// The oldest first: they come back in this order.
    events: HashMap<(DeviceIx, EventIx), VecDeque<(Chain, Steady)>>,
}

impl Traces {
    /// The same for other scenes, which know some of these by other numbers.
    pub(super) fn moved(self, scene: impl Fn(SceneIx) -> Option<SceneIx>) -> Self {
        let chain =
            |chain: Chain| chain.scenes().filter_map(&scene).fold(Chain::default(), |c, s| c.with(s).unwrap_or(c));
        let set = |(slot, mut echo): (Slot, Echo)| {
            echo.claim.scene = scene(echo.claim.scene)?;
            echo.chain = chain(echo.chain);
            Some((slot, echo))
        };
        let event = |(event, told): (_, VecDeque<(Chain, Steady)>)| {
            (event, told.into_iter().map(|(of, until)| (chain(of), until)).collect())
        };
        Traces {
            sets: self.sets.into_iter().filter_map(set).collect(),
            events: self.events.into_iter().map(event).collect(),
        }
    }
}

/// A value that a scene has set and that may soon come back as a report.
#[derive(Debug)]
pub(super) struct Echo {
    pub(super) value: Value,
    pub(super) chain: Chain,
    pub(super) until: Steady,
    /// The message in which it came back last.
    pub(super) pass: u64,
    claim: Claim,
}

/// Who has set a property. Of several that set the same value the one that comes first.
#[derive(Debug, Clone, Copy)]
struct Claim {
    /// The message by which it was set, and when.
    set_in: (u64, Steady),
    scene: SceneIx,
    run: RunId,
}

impl Scenes {
    /// Does what a step says. It may begin to wait for an answer.
    pub(super) fn act(
        &mut self,
        run: &mut Run,
        at: StrandIx,
        step: Step,
        tries: u32,
        out: &mut Vec<Effect>,
    ) -> Result<(), Failure> {
        let Doing::Act(Act { deed, how }) = &step.doing else { return Ok(()) };
        let in_transaction = run.strand(at).undo.is_some();
        // What a try has done although it was not confirmed is undone with the rest.
        let undo = match tries {
            0 if in_transaction => self.undoing(deed, how.undo.as_deref()),
            _ => std::mem::take(&mut run.strand(at).undo_again),
        };
        let failed = |error: String| Failure { step: step.text.clone(), error };
        let within = how.within.unwrap_or(COMMAND_WITHIN);
        let performed = match self.perform(run, deed, within, out) {
            Ok(performed) => performed,
            Err(error) => {
                self.note(run, step.text.clone(), None, StepResult::Failed(error.as_str().into()));
                self.try_again(run, at, Try { step: step.clone(), tries, undo }, error, out);
                return Ok(());
            }
        };
        let command = match performed {
            Performed::Sent(command) => command,
            Performed::Lost(winner) if in_transaction && !how.may_fail => {
                return Err(failed(format!("scene {} comes first", self.plan.scene(winner).name)));
            }
            Performed::Done | Performed::Lost(_) => return Ok(()),
        };
        let strand = how.waits.then_some(at);
        let until = self.clock.steady() + within + ANSWER_LATE;
        self.await_answer(command.clone(), run, strand, until);
        if how.waits {
            let awaited = Awaited { command, step, tries, undo };
            self.sleep(run, at, until, State::Answer(Box::new(awaited)));
        }
        Ok(())
    }

    fn await_answer(&mut self, command: Arc<str>, run: &Run, strand: Option<StrandIx>, until: Steady) {
        let now = self.clock.steady();
        if is_time_to_sweep(self.pending.len()) {
            self.pending.retain(|_, pending| pending.until >= now);
        }
        let pending = Pending { run: run.id, scene: run.scene, decision: run.decision, strand, until };
        self.pending.insert(command, pending);
    }

    /// What undoes a deed: what the script says, or the value that a property has now.
    fn undoing(&self, deed: &Deed, said: Option<&[Deed]>) -> Vec<Deed> {
        match (said, deed) {
            (Some(said), _) => said.to_vec(),
            (None, Deed::Set { device, property, .. }) => {
                let before = self.values.good(self.plan.slots.of(*device, *property));
                let back = |value: &Value| Deed::Set {
                    device: *device,
                    property: *property,
                    value: Computed::Fixed(value.clone()),
                };
                before.map(back).into_iter().collect()
            }
            (None, _) => vec![],
        }
    }

    /// Undoes something of a transaction that failed. Whether it could be undone stands in the trace.
    pub(super) fn undo(&mut self, run: &mut Run, deed: Deed, out: &mut Vec<Effect>) {
        self.note(run, format!("undo: {}", deed.text(&self.plan.things)).into(), None, StepResult::Done);
        match self.perform(run, &deed, COMMAND_WITHIN, out) {
            Ok(Performed::Sent(command)) => {
                let until = self.clock.steady() + COMMAND_WITHIN + ANSWER_LATE;
                self.await_answer(command, run, None, until);
            }
            Ok(Performed::Done | Performed::Lost(_)) => {}
            Err(error) => self.note(run, "undo".into(), None, StepResult::Failed(error.into())),
        }
    }

    fn perform(
        &mut self,
        run: &Run,
        deed: &Deed,
        within: Duration,
        out: &mut Vec<Effect>,
    ) -> Result<Performed, String> {
        match deed {
            Deed::Set { device, property, value } => {
                let value = self.value(run, (*device, *property), value)?;
                let slot = self.plan.slots.of(*device, *property);
                let holder = self.holder(slot, run);
                if let Some((claim, _)) = holder.filter(|(_, held)| **held != value) {
                    let winner = claim.scene;
                    let action = Action::Set { property: *property, value };
                    let text = command_text(&self.plan.things, *device, &action).into();
                    self.note(run, text, None, StepResult::LostTo(winner));
                    return Ok(Performed::Lost(winner));
                }
                if !run.shadow {
                    self.expect_echo(slot, &value, run);
                }
                Ok(self.command(run, *device, Action::Set { property: *property, value }, within, out))
            }
            Deed::Invoke { device, service, input } => {
                let action = Action::Invoke { service: *service, input: input.clone() };
                Ok(self.command(run, *device, action, within, out))
            }
            Deed::Notify { channel, text } => {
                let text = match text {
                    Computed::Fixed(text) => text.clone(),
                    Computed::Script(closure) => self.call(run, closure)?.0.to_string().into(),
                };
                let said = format!("notify {channel}: {text}").into();
                let scene = self.plan.scene(run.scene).name.clone();
                self.tell(run, said, Effect::Notice(Notice { channel: channel.clone(), text, scene }), out);
                Ok(Performed::Done)
            }
            Deed::Emit { device, event, output } => {
                let said = deed.text(&self.plan.things).into();
                let now = self.clock.steady();
                if !run.shadow {
                    let emitted = self.traces.events.entry((*device, *event)).or_default();
                    emitted.retain(|(_, until)| *until >= now);
                    emitted.push_back((run.chain, now + self.plan.echo));
                }
                let (device, event, output) = (*device, *event, output.clone());
                let happened = Event { device, event, output, source_time: self.clock.wall() };
                self.tell(run, said, Effect::Event(happened), out);
                Ok(Performed::Done)
            }
        }
    }

    fn tell(&mut self, run: &Run, text: Arc<str>, effect: Effect, out: &mut Vec<Effect>) {
        let result = if run.shadow { StepResult::Shadow } else { StepResult::Done };
        self.note(run, text, None, result);
        if !run.shadow {
            out.push(effect);
        }
    }

    fn command(
        &mut self,
        run: &Run,
        device: DeviceIx,
        action: Action,
        within: Duration,
        out: &mut Vec<Effect>,
    ) -> Performed {
        let text = command_text(&self.plan.things, device, &action).into();
        if run.shadow {
            self.note(run, text, None, StepResult::Shadow);
            return Performed::Done;
        }
        self.commands += 1;
        let id: Arc<str> = format!("{:x}-s{}", self.born, self.commands).into();
        self.note(run, text, Some(id.clone()), StepResult::Sent);
        let chain = self.names_of(&run.chain.before());
        let found = self.plan.scene(run.scene);
        let (scene, priority) = (found.name.clone(), found.priority);
        out.push(Effect::Command { id: id.clone(), device, action, within, scene, chain, priority });
        Performed::Sent(id)
    }

    /// The answer to a command of a scene has come.
    pub(super) fn answer(&mut self, record: &CommandRecord, out: &mut Vec<Effect>) {
        let failed = |reason: String, may_be_done| Err(NotDone { reason, may_be_done });
        let said = |reason: &str| format!("{}: {reason}", record.state.as_str());
        let result = match &record.state {
            CommandState::Accepted => return,
            CommandState::Applied { .. } => Ok(()),
            CommandState::Refused { reason } | CommandState::Failed { reason } => failed(said(reason), false),
            CommandState::Unconfirmed { reason } => failed(said(reason), true),
            CommandState::Expired => failed("its deadline passed before it could be sent".into(), false),
        };
        if !matches!(record.command.origin, Origin::Scene { .. }) {
            return;
        }
        let Some(pending) = self.pending.remove(&record.command.id) else { return };
        let noted = match &result {
            Ok(()) => StepResult::Applied,
            Err(error) => StepResult::Failed(error.reason.as_str().into()),
        };
        self.scenes[pending.scene.0 as usize].history.answer(pending.decision, &record.command.id, noted);
        let Some(at) = pending.strand else { return };
        let Some(mut run) = self.runs.take(pending.run) else { return };
        if let State::Answer(awaited) = std::mem::take(&mut run.strand(at).state) {
            self.steady_timers.set(super::SteadyKey::Strand(run.id, at), None);
            self.answered(&mut run, at, *awaited, result, out);
        }
        self.go_on(run, out);
    }

    /// Goes on after an answer: tries again, gives up, or takes the next step.
    pub(super) fn answered(
        &mut self,
        run: &mut Run,
        at: StrandIx,
        awaited: Awaited,
        result: Result<(), NotDone>,
        out: &mut Vec<Effect>,
    ) {
        let Awaited { step, tries, undo, command: _ } = awaited;
        match result {
            Ok(()) => run.remember_undo(at, undo),
            Err(NotDone { reason, may_be_done }) => {
                // What may have been done is undone with the rest, if it comes to that.
                let undo = match may_be_done {
                    true => {
                        run.remember_undo(at, undo);
                        vec![]
                    }
                    false => undo,
                };
                self.try_again(run, at, Try { step, tries, undo }, reason, out);
            }
        }
    }

    /// Tries a step again, or gives it up.
    fn try_again(&mut self, run: &mut Run, at: StrandIx, failed: Try, error: String, out: &mut Vec<Effect>) {
        let Try { step, tries, undo } = failed;
        let Doing::Act(Act { how, .. }) = &step.doing else { return };
        if tries < how.retries {
            let until = self.clock.steady() + how.pause;
            run.strand(at).again = Some((step, tries + 1));
            run.strand(at).undo_again = undo;
            return self.sleep(run, at, until, State::Delay { until });
        }
        if !how.may_fail {
            self.strand_failed(run, at, Failure { step: step.text, error }, out);
        }
    }

    /// Who has set this property and comes first, and to what: by the same message the scene of higher priority, then of
    /// the first name; otherwise one of higher priority that set it and is still at it. A scene that has led to this one
    /// is not in its way.
    fn holder(&self, slot: Slot, run: &Run) -> Option<(Claim, &Value)> {
        let echo = self.traces.sets.get(&slot)?;
        let claim = echo.claim;
        if run.chain.scenes().any(|scene| scene == claim.scene) {
            return None;
        }
        let (theirs, ours) = (self.plan.scene(claim.scene).priority, self.plan.scene(run.scene).priority);
        let same_message = claim.set_in == self.moment() && claim.scene < run.scene;
        let still_at_it = theirs > ours && self.runs.get(claim.run).is_some();
        (same_message || still_at_it).then_some((claim, &echo.value))
    }

    /// What counts as the same message: a run that waits after it acts on its own.
    fn moment(&self) -> (u64, Steady) {
        (self.pass, self.clock.steady())
    }

    /// Calls a closure of a run.
    pub(super) fn call(&mut self, run: &Run, closure: &Closure) -> Result<(rhai::Dynamic, Vec<Step>), String> {
        let result = self.scripts.call(closure, &self.values, self.clock.wall(), run.facts.as_ref());
        self.scenes[run.scene.0 as usize].history.print(run.decision, self.scripts.take_notes().printed);
        if let Err(ScriptError { text, kind: Kind::Limit | Kind::Panic }) = &result {
            self.count_fault(run.scene, text);
        }
        result.map_err(|error| error.text)
    }

    fn value(
        &mut self,
        run: &Run,
        (device, property): (DeviceIx, PropertyIx),
        value: &Computed<Value>,
    ) -> Result<Value, String> {
        let closure = match value {
            Computed::Fixed(value) => return Ok(value.clone()),
            Computed::Script(closure) => closure,
        };
        let (computed, _) = self.call(run, closure)?;
        let computed = value_of(&computed).map_err(|mistake| mistake.in_one_line())?;
        let identifier = self.plan.things.property(device, property).identifier.clone();
        let checked = self.plan.things.model_of(device).check_set(&identifier, &computed);
        checked.map(|(_, value)| value).map_err(|error| error.to_string())
    }

    /// Remembers what was set, to know it again when the device reports it.
    fn expect_echo(&mut self, slot: Slot, value: &Value, run: &Run) {
        let now = self.clock.steady();
        if is_time_to_sweep(self.traces.sets.len()) {
            self.traces.sets.retain(|_, echo| echo.until >= now || self.runs.get(echo.claim.run).is_some());
        }
        let until = now + self.plan.echo;
        let own = Claim { set_in: self.moment(), scene: run.scene, run: run.id };
        let claim = self.holder(slot, run).map_or(own, |(claim, _)| claim);
        self.traces.sets.insert(slot, Echo { value: value.clone(), chain: run.chain, until, pass: 0, claim });
    }

    /// The scenes that led to an event, if it is one that a scene has emitted.
    pub(super) fn chain_of_event(&mut self, device: DeviceIx, event: EventIx) -> Chain {
        let now = self.clock.steady();
        let Some(emitted) = self.traces.events.get_mut(&(device, event)) else { return Chain::default() };
        emitted.retain(|(_, until)| *until >= now);
        emitted.pop_front().map(|(chain, _)| chain).unwrap_or_default()
    }
}

fn is_time_to_sweep(entries: usize) -> bool {
    entries >= SWEEP && entries.is_power_of_two()
}

/// What came of a deed.
enum Performed {
    Done,
    /// A command is on its way.
    Sent(Arc<str>),
    /// Another scene comes first.
    Lost(SceneIx),
}
