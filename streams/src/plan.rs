//! From a checked `SELECT` to the steps that its rows go through.
//!
//! DataFusion turns the syntax tree into a logical plan, coerces types and simplifies expressions. Only these two passes run:
//! they keep the plan's shape, so that it can be lowered node by node here. The rest of the optimizer is made for plans
//! that are executed, and would move the window's marker or split aggregates.

mod joins;
mod lower;
mod overs;
mod period;
mod scope;
mod shapes;
mod union;
mod units;
mod window;
mod windows;

use lower::unalias as unaliased;
pub(crate) use units::Units;
pub(crate) use window::{Frame, Place};

use crate::catalog::{Catalog, Table};
use crate::df::{
    Analyzer, ConfigOptions, DataFusionError, Diagnostic, LogicalPlan, Optimizer, OptimizerContext, ParserOptions,
    Result, SchemaRef, SimplifyExpressions, SqlToRel, sqlparser,
};
use crate::dialect::{self, At, Block, Options};
use crate::fingerprint::Fingerprint;
use crate::queries::Site;
use crate::query::Step;
use crate::ranks::Ranks;
use crate::rows::Timing;
use edgeway_sdk::Problem;
use sqlparser::ast::{Query, Select, SetExpr, Statement as SqlStatement};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A block, ready to run.
pub(crate) struct Plan {
    /// Of each table that it reads, the places of the columns that are read.
    pub(crate) columns: Vec<Vec<usize>>,
    pub(crate) steps: Vec<Step>,
    /// What its rows hold.
    pub(crate) schema: SchemaRef,
    /// How its rows are timed.
    pub(crate) timing: Timing,
    /// Of everything that its state depends on.
    pub(crate) fingerprint: Fingerprint,
    /// Whether it waits for rows that are late, so that its author can say for how long.
    pub(crate) waits: bool,
    /// Whether it tells windows more than once.
    pub(crate) tells_again: bool,
    /// The options that have an effect.
    pub(crate) used: BTreeSet<&'static str>,
    /// Of its columns, as far as they are known.
    pub(crate) units: Units,
}

/// A table, and a fingerprint of how its rows come about.
#[derive(Clone, Copy)]
pub(crate) struct Upstream<'a> {
    pub(crate) table: &'a Table,
    pub(crate) fingerprint: Fingerprint,
    /// How many of its columns are those of its `SELECT`; behind them there may be the time.
    pub(crate) told: usize,
}

/// What is known of a block beside its words.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) site: &'a Site,
    pub(crate) catalog: &'a Catalog,
    /// The tables after `FROM` and `JOIN`.
    pub(crate) tables: &'a [Upstream<'a>],
    /// The options of the query, over those of each table.
    pub(crate) options: &'a [Options],
    /// Those of the query alone.
    pub(crate) own: &'a Options,
    /// Whether the block is the query itself, and not a part of it.
    pub(crate) is_last: bool,
    /// Whether its rows have an end.
    pub(crate) is_bounded: bool,
    /// The numbers of the devices.
    pub(crate) ranks: &'a Arc<Ranks>,
}

/// Plans a block over its tables.
///
/// # Errors
/// All unknown names; then the first thing that does not fit together.
pub(crate) fn plan(mut block: Block, around: Around<'_>) -> Result<Plan, Vec<Problem>> {
    if block.select.is_none() {
        return union::union(&block, around).map_err(|problem| vec![problem]);
    }
    let own: Vec<&Table> = around.tables.iter().map(|upstream| upstream.table).collect();
    let window = dialect::resolve(&mut block, &own, around.catalog, around.is_bounded)?;
    let at = block.at;
    let Some(select) = block.select else { return Err(vec![]) };
    let plan = logical(*select, around.catalog).map_err(|error| vec![explain(&error, at)])?;
    let units = units::check(&plan, around, &block.tables, at).map_err(|problem| vec![problem])?;
    let place = lower::Place { at, names: &block.tables, window: window.map(|call| call.0.or(at)) };
    let plan = lower::lower(&plan, around, place).map_err(|problem| vec![problem])?;
    Ok(Plan { units, ..plan })
}

/// What DataFusion says before its sentences.
const NOISE: [&str; 7] = [
    "Arrow error: ",
    "type_coercion",
    "caused by",
    "Error during planning: ",
    "Internal error: ",
    "Schema error: ",
    "This feature is not implemented: ",
];

/// Where a mistake that DataFusion found stands, and what it says.
pub(crate) fn explain(error: &DataFusionError, fallback: At) -> Problem {
    let diagnostic = error.diagnostic();
    let start = diagnostic.and_then(|diagnostic| diagnostic.span).map(|span| span.start);
    let at = start.map_or(fallback, |start| At::new(start.line as usize, start.column as usize));
    let text = diagnostic.map_or_else(|| sentence(error), with_notes);
    at.problem(dialect::lowercase_first(text.trim().trim_end_matches('.')))
}

/// `expressions have incompatible types: has type Utf8, has type Int64`.
fn with_notes(diagnostic: &Diagnostic) -> String {
    let notes: Vec<&str> = diagnostic.notes.iter().map(|note| note.message.as_str()).collect();
    if notes.is_empty() { diagnostic.message.clone() } else { format!("{}: {}", diagnostic.message, notes.join(", ")) }
}

/// The first sentence of an error's text.
pub(crate) fn sentence(error: &DataFusionError) -> String {
    let text = NOISE.iter().fold(error.strip_backtrace(), |text, noise| text.replace(noise, ""));
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let line = line.split_once(", errors:").map_or(line, |(what, _)| what);
    line.replace("failed to match any signature", "does not take arguments of these types or this number")
}

fn logical(select: Select, catalog: &Catalog) -> Result<LogicalPlan> {
    let options = ParserOptions::new().with_collect_spans(true).with_map_string_types_to_utf8view(false);
    let query = SqlStatement::Query(Box::new(query_of(select)));
    let plan = SqlToRel::new_with_options(catalog, options).sql_statement_to_plan(query)?;
    let plan = Analyzer::new().execute_and_check(plan, &ConfigOptions::default(), |_, _| {})?;
    let simplify = Optimizer::with_rules(vec![Arc::new(SimplifyExpressions::new())]);
    simplify.optimize(plan, &OptimizerContext::new().without_query_execution_start_time(), |_, _| {})
}

fn query_of(select: Select) -> Query {
    Query {
        with: None,
        body: Box::new(SetExpr::Select(Box::new(select))),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: vec![],
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: vec![],
    }
}
