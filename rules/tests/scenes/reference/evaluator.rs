//! The reference: it looks at everything again after every message and at every moment at which anything could change.
//! Slow and simple, it shares nothing with the engine.
//!
//! Time is counted in nanoseconds from the start, which is a Saturday at noon.

mod deciding;
mod doing;
mod looking;

use super::events::Answer;
use super::script::{Act, Condition, Deed, Device, Place, SceneSet, Step};
use super::world::Effect;
use edgeway_sdk::{Quality, Value};
use edgeway_thing_models::Online;
use std::collections::{HashMap, VecDeque};

pub(super) const SECOND: u64 = 1_000_000_000;
/// How long what a scene did is known again when it comes back.
const ECHO: u64 = 10 * SECOND;

pub(super) struct Reference {
    set: SceneSet,
    /// Places in the set, in the order in which scenes act: by priority, the higher first, then by name.
    order: Vec<usize>,
    now: u64,
    /// Which message this is.
    message: u64,
    values: HashMap<Place, Seen>,
    online: HashMap<Device, Online>,
    helds: Vec<Held>,
    scenes: Vec<SceneState>,
    /// In the order in which they began.
    runs: Vec<Run>,
    runs_begun: usize,
    waits_begun: usize,
    commands: usize,
    sets: HashMap<Place, Set>,
    /// Events that scenes have told of and that may come back: the scenes behind each, and until when.
    emitted: HashMap<Device, VecDeque<(Vec<usize>, u64)>>,
    effects: Vec<Effect>,
}

#[derive(Debug, Clone)]
struct Seen {
    value: Value,
    quality: Quality,
    time: u64,
}

/// How long a condition has been seen to be true.
#[derive(Debug, Clone, Default)]
struct Held {
    counted: u64,
    was: Option<bool>,
    looked: u64,
    truth: Option<bool>,
    dwell: u64,
}

#[derive(Debug, Clone, Default)]
struct SceneState {
    triggers: Vec<TriggerState>,
    /// Until when it stays quiet, for each device that it counts for.
    cooling: HashMap<Option<Device>, u64>,
    queue: VecDeque<Queued>,
    counts: Counts,
}

/// What became of a scene being set off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) fired: u64,
    pub(super) declined: u64,
    pub(super) errors: u64,
}

#[derive(Debug, Clone, Default)]
struct TriggerState {
    last_known: Option<bool>,
    last_good: Option<Value>,
}

#[derive(Debug, Clone)]
struct SetOff {
    /// The scenes that led here.
    chain: Vec<usize>,
    device: Option<Device>,
}

#[derive(Debug, Clone)]
struct Queued {
    steps: Vec<Step>,
    set_off: SetOff,
    key: Option<Device>,
}

#[derive(Debug)]
struct Run {
    number: usize,
    scene: usize,
    key: Option<Device>,
    device: Option<Device>,
    /// The scenes that led here, and this one.
    chain: Vec<usize>,
    strands: Vec<Strand>,
}

/// Steps one after another; the first strand is the run's own, others are branches of `parallel`.
#[derive(Debug)]
struct Strand {
    parent: Option<usize>,
    /// The lists of steps that it is in, the innermost last.
    blocks: Vec<Block>,
    state: State,
    /// What undoes what it has done, if it is in a transaction.
    undo: Option<Vec<Deed>>,
    has_failed_branch: bool,
}

#[derive(Debug)]
struct Block {
    steps: Vec<Step>,
    next: usize,
    /// How often it is still to be done after this time.
    again: u32,
    is_transaction: bool,
}

#[derive(Debug, Clone)]
enum State {
    Ready,
    Delay(u64),
    Retry { until: u64, attempt: Attempt },
    WaitFor { until: u64, id: usize, condition: Condition, may_fail: bool, since: usize },
    Answer { until: u64, command: usize, attempt: Attempt },
    Branches(usize),
    Over,
}

/// A deed whose answer matters.
#[derive(Debug, Clone)]
struct Attempt {
    act: Act,
    tries: u32,
    /// What would undo it, as it was before the first try.
    undo: Vec<Deed>,
}

/// The last value that a scene set.
#[derive(Debug)]
struct Set {
    value: Value,
    chain: Vec<usize>,
    until: u64,
    /// The message in which it came back, unless something else has come since.
    back_in: Option<u64>,
    claim: Claim,
}

