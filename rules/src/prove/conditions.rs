//! When a condition can be true, as far as that can be known without looking: for each way to get there, what has to be.
//!
//! What comes out errs on one side only: a case may be impossible, but none is missing. Scripts, the sun and comparisons
//! of two properties can come to anything.

use super::domain::Set;
use crate::plan::{Condition, Moment, Op, Operand, Plan};
use crate::values::Slot;
use edgeway_sdk::{DeviceIx, Value};
use jiff::civil::Time;
use std::time::Duration;

/// The most cases that are looked at; with more, a condition can come to anything.
const CASES_MAX: usize = 64;

/// What a condition is wanted to come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    True,
    False,
    /// False or unknown.
    NotTrue,
    /// True or unknown.
    NotFalse,
}

/// Something that conditions ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Of {
    Value(Slot),
    /// What is known of a property, see [`GOOD`].
    State(Slot),
    /// How far the value's time is from now, in seconds.
    Age(Slot),
    /// See [`ONLINE`].
    Device(DeviceIx),
    /// Seconds since midnight.
    Time,
    /// A bit for each day of the week.
    Day,
}

/// One way to get there: what each thing has to be. What is not named can be anything.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Case(Vec<(Of, Set)>);

const UNSEEN: u8 = 1;
const GOOD: u8 = 2;
const STALE: u8 = 4;
/// Neither good nor stale.
const WORSE: u8 = 8;

const OFFLINE: u8 = 1;
const ONLINE: u8 = 2;
/// Nothing has been heard of the device.
const SILENT: u8 = 4;

const ALL_DAYS: u8 = 0x7f;
const DAY_SECS: f64 = 86_400.0;

impl Want {
    /// What the inner condition of a `not` has to come to.
    pub(super) fn opposite(self) -> Want {
        match self {
            Want::True => Want::False,
            Want::False => Want::True,
            Want::NotTrue => Want::NotFalse,
            Want::NotFalse => Want::NotTrue,
        }
    }

    fn allows_unknown(self) -> bool {
        matches!(self, Want::NotTrue | Want::NotFalse)
    }

    fn wants_true(self) -> bool {
        matches!(self, Want::True | Want::NotFalse)
    }
}

impl Case {
    pub(super) fn of(of: Of, set: Set) -> Case {
        Case(vec![(of, set)])
    }

    /// A property whose value is good.
    pub(super) fn good(slot: Slot) -> Case {
        Case::of(Of::State(slot), Set::Bits(GOOD))
    }

    /// A property with this good value.
    pub(super) fn valued(slot: Slot, set: Set) -> Case {
        Case(vec![(Of::Value(slot), set), (Of::State(slot), Set::Bits(GOOD))])
    }

    pub(super) fn get(&self, of: Of) -> Option<&Set> {
        self.0.iter().find(|(known, _)| *known == of).map(|(_, set)| set)
    }

    pub(super) fn without(&self, of: Of) -> Case {
        Case(self.0.iter().filter(|(known, _)| *known != of).cloned().collect())
    }

    /// Both at once; `None` if that cannot be.
    pub(super) fn meet(&self, other: &Case) -> Option<Case> {
        let mut met = self.0.clone();
        for (of, set) in &other.0 {
            match met.iter_mut().find(|(known, _)| known == of) {
                Some((_, known)) => *known = known.meet(set),
                None => met.push((*of, set.clone())),
            }
        }
        met.iter().all(|(_, set)| !set.is_empty()).then_some(Case(met))
    }

    fn is_possible(&self) -> bool {
        self.0.iter().all(|(_, set)| !set.is_empty())
    }
}

/// How a condition can come to what is wanted. Empty: it cannot.
pub(super) fn cases(plan: &Plan, condition: &Condition, want: Want) -> Vec<Case> {
    match condition {
        Condition::Compare { left, op, right: Operand::Value(value) } => comparison(plan, *left, *op, value, want),
        Condition::Compare { left, op, right: Operand::Property(right) } => two(*left, *op, *right, want),
        Condition::Fresh { slot, within } => fresh(*slot, *within, want),
        Condition::Stale(slot) => state(*slot, (STALE, GOOD | WORSE), want),
        Condition::Between { from: Moment::Clock(from), to: Moment::Clock(to) } => between(*from, *to, want),
        Condition::Between { .. } | Condition::Check(_) => anything(),
        Condition::Days(days) => {
            let days = if want.wants_true() { *days } else { !days & ALL_DAYS };
            possible([Case::of(Of::Day, Set::Bits(days))])
        }
        Condition::Online(device) => online(*device, want),
        Condition::Held(held) => match want {
            Want::True | Want::NotFalse => cases(plan, &plan.helds[held.0 as usize].inner, want),
            // It may not have held long enough.
            Want::False | Want::NotTrue => anything(),
        },
        Condition::All(parts) if want.wants_true() => all(plan, parts, want),
        Condition::Any(parts) if !want.wants_true() => all(plan, parts, want),
        Condition::All(parts) | Condition::Any(parts) => any(plan, parts, want),
        Condition::Not(inner) => cases(plan, inner, want.opposite()),
        Condition::OrUnknown(inner) => match want {
            Want::True | Want::NotFalse => cases(plan, inner, Want::NotFalse),
            Want::False | Want::NotTrue => cases(plan, inner, Want::False),
        },
    }
}

