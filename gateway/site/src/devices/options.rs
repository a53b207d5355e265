//! What a driver says of its options, put where it was written.

use crate::report::Report;
use crate::tree::{Entry, Item, Node, Table};
use edgeway_sdk::{Place, Problem, did_you_mean};

/// Reports a driver's problems. `host` are the gateway's own keys in the same table: a misspelt one ends up with the
/// driver, which cannot know what was meant.
pub(super) fn tell(problems: Vec<Problem>, table: &Table, host: &[&str], report: &mut Report) {
    for problem in problems {
        let path = match &problem.place {
            Place::Key(path) => path.clone(),
            Place::Whole | Place::Position { .. } => String::new(),
        };
        let problem = widen(plain(problem), host);
        match table.locate(&path) {
            Some(Entry { node: Node { item: Item::Reported, .. }, .. }) => {}
            Some(entry) => {
                let mark = if is_about_key(&problem) { &entry.mark } else { &entry.node.mark };
                report.add(mark, Problem { message: mark.say(&problem.message), ..problem });
            }
            None => report.add(&table.mark, Problem { message: table.mark.say(&problem.message), ..problem }),
        }
    }
}

/// Without its place, and in this package's words where serde has its own.
fn plain(problem: Problem) -> Problem {
    let message = match problem.message.strip_prefix("missing field ") {
        Some(name) => format!("{name} is missing"),
        None => problem.message,
    };
    Problem { message, place: Place::Whole, ..problem }
}

fn is_about_key(problem: &Problem) -> bool {
    problem.message.starts_with("unknown key")
}

/// Lets the gateway's keys compete with those that the driver offers for an unknown one.
fn widen(problem: Problem, host: &[&str]) -> Problem {
    let found = problem.message.strip_prefix("unknown key `").and_then(|rest| rest.split('`').next());
    let Some(found) = found else { return problem };
    let offered = problem.help.as_deref().unwrap_or_default();
    let known = offered.split('`').skip(1).step_by(2).chain(host.iter().copied());
    let help = did_you_mean(found, known);
    Problem { help: help.or_else(|| problem.help.clone()), ..problem }
}
