//! `CROSS JOIN UNNEST(array) AS name(column)`: a row for each element.

use super::blocks::{How, TableName};
use super::place::{At, normal};
use crate::df::sqlparser::ast::{
    Expr, Ident, Join, JoinConstraint, JoinOperator, Spanned, TableFactor, TableWithJoins, Value,
};
use edgeway_sdk::Problem;

/// Which array, and what its elements are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unnest {
    /// The column, perhaps behind the name of its table.
    pub(crate) column: Vec<String>,
    /// Names for the columns of the elements.
    pub(crate) names: Vec<String>,
    /// Whether their places are a column too.
    pub(crate) numbered: bool,
}

pub(super) fn is_unnest(relation: &TableFactor) -> bool {
    matches!(relation, TableFactor::UNNEST { .. })
}

/// `FROM t, UNNEST(t.a)` says the same as `FROM t CROSS JOIN UNNEST(t.a)`.
pub(super) fn commas_to_joins(from: &mut Vec<TableWithJoins>) {
    let is_behind = |at: usize, table: &TableWithJoins| at > 0 && is_unnest(&table.relation);
    let mut at = 0;
    let behind: Vec<TableWithJoins> = from
        .extract_if(.., |table| {
            at += 1;
            is_behind(at - 1, table)
        })
        .collect();
    let Some(first) = from.first_mut() else { return };
    for TableWithJoins { relation, joins } in behind {
        let join_operator = JoinOperator::CrossJoin(JoinConstraint::None);
        first.joins.push(Join { relation, global: false, join_operator });
        first.joins.extend(joins);
    }
}

/// What a join with an `UNNEST` says. `name` is for the table of its elements, which stands in the tree afterwards.
///
/// # Errors
/// What is not supported about it.
pub(super) fn take(join: &mut Join, name: String) -> Result<(TableName, Ident), Problem> {
    let at = At::span(join.relation.span());
    let keeps_empty = keeps_empty(&join.join_operator).ok_or_else(|| {
        let problem = at.problem("an UNNEST is joined by CROSS JOIN, or by LEFT JOIN ... ON TRUE");
        problem.help("put conditions on its elements into WHERE")
    })?;
    let TableFactor::UNNEST { alias, array_exprs, with_offset, with_offset_alias: _, with_ordinality } = &join.relation
    else {
        return Err(at.problem("not an UNNEST"));
    };
    if *with_offset {
        let problem = at.problem("WITH OFFSET is not supported");
        return Err(problem.help("write WITH ORDINALITY, whose places count from 1"));
    }
    let [array] = &array_exprs[..] else {
        return Err(at.problem("an UNNEST of several arrays is not supported").help("write one UNNEST for each"));
    };
    let column = column(array).ok_or_else(|| {
        let problem = At::span(array.span()).or(at).problem("UNNEST takes a column that is an array");
        problem.help(format!(
            "compute it in a sub-query: FROM (SELECT ..., {array} AS items FROM ...) AS t CROSS JOIN UNNEST(t.items)"
        ))
    })?;
    let alias = alias.clone();
    let declared = alias.iter().flat_map(|alias| &alias.columns).map(|column| normal(&column.name)).collect();
    let called = alias.map_or_else(|| Ident::with_quote('"', "unnest"), |alias| alias.name);
    let how = if keeps_empty { How::Left } else { How::Inner };
    let unnest = Some(Unnest { column, names: declared, numbered: *with_ordinality });
    // To the planner it is a join without a condition.
    let always = JoinConstraint::On(Expr::value(Value::Boolean(true)));
    join.join_operator = if keeps_empty { JoinOperator::Left(always) } else { JoinOperator::Inner(always) };
    Ok((TableName { name, qualifier: vec![normal(&called)], at: at.or(At::span(array.span())), how, unnest }, called))
}

/// Whether rows without elements stay; `None` for a join that is something else.
fn keeps_empty(operator: &JoinOperator) -> Option<bool> {
    let is_always = |constraint: &JoinConstraint| match constraint {
        JoinConstraint::None => true,
        JoinConstraint::On(Expr::Value(value)) => value.value == Value::Boolean(true),
        _ => false,
    };
    match operator {
        JoinOperator::CrossJoin(on) | JoinOperator::Join(on) | JoinOperator::Inner(on) => {
            is_always(on).then_some(false)
        }
        JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => is_always(on).then_some(true),
        _ => None,
    }
}

fn column(array: &Expr) -> Option<Vec<String>> {
    match array {
        Expr::Identifier(name) => Some(vec![normal(name)]),
        Expr::CompoundIdentifier(parts) => Some(parts.iter().map(normal).collect()),
        _ => None,
    }
}