/// How all of these can be at once. Empty: they cannot.
pub(super) fn meet(left: Vec<Case>, right: &[Case]) -> Vec<Case> {
    if left.len() * right.len() > CASES_MAX {
        // Leaving one side out makes more possible, never less.
        return left;
    }
    left.iter().flat_map(|left| right.iter().filter_map(|right| left.meet(right))).collect()
}

pub(super) fn anything() -> Vec<Case> {
    vec![Case::default()]
}

fn all(plan: &Plan, parts: &[Condition], want: Want) -> Vec<Case> {
    parts.iter().fold(anything(), |met, part| if met.is_empty() { met } else { meet(met, &cases(plan, part, want)) })
}

fn any(plan: &Plan, parts: &[Condition], want: Want) -> Vec<Case> {
    let mut found = vec![];
    for part in parts {
        found.extend(cases(plan, part, want));
        if found.len() > CASES_MAX {
            return anything();
        }
    }
    found
}

fn possible<const N: usize>(cases: [Case; N]) -> Vec<Case> {
    cases.into_iter().filter(Case::is_possible).collect()
}

fn comparison(plan: &Plan, slot: Slot, op: Op, value: &Value, want: Want) -> Vec<Case> {
    let op = if want.wants_true() { op } else { op.opposite() };
    let Some(set) = Set::compared(plan.data_type(slot), op, value) else { return anything() };
    let known = Case::valued(slot, set);
    match want.allows_unknown() {
        true => possible([known, not_good(slot)]),
        false => possible([known]),
    }
}

fn two(left: Slot, op: Op, right: Slot, want: Want) -> Vec<Case> {
    let op = if want.wants_true() { op } else { op.opposite() };
    let known = match left == right {
        // Nothing is greater than itself.
        true if matches!(op, Op::NotEqual | Op::Greater | Op::Less) => vec![],
        _ => Case::good(left).meet(&Case::good(right)).into_iter().collect(),
    };
    match want.allows_unknown() {
        true => known.into_iter().chain([not_good(left), not_good(right)]).collect(),
        false => known,
    }
}

fn not_good(slot: Slot) -> Case {
    Case::of(Of::State(slot), Set::Bits(UNSEEN | STALE | WORSE))
}

/// A state of a property that is known to be so, or known to be otherwise, once something was seen of it.
fn state(slot: Slot, (so, otherwise): (u8, u8), want: Want) -> Vec<Case> {
    let bits = if want.wants_true() { so } else { otherwise };
    let bits = if want.allows_unknown() { bits | UNSEEN } else { bits };
    vec![Case::of(Of::State(slot), Set::Bits(bits))]
}

fn fresh(slot: Slot, within: Duration, want: Want) -> Vec<Case> {
    let within = within.as_secs_f64();
    let good = |age: Set| Case(vec![(Of::State(slot), Set::Bits(GOOD)), (Of::Age(slot), age)]);
    let unseen = Case::of(Of::State(slot), Set::Bits(UNSEEN));
    let bad = Case::of(Of::State(slot), Set::Bits(STALE | WORSE));
    match want {
        Want::True => vec![good(Set::up_to(within))],
        Want::NotFalse => vec![good(Set::up_to(within)), unseen],
        Want::False => vec![good(Set::above(within)), bad],
        Want::NotTrue => vec![good(Set::above(within)), bad, unseen],
    }
}

fn between(from: Time, to: Time, want: Want) -> Vec<Case> {
    // What is not between two times is between them the other way round.
    let (from, to) = if want.wants_true() { (from, to) } else { (to, from) };
    let (from, to) = (secs(from), secs(to));
    let time = |from, to| Case::of(Of::Time, Set::from_to(from, to));
    match from <= to {
        true => vec![time(from, to)],
        false if to > 0.0 => vec![time(from, DAY_SECS), time(0.0, to)],
        false => vec![time(from, DAY_SECS)],
    }
}

fn secs(time: Time) -> f64 {
    f64::from(i32::from(time.hour()) * 3600 + i32::from(time.minute()) * 60 + i32::from(time.second()))
}

fn online(device: DeviceIx, want: Want) -> Vec<Case> {
    let bits = if want.wants_true() { ONLINE } else { OFFLINE };
    let bits = if want.allows_unknown() { bits | SILENT } else { bits };
    vec![Case::of(Of::Device(device), Set::Bits(bits))]
}
