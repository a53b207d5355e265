//! What was decided, and on what grounds: kept as data, made into text when someone asks.

use crate::facts::Facts;
use crate::plan::{SceneIx, TriggerIx, Truth};
use crate::values::{Seen, Slot};
use edgeway_sdk::{DeviceIx, Timestamp};
use edgeway_thing_models::Online;
use std::collections::VecDeque;
use std::sync::Arc;

/// Printed lines kept for each decision.
const PRINTED_MAX: usize = 64;
/// Steps kept for each decision.
const STEPS_MAX: usize = 64;
/// Scenes in a chain of causes.
pub(crate) const CHAIN_MAX: usize = 8;

/// The scenes that led here, outermost first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Chain {
    len: u8,
    scenes: [u32; CHAIN_MAX],
}

/// One decision of a scene.
#[derive(Debug, Clone, Default)]
pub(crate) struct Decision {
    /// Counted over all scenes from 1.
    pub(crate) number: u64,
    pub(crate) time: Timestamp,
    pub(crate) cause: Cause,
    pub(crate) chain: Chain,
    pub(crate) verdict: Verdict,
    /// In the order of the scene's conditions.
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) reads: Vec<Read>,
    /// What scripts printed.
    pub(crate) printed: Vec<String>,
    /// What came with the cause.
    pub(crate) facts: Option<Arc<Facts>>,
    /// What was done, in order.
    pub(crate) steps: Vec<Done>,
}

/// What asked for the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Cause {
    Trigger(TriggerIx),
    Scene(SceneIx),
    /// Someone, through the API.
    #[default]
    Hand,
    /// It was under way when the gateway stopped, or its scene was changed.
    Before,
}

/// A step that was done, or could not be.
#[derive(Debug, Clone)]
pub(crate) struct Done {
    pub(crate) time: Timestamp,
    pub(crate) text: Arc<str>,
    /// The id of its command.
    pub(crate) command: Option<Arc<str>>,
    pub(crate) result: StepResult,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum StepResult {
    /// It is over, and nothing more is to be known of it.
    Done,
    /// Its command is on its way; the answer is noted here when it comes.
    Sent,
    /// The device has done it.
    Applied,
    Failed(Arc<str>),
    /// Another scene wants something else, and comes first.
    LostTo(SceneIx),
    /// It would have been sent, were the scene not in shadow.
    Shadow,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Verdict {
    /// The conditions were true: `then` ran. `restarted` tells that it ended a run that was still going on, `queued` that
    /// it waits for one to end, `shadow` that nothing is sent.
    Fired { restarted: bool, queued: bool, shadow: bool },
    /// Some condition was not true. `otherwise` tells whether there was something else to do.
    Declined { otherwise: bool },
    /// Too soon after the last firing.
    Cooling { until: Timestamp },
    /// The last run is still going on, or as many as may be.
    #[default]
    Running,
    /// It is switched off: by a person, or because it did harm.
    Off { reason: Arc<str> },
    /// It fired too often and rests.
    Resting { until: Timestamp },
    /// A run of before goes on.
    Resumed,
    /// A run of before does not go on.
    Abandoned { reason: String },
    /// It would have been its own cause, or the chain was too long.
    Loop,
    /// The time of a `cron` passed while nobody looked.
    Missed { was_due: Timestamp },
    /// A step could not be done; the steps after it were not.
    Failed { step: Arc<str>, error: String },
}

/// What a condition came to.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// `None` if it was not asked: an earlier one had already decided, and this one needs a script.
    pub(crate) truth: Option<Truth>,
    /// How many of the decision's reads are its own.
    pub(crate) reads: usize,
    pub(crate) error: Option<String>,
}

/// What a condition found.
#[derive(Debug, Clone)]
pub(crate) enum Read {
    Property(Slot, Option<Seen>),
    Device(DeviceIx, Online),
}

/// The last decisions of a scene. Boxed, because a decision is large and is handed around while it is made.
#[derive(Debug, Default)]
pub(crate) struct History(VecDeque<Box<Decision>>);

impl Chain {
    /// The chain with one more scene; `None` if it is in it already or the chain is full.
    pub(crate) fn with(mut self, scene: SceneIx) -> Option<Chain> {
        let len = usize::from(self.len);
        if len == CHAIN_MAX || self.scenes[..len].contains(&scene.0) {
            return None;
        }
        self.scenes[len] = scene.0;
        self.len += 1;
        Some(self)
    }

