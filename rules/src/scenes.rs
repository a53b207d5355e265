//! The engine: messages and time in, effects out.

mod acts;
mod breaker;
mod coverage;
mod decisions;
mod exchange;
mod memory;
mod messages;
mod reached;
mod recent;
mod run;
mod runs;
mod switches;
mod timers;

pub use coverage::SceneCoverage;
pub use memory::{Change, Restored};

use crate::clock::{Clock, Steady, Timers};
use crate::facts::Facts;
use crate::held::Held;
use crate::history::History;
use crate::load::{self, FileProblem, Options, Script};
use crate::plan::{Plan, SceneIx, TriggerIx, World};
use crate::scripts::Scripts;
use crate::values::Values;
use crate::why::Why;
use edgeway_sdk::{DeviceIx, Timestamp, Value, did_you_mean};
use edgeway_thing_models::{Action, Body, Event, Firing, Message, Notice, Things};
use run::{Key, RunId, Runs, StrandIx};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use timers::{SteadyKey, WallKey};

/// All scenes of a site, loaded and running.
///
/// It has no thread and no clock: the caller hands in messages and the time, and calls [`Scenes::advance`] when
/// [`Scenes::next_wake`] says so.
///
/// # Time
///
/// `now` may jump. Everything that waits for a span (`held`, `delay`, `cooldown`) counts on a time of its own that
/// stands still during a jump back and goes on after it: a span is neither cut short nor begun anew, and nothing runs
/// twice. A jump forward counts as time that has passed. A `cron` follows the wall clock: after a jump back of up to
/// 24 hours what has run does not run again; after a greater one, which only a clock that was wrong before can make, it
/// is armed anew. One that comes more than 5 minutes late is not run but traced as missed.
#[derive(Debug)]
pub struct Scenes {
    plan: Arc<Plan>,
    scripts: Scripts,
    values: Arc<Values>,
    clock: Clock,
    steady_timers: Timers<Steady, SteadyKey>,
    wall_timers: Timers<Timestamp, WallKey>,
    helds: Vec<Held>,
    triggers: Vec<TriggerState>,
    /// What the condition of each trigger came to when it was last known: apart, for it is asked for with each report.
    edges: Vec<Option<bool>>,
    scenes: Vec<SceneState>,
    runs: Runs,
    /// Who waits for what, by the places in [`Plan::waits`].
    waiting: Vec<Vec<(RunId, StrandIx)>>,
    /// Commands under way, by id.
    pending: HashMap<Arc<str>, acts::Pending>,
    traces: acts::Traces,
    /// What is to be told about scenes that do harm.
    alarms: Vec<Effect>,
    recent: recent::Recent,
    dirty: memory::Dirty,
    /// When the scenes were started, in milliseconds: it goes into the ids of commands.
    born: i64,
    commands: u64,
    decisions: u64,
    /// Runs of scenes that have changed, which begin again once the world is known.
    to_begin: Vec<memory::ToBegin>,
    /// Counts of scenes that are gone.
    gone: Counters,
    errors: u64,
    loops_stopped: u64,
    /// Which message is being handled, counted from 1.
    pass: u64,
    /// Runs that are doing steps right now, one inside the other.
    doing: Vec<RunId>,
    scratch: messages::Scratch,
}

/// What a trigger remembers.
#[derive(Debug, Clone, Default)]
pub(crate) struct TriggerState {
    /// Its last good value, for `changed`.
    pub(crate) last_value: Option<Value>,
    pub(crate) fired: Option<Timestamp>,
}

/// What a scene remembers.
#[derive(Debug, Default)]
pub(crate) struct SceneState {
    runs: Vec<RunId>,
    queue: std::collections::VecDeque<run::Queued>,
    cooling: Vec<(Key, Steady)>,
    pub(crate) history: History,
    breaker: breaker::Breaker,
    reached: reached::Reached,
    /// A person has switched it off.
    is_off: bool,
    /// It was switched off because of what its scripts did.
    fault: Option<Arc<str>>,
    faults: u32,
    shadow: bool,
    would_have_fired: u64,
    fired: u64,
    declined: u64,
    errors: u64,
    last_fired: Option<Timestamp>,
}

