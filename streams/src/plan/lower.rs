//! Logical expressions to physical ones, over only those columns that are read.

use super::window::Frame;
use super::{Operator, Plan, Shape, explain};
use crate::catalog::{TS, Table};
use crate::df::{
    AggregateOrderSensitivity, AggregatePlan, Column, DFSchema, DFSchemaRef, ExecutionProps, Expr, Field,
    LoweredAggregateBuilder, PhysicalExpr, PhysicalPlanningContext, Result, Schema, TIME, Transformed, TreeNode,
    create_physical_expr, plan_err,
};
use crate::dialect::{At, Options, Setting};
use crate::marker;
use crate::rows::Timing;
use crate::segment::{Segment, output_schema};
use crate::windows::{self, Aggregate, Grouping};
use edgeway_sdk::Problem;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// What is known of a query beside its logical plan.
pub(super) struct Lowering<'a> {
    pub(super) at: At,
    pub(super) options: Options,
    pub(super) table: &'a Table,
    /// Where the window stands.
    pub(super) window: Option<At>,
}

impl Lowering<'_> {
    pub(super) fn lower(&self, shape: &Shape) -> Result<Plan, Vec<Problem>> {
        let problems = self.useless_options(shape);
        if !problems.is_empty() {
            return Err(problems);
        }
        let one = |problem| vec![problem];
        let (columns, input) = self.columns(shape).map_err(one)?;
        let input = Scope(input);
        let operator = match &shape.aggregate {
            None => self.select(shape, &input).map_err(one)?,
            Some(aggregate) => self.group(shape, aggregate, &input).map_err(one)?,
        };
        Ok(Plan { columns, operator, options: self.options, timing: self.table.timing })
    }

    /// An option that would change nothing is a misunderstanding.
    fn useless_options(&self, shape: &Shape) -> Vec<Problem> {
        let windowed = shape.aggregate.is_some();
        let reason = |name| match (self.table.timing, name) {
            (Timing::WindowEnd, _) => Some("the query reads another query's windows and follows that query's time"),
            (Timing::Moment, "max_future_skew") => None,
            (Timing::Moment, _) if windowed => None,
            (Timing::Moment, _) => Some("the query has no window"),
        };
        let set = self.options.set().filter_map(|(name, setting)| Some((name, setting, reason(name)?)));
        let problem = |(name, setting, reason): (_, Setting, _)| {
            setting.at.problem(format!("`{name}` has no effect here: {reason}"))
        };
        set.map(|useless| problem(useless).help("take it out")).collect()
    }

    /// The columns that are read, and the time, so that there is always one.
    fn columns(&self, shape: &Shape) -> Result<(Vec<usize>, DFSchemaRef), Problem> {
        let of_aggregate = shape.aggregate.iter().flat_map(|a| a.group_expr.iter().chain(&a.aggr_expr));
        let direct = shape.outputs.iter().filter(|_| shape.aggregate.is_none());
        let read = direct.chain(shape.filter.iter()).chain(of_aggregate).flat_map(Expr::column_refs);
        let mut columns: BTreeSet<usize> =
            read.filter_map(|column| shape.input.maybe_index_of_column(column)).collect();
        columns.extend(self.table.schema.index_of(TS));
        let fields = columns.iter().map(|&at| shape.input.qualified_field(at)).map(|(q, f)| (q.cloned(), f.clone()));
        let schema = DFSchema::new_with_metadata(fields.collect(), HashMap::new()).map_err(|e| explain(&e, self.at))?;
        Ok((columns.into_iter().collect(), Arc::new(schema)))
    }

    fn select(&self, shape: &Shape, input: &Scope) -> Result<Operator, Problem> {
        self.check_time(&shape.outputs, |expr| matches!(expr, Expr::Column(column) if column.name == TS))?;
        Ok(Operator::Select(self.segment(shape.filter.as_ref(), &shape.outputs, input)?))
    }

    fn group(&self, shape: &Shape, aggregate: &AggregatePlan, input: &Scope) -> Result<Operator, Problem> {
        let Some((window_at, window)) = self.window(aggregate)? else {
            let problem = self.at.problem("an aggregate over rows that never end never has an answer");
            return Err(problem.help("add GROUP BY TUMBLE(ts, INTERVAL '10 seconds')"));
        };
        let planned = |error| explain(&error, self.at);
        let grouping = input.grouping(shape.filter.as_ref(), aggregate, window_at).map_err(planned)?;
        let bounds = Bounds::new(aggregate, window_at);
        let groups = Scope(bounds.schema(aggregate).map_err(planned)?);
        let outputs =
            shape.outputs.iter().map(|expr| bounds.insert(expr)).collect::<Result<Vec<_>>>().map_err(planned)?;
        let having = shape.having.as_ref().map(|expr| bounds.insert(expr)).transpose().map_err(planned)?;
        self.check_time(&outputs, |expr| matches!(expr, Expr::Column(column) if *column == bounds.end))?;
        Ok(Operator::Group { window, grouping, finish: self.segment(having.as_ref(), &outputs, &groups)? })
    }

    /// The window, and its place among the keys.
    fn window(&self, aggregate: &AggregatePlan) -> Result<Option<(usize, Frame)>, Problem> {
        let call = |expr: &Expr| match unalias(expr) {
            Expr::ScalarFunction(call) if marker::WINDOWS.contains(&call.name()) => {
                Some((call.name().to_owned(), call.args.clone()))
            }
            _ => None,
        };
        let found = aggregate.group_expr.iter().enumerate().find_map(|(at, expr)| Some((at, call(expr)?)));
        let Some((place, (function, args))) = found else { return Ok(None) };
        let at = self.window.unwrap_or(self.at);
        if !matches!(&args[0], Expr::Column(column) if column.name == TS) {
            let problem = at.problem("a window is over `ts`, the time of the row");
            return Err(problem.help(format!("write {}(ts, ...)", function.to_uppercase())));
        }
        let window = Frame::new(&function, &args[1..], self.table.timing);
        let window =
            window.map_err(|(message, right)| at.problem(message).help(format!("write for example {right}")))?;
        self.check_open_windows(&window, at)?;
        Ok(Some((place, window)))
    }

    /// Panes are open from the start of the first window behind the watermark to the newest row, and the delay is what
    /// lies between watermark and row.
    fn check_open_windows(&self, window: &Frame, at: At) -> Result<(), Problem> {
        let delay = self.options.delay();
        let open = window.panes_in(i64::try_from(delay.as_nanos()).unwrap_or(i64::MAX));
        if self.table.timing == Timing::WindowEnd || open <= windows::OPEN_MAX as i64 {
            return Ok(());
        }
        let (delay, most) = (delay.as_secs_f64(), windows::OPEN_MAX);
        let message = format!("with a delay of {delay} s, {open} parts of windows can be open; {most} is the most");
        Err(at.problem(message).help("make the window or its step larger, or watermark_delay smaller"))
    }

    /// A column of the answer called `ts` must be the time of the row: queries that read it rely on that.
    fn check_time(&self, outputs: &[Expr], is_time: impl Fn(&Expr) -> bool) -> Result<(), Problem> {
        let wrong = outputs.iter().any(|expr| expr.qualified_name().1 == TS && !is_time(unalias(expr)));
        let problem =
            || self.at.problem("`ts` is the time of the row, which this column is not").help("call it something else");
        if wrong { Err(problem()) } else { Ok(()) }
    }

    fn segment(&self, filter: Option<&Expr>, outputs: &[Expr], input: &Scope) -> Result<Segment, Problem> {
        let planned = |error| explain(&error, self.at);
        let physical = |expr: &Expr| input.expr(expr).map_err(planned);
        let filter = filter.map(physical).transpose()?;
        let pairs: Vec<_> = outputs.iter().map(|e| Ok((e.clone(), physical(e)?))).collect::<Result<_, Problem>>()?;
        let schema = output_schema(&pairs, input.0.as_arrow()).map_err(|(name, found)| {
            self.at.problem(format!("column `{name}` is of type {found}, which a row cannot hold")).help("CAST it")
        })?;
        let outputs = pairs.into_iter().map(|(_, physical)| physical).collect();
        Ok(Segment { filter, outputs, schema: Arc::new(schema) })
    }
}

