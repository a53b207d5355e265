//! A run as data: where each of its strands stands, and what it waits for.

use super::acts::Awaited;
use super::decisions::SetOff;
use crate::clock::Steady;
use crate::facts::Facts;
use crate::history::{Cause, Chain};
use crate::plan::{Block, Deed, Doing, Program, SceneIx, Step, WaitIx};
use edgeway_sdk::{DeviceIx, Timestamp};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// A run, never used twice, also not after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct RunId(pub(super) u64);

/// A strand of a run.
pub(super) type StrandIx = u16;

/// What `mode` and `cooldown` count for: a device, or nothing in particular.
pub(super) type Key = Option<DeviceIx>;

/// A scene that is doing its steps.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) id: RunId,
    pub(super) scene: SceneIx,
    pub(super) key: Key,
    pub(super) block: Block,
    pub(super) program: Arc<Program>,
    pub(super) strands: Vec<Strand>,
    /// The scenes that led here, and this one.
    pub(super) chain: Chain,
    pub(super) cause: Cause,
    pub(super) facts: Option<Arc<Facts>>,
    /// The decision that it belongs to.
    pub(super) decision: u64,
    pub(super) began: Timestamp,
    pub(super) shadow: bool,
    /// Whether it has been told of as something to remember.
    pub(super) kept: bool,
}

/// One line of steps; the first is the run's own, the others are branches of `parallel`.
#[derive(Debug, Default)]
pub(super) struct Strand {
    /// The next step.
    pub(super) at: u32,
    pub(super) parent: Option<StrandIx>,
    pub(super) state: State,
    /// How often each block that repeats is still to be done, the innermost last.
    pub(super) loops: Vec<u32>,
    /// What a `run` step emitted; it comes before the next of the steps.
    pub(super) emitted: VecDeque<Step>,
    /// What undoes what has been done, in a transaction.
    pub(super) undo: Option<Vec<Deed>>,
    /// A step to try again.
    pub(super) again: Option<(Step, u32)>,
    /// What undoes that step: what was before it was first tried.
    pub(super) undo_again: Vec<Deed>,
    /// Why one of its branches failed.
    pub(super) failed: Option<Failure>,
}

/// What a strand waits for.
#[derive(Debug, Default)]
pub(super) enum State {
    #[default]
    Ready,
    Delay {
        until: Steady,
    },
    WaitFor {
        wait: WaitIx,
        until: Steady,
        may_fail: bool,
    },
    Answer(Box<Awaited>),
    Branches {
        left: u16,
    },
    Over,
}

/// Which step could not be done, and why.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) step: Arc<str>,
    pub(super) error: String,
}

/// A run that waits for another one to end.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) block: Block,
    pub(super) set_off: SetOff,
    pub(super) key: Key,
    pub(super) decision: u64,
}

impl Queued {
    /// The same for a scene of another plan, with the same steps.
    pub(super) fn moved_to(mut self, scene: SceneIx) -> Self {
        let chain = Chain::default();
        self.set_off.chain = chain.with(scene).unwrap_or(chain);
        self.set_off.cause = Cause::Before;
        self
    }
}

/// All runs that are under way.
#[derive(Debug, Default)]
pub(super) struct Runs {
    by_id: HashMap<RunId, Run>,
    next: u64,
}

impl Runs {
    /// Begins to count: what the clock says goes into the ids, so that they do not come again.
    pub(super) fn count_from(&mut self, now: Timestamp) {
        self.next = self.next.max(u64::try_from(now.as_millis()).unwrap_or_default() << 20);
    }

    pub(super) fn next_id(&mut self) -> RunId {
        self.next += 1;
        RunId(self.next)
    }

    pub(super) fn get(&self, id: RunId) -> Option<&Run> {
        self.by_id.get(&id)
    }

    pub(super) fn take(&mut self, id: RunId) -> Option<Run> {
        self.by_id.remove(&id)
    }

    pub(super) fn keep(&mut self, run: Run) {
        self.by_id.insert(run.id, run);
    }

    pub(super) fn take_all(&mut self) -> Vec<Run> {
        std::mem::take(&mut self.by_id).into_values().collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Run> {
        self.by_id.values()
    }
}

impl Run {
    pub(super) fn ready(&self) -> Option<StrandIx> {
        self.strands.iter().position(|strand| matches!(strand.state, State::Ready)).map(|at| at as StrandIx)
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.strands[0].state, State::Over)
    }

    /// Makes it one of another plan, in which its scene has the same steps: what is a number of the plan is looked up anew.
    pub(super) fn move_to(&mut self, scene: SceneIx, program: Arc<Program>, chain: Chain, decision: u64, shadow: bool) {
        for strand in &mut self.strands {
            if let State::WaitFor { wait, .. } = &mut strand.state
                && let Some(Step { doing: Doing::WaitFor { wait: same, .. }, .. }) =
                    program.steps.get(strand.at.saturating_sub(1) as usize)
            {
                *wait = *same;
            }
        }
        (self.scene, self.program, self.chain, self.decision) = (scene, program, chain, decision);
        (self.cause, self.shadow) = (Cause::Before, shadow);
    }

    /// Whether steps that a script has emitted name other scenes, by numbers of this plan.
    pub(super) fn has_emitted(&self) -> bool {
        self.strands.iter().any(|strand| !strand.emitted.is_empty())
    }

    pub(super) fn strand(&mut self, at: StrandIx) -> &mut Strand {
        &mut self.strands[usize::from(at)]
    }
}

impl Strand {
    /// The step to do now, how often it has been tried, and where it stands, if in the program.
    pub(super) fn take_step(&mut self, program: &Program) -> Option<(Step, u32, Option<u32>)> {
        if let Some((step, tries)) = self.again.take() {
            return Some((step, tries, None));
        }
        if let Some(step) = self.emitted.pop_front() {
            return Some((step, 0, None));
        }
        let at = self.at;
        let step = program.steps.get(at as usize)?.clone();
        self.at += 1;
        Some((step, 0, Some(at)))
    }
}
