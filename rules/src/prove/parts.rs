//! The parts that all have to come true, and which of them contradict each other.

use super::conditions::{Case, Want, anything, cases, meet};
use super::wording;
use crate::plan::{Condition, Operand, Plan};

/// A condition and what it has to come to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) condition: &'a Condition,
    pub(super) want: Want,
}

/// Parts that cannot all come true.
pub(super) struct Contradiction {
    pub(super) parts: Vec<String>,
    /// Why a single one cannot.
    why: Option<String>,
}

/// Takes a condition apart as far as all of the parts have to come true.
pub(super) fn parts_of<'a>(plan: &'a Plan, condition: &'a Condition, want: Want, out: &mut Vec<Part<'a>>) {
    match (condition, want) {
        (Condition::All(parts), Want::True) | (Condition::Any(parts), Want::False) => {
            parts.iter().for_each(|part| parts_of(plan, part, want, out));
        }
        (Condition::Not(inner), want) => parts_of(plan, inner, want.opposite(), out),
        (Condition::Held(held), Want::True) => parts_of(plan, &plan.helds[held.0 as usize].inner, want, out),
        _ => out.push(Part { condition, want }),
    }
}

/// How all parts can come true at once. Empty: they cannot.
pub(super) fn together<'a>(plan: &Plan, parts: impl IntoIterator<Item = &'a Part<'a>>) -> Vec<Case> {
    let mut found = anything();
    for part in parts {
        found = meet(found, &cases(plan, part.condition, part.want));
        if found.is_empty() {
            break;
        }
    }
    found
}

/// The fewest parts that already contradict each other; `None` if all can come true.
pub(super) fn contradiction(plan: &Plan, parts: &[Part<'_>]) -> Option<Contradiction> {
    if !together(plan, parts).is_empty() {
        return None;
    }
    let mut needed: Vec<Part<'_>> = parts.to_vec();
    for at in (0..needed.len()).rev() {
        let part = needed.remove(at);
        if !together(plan, &needed).is_empty() {
            needed.insert(at, part);
        }
    }
    let why = match needed[..] {
        [Part { condition: Condition::Compare { left, right: Operand::Value(_), .. }, .. }] => {
            Some(wording::values(plan, *left))
        }
        _ => None,
    };
    let parts = needed.iter().map(|part| wording::part(plan, part.condition, part.want)).collect();
    Some(Contradiction { parts, why })
}

impl Contradiction {
    /// `` `x > 5` and `x < 3` cannot both be true ``.
    pub(super) fn text(&self) -> String {
        let parts = wording::listed(&self.parts);
        match (self.parts.len(), &self.why) {
            (1, Some(why)) => format!("{parts} is never true: {why}"),
            (0 | 1, _) => format!("{parts} is never true"),
            (2, _) => format!("{parts} cannot both be true"),
            _ => format!("{parts} cannot all be true"),
        }
    }

    pub(super) fn help(&self) -> &'static str {
        match self.parts.len() {
            0 | 1 => "compare with a value that it can have, or take it out",
            _ => "change one of them, or write `any([..])` if one of them is enough",
        }
    }
}
