//! Conditions and sets in words.

use super::conditions::Want;
use crate::plan::{Condition, Moment, Operand, Plan, show};
use crate::values::Slot;
use edgeway_thing_models::DataType;
use std::time::Duration;

/// A part of a condition that has to come to something, as scripts' texts say it: `wt-01.state == production`.
pub(super) fn part(plan: &Plan, condition: &Condition, want: Want) -> String {
    match want {
        Want::True | Want::NotFalse => text(plan, condition),
        Want::False | Want::NotTrue => format!("not {}", text(plan, condition)),
    }
}

fn text(plan: &Plan, condition: &Condition) -> String {
    let list = |parts: &[Condition], word: &str| {
        format!("({})", parts.iter().map(|part| text(plan, part)).collect::<Vec<_>>().join(word))
    };
    match condition {
        Condition::Compare { left, op, right } => {
            let right = match right {
                Operand::Value(value) => show(plan.data_type(*left), value),
                Operand::Property(slot) => plan.slot_name(*slot),
            };
            format!("{} {} {right}", plan.slot_name(*left), op.symbol())
        }
        Condition::Fresh { slot, within } => format!("{} is newer than {}", plan.slot_name(*slot), span(*within)),
        Condition::Stale(slot) => format!("{} is stale", plan.slot_name(*slot)),
        Condition::Between { from, to } => between(*from, *to),
        Condition::Days(days) => format!("on {}", day_names(*days)),
        Condition::Online(device) => format!("{} is online", plan.things.device(*device).id),
        Condition::Held(held) => plan.helds[held.0 as usize].text.to_string(),
        Condition::Check(_) => "a check".to_owned(),
        Condition::All(parts) => list(parts, " and "),
        Condition::Any(parts) => list(parts, " or "),
        Condition::Not(inner) => format!("not {}", text(plan, inner)),
        Condition::OrUnknown(inner) => format!("({} or unknown)", text(plan, inner)),
    }
}

fn between(from: Moment, to: Moment) -> String {
    format!("time between {from} and {to}")
}

fn day_names(days: u8) -> String {
    const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let named = NAMES.iter().enumerate().filter(|(day, _)| days & (1 << day) != 0);
    named.map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
}

/// `10m`, as scripts write it.
pub(super) fn span(duration: Duration) -> String {
    jiff::SignedDuration::try_from(duration)
        .map_or_else(|_| format!("{duration:?}"), |duration| format!("{duration:#}"))
}

/// What values a property can have: `its values go from 0 m/s to 60 m/s`.
pub(super) fn values(plan: &Plan, slot: Slot) -> String {
    let data_type = plan.data_type(slot);
    let shown = |value: f64| show(data_type, &edgeway_sdk::Value::Float(value));
    match (data_type, data_type.range().map(|range| (range.min, range.max))) {
        (_, Some((Some(min), Some(max)))) => format!("its values go from {} to {}", shown(min), shown(max)),
        (_, Some((Some(min), None))) => format!("its values begin at {}", shown(min)),
        (_, Some((None, Some(max)))) => format!("its values end at {}", shown(max)),
        (DataType::Enum(labels), _) if labels.len() == 1 => "it has no other value".to_owned(),
        _ => "it can have no such value".to_owned(),
    }
}

/// `a`, `a and b`, `a, b and c`, each in backticks.
pub(super) fn listed(parts: &[String]) -> String {
    let quoted: Vec<String> = parts.iter().map(|part| format!("`{part}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}
