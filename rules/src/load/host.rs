//! The side of the words: what scripts share with the engine.

use super::draft::{Draft, Mistake, PARTS_MAX};
use super::words::advice;
use crate::facts::Facts;
use crate::plan::{SceneIx, Step};
use crate::values::{Slot, Slots, Values};
use edgeway_sdk::{Timestamp, Value, did_you_mean};
use edgeway_thing_models::Things;
use rhai::{EvalAltResult, Position};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most steps that one closure may emit.
const EMITTED_STEPS_MAX: usize = 1_024;
/// The most notes kept between two decisions.
const NOTES_MAX: usize = 64;
/// The longest printed text that is kept.
const NOTE_BYTES_MAX: usize = 1_024;
/// Text that a script declares takes room as so many parts would.
const TEXT_BYTES_OF_A_PART: usize = 64;

/// What a call from a script returns.
pub(crate) type Raised<T> = Result<T, Box<EvalAltResult>>;

/// Shared by all the functions that scripts can call.
#[derive(Clone)]
pub(crate) struct Host(Arc<Mutex<State>>);

struct State {
    things: Arc<Things>,
    slots: Slots,
    names: HashMap<Arc<str>, SceneIx>,
    queries: Option<Queries>,
    has_position: bool,
    phase: Phase,
    notes: Notes,
}

/// The site's queries with the columns of their rows.
type Queries = BTreeMap<Arc<str>, Vec<Arc<str>>>;

/// What scripts may do now.
enum Phase {
    /// Declare.
    Load(Box<Draft>),
    /// Nothing: no script runs.
    Idle,
    /// Read, and emit steps.
    Call(Call),
}

struct Call {
    values: Arc<Values>,
    now: Timestamp,
    facts: Option<Arc<Facts>>,
    emitted: Vec<Step>,
}

/// What scripts read and said.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) reads: Vec<Slot>,
    pub(crate) printed: Vec<String>,
    pub(crate) errors: Vec<String>,
    /// An error that says that a script ran away.
    pub(crate) fault: Option<String>,
}

impl Host {
    pub(crate) fn new(things: Arc<Things>, slots: Slots, queries: Option<Queries>, has_position: bool) -> Self {
        let draft = Box::new(Draft::default());
        Host(Arc::new(Mutex::new(State {
            things,
            slots,
            names: HashMap::new(),
            queries,
            has_position,
            phase: Phase::Load(draft),
            notes: Notes::default(),
        })))
    }

    /// Whether there is such a query with such columns, as far as that is known.
    pub(super) fn check_row(&self, query: &str, columns: &[(Arc<str>, Value)]) -> Result<(), Mistake> {
        let state = self.lock();
        let Some(queries) = &state.queries else { return Ok(()) };
        let known = queries.get(query).ok_or_else(|| {
            let names = queries.keys().map(|name| &**name);
            Mistake::new(format!("there is no query `{query}`")).maybe_help(did_you_mean(query, names))
        })?;
        match columns.iter().find(|(name, _)| !known.contains(name)) {
            None => Ok(()),
            Some((name, _)) => {
                let help = did_you_mean(name, known.iter().map(|column| &**column));
                Err(Mistake::new(format!("rows of `{query}` have no column `{name}`")).maybe_help(help))
            }
        }
    }

    /// The draft, while loading; an error when a scene runs.
    pub(super) fn declare<T>(&self, word: &str, at: Position, then: impl FnOnce(&mut Draft) -> T) -> Raised<T> {
        match &mut self.lock().phase {
            Phase::Load(draft) => Ok(then(draft)),
            _ => Err(raise(at, format!("`{word}` declares and works only while the script loads"))),
        }
    }

    /// Does something with the draft, while loading.
    pub(super) fn loading(&self, act: impl FnOnce(&mut Draft)) {
        if let Phase::Load(draft) = &mut self.lock().phase {
            act(draft);
        }
    }

    /// Makes room for what a script declares, or ends it.
    pub(super) fn grow(&self, word: &str, at: Position, parts: usize, text_bytes: usize) -> Raised<()> {
        let fits = self.declare(word, at, |draft| draft.grow(parts + text_bytes / TEXT_BYTES_OF_A_PART))?;
        let error = || raise(at, format!("the script declares too much ({PARTS_MAX} scenes, conditions and steps)"));
        fits.then_some(()).ok_or_else(error)
    }

    /// Takes a mistake: kept while loading, so that the script goes on; raised when a scene runs.
    pub(super) fn check<T>(&self, at: Position, result: Result<T, Mistake>) -> Raised<Option<T>> {
        match (result, &mut self.lock().phase) {
            (Ok(value), _) => Ok(Some(value)),
            (Err(mistake), Phase::Load(draft)) => {
                draft.report(at, mistake);
                Ok(None)
            }
            (Err(mistake), _) => Err(raise(at, mistake.in_one_line())),
        }
    }