/// What the caller is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Send a command to a device. What becomes of it comes back as a message, a [`Body::Command`] of the same id.
    Command {
        /// Its id, not used before.
        id: Arc<str>,
        /// The device.
        device: DeviceIx,
        /// In the model's types, checked against the model.
        action: Action,
        /// How long it may take.
        within: Duration,
        /// The scene that wants it.
        scene: Arc<str>,
        /// The scenes that led to this one, outermost first.
        chain: Vec<Arc<str>>,
        /// The scene's priority; the greater wins.
        priority: i64,
    },
    /// Tell people.
    Notice(Notice),
    /// Tell of an event in the name of a device.
    Event(Event),
    /// Tell that a scene's conditions were true and its `then` began, or waits for its turn.
    Firing(Firing),
}

/// A scene was not run by hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// There is no such scene. The caller has to change the name.
    #[error("no scene is called `{name}`{}", help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default())]
    UnknownScene {
        /// The name that was not found.
        name: String,
        /// What was probably meant.
        help: Option<String>,
    },
    /// It decided not to run. A later try may succeed.
    #[error("scene `{name}` did not run: {reason}")]
    Declined {
        /// The scene.
        name: Arc<str>,
        /// The first reason, `not true: room-301.key_card == true`.
        reason: String,
    },
}

/// One scene in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SceneInfo {
    /// Its name.
    pub name: Arc<str>,
    /// What it does, in words; may be empty.
    pub title: String,
    /// The script.
    pub file: Arc<str>,
    /// The line in the script, from 1.
    pub line: usize,
    /// What sets it off.
    pub triggers: Vec<Arc<str>>,
    /// The greater goes first.
    pub priority: i64,
    /// The same for the same words.
    pub version: u64,
    /// Whether it is under way: it waits in a `delay`, for a condition or for a device.
    pub running: bool,
    /// Whether it decides and sends nothing.
    pub shadow: bool,
    /// Why it does not act, if it is switched off.
    pub off: Option<Arc<str>>,
    /// How often it would have fired, had it not been in shadow.
    pub would_have_fired: u64,
    /// How often its `then` began.
    pub fired: u64,
    /// How often it was set off and did not fire.
    pub declined: u64,
    /// How many scripts of it failed, and chains of causes were stopped at it.
    pub errors: u64,
    /// When its `then` began last.
    pub last_fired: Option<Timestamp>,
}

/// Counts since loading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counters {
    /// How often a scene was set off.
    pub decisions: u64,
    /// How often a `then` began.
    pub firings: u64,
    /// How many scripts failed.
    pub errors: u64,
    /// How many chains of causes were stopped.
    pub loops_stopped: u64,
}

impl Scenes {
    /// Runs the scripts once and proves what they declare against the models. Returns the scenes and all warnings.
    ///
    /// # Errors
    /// All mistakes of all scripts, and the warnings with them, by file and place.
    pub fn load(
        things: Arc<Things>,
        scripts: &[Script],
        options: Options,
    ) -> Result<(Scenes, Vec<FileProblem>), Vec<FileProblem>> {
        let (plan, scripts, warnings) = load::load(things, scripts, options)?;
        Ok((Scenes::new(Arc::new(plan), scripts), warnings))
    }

    fn new(plan: Arc<Plan>, scripts: Scripts) -> Self {
        Scenes {
            values: Arc::new(Values::new(plan.slots.clone())),
            helds: plan.helds.iter().map(|held| Held::new(held.dwell)).collect(),
            triggers: vec![TriggerState::default(); plan.triggers.len()],
            edges: vec![None; plan.triggers.len()],
            scenes: plan.scenes.iter().map(SceneState::new).collect(),
            waiting: plan.waits.iter().map(|_| vec![]).collect(),
            plan,
            scripts,
            clock: Clock::default(),
            steady_timers: Timers::new(),
            wall_timers: Timers::new(),
            runs: Runs::default(),
            pending: HashMap::new(),
            traces: acts::Traces::default(),
            alarms: vec![],
            recent: recent::Recent::default(),
            dirty: memory::Dirty::default(),
            born: 0,
            commands: 0,
            decisions: 0,
            to_begin: vec![],
            gone: Counters::default(),
            errors: 0,
            loops_stopped: 0,
            pass: 0,
            doing: vec![],
            scratch: messages::Scratch::default(),
        }
    }

