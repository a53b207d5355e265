//! What whoever takes the script over should know.

use super::ImportSite;
use super::node::shown;
use super::rule::{Condition, Rule, Step, Trigger};
use super::script::ALARM_CHANNEL;
use std::collections::BTreeSet;

/// Notes in the order of the script, each once.
pub(super) fn of(rule: &Rule, site: &ImportSite<'_>) -> Vec<String> {
    let zones = zones(rule).into_iter().filter(|zone| !is_here(zone, site)).map(|zone| {
        let here = site.zone.iana_name().unwrap_or("its own");
        format!("times were meant for the zone {}, and the site goes by {here}: check them", shown(zone))
    });
    zones.chain(triggers(rule)).chain(steps(rule)).collect()
}

fn zones(rule: &Rule) -> BTreeSet<&str> {
    let timers = rule.triggers.iter().filter_map(|trigger| match trigger {
        Trigger::Timer(timer) => timer.zone.as_deref(),
        _ => None,
    });
    timers.chain(rule.conditions.iter().flat_map(ranges)).collect()
}

/// The zones of a condition.
fn ranges(condition: &Condition) -> Vec<&str> {
    match condition {
        Condition::Between { zone, .. } => zone.as_deref().into_iter().collect(),
        Condition::Compare(_) => vec![],
        Condition::All(parts) | Condition::Any(parts) => parts.iter().flat_map(ranges).collect(),
    }
}

fn is_here(zone: &str, site: &ImportSite<'_>) -> bool {
    site.zone.iana_name().is_some_and(|here| here.eq_ignore_ascii_case(zone))
}

fn triggers(rule: &Rule) -> Vec<String> {
    let has = |wanted: fn(&Trigger) -> bool| rule.triggers.iter().any(wanted);
    let mut notes = vec![];
    if rule.triggers.is_empty() {
        notes.push("nothing sets the scene off: it is run by hand, or by another scene".to_owned());
    }
    if has(|trigger| matches!(trigger, Trigger::Level(_))) {
        let why = "`level` fires with every report for which the comparison is true, as Link Edge does";
        notes.push(format!("{why}; without `level`, once when it becomes true, which is usually what is wanted"));
    }
    if has(|trigger| matches!(trigger, Trigger::Becomes(_))) {
        notes.push("the scene fires once when its condition becomes true, not again while it stays so".to_owned());
    }
    if has(|trigger| matches!(trigger, Trigger::Changed(..) | Trigger::AnyChanged(_))) {
        notes.push("`changed` fires when the value is another; Link Edge fires with every report".to_owned());
    }
    notes
}

fn steps(rule: &Rule) -> Vec<String> {
    let mut notes = vec![];
    if rule.actions.len() > 1 {
        let why = "Link Edge starts all actions at once";
        notes.push(format!("{why}; here they run in order, and one that fails ends the run"));
    }
    for action in &rule.actions {
        let note = match &action.step {
            Step::RunScene(name) => format!("it runs the scene {}, which has to be there by that name", shown(name)),
            Step::Alarm(_) => format!("an alarm has become a notice on the channel `{ALARM_CHANNEL}`: say who gets it"),
            Step::Function(what) => {
                format!("a function of Link Edge was called and has no counterpart, only a comment: {}", shown(what))
            }
            Step::Set(..) | Step::Invoke(..) => continue,
        };
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}