    /// Without the last scene.
    pub(crate) fn before(mut self) -> Chain {
        self.len = self.len.saturating_sub(1);
        self
    }

    pub(crate) fn scenes(&self) -> impl Iterator<Item = SceneIx> + '_ {
        self.scenes[..usize::from(self.len)].iter().map(|scene| SceneIx(*scene))
    }
}

impl History {
    /// A blank decision to fill in and [`push`](History::push). When there are `max` it is the oldest, made blank: neither
    /// it nor its lists are allocated anew.
    pub(crate) fn blank(
        &mut self,
        number: u64,
        time: Timestamp,
        cause: Cause,
        chain: Chain,
        max: usize,
    ) -> Box<Decision> {
        let oldest = if self.0.len() >= max { self.0.pop_front() } else { None };
        let mut decision = oldest.unwrap_or_default();
        (decision.number, decision.time, decision.cause, decision.chain) = (number, time, cause, chain);
        decision.verdict = Verdict::Running;
        decision.outcomes.clear();
        decision.reads.clear();
        decision.printed.clear();
        decision.steps.clear();
        decision.facts = None;
        decision
    }

    pub(crate) fn push(&mut self, decision: Box<Decision>) {
        self.0.push_back(decision);
    }

    /// Adds what a step printed to the decision that it belongs to, if that is still here.
    pub(crate) fn print(&mut self, number: u64, printed: Vec<String>) {
        if let Some(decision) = self.find(number) {
            let room = PRINTED_MAX.saturating_sub(decision.printed.len());
            decision.printed.extend(printed.into_iter().take(room));
        }
    }

    /// Adds a step to the decision that it belongs to, if that is still here.
    pub(crate) fn done(&mut self, number: u64, done: Done) {
        if let Some(decision) = self.find(number).filter(|decision| decision.steps.len() < STEPS_MAX) {
            decision.steps.push(done);
        }
    }

    /// Notes the answer to a command.
    pub(crate) fn answer(&mut self, number: u64, command: &str, result: StepResult) {
        let steps = self.find(number).into_iter().flat_map(|decision| &mut decision.steps);
        for step in steps.filter(|step| step.command.as_deref() == Some(command)) {
            step.result = result.clone();
        }
    }

    fn find(&mut self, number: u64) -> Option<&mut Decision> {
        let at = self.0.binary_search_by_key(&number, |decision| decision.number).ok()?;
        self.0.get_mut(at).map(|decision| &mut **decision)
    }

    /// The decision of this number, if it is still here.
    pub(crate) fn get(&self, number: u64) -> Option<&Decision> {
        let at = self.0.binary_search_by_key(&number, |decision| decision.number).ok()?;
        self.0.get(at).map(|decision| &**decision)
    }

    /// The newest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Decision> {
        self.0.iter().rev().map(|decision| &**decision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_takes_eight_different_scenes() {
        let full = (0..8).try_fold(Chain::default(), |chain, scene| chain.with(SceneIx(scene))).expect("eight fit");
        assert_eq!(full.scenes().count(), 8);
        assert_eq!(full.with(SceneIx(8)), None);
        let two = Chain::default().with(SceneIx(1)).and_then(|chain| chain.with(SceneIx(2))).expect("different");
        assert_eq!(two.with(SceneIx(1)), None);
    }

    #[test]
    fn the_oldest_decision_makes_room() {
        let mut history = History::default();
        for second in 0..40 {
            let decision = history.blank(1, Timestamp::from_secs(second), Cause::Hand, Chain::default(), 32);
            history.push(decision);
        }
        let times: Vec<i64> = history.iter().map(|decision| decision.time.as_millis() / 1000).collect();
        assert_eq!((times.len(), times[0], times[31]), (32, 39, 8));
    }
}
