//! From a checked `SELECT` to what operators need.
//!
//! DataFusion turns the syntax tree into a logical plan, coerces types and simplifies expressions. Only these two passes run:
//! they keep the plan's shape (projection, filter, aggregate, filter, table), so that it can be taken apart here. The
//! rest of the optimizer is made for plans that are executed, and would move the window's marker or split aggregates.

mod lower;
mod window;

pub(crate) use window::{Frame, Place};

use crate::catalog::{Catalog, Table};
use crate::df::{
    AggregatePlan, Analyzer, ConfigOptions, DFSchemaRef, DataFusionError, Diagnostic, Expr, LogicalPlan, Optimizer,
    OptimizerContext, ParserOptions, Result, SchemaRef, SimplifyExpressions, SqlToRel, plan_err, sqlparser,
};
use crate::dialect::{self, At, Options, Statement};
use crate::rows::Timing;
use crate::segment::Segment;
use crate::windows::Grouping;
use edgeway_sdk::Problem;
use sqlparser::ast::{Query, Select, SetExpr, Statement as SqlStatement};
use std::sync::Arc;

/// A query, ready to run.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Places of the columns that it reads, in its table.
    pub(crate) columns: Vec<usize>,
    pub(crate) operator: Operator,
    pub(crate) options: Options,
    /// How the rows of its input are timed.
    pub(crate) timing: Timing,
}

/// What a query does.
#[derive(Debug)]
pub(crate) enum Operator {
    /// Each row by itself.
    Select(Segment),
    /// Groups of rows in windows.
    Group {
        window: Frame,
        grouping: Grouping,
        /// `HAVING` and `SELECT`, over keys, bounds of the window and aggregates.
        finish: Segment,
    },
}

impl Plan {
    /// What the query's rows hold.
    pub(crate) fn schema(&self) -> &SchemaRef {
        match &self.operator {
            Operator::Select(segment) | Operator::Group { finish: segment, .. } => &segment.schema,
        }
    }

    /// How the query's own rows are timed.
    pub(crate) fn output_timing(&self) -> Timing {
        match self.operator {
            Operator::Select(_) => self.timing,
            Operator::Group { .. } => Timing::WindowEnd,
        }
    }
}

/// Plans a statement over its table.
///
/// # Errors
/// All unknown names; then the first thing that does not fit together.
pub(crate) fn plan(mut statement: Statement, table: &Table, catalog: &Catalog) -> Result<Plan, Vec<Problem>> {
    let window = dialect::resolve(&mut statement, table, catalog)?;
    let at = statement.at;
    let tree = logical(statement.select, catalog).and_then(Shape::of).map_err(|error| vec![explain(&error, at)])?;
    let query = lower::Lowering { at, options: statement.options, table, window: window.map(|call| call.0.or(at)) };
    query.lower(&tree)
}

/// What DataFusion says before its sentences.
const NOISE: [&str; 6] = [
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

/// A logical plan, taken apart.
struct Shape {
    outputs: Vec<Expr>,
    having: Option<Expr>,
    aggregate: Option<AggregatePlan>,
    filter: Option<Expr>,
    input: DFSchemaRef,
}

impl Shape {
    fn of(plan: LogicalPlan) -> Result<Shape> {
        let LogicalPlan::Projection(projection) = plan else {
            return plan_err!("a query of this shape is not supported");
        };
        let (upper, below) = filtered(&projection.input);
        let (having, aggregate, filter, table) = match below {
            LogicalPlan::Aggregate(aggregate) => {
                let (filter, table) = filtered(&aggregate.input);
                (upper, Some(aggregate.clone()), filter, table)
            }
            table => (None, None, upper, table),
        };
        match table {
            LogicalPlan::TableScan(_) | LogicalPlan::SubqueryAlias(_) => {}
            _ => return plan_err!("a query of this shape is not supported"),
        }
        Ok(Shape { outputs: projection.expr, having, aggregate, filter, input: table.schema().clone() })
    }
}

fn filtered(plan: &LogicalPlan) -> (Option<Expr>, &LogicalPlan) {
    match plan {
        LogicalPlan::Filter(filter) => (Some(filter.predicate.clone()), &filter.input),
        other => (None, other),
    }
}
