//! What the script calls devices.

use super::literal;
use super::rule::{Condition, Rule, Step, Who};
use edgeway_sdk::DeviceIx;
use edgeway_thing_models::{ModelIx, Things};
use std::collections::{HashMap, HashSet};

/// A device that is named so often gets a variable.
const USES_MIN: usize = 3;
/// Far below what a script may have.
const VARIABLES_MAX: usize = 64;

/// Words that cannot be variables, or that this script uses for something else.
const TAKEN: [&str; 58] = [
    "as",
    "async",
    "await",
    "break",
    "call",
    "case",
    "catch",
    "const",
    "continue",
    "curry",
    "debug",
    "default",
    "do",
    "else",
    "eval",
    "exit",
    "export",
    "false",
    "fn",
    "for",
    "global",
    "go",
    "goto",
    "if",
    "import",
    "in",
    "is",
    "let",
    "loop",
    "match",
    "module",
    "new",
    "nil",
    "null",
    "package",
    "print",
    "private",
    "property",
    "protected",
    "public",
    "return",
    "rule",
    "scene",
    "shared",
    "spawn",
    "static",
    "super",
    "switch",
    "sync",
    "this",
    "thread",
    "throw",
    "true",
    "try",
    "use",
    "var",
    "void",
    "with",
];

/// The variables of a script.
#[derive(Debug)]
pub(super) struct Names<'a> {
    things: &'a Things,
    /// In the order of their first use.
    pub(super) variables: Vec<(DeviceIx, String)>,
}

impl<'a> Names<'a> {
    pub(super) fn new(rule: &Rule, things: &'a Things) -> Self {
        let devices = often(uses(rule));
        let models: Vec<ModelIx> =
            devices.iter().map(|device| things.device(*device).model).chain(loops(rule)).collect();
        let mut taken: HashSet<String> = HashSet::new();
        let mut variables = vec![];
        for device in devices {
            let found = things.device(device);
            // The only turbine is `turbine`, as in a loop; of two each goes by its id.
            let alone = models.iter().filter(|model| **model == found.model).count() == 1;
            let name = if alone { kind(&things.model(found.model).name) } else { variable(&found.id) };
            variables.extend(name.filter(|name| taken.insert(name.clone())).map(|name| (device, name)));
        }
        Names { things, variables }
    }

    /// Whoever it is, as the script writes it: an id, a variable, or the variable of a loop.
    pub(super) fn who(&self, who: Who) -> String {
        let device = match who {
            Who::Each(model) => return self.each(&self.things.model(model).name),
            Who::Device(device) => device,
        };
        match self.variables.iter().find(|(known, _)| *known == device) {
            Some((_, name)) => name.clone(),
            None => literal::text(&self.things.device(device).id),
        }
    }

    /// The variable of a loop over the devices of a model.
    fn each(&self, model: &str) -> String {
        let free = |name: &String| self.variables.iter().all(|(_, taken)| taken != name);
        kind(model).filter(free).unwrap_or_else(|| "each".to_owned())
    }
}

/// Devices that are named often, in the order of their first use.
fn often(uses: Vec<DeviceIx>) -> Vec<DeviceIx> {
    let mut counts: HashMap<DeviceIx, usize> = HashMap::new();
    uses.iter().for_each(|device| *counts.entry(*device).or_default() += 1);
    let first_uses = uses.into_iter().filter(|device| counts.remove(device).is_some_and(|count| count >= USES_MIN));
    // The counts go as they are used, so that each device comes once.
    first_uses.take(VARIABLES_MAX).collect()
}

fn loops(rule: &Rule) -> impl Iterator<Item = ModelIx> {
    rule.triggers.iter().filter_map(|trigger| match trigger.who()? {
        Who::Each(model) => Some(model),
        Who::Device(_) => None,
    })
}

/// What a device of a model is: a `wind-turbine` is a `turbine`.
fn kind(model: &str) -> Option<String> {
    model.rsplit('-').next().and_then(variable)
}

/// An id as a variable: `room_301` for `room-301`.
fn variable(id: &str) -> Option<String> {
    let name = id.to_ascii_lowercase().replace(['-', '.', ':', ' '], "_");
    let fits = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.len() <= 32
        && is_free(&name);
    fits.then_some(name)
}

/// Whether the language or this script has no other use for a word.
pub(super) fn is_free(word: &str) -> bool {
    !TAKEN.contains(&word)
}

/// All devices in the order of the script, each as often as it is named.
fn uses(rule: &Rule) -> Vec<DeviceIx> {
    let mut uses = vec![];
    let mut add = |who: Who| {
        if let Who::Device(device) = who {
            uses.push(device);
        }
    };
    for trigger in &rule.triggers {
        match trigger.condition() {
            Some(condition) => compared(condition, &mut add),
            None => trigger.who().into_iter().for_each(&mut add),
        }
    }
    rule.conditions.iter().for_each(|condition| compared(condition, &mut add));
    for action in &rule.actions {
        if let Step::Set(device, ..) | Step::Invoke(device, ..) = &action.step {
            add(Who::Device(*device));
        }
    }
    uses
}

fn compared(condition: &Condition, add: &mut impl FnMut(Who)) {
    condition.each(&mut |part| {
        if let Condition::Compare(comparison) = part {
            add(comparison.who);
        }
    });
}
