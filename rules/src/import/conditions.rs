//! `condition`: what must be true.

use super::node::Node;
use super::rule::{Condition, Who};
use super::{ImportSite, branches, comparison, places, range};
use edgeway_sdk::Problem;

const URIS: [&str; 5] =
    ["condition/device/property", "condition/timeRange", "condition/timer", "logical/and", "logical/or"];
/// Of `logical/and` and `logical/or`.
const LEVELS_MAX: usize = 4;

pub(super) fn read(node: Option<Node<'_>>, site: &ImportSite<'_>, problems: &mut Vec<Problem>) -> Vec<Condition> {
    let mut conditions = vec![];
    match branches::of(node, "logical/and") {
        Err(problem) => problems.push(problem),
        Ok(nodes) => nodes.into_iter().for_each(|node| match condition(node, site, LEVELS_MAX - 1) {
            Ok(found) => conditions.extend(found),
            Err(problem) => problems.push(problem),
        }),
    }
    conditions
}

/// `None` for one that is always true.
pub(super) fn condition(
    node: Node<'_>,
    site: &ImportSite<'_>,
    levels_left: usize,
) -> Result<Option<Condition>, Problem> {
    let uri = node.need_text("uri")?;
    match uri {
        "condition/device/property" => {
            let params =
                places::params(&node.with_only(&["uri", "params"])?, &["propertyName", "compareType", "compareValue"])?;
            let who = Who::Device(places::device(&params, site)?);
            comparison::read(&params, who, site.things).map(Some)
        }
        "condition/timeRange" => range::read(&node.with_only(&["uri", "params"])?.need("params")?),
        "condition/timer" => {
            Err(node.problem("a moment is no condition").help("put it into `trigger`, as `trigger/timer`"))
        }
        "logical/and" | "logical/or" if levels_left == 0 => {
            Err(node.problem(format!("more than {LEVELS_MAX} levels of `logical/and` and `logical/or`")))
        }
        "logical/and" => join(node, site, levels_left - 1, Condition::All),
        "logical/or" => join(node, site, levels_left - 1, Condition::Any),
        other => Err(node.need("uri")?.unknown("there is no condition", other, URIS)),
    }
}

fn join(
    node: Node<'_>,
    site: &ImportSite<'_>,
    levels_left: usize,
    join: fn(Vec<Condition>) -> Condition,
) -> Result<Option<Condition>, Problem> {
    let items = branches::limited(node.clone().with_only(&["uri", "items"])?.need("items")?)?;
    let mut parts = vec![];
    for item in items {
        // Left out of an `and` it changes nothing; in an `or` it would make the others pointless.
        match condition(item.clone(), site, levels_left)? {
            Some(part) => parts.push(part),
            None => return Err(item.problem("this is always true").help("leave it out")),
        }
    }
    match parts.len() {
        0 => Err(node.problem("`items` is empty")),
        1 => Ok(parts.pop()),
        _ => Ok(Some(join(parts))),
    }
}