/// Who has a property, and since when.
#[derive(Debug, Clone, Copy)]
struct Claim {
    scene: usize,
    run: usize,
    message: u64,
    at: u64,
}

/// What made everything look.
#[derive(Debug, Clone)]
enum Touch {
    Report(Vec<Place>),
    Turn(Device),
    Alarm { device: Device, chain: Vec<usize> },
    Clock,
}

impl Reference {
    pub(super) fn new(set: SceneSet) -> Self {
        let mut order: Vec<usize> = (0..set.scenes.len()).collect();
        order.sort_by_key(|at| (-set.scenes[*at].priority, set.scenes[*at].name));
        let state = |triggers| SceneState { triggers: vec![TriggerState::default(); triggers], ..Default::default() };
        let scenes = set.scenes.iter().map(|scene| state(scene.triggers.len())).collect();
        let mut reference = Reference {
            order,
            now: 0,
            message: 0,
            values: HashMap::new(),
            online: HashMap::new(),
            helds: vec![Held::default(); set.helds],
            scenes,
            runs: vec![],
            runs_begun: 0,
            waits_begun: 0,
            commands: 0,
            sets: HashMap::new(),
            emitted: HashMap::new(),
            effects: vec![],
            set,
        };
        // What is true from the beginning is known, and sets nothing off.
        reference.look(&Touch::Clock);
        reference.effects.clear();
        reference
    }

    /// How many scenes there are.
    pub(super) fn scenes(&self) -> usize {
        self.scenes.len()
    }

    pub(super) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    pub(super) fn counts(&self, scene: usize) -> Counts {
        self.scenes[scene].counts
    }

    /// Does what is due: first everything looks, then runs go on, in the order in which they began.
    pub(super) fn advance(&mut self, now: u64) {
        self.now = now;
        self.look(&Touch::Clock);
        while let Some((run, strand)) = self.next_due() {
            self.time_is_up(run, strand);
        }
    }

    fn next_due(&self) -> Option<(usize, usize)> {
        let due = self.untils().filter(|(until, ..)| *until <= self.now).min();
        due.map(|(_, run, strand)| (run, strand))
    }

    /// Until when each strand waits, with the run's number and its own.
    fn untils(&self) -> impl Iterator<Item = (u64, usize, usize)> {
        let strands = self.runs.iter().flat_map(|run| {
            let strands = run.strands.iter().enumerate();
            strands.map(move |(at, strand)| (&strand.state, run.number, at))
        });
        strands.filter_map(|(state, run, at)| match state {
            State::Delay(until)
            | State::Retry { until, .. }
            | State::WaitFor { until, .. }
            | State::Answer { until, .. } => Some((*until, run, at)),
            State::Ready | State::Branches(_) | State::Over => None,
        })
    }

    pub(super) fn report(&mut self, now: u64, device: Device, values: &[(Place, Value, Quality)]) {
        self.advance(now);
        self.message += 1;
        for (place, value, quality) in values {
            let seen = Seen { value: value.clone(), quality: *quality, time: now };
            self.values.insert(*place, seen);
            if let Some(set) = self.sets.get_mut(place) {
                set.back_in = (set.value == *value).then_some(self.message);
            }
        }
        debug_assert!(values.iter().all(|(place, ..)| place.device == device));
        self.look(&Touch::Report(values.iter().map(|(place, ..)| *place).collect()));
    }

    pub(super) fn turn(&mut self, now: u64, device: Device, online: Online) {
        self.advance(now);
        self.message += 1;
        self.online.insert(device, online);
        self.look(&Touch::Turn(device));
    }

    pub(super) fn alarm(&mut self, now: u64, device: Device) {
        self.advance(now);
        self.message += 1;
        let emitted = self.emitted.entry(device).or_default();
        emitted.retain(|(_, until)| *until >= now);
        let chain = emitted.pop_front().map(|(chain, _)| chain).unwrap_or_default();
        self.look(&Touch::Alarm { device, chain });
    }

    pub(super) fn run_by_hand(&mut self, now: u64, scene: usize) {
        self.advance(now);
        self.message += 1;
        self.decide(scene, SetOff { chain: vec![], device: None });
    }

    pub(super) fn answer(&mut self, now: u64, command: usize, answer: Answer) {
        self.advance(now);
        self.answered(command, answer);
    }
}