fn unalias(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => unalias(&alias.expr),
        other => other,
    }
}

/// The columns that expressions are made over.
struct Scope(DFSchemaRef);

impl Scope {
    fn expr(&self, expr: &Expr) -> Result<Arc<dyn PhysicalExpr>> {
        create_physical_expr(expr, &self.0, &ExecutionProps::new(), &PhysicalPlanningContext::default())
    }

    fn grouping(&self, filter: Option<&Expr>, plan: &AggregatePlan, window_at: usize) -> Result<Grouping> {
        let keys = plan.group_expr.iter().enumerate().filter(|(at, _)| *at != window_at);
        let keys = keys.map(|(_, expr)| self.expr(expr)).collect::<Result<Vec<_>>>()?;
        let input = self.0.as_arrow();
        let key_field = |(at, key): (usize, &Arc<dyn PhysicalExpr>)| {
            Ok(Field::new(format!("key{at}"), key.data_type(input)?, true))
        };
        let key_schema = Schema::new(keys.iter().enumerate().map(key_field).collect::<Result<Vec<_>>>()?);
        let aggregates = plan.aggr_expr.iter().map(|expr| self.aggregate(expr)).collect::<Result<_>>()?;
        let filter = filter.map(|expr| self.expr(expr)).transpose()?;
        Ok(Grouping { filter, keys, key_schema: Arc::new(key_schema), window_at, aggregates })
    }

