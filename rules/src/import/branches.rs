//! One node, or several in a `logical/or` or `logical/and`.

use super::node::Node;
use edgeway_sdk::Problem;

/// Of triggers, and of conditions. The platform has 10 and 5; a script has room for about 60 levels in a statement.
pub(super) const BRANCHES_MAX: usize = 16;

/// A node's items if it joins several, else the node alone. Nothing, and an object without keys, has none.
pub(super) fn of<'a>(node: Option<Node<'a>>, join: &str) -> Result<Vec<Node<'a>>, Problem> {
    let Some(node) = node.filter(|node| node.json.as_object().is_none_or(|object| !object.is_empty())) else {
        return Ok(vec![]);
    };
    if node.get_text("uri")? != Some(join) {
        return Ok(vec![node]);
    }
    limited(node.clone().with_only(&["uri", "items"])?.need("items")?)
}

/// The items of a list that is not too long.
pub(super) fn limited(node: Node<'_>) -> Result<Vec<Node<'_>>, Problem> {
    let items = node.list()?;
    if items.len() > BRANCHES_MAX {
        return Err(node.problem(format!("{} are too many: at most {BRANCHES_MAX}", items.len())));
    }
    Ok(items)
}