    /// The values and the time, while a scene runs.
    pub(super) fn read<T>(&self, word: &str, at: Position, then: impl FnOnce(&Values, Timestamp) -> T) -> Raised<T> {
        match &self.lock().phase {
            Phase::Call(call) => Ok(then(&call.values, call.now)),
            _ => {
                let advice =
                    "while the script loads there is none yet; write `prop(..)` or put it into a closure, `|| ..`";
                Err(raise(at, format!("`{word}` reads a value when a scene runs; {advice}")))
            }
        }
    }

    /// Adds a step to those of the running scene.
    pub(super) fn emit(&self, at: Position, step: Step) -> Raised<()> {
        match &mut self.lock().phase {
            Phase::Call(call) if call.emitted.len() >= EMITTED_STEPS_MAX => {
                Err(raise(at, format!("more than {EMITTED_STEPS_MAX} steps emitted by one closure")))
            }
            Phase::Call(call) => {
                call.emitted.push(step);
                Ok(())
            }
            _ => Err(raise(at, "`emit` works only inside `run(|| ..)`".into())),
        }
    }

    pub(super) fn has_position(&self) -> bool {
        self.lock().has_position
    }

    pub(super) fn is_loading(&self) -> bool {
        matches!(self.lock().phase, Phase::Load(_))
    }

    pub(super) fn things(&self) -> Arc<Things> {
        self.lock().things.clone()
    }

    pub(super) fn slots(&self) -> Slots {
        self.lock().slots.clone()
    }

    /// The scene of this name, once all are known.
    pub(super) fn scene(&self, name: &str) -> Result<SceneIx, Mistake> {
        let state = self.lock();
        state.names.get(name).copied().ok_or_else(|| unknown_scene(name, state.names.keys().map(|known| &**known)))
    }

    pub(super) fn note_read(&self, slot: Slot) {
        push_note(&mut self.lock().notes.reads, slot);
    }

    pub(super) fn note_print(&self, mut text: String) {
        text.truncate(text.floor_char_boundary(NOTE_BYTES_MAX));
        push_note(&mut self.lock().notes.printed, text);
    }

    pub(crate) fn note_error(&self, text: String, is_fault: bool) {
        if is_fault {
            self.lock().notes.fault = Some(text.clone());
        }
        push_note(&mut self.lock().notes.errors, text);
    }

    pub(crate) fn take_notes(&self) -> Notes {
        std::mem::take(&mut self.lock().notes)
    }

    pub(crate) fn begin_call(&self, values: Arc<Values>, now: Timestamp, facts: Option<Arc<Facts>>) {
        self.lock().phase = Phase::Call(Call { values, now, facts, emitted: vec![] });
    }

    /// What set the running scene off, as far as there is something to say.
    pub(super) fn facts(&self, at: Position) -> Raised<Option<Arc<Facts>>> {
        match &self.lock().phase {
            Phase::Call(call) => Ok(call.facts.clone()),
            _ => Err(raise(at, "`cause` tells what set a scene off, so it works only in a closure, `|| ..`".into())),
        }
    }

    pub(crate) fn end_call(&self) -> Vec<Step> {
        match std::mem::replace(&mut self.lock().phase, Phase::Idle) {
            Phase::Call(call) => call.emitted,
            Phase::Load(_) | Phase::Idle => vec![],
        }
    }

    /// Ends loading.
    pub(super) fn take_draft(&self) -> Draft {
        match std::mem::replace(&mut self.lock().phase, Phase::Idle) {
            Phase::Load(draft) => *draft,
            Phase::Call(_) | Phase::Idle => Draft::default(),
        }
    }

    pub(super) fn set_names(&self, names: HashMap<Arc<str>, SceneIx>) {
        self.lock().names = names;
    }

    /// A script that fails leaves the state whole, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn push_note<T>(notes: &mut Vec<T>, note: T) {
    if notes.len() < NOTES_MAX {
        notes.push(note);
    }
}

pub(super) fn unknown_scene<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Mistake {
    Mistake::new(format!("no scene is called `{name}`")).maybe_help(advice(name, known))
}

/// An error that ends the script.
pub(super) fn raise(at: Position, text: String) -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorRuntime(text.into(), at))
}

/// The text of [`stop`], which is told to nobody.
pub(super) const STOPPED: &str = "stopped: what is wrong has been told";

/// Ends the script without a further word.
pub(super) fn stop(at: Position) -> Box<EvalAltResult> {
    raise(at, STOPPED.into())
}
