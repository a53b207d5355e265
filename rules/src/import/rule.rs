//! A Link Edge scene, proved against the models: what is between its JSON and the script.

use super::node::Node;
use super::{ImportSite, actions, ca, conditions, triggers};
use crate::plan::Op;
use edgeway_sdk::{DeviceIx, Problem, Value};
use edgeway_thing_models::{EventIx, Model, ModelIx, NamedValues, PropertyIx, ServiceIx, Things};

/// Of all triggers and conditions, each choice of an `in` counted.
const COMPARISONS_MAX: usize = 512;

#[derive(Debug)]
pub(super) struct Rule {
    /// Any of them. None: the scene is run by hand.
    pub(super) triggers: Vec<Trigger>,
    /// All of them.
    pub(super) conditions: Vec<Condition>,
    pub(super) actions: Vec<Action>,
}

#[derive(Debug)]
pub(super) enum Trigger {
    Timer(Timer),
    /// With every report.
    Level(Condition),
    /// When it becomes true.
    Becomes(Condition),
    Changed(Who, PropertyIx),
    AnyChanged(Who),
    Event(Who, EventIx),
    Online(Who),
    Offline(Who),
}

/// Five fields, and the zone that they were meant for.
#[derive(Debug)]
pub(super) struct Timer {
    pub(super) cron: String,
    pub(super) zone: Option<String>,
}

#[derive(Debug)]
pub(super) enum Condition {
    Compare(Comparison),
    /// `days` as `on_days` takes them; `None` for all.
    Between {
        from: String,
        to: String,
        days: Option<String>,
        zone: Option<String>,
    },
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

#[derive(Debug)]
pub(super) struct Comparison {
    pub(super) who: Who,
    pub(super) property: PropertyIx,
    pub(super) op: Op,
    pub(super) value: Value,
}

/// One device, or each of a model: Link Edge's product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Device(DeviceIx),
    Each(ModelIx),
}

#[derive(Debug)]
pub(super) struct Action {
    /// Counted from the firing.
    pub(super) after_secs: u64,
    pub(super) step: Step,
}

#[derive(Debug)]
pub(super) enum Step {
    Set(DeviceIx, PropertyIx, Value),
    Invoke(DeviceIx, ServiceIx, NamedValues),
    RunScene(String),
    /// An alarm, with its text if it has one.
    Alarm(Option<String>),
    /// A call of a function in the cloud or at the edge, which a person has to replace.
    Function(String),
}

impl Rule {
    pub(super) fn read(root: &Node<'_>, site: &ImportSite<'_>) -> Result<Rule, Vec<Problem>> {
        let mut problems = vec![];
        let kind = root.need("type").map_err(|problem| vec![problem])?;
        let (triggers, conditions) = match kind.text() {
            Ok("IFTTT") => {
                keys(root, &["type", "trigger", "condition", "action"], &mut problems);
                let triggers = triggers::read(root.get("trigger"), site, &mut problems);
                (triggers, conditions::read(root.get("condition"), site, &mut problems))
            }
            Ok("CA") => {
                keys(root, &["type", "mode", "condition", "action"], &mut problems);
                ca::read(root, site, &mut problems)
            }
            Ok(other) => return Err(vec![kind.unknown("there is no rule type", other, ["IFTTT", "CA"])]),
            Err(problem) => return Err(vec![problem]),
        };
        problems.extend(too_many(&triggers, &conditions));
        let actions = actions::read(root, site, &mut problems);
        if problems.is_empty() { Ok(Rule { triggers, conditions, actions }) } else { Err(problems) }
    }
}

fn keys(root: &Node<'_>, keys: &[&str], problems: &mut Vec<Problem>) {
    problems.extend(root.clone().with_only(keys).err());
}

/// Lists in lists can be long together.
fn too_many(triggers: &[Trigger], conditions: &[Condition]) -> Option<Problem> {
    let mut count = 0;
    let mut visit = |condition: &Condition| count += usize::from(matches!(condition, Condition::Compare(_)));
    triggers.iter().filter_map(Trigger::condition).chain(conditions).for_each(|condition| condition.each(&mut visit));
    (count > COMPARISONS_MAX)
        .then(|| Problem::new(format!("{count} comparisons are too many for a scene: at most {COMPARISONS_MAX}")))
}

impl Who {
    pub(super) fn model(self, things: &Things) -> &Model {
        match self {
            Who::Device(device) => things.model_of(device),
            Who::Each(model) => things.model(model),
        }
    }
}

impl Trigger {
    /// Whose it is; the clock is nobody's, and a condition names its own devices.
    pub(super) fn who(&self) -> Option<Who> {
        match self {
            Trigger::Timer(_) | Trigger::Becomes(_) => None,
            Trigger::Level(condition) => condition.first().map(|comparison| comparison.who),
            Trigger::Changed(who, _) | Trigger::Event(who, _) => Some(*who),
            Trigger::AnyChanged(who) | Trigger::Online(who) | Trigger::Offline(who) => Some(*who),
        }
    }

    pub(super) fn condition(&self) -> Option<&Condition> {
        match self {
            Trigger::Level(condition) | Trigger::Becomes(condition) => Some(condition),
            _ => None,
        }
    }
}

impl Condition {
    /// Visits this one and all in it.
    pub(super) fn each(&self, visit: &mut impl FnMut(&Condition)) {
        visit(self);
        if let Condition::All(parts) | Condition::Any(parts) = self {
            parts.iter().for_each(|part| part.each(visit));
        }
    }

    fn first(&self) -> Option<&Comparison> {
        match self {
            Condition::Compare(comparison) => Some(comparison),
            Condition::Between { .. } => None,
            Condition::All(parts) | Condition::Any(parts) => parts.iter().find_map(Condition::first),
        }
    }
}