    /// Restores values and states known from before, without setting anything off. Call it before [`Scenes::start`].
    /// A crossing is then seen against these; without them the first good value of a property sets nothing off.
    pub fn seed(&mut self, message: &Message) {
        let values = Arc::make_mut(&mut self.values);
        match &message.body {
            Body::Report(report) => {
                for observation in &report.values {
                    values.observe(report.device, observation);
                }
            }
            Body::Status(status) => {
                values.turn(status.device, status.online);
            }
            _ => {}
        }
    }

    /// Takes the seeded values as they are and arms what waits for the clock. The values set nothing off.
    pub fn start(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        self.clock.tell(now);
        self.count_from(now);
        self.take_stock(out);
        self.arm_crons();
        self.begin_again(out);
        self.fire_starts(out);
        self.do_what_is_due(out);
    }

    fn count_from(&mut self, now: Timestamp) {
        self.born = now.as_millis();
        self.runs.count_from(now);
    }

    /// Takes a message. Reports, events, status changes, rows of queries and results of commands matter; others are
    /// ignored. What is due by `now` is done first.
    pub fn handle(&mut self, now: Timestamp, message: &Message, out: &mut Vec<Effect>) {
        match &message.body {
            Body::Report(report) => {
                self.advance(now, out);
                self.report(report, out);
            }
            Body::Event(event) => {
                self.advance(now, out);
                self.event(event, out);
            }
            Body::Status(status) => {
                self.advance(now, out);
                self.status(status, out);
            }
            Body::Row(row) => {
                self.advance(now, out);
                self.row(row, out);
            }
            Body::Command(record) => {
                self.advance(now, out);
                self.answer(record, out);
            }
            Body::Firing(_) | Body::Notice(_) | Body::Ledger(_) | Body::Balance(_) => {}
        }
    }

    /// Does what is due.
    pub fn advance(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        self.bury_lost_runs(out);
        let jumped_back = self.clock.tell(now);
        self.mend_wall_timers(jumped_back);
        self.do_what_is_due(out);
    }

    /// When [`Scenes::advance`] should be called next; `None` if nothing waits.
    pub fn next_wake(&self) -> Option<Timestamp> {
        let steady = self.steady_timers.next().map(|at| self.clock.wall_at(at));
        steady.into_iter().chain(self.wall_timers.next()).min()
    }

    /// Whether nothing waits: no `held` counts, no scene is in a delay, no clock is looked at.
    pub fn is_idle(&self) -> bool {
        self.next_wake().is_none()
    }

    /// Sets a scene off by hand. Its conditions, its cooldown and its mode apply as ever.
    ///
    /// # Errors
    /// If there is no such scene, or it declined.
    pub fn run(&mut self, now: Timestamp, scene: &str, out: &mut Vec<Effect>) -> Result<(), RunError> {
        let ix = self.find(scene)?;
        self.advance(now, out);
        if self.decide_by_hand(ix, out) {
            return Ok(());
        }
        let reason = self.scenes[ix.0 as usize].history.iter().next().map(|decision| self.reason(ix, decision));
        Err(RunError::Declined { name: self.plan.scene(ix).name.clone(), reason: reason.unwrap_or_default() })
    }

    fn find(&self, scene: &str) -> Result<SceneIx, RunError> {
        self.plan.names.get(scene).copied().ok_or_else(|| RunError::UnknownScene {
            name: scene.to_owned(),
            help: did_you_mean(scene, self.plan.names.keys().map(|name| &**name)),
        })
    }

