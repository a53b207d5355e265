//! Rules of the type CA: conditions that set the scene off themselves, all or any of them.

use super::node::Node;
use super::rule::{Condition, Timer, Trigger};
use super::{ImportSite, branches, conditions, triggers};
use edgeway_sdk::Problem;

/// A condition of such a rule, by what it can do.
enum Part {
    /// A moment.
    Timer(Timer),
    /// Becomes true with a report.
    State(Condition),
    /// Limits when the others count.
    Range(Condition),
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    All,
    Any,
}

pub(super) fn read(
    root: &Node<'_>,
    site: &ImportSite<'_>,
    problems: &mut Vec<Problem>,
) -> (Vec<Trigger>, Vec<Condition>) {
    let read = || -> Result<(Mode, Vec<Node<'_>>), Problem> {
        let node = root.need("condition")?;
        Ok((mode(root, &node)?, items(&node)?))
    };
    let (mode, items) = match read() {
        Ok(read) => read,
        Err(problem) => {
            problems.push(problem);
            return (vec![], vec![]);
        }
    };
    let before = problems.len();
    let mut parts = vec![];
    for item in items {
        match part(item.clone(), site) {
            Ok(Part::Range(_)) if mode == Mode::Any => {
                problems.push(item.problem("a time range sets nothing off").help("with `mode` \"all\" it limits"));
            }
            Ok(part) => parts.push(part),
            Err(problem) => problems.push(problem),
        }
    }
    match mode {
        _ if problems.len() > before => (vec![], vec![]),
        Mode::Any => (parts.into_iter().filter_map(alone).collect(), vec![]),
        Mode::All => together(parts).unwrap_or_else(|reason| {
            problems.push(Problem::key("condition", reason));
            (vec![], vec![])
        }),
    }
}

fn mode(root: &Node<'_>, condition: &Node<'_>) -> Result<Mode, Problem> {
    let joined = match condition.get_text("uri")? {
        Some("logical/and") => Some(Mode::All),
        Some("logical/or") => Some(Mode::Any),
        _ => None,
    };
    let Some(node) = root.get("mode") else { return Ok(joined.unwrap_or(Mode::All)) };
    let mode = match node.text()? {
        "all" => Mode::All,
        "any" => Mode::Any,
        other => return Err(node.unknown("there is no mode", other, ["all", "any"])),
    };
    match joined {
        Some(joined) if joined != mode => Err(node.problem("it says one thing and `condition.uri` the other")),
        _ => Ok(mode),
    }
}

fn items<'a>(condition: &Node<'a>) -> Result<Vec<Node<'a>>, Problem> {
    if condition.json.is_array() {
        return branches::limited(condition.clone());
    }
    let join = condition.get_text("uri")?.filter(|uri| uri.starts_with("logical/")).unwrap_or("logical/and");
    branches::of(Some(condition.clone()), join)
}

fn part(node: Node<'_>, site: &ImportSite<'_>) -> Result<Part, Problem> {
    match node.need_text("uri")? {
        "condition/timer" => triggers::timer(&node.with_only(&["uri", "params"])?.need("params")?).map(Part::Timer),
        "logical/and" | "logical/or" => {
            Err(node.problem("conditions inside conditions").help("a CA rule has one list of them and a `mode`"))
        }
        _ => match conditions::condition(node.clone(), site, 1)? {
            Some(range @ Condition::Between { .. }) => Ok(Part::Range(range)),
            Some(state) => Ok(Part::State(state)),
            None => Err(node.problem("this is always true").help("leave it out")),
        },
    }
}

/// Each sets the scene off by itself.
fn alone(part: Part) -> Option<Trigger> {
    match part {
        Part::Timer(timer) => Some(Trigger::Timer(timer)),
        Part::State(state) => Some(Trigger::Becomes(state)),
        Part::Range(_) => None,
    }
}

/// A moment asks for the rest; without one, the scene begins when the states are true together.
fn together(parts: Vec<Part>) -> Result<(Vec<Trigger>, Vec<Condition>), &'static str> {
    let (mut timers, mut states, mut limits) = (vec![], vec![], vec![]);
    for part in parts {
        match part {
            Part::Timer(timer) => timers.push(timer),
            Part::State(state) => states.push(state),
            Part::Range(range) => limits.push(range),
        }
    }
    match (timers.pop(), states.len()) {
        (Some(_), _) if !timers.is_empty() => Err("two moments are never at the same time"),
        (Some(timer), _) => Ok((vec![Trigger::Timer(timer)], states.into_iter().chain(limits).collect())),
        (None, 0) => Err("nothing here sets the scene off"),
        (None, 1) => Ok((states.into_iter().map(Trigger::Becomes).collect(), limits)),
        (None, _) => Ok((vec![Trigger::Becomes(Condition::All(states))], limits)),
    }
}
