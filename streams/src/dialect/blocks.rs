//! A statement as a list of plain `SELECT`s: what stands in `FROM (SELECT ...)` or `WITH name AS (...)` becomes a block of its
//! own, which the `SELECT` around it reads like a table.

use super::place::{At, Tokens, normal};
use super::shape::Refused;
use super::table_window;
use super::unnest::{self, Unnest};
use crate::df::sqlparser::ast::{
    BinaryOperator, Cte, Expr, Ident, Join, JoinOperator, ObjectName, Query, Select, SetExpr, SetOperator,
    SetQuantifier, Spanned, TableAlias, TableFactor, TableWithJoins, visit_expressions,
};
use edgeway_sdk::Problem;
use std::ops::ControlFlow;

/// A `SELECT` over tables, or several one after the other.
#[derive(Debug)]
pub(crate) struct Block {
    /// The query's name for the query itself; for sub-queries a name that nobody can write.
    pub(crate) name: String,
    /// `None` for a `UNION ALL` of its tables.
    pub(crate) select: Option<Box<Select>>,
    /// The first table, then those that are joined to it.
    pub(crate) tables: Vec<TableName>,
    /// Where `SELECT` stands: the place of mistakes that have no better one.
    pub(crate) at: At,
}

/// A table after `FROM` or `JOIN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableName {
    /// As the catalog has it: `wind_turbine`, `wind_turbine.alarm`.
    pub(crate) name: String,
    /// What columns can be qualified with: the alias if there is one, or else the name.
    pub(crate) qualifier: Vec<String>,
    pub(crate) at: At,
    pub(crate) how: How,
    /// Set if it is the elements of an array of a table before it.
    pub(crate) unnest: Option<Unnest>,
}

/// How a table comes to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// It is the first.
    First,
    Inner,
    Left,
    /// The newest row that is not newer.
    AsOf,
    /// Its rows come beside theirs.
    Union,
}

/// Takes a query apart.
///
/// # Errors
/// One problem for every construct that is not supported.
pub(super) fn split(query: Query, name: &str, tokens: &Tokens) -> Result<Vec<Block>, Vec<Problem>> {
    let mut splitter = Splitter { name, refused: Refused::new(tokens), blocks: vec![], named: vec![], unnests: 0 };
    let last = splitter.query(query);
    if let Some(last) = last
        && splitter.refused.problems.is_empty()
        && let Some(block) = splitter.blocks.iter_mut().find(|block| block.name == last)
    {
        block.name = name.to_owned();
        return Ok(splitter.blocks);
    }
    Err(splitter.refused.problems)
}

impl TableName {
    /// As a person knows it: a sub-query by its alias.
    pub(crate) fn shown(&self) -> String {
        if self.name.contains('#') { self.qualifier.join(".") } else { self.name.clone() }
    }
}

struct Splitter<'a> {
    name: &'a str,
    refused: Refused<'a>,
    blocks: Vec<Block>,
    /// What `WITH` has named, with the names of the blocks; the innermost last.
    named: Vec<(String, String)>,
    /// How many arrays have been taken apart so far.
    unnests: usize,
}

