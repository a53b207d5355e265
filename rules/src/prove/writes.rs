//! What a list of steps sets, and when.

use super::conditions::Want;
use crate::plan::{Clause, Computed, Deed, Doing, Plan, Program, Step};
use crate::values::Slot;
use edgeway_sdk::Value;
use std::ops::Range;

/// A property that is set.
#[derive(Debug)]
pub(super) struct Write<'a> {
    pub(super) slot: Slot,
    /// `None`: a script says it.
    pub(super) value: Option<&'a Value>,
    pub(super) deed: &'a Deed,
    /// Its place in the program.
    pub(super) step: usize,
    /// The branches that it stands in.
    pub(super) under: Vec<(&'a Clause, Want)>,
    /// How many steps before it took time.
    pub(super) breath: u32,
    /// Whether it is done only when something has failed.
    pub(super) undoes: bool,
}

impl Write<'_> {
    /// Whether a run that comes this far has done it.
    pub(super) fn is_sure(&self) -> bool {
        self.under.is_empty() && !self.undoes
    }
}

/// All that a list of steps sets, in its order. What a transaction sets back by itself is left out.
pub(super) fn writes<'a>(plan: &Plan, program: &'a Program) -> Vec<Write<'a>> {
    let mut found = vec![];
    let mut branches: Vec<Branch<'_>> = vec![];
    let mut breath = 0;
    for (at, step) in program.steps.iter().enumerate() {
        match &step.doing {
            Doing::If { condition, otherwise } => branches.extend(both(program, at, condition, *otherwise)),
            Doing::Act(act) => {
                let here = branches.iter().filter(|branch| branch.steps.contains(&at));
                let under: Vec<_> = here.map(|branch| (branch.clause, branch.want)).collect();
                let undo = act.how.undo.iter().flatten().map(|deed| (deed, true));
                for (deed, undoes) in std::iter::once((&act.deed, false)).chain(undo) {
                    let set = set_by(plan, deed).map(|(slot, value)| (slot, value, under.clone()));
                    found.extend(set.map(|(slot, value, under)| Write {
                        slot,
                        value,
                        deed,
                        step: at,
                        under,
                        breath,
                        undoes,
                    }));
                }
            }
            _ => {}
        }
        breath += u32::from(step.doing.takes_time());
    }
    found
}

/// Steps that are done only if a condition came to something.
struct Branch<'a> {
    steps: Range<usize>,
    clause: &'a Clause,
    want: Want,
}

/// The two branches of an `if_true`.
fn both<'a>(program: &'a Program, at: usize, clause: &'a Clause, otherwise: u32) -> [Branch<'a>; 2] {
    let middle = otherwise as usize;
    let end = jump_over(&program.steps, at, otherwise).map_or(middle, |end| end as usize);
    [
        Branch { steps: at + 1..middle, clause, want: Want::True },
        Branch { steps: middle..end, clause, want: Want::NotTrue },
    ]
}

/// The end of a branch's `otherwise`, if it has one: then its first part ends with a jump to there.
pub(super) fn jump_over(steps: &[Step], at: usize, otherwise: u32) -> Option<u32> {
    let last = (otherwise as usize).checked_sub(1).filter(|last| *last > at)?;
    match steps.get(last)?.doing {
        Doing::Jump(end) if end > otherwise => Some(end),
        _ => None,
    }
}

/// What a deed sets, and to what if that is known.
fn set_by<'a>(plan: &Plan, deed: &'a Deed) -> Option<(Slot, Option<&'a Value>)> {
    let Deed::Set { device, property, value } = deed else { return None };
    let value = match value {
        Computed::Fixed(value) => Some(value),
        Computed::Script(_) => None,
    };
    Some((plan.slots.of(*device, *property), value))
}
