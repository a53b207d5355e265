//! Spans that are too short for how often values are read.

use super::dead::clause_of;
use super::findings::{Findings, Kind};
use super::wording::span;
use crate::plan::{Condition, HeldIx, Plan, SceneIx, What};
use crate::values::Slot;
use edgeway_sdk::DeviceIx;
use edgeway_thing_models::PropertyIx;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

/// How often properties are read.
pub(crate) type Periods = HashMap<(DeviceIx, PropertyIx), Duration>;

/// What a scene waits for, with the shortest spans.
#[derive(Default)]
struct Spans {
    helds: BTreeSet<HeldIx>,
    fresh: BTreeMap<Slot, Duration>,
}

/// Says which spans of a scene are shorter than the time between two values.
pub(super) fn periods(plan: &Plan, periods: &Periods, ix: SceneIx, findings: &mut Findings<'_>) {
    if periods.is_empty() {
        return;
    }
    let spans = spans(plan, ix);
    for held in &spans.helds {
        held_too_short(plan, periods, ix, *held, findings);
    }
    for (slot, within) in &spans.fresh {
        if let Some(period) = periods.get(&plan.slots.place(*slot)) {
            fresh_too_short(plan, ix, *slot, (*within, *period), findings);
        }
    }
}

fn spans(plan: &Plan, ix: SceneIx) -> Spans {
    let scene = plan.scene(ix);
    let mut spans = Spans::default();
    for at in scene.triggers.clone() {
        if let What::Edge(condition) | What::Level(condition) = &plan.triggers[at as usize].what {
            collect(plan, condition, &mut spans);
        }
    }
    scene.conditions.iter().for_each(|clause| collect(plan, &clause.condition, &mut spans));
    for step in scene.then.steps.iter().chain(&scene.otherwise.steps) {
        if let Some(clause) = clause_of(plan, &step.doing) {
            collect(plan, &clause.condition, &mut spans);
        }
    }
    spans
}

fn collect(plan: &Plan, condition: &Condition, spans: &mut Spans) {
    match condition {
        Condition::Fresh { slot, within } => {
            let known = spans.fresh.entry(*slot).or_insert(*within);
            *known = (*known).min(*within);
        }
        Condition::Held(held) => {
            spans.helds.insert(*held);
            collect(plan, &plan.helds[held.0 as usize].inner, spans);
        }
        Condition::All(parts) | Condition::Any(parts) => parts.iter().for_each(|part| collect(plan, part, spans)),
        Condition::Not(inner) | Condition::OrUnknown(inner) => collect(plan, inner, spans),
        _ => {}
    }
}

fn held_too_short(plan: &Plan, periods: &Periods, ix: SceneIx, held: HeldIx, findings: &mut Findings<'_>) {
    let held = &plan.helds[held.0 as usize];
    let mut slowest: Option<(Duration, Slot)> = None;
    compared(&held.inner, &mut |slot| {
        let period = periods.get(&plan.slots.place(slot)).map(|period| (*period, slot));
        slowest = slowest.max(period);
    });
    let Some((period, slot)) = slowest.filter(|(period, _)| held.dwell < *period) else { return };
    let message = format!(
        "in scene `{}` one value decides whether `{}`: {} is read every {}",
        plan.scene(ix).name,
        held.text,
        plan.slot_name(slot),
        span(period),
    );
    findings.warn(ix, Kind::Held, message, "hold it for longer than two polls, or poll more often");
}

/// Visits what a condition compares by itself; what is held inside has its own span.
fn compared(condition: &Condition, visit: &mut impl FnMut(Slot)) {
    match condition {
        Condition::Compare { .. } => condition.each_leaf(&mut |leaf| {
            if let crate::plan::Leaf::Slot(slot) = leaf {
                visit(slot);
            }
        }),
        Condition::All(parts) | Condition::Any(parts) => parts.iter().for_each(|part| compared(part, visit)),
        Condition::Not(inner) | Condition::OrUnknown(inner) => compared(inner, visit),
        _ => {}
    }
}

fn fresh_too_short(
    plan: &Plan,
    ix: SceneIx,
    slot: Slot,
    (within, period): (Duration, Duration),
    findings: &mut Findings<'_>,
) {
    let consequence = match () {
        () if within < period => "it is too old before the next poll comes",
        () if within < period.saturating_mul(2) => "one late poll is enough to make it too old",
        () => return,
    };
    let message = format!(
        "in scene `{}` `{}` has to be newer than {}, and is read every {}: {consequence}",
        plan.scene(ix).name,
        plan.slot_name(slot),
        span(within),
        span(period),
    );
    findings.warn(ix, Kind::Fresh, message, "allow two polls at least, or poll more often");
}