impl Splitter<'_> {
    /// The name of the block that a query has become.
    fn query(&mut self, mut query: Query) -> Option<String> {
        self.refused.query(&query);
        let outside = self.named.len();
        for cte in query.with.take().into_iter().flat_map(|with| with.cte_tables) {
            self.cte(cte);
        }
        let block = self.body(*query.body);
        self.named.truncate(outside);
        block
    }

    fn body(&mut self, body: SetExpr) -> Option<String> {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::SetOperation { op: SetOperator::Union, set_quantifier: SetQuantifier::All, left, right } => {
                self.union(*left, *right)
            }
            other => {
                self.refused.body(&other);
                None
            }
        }
    }

    /// A block that has the rows of several, in the order in which they come.
    fn union(&mut self, left: SetExpr, right: SetExpr) -> Option<String> {
        let at = At::span(left.span());
        let mut tables = vec![];
        for part in parts_of(left).into_iter().chain([right]) {
            let at = At::span(part.span());
            let name = match part {
                SetExpr::Query(query) => self.query(*query),
                part => self.body(part),
            };
            let how = if tables.is_empty() { How::First } else { How::Union };
            let qualifier = vec![format!("part {}", tables.len() + 1)];
            tables.push(name.map(|name| TableName { name, qualifier, at, how, unnest: None }));
        }
        self.add(None, tables.into_iter().collect::<Option<_>>()?, at)
    }

    fn add(&mut self, select: Option<Box<Select>>, tables: Vec<TableName>, at: At) -> Option<String> {
        let name = format!("{}#{}", self.name, self.blocks.len() + 1);
        self.blocks.push(Block { name: name.clone(), select, tables, at });
        Some(name)
    }

    fn cte(&mut self, cte: Cte) {
        let name = normal(&cte.alias.name);
        if let Some(block) = self.query(*cte.query) {
            self.named.push((name, block));
        }
    }

    fn select(&mut self, mut select: Box<Select>) -> Option<String> {
        let at = At::span(select.select_token.0.span);
        if let Err(problem) = table_window::take_in(&mut select) {
            self.refused.problems.push(problem);
            return None;
        }
        let mut from = std::mem::take(&mut select.from);
        unnest::commas_to_joins(&mut from);
        let tables = self.refused.from(&mut from).map(|table| self.tables(table));
        select.from = from;
        look_later(&mut select);
        self.refused.check(&select);
        self.add(Some(select), tables??, at)
    }

    fn tables(&mut self, from: &mut TableWithJoins) -> Option<Vec<TableName>> {
        let mut tables = vec![self.table(&mut from.relation, How::First)];
        for join in &mut from.joins {
            if unnest::is_unnest(&join.relation) {
                tables.push(self.unnested(join));
                continue;
            }
            let how = self.refused.join(join);
            tables.push(match how.map(|(how, on)| (how, on.clone())) {
                Some((how, on)) => self.joined(&mut join.relation, &mut join.join_operator, how, on),
                None => None,
            });
        }
        tables.into_iter().collect()
    }

    /// The elements of an array are a table that is made for them.
    fn unnested(&mut self, join: &mut Join) -> Option<TableName> {
        self.unnests += 1;
        let name = format!("{}#unnest{}", self.name, self.unnests);
        match unnest::take(join, name) {
            Ok((table, alias)) => {
                join.relation = block_table(&table.name, alias);
                Some(table)
            }
            Err(problem) => {
                self.refused.problems.push(problem);
                None
            }
        }
    }

    /// `ASOF` is kept beside the tree, since the planner does not know it.
    fn joined(
        &mut self,
        relation: &mut TableFactor,
        operator: &mut JoinOperator,
        how: How,
        on: Expr,
    ) -> Option<TableName> {
        let table = self.table(relation, how)?;
        if let JoinOperator::AsOf { match_condition, constraint } = operator {
            if !super::names::is_not_newer(match_condition, &table.qualifier) {
                let problem = table.at.problem("an ASOF JOIN matches by `ts`: the newest row that is not newer");
                self.refused.problems.push(problem.help(format!(
                    "write ASOF JOIN table {0} MATCH_CONDITION (other.ts >= {0}.ts) ON {on}",
                    table.qualifier.join(".")
                )));
                return None;
            }
            *operator = JoinOperator::Left(constraint.clone());
        }
        Some(table)
    }

    fn table(&mut self, relation: &mut TableFactor, how: How) -> Option<TableName> {
        if let TableFactor::Derived { lateral: false, subquery, alias, sample: None } = relation {
            let at = self.refused.place_of(subquery);
            let Some(alias) = alias.take() else {
                self.refused
                    .problems
                    .push(at.problem("a sub-query needs a name").help("write FROM (SELECT ...) AS name"));
                return None;
            };
            let name = self.query((**subquery).clone())?;
            *relation = block_table(&name, alias.name.clone());
            return Some(TableName { name, qualifier: vec![normal(&alias.name)], at, how, unnest: None });
        }
        let named = self.refused.named(relation)?;
        if let [name] = &*named.parts
            && let Some((_, block)) = self.named.iter().rev().find(|(cte, _)| cte == name)
        {
            let (block, alias) = (block.clone(), named.alias.unwrap_or_else(|| name.clone()));
            *relation = block_table(&block, Ident::with_quote('"', alias.clone()));
            return Some(TableName { name: block, qualifier: vec![alias], at: named.at, how, unnest: None });
        }
        let name = named.parts.join(".");
        let qualifier = named.alias.map_or(named.parts, |alias| vec![alias]);
        Some(TableName { name, qualifier, at: named.at, how, unnest: None })
    }
}

/// `a UNION ALL b UNION ALL c` is one union in another: its parts in a list.
fn parts_of(body: SetExpr) -> Vec<SetExpr> {
    match body {
        SetExpr::SetOperation { op: SetOperator::Union, set_quantifier: SetQuantifier::All, left, right } => {
            parts_of(*left).into_iter().chain([*right]).collect()
        }
        one => vec![one],
    }
}

/// Conditions on columns over rows are looked at when these have been made, also where they stand in `WHERE`.
fn look_later(select: &mut Select) {
    let Some(condition) = select.selection.take() else { return };
    let (mut now, mut later) = (vec![], vec![]);
    split_and(condition, &mut |part| {
        let over = visit_expressions(&part, |expr| match expr {
            Expr::Function(function) if function.over.is_some() => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        if over.is_break() { later.push(part) } else { now.push(part) }
    });
    later.extend(select.qualify.take());
    (select.selection, select.qualify) = (all(now), all(later));
}

fn split_and(condition: Expr, each: &mut impl FnMut(Expr)) {
    match condition {
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            split_and(*left, each);
            split_and(*right, each);
        }
        Expr::Nested(inner) => split_and(*inner, each),
        other => each(other),
    }
}

fn all(conditions: Vec<Expr>) -> Option<Expr> {
    conditions.into_iter().reduce(|one, other| Expr::BinaryOp {
        left: Box::new(one),
        op: BinaryOperator::And,
        right: Box::new(other),
    })
}

/// `"name" AS alias`.
fn block_table(name: &str, alias: Ident) -> TableFactor {
    TableFactor::Table {
        name: ObjectName::from(vec![Ident::with_quote('"', name)]),
        alias: Some(TableAlias { explicit: true, name: alias, columns: vec![], at: None }),
        args: None,
        with_hints: vec![],
        version: None,
        with_ordinality: false,
        partitions: vec![],
        json_path: None,
        sample: None,
        index_hints: vec![],
    }
}