    /// All scenes, the highest priority first, then by name.
    pub fn list(&self) -> Vec<SceneInfo> {
        self.plan.scenes.iter().zip(&self.scenes).map(|(scene, state)| self.info(scene, state)).collect()
    }

    /// One scene of the list; `None` if there is no such scene.
    pub fn scene(&self, name: &str) -> Option<SceneInfo> {
        let ix = *self.plan.names.get(name)?;
        Some(self.info(self.plan.scene(ix), &self.scenes[ix.0 as usize]))
    }

    fn info(&self, scene: &crate::plan::Scene, state: &SceneState) -> SceneInfo {
        let triggers = scene.triggers.clone().map(|at| self.plan.trigger(TriggerIx(at)).text.clone()).collect();
        SceneInfo {
            name: scene.name.clone(),
            title: scene.title.clone(),
            file: scene.file.clone(),
            line: scene.line,
            triggers,
            priority: scene.priority,
            version: scene.version,
            running: !state.runs.is_empty(),
            shadow: state.shadow,
            off: state.off_because(),
            would_have_fired: state.would_have_fired,
            fired: state.fired,
            declined: state.declined,
            errors: state.errors,
            last_fired: state.last_fired,
        }
    }

    /// Why a scene did what it did last, or did nothing; `None` if there is no such scene.
    pub fn why(&self, scene: &str, now: Timestamp) -> Option<Why> {
        let ix = *self.plan.names.get(scene)?;
        Some(self.explain(ix, now))
    }

    /// The same as it was at a time: without the decisions since.
    pub fn why_at(&self, scene: &str, now: Timestamp, at: Timestamp) -> Option<Why> {
        let mut why = self.why(scene, now)?;
        let ix = *self.plan.names.get(scene)?;
        let since = self.scenes[ix.0 as usize].history.iter().take_while(|decision| decision.time > at).count();
        why.decisions.drain(..since);
        Some(why)
    }

    /// Counts over all scenes.
    pub fn counters(&self) -> Counters {
        let firings = self.gone.firings + self.scenes.iter().map(|state| state.fired).sum::<u64>();
        let declined: u64 = self.scenes.iter().map(|state| state.declined).sum();
        let decisions = self.gone.decisions + declined + firings - self.gone.firings;
        Counters { decisions, firings, errors: self.errors, loops_stopped: self.loops_stopped }
    }

    /// What conditions may depend on, now.
    fn world<'a>(&'a self, facts: Option<&'a Arc<Facts>>) -> World<'a> {
        World {
            facts,
            values: &self.values,
            helds: &self.helds,
            scripts: &self.scripts,
            locale: &self.plan.locale,
            wall: self.clock.wall(),
            steady: self.clock.steady(),
        }
    }

    /// What a condition comes to now. One that asks a script is not asked.
    pub(crate) fn truth_now(&self, condition: &crate::plan::Condition) -> crate::plan::Truth {
        if condition.has_script() { crate::plan::Truth::Unknown } else { self.world(None).truth(condition) }
    }

    pub(crate) fn recent(&self) -> &recent::Recent {
        &self.recent
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(crate) fn values(&self) -> &Values {
        &self.values
    }

    pub(crate) fn trigger_state(&self, trigger: TriggerIx) -> &TriggerState {
        &self.triggers[trigger.0 as usize]
    }

    pub(crate) fn edge(&self, trigger: TriggerIx) -> Option<bool> {
        self.edges[trigger.0 as usize]
    }

    pub(crate) fn scene_state(&self, scene: SceneIx) -> &SceneState {
        &self.scenes[scene.0 as usize]
    }

    pub(crate) fn held(&self, held: crate::plan::HeldIx) -> &Held {
        &self.helds[held.0 as usize]
    }

    /// When a `cron` is due next; `None` for other triggers.
    pub(crate) fn cron_due(&self, trigger: TriggerIx) -> Option<Timestamp> {
        self.wall_timers.time_of(WallKey::Cron(trigger))
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }
}