    fn aggregate(&self, expr: &Expr) -> Result<Aggregate> {
        let (props, context) = (ExecutionProps::new(), PhysicalPlanningContext::default());
        let lowered = LoweredAggregateBuilder::new(expr, &self.0, self.0.as_arrow(), &props, &context).build()?;
        let function = lowered.aggregate;
        let name = function.fun().name();
        let sorted = !lowered.order_bys.is_empty() && !function.fun().supports_within_group_clause();
        if sorted && function.order_sensitivity() == AggregateOrderSensitivity::HardRequirement {
            return plan_err!("`{name}` with ORDER BY needs sorted rows, which a stream does not have");
        }
        let mut args = function.expressions();
        args.extend(lowered.order_bys.iter().map(|order| order.expr.clone()));
        Ok(Aggregate { function, args, filter: lowered.filter })
    }
}

/// The columns that the markers stand for, once rows are grouped.
struct Bounds {
    start: Column,
    end: Column,
}

impl Bounds {
    fn new(aggregate: &AggregatePlan, window_at: usize) -> Bounds {
        let (qualifier, field) = aggregate.schema.qualified_field(window_at);
        Bounds { start: Column::new(qualifier.cloned(), field.name()), end: Column::new_unqualified("window end") }
    }

    /// The aggregate's own columns, among which the window's marker is its start, and the end of the window.
    fn schema(&self, aggregate: &AggregatePlan) -> Result<DFSchemaRef> {
        let own = aggregate.schema.iter().map(|(qualifier, field)| (qualifier.cloned(), field.clone()));
        let end = (None, Arc::new(Field::new(&self.end.name, TIME, true)));
        Ok(Arc::new(DFSchema::new_with_metadata(own.chain([end]).collect(), HashMap::new())?))
    }

    fn insert(&self, expr: &Expr) -> Result<Expr> {
        let column = |expr: Expr| match &expr {
            Expr::ScalarFunction(call) if call.name() == marker::WINDOW_START => {
                Transformed::yes(Expr::Column(self.start.clone()))
            }
            Expr::ScalarFunction(call) if call.name() == marker::WINDOW_END => {
                Transformed::yes(Expr::Column(self.end.clone()))
            }
            _ => Transformed::no(expr),
        };
        Ok(expr.clone().transform_up(|expr| Ok(column(expr)))?.data)
    }
}
