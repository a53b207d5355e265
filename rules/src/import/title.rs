//! A title from what the rule says: the JSON has none.

use super::node::cut;
use super::rule::{Comparison, Condition, Rule, Step, Trigger, Who};
use crate::plan::Op;
use edgeway_sdk::Value;
use edgeway_thing_models::{DataType, Property, Things};

/// With more the title would be the script again.
const CAUSES_MAX: usize = 3;
const EFFECTS_MAX: usize = 2;

/// `Wind speed over 25 m/s: Power limit 1500 kW`.
pub(super) fn of(rule: &Rule, things: &Things) -> String {
    let mut effects: Vec<String> = vec![];
    for found in rule.actions.iter().map(|action| effect(&action.step, things)) {
        if !effects.contains(&found) {
            effects.push(found);
        }
    }
    let more = effects.len().saturating_sub(EFFECTS_MAX);
    let effects = effects[..effects.len() - more].join(", ");
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}: {effects}{more}", cause(rule, things))
}

/// What sets it off.
pub(super) fn cause(rule: &Rule, things: &Things) -> String {
    let mut causes: Vec<String> = rule.triggers.iter().take(CAUSES_MAX).map(|one| trigger(one, things)).collect();
    let others = rule.triggers.len() - causes.len();
    if others > 0 {
        causes.pop();
        causes.push(format!("one of {} others", others + 1));
    }
    match &causes[..] {
        [] => "By hand".to_owned(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{}, or {last}", rest.join(", ")),
    }
}

fn trigger(trigger: &Trigger, things: &Things) -> String {
    match trigger {
        Trigger::Timer(timer) => clock(&timer.cron),
        Trigger::Level(condition) | Trigger::Becomes(condition) => state(condition, things),
        Trigger::Changed(who, property) => {
            format!("{} changes", cut(&who.model(things).properties[usize::from(property.0)].name))
        }
        Trigger::AnyChanged(who) => format!("Anything of {} changes", subject(*who, things)),
        Trigger::Event(who, event) => cut(&who.model(things).events[usize::from(event.0)].name),
        Trigger::Online(who) => format!("{} is back", subject(*who, things)),
        Trigger::Offline(who) => format!("{} is lost", subject(*who, things)),
    }
}

fn subject(who: Who, things: &Things) -> String {
    match who {
        Who::Device(device) => cut(&things.device(device).id),
        Who::Each(model) => format!("a {}", cut(&things.model(model).name)),
    }
}

/// A fixed time of the day, or that it goes by the clock.
fn clock(cron: &str) -> String {
    let fields: Vec<&str> = cron.split(' ').collect();
    let [minute, hour, days @ ..] = &fields[..] else { return String::new() };
    let days = if days.iter().all(|field| *field == "*") { "" } else { " on certain days" };
    match (minute.parse::<u8>(), hour.parse::<u8>()) {
        (Ok(minute), Ok(hour)) => format!("{hour:02}:{minute:02}{days}"),
        _ => "By the clock".to_owned(),
    }
}

fn state(condition: &Condition, things: &Things) -> String {
    match condition {
        Condition::Compare(comparison) => compared(comparison, things),
        Condition::Between { from, to, .. } => format!("{from} to {to}"),
        Condition::All(parts) => joined(parts, " and ", things),
        Condition::Any(parts) => joined(parts, " or ", things),
    }
}

fn joined(parts: &[Condition], word: &str, things: &Things) -> String {
    match parts {
        [one, two] => format!("{}{word}{}", state(one, things), state(two, things)),
        [one, rest @ ..] => format!("{}{word}{} more", state(one, things), rest.len()),
        [] => String::new(),
    }
}

fn compared(comparison: &Comparison, things: &Things) -> String {
    let property = &comparison.who.model(things).properties[usize::from(comparison.property.0)];
    let word = match comparison.op {
        Op::Equal => "",
        Op::NotEqual => "not ",
        Op::Greater => "over ",
        Op::GreaterOrEqual => "at least ",
        Op::Less => "under ",
        Op::LessOrEqual => "at most ",
    };
    format!("{} {word}{}", cut(&property.name), value(property, &comparison.value))
}

fn effect(step: &Step, things: &Things) -> String {
    match step {
        Step::Set(device, property, set) => {
            let property = things.property(*device, *property);
            format!("{} {}", cut(&property.name), value(property, set))
        }
        Step::Invoke(device, service, _) => cut(&things.model_of(*device).services[usize::from(service.0)].name),
        Step::RunScene(name) => cut(name),
        Step::Alarm(_) => "alarm".to_owned(),
        Step::Function(_) => "function".to_owned(),
    }
}

/// In the model's words, with its unit.
fn value(property: &Property, value: &Value) -> String {
    let text = match (&property.data_type, value) {
        (DataType::Bool { off, on }, Value::Bool(state)) => if *state { on } else { off }.clone(),
        (DataType::Enum(labels), Value::Int(number)) => labels.get(number).cloned().unwrap_or_default(),
        (_, Value::Array(_) | Value::Struct(_)) => "set".to_owned(),
        (_, Value::Text(text)) => format!("\"{text}\""),
        (_, other) => other.to_string(),
    };
    let unit = property.data_type.unit().map_or_else(String::new, |unit| format!(" {unit}"));
    format!("{}{unit}", cut(&text))
}
