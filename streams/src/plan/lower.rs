//! From a logical plan to steps, from the tables upwards.

use super::scope::Scope;
use super::{Around, Plan, Units, explain};
use crate::catalog::{DEVICE, TS};
use crate::df::{
    AggregatePlan, Column, DFSchema, DataFusionError, Expr, Field, LogicalPlan, Projection, Result, SchemaRef, TIME,
    TableReference, Transformed, TreeNode, TreeNodeRecursion,
};
use crate::dialect::{At, Options, TableName, Unnest};
use crate::fingerprint::Fingerprint;
use crate::marker;
use crate::operator::Operator;
use crate::query::{Step, Work};
use crate::ranks::RANK;
use crate::rows::Timing;
use crate::segment::{Segment, output_schema};
use edgeway_sdk::Problem;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// Where things stand in a block.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) at: At,
    pub(super) names: &'a [TableName],
    /// Where the window stands.
    pub(super) window: Option<At>,
}

/// Lowers a block's plan.
///
/// # Errors
/// The first thing that does not fit together.
pub(super) fn lower(plan: &LogicalPlan, around: Around<'_>, place: Place<'_>) -> Result<Plan, Problem> {
    let columns = columns(plan, around, place).map_err(|error| explain(&error, place.at))?;
    let mut lowering = Lowering::new(around, place, columns);
    let LogicalPlan::Projection(projection) = plan else { return Err(lowering.unsupported()) };
    let schema = lowering.answer(projection)?;
    lowering.finish(schema)
}

pub(super) struct Lowering<'a> {
    pub(super) around: Around<'a>,
    pub(super) place: Place<'a>,
    /// Of each table, the places of the columns that are read.
    pub(super) columns: Vec<Vec<usize>>,
    /// Those that only an `UNNEST` reads.
    arrays_alone: BTreeSet<(usize, usize)>,
    /// How many tables have been read so far, and how many of them are streams.
    pub(super) inputs: usize,
    pub(super) streams: usize,
    /// How the rows are timed at this point.
    pub(super) timing: Timing,
    pub(super) steps: Vec<Step>,
    /// A condition that the next step has to look at.
    pub(super) filter: Option<Expr>,
    /// What the markers of the window stand for, above it.
    pub(super) bounds: Option<Bounds>,
    pub(super) fingerprint: Fingerprint,
    pub(super) waits: bool,
    /// Whether windows are told more than once.
    pub(super) tells_again: bool,
    /// The options that have an effect.
    pub(super) used: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Lowering<'a> {
    pub(super) fn new(around: Around<'a>, place: Place<'a>, columns: Columns) -> Lowering<'a> {
        let Columns { columns, arrays_alone } = columns;
        Lowering {
            arrays_alone,
            around,
            place,
            columns,
            inputs: 0,
            streams: 0,
            timing: Timing::Moment,
            steps: vec![],
            filter: None,
            bounds: None,
            fingerprint: Fingerprint::new(),
            waits: false,
            tells_again: false,
            used: RefCell::default(),
        }
    }

    /// The plan, once there are all steps up to the columns of the answer.
    pub(super) fn finish(mut self, schema: SchemaRef) -> Result<Plan, Problem> {
        if self.around.is_last {
            self.shape(&schema)?;
        }
        let Lowering { columns, steps, timing, fingerprint, waits, tells_again, used, .. } = self;
        Ok(Plan {
            columns,
            steps,
            schema,
            timing,
            fingerprint,
            waits,
            tells_again,
            used: used.into_inner(),
            units: Units::new(),
        })
    }
}

impl Lowering<'_> {
    pub(super) fn explain(&self, error: &DataFusionError) -> Problem {
        explain(error, self.place.at)
    }

    /// These options have an effect.
    pub(super) fn uses(&self, options: &[&'static str]) {
        self.used.borrow_mut().extend(options);
    }

    pub(super) fn unsupported(&self) -> Problem {
        self.place.at.problem("a query of this shape is not supported")
    }

    /// Lowers a part of the plan; what its rows hold.
    pub(super) fn lower(&mut self, plan: &LogicalPlan) -> Result<Scope, Problem> {
        match plan {
            LogicalPlan::TableScan(_) | LogicalPlan::SubqueryAlias(_) => self.table(),
            LogicalPlan::Filter(filter) => self.filter(&filter.predicate, &filter.input),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Window(window) => self.over(window),
            _ => Err(self.unsupported()),
        }
    }

    /// The first table in `FROM`.
    fn table(&mut self) -> Result<Scope, Problem> {
        if let (Some(upstream), Some(name)) = (self.around.tables.first(), self.place.names.first()) {
            if !upstream.table.is_stream() {
                let message = format!("`{}` does not go on: a query begins with a stream", name.shown());
                return Err(name.at.problem(message).help("name the stream after FROM, and this behind JOIN"));
            }
            self.timing = upstream.table.timing;
        }
        self.read(0)
    }

    /// The columns of a table that are read.
    pub(super) fn read(&mut self, at: usize) -> Result<Scope, Problem> {
        let (Some(upstream), Some(name)) = (self.around.tables.get(at), self.place.names.get(at)) else {
            return Err(self.unsupported());
        };
        self.inputs += 1;
        self.streams += usize::from(upstream.table.is_stream());
        self.fingerprint = self.fingerprint.with(&upstream.fingerprint.0.to_string());
        let scope = Scope::of_table(&reference(name), &upstream.table.schema, &self.columns[at]);
        scope.map_err(|error| self.explain(&error))
    }

    fn filter(&mut self, condition: &Expr, input: &LogicalPlan) -> Result<Scope, Problem> {
        let scope = self.lower(input)?;
        let condition = self.insert(condition)?;
        self.fingerprint = self.fingerprint.with(&format!("filter {condition}"));
        self.filter = Some(match self.filter.take() {
            None => condition,
            Some(other) => other.and(condition),
        });
        Ok(scope)
    }

    /// An expression with the bounds of the window in place of their markers.
    pub(super) fn insert(&self, expr: &Expr) -> Result<Expr, Problem> {
        let inserted = self.bounds.as_ref().map_or_else(|| Ok(expr.clone()), |bounds| bounds.insert(expr));
        inserted.map_err(|error| self.explain(&error))
    }

    /// Whether an array is read beside its elements.
    pub(super) fn reads_array(&self, table: usize, column: &str) -> bool {
        let place = self.around.tables[table].table.schema.index_of(column);
        !place.is_ok_and(|column| self.arrays_alone.contains(&(table, column)))
    }

    pub(super) fn add(&mut self, operator: impl Operator + 'static) {
        let fingerprint = self.fingerprint.0;
        self.steps.push(Step { fingerprint, work: Work::Do(Box::new(operator)) });
    }

    /// The last step, which makes the columns of the answer.
    fn answer(&mut self, projection: &Projection) -> Result<SchemaRef, Problem> {
        let scope = self.lower(&projection.input)?;
        let outputs = projection.expr.iter().map(|expr| self.insert(expr)).collect::<Result<Vec<_>, _>>()?;
        self.check_time(&outputs)?;
        let segment = self.segment(&outputs, &scope)?;
        let schema = segment.schema.clone();
        let texts: Vec<String> = outputs.iter().map(Expr::to_string).collect();
        self.fingerprint = self.fingerprint.with(&texts.join(", "));
        self.add(segment);
        Ok(schema)
    }

    /// A column of the answer called `ts` must be the time of the row: queries that read it rely on that.
    fn check_time(&self, outputs: &[Expr]) -> Result<(), Problem> {
        let is_time = |expr: &Expr| match (&self.bounds, expr) {
            (Some(bounds), Expr::Column(column)) => *column == bounds.end || (bounds.is_instant && column.name == TS),
            (None, Expr::Column(column)) => {
                let first = self.place.names.first().map(reference);
                column.name == TS && (column.relation.is_none() || column.relation == first)
            }
            _ => false,
        };
        let wrong = outputs.iter().any(|expr| expr.qualified_name().1 == TS && !is_time(unalias(expr)));
        let problem = || {
            let at = self.place.at;
            at.problem("`ts` is the time of the row, which this column is not").help("call it something else")
        };
        if wrong { Err(problem()) } else { Ok(()) }
    }

    /// Lets only those rows on for which the pending condition is true.
    pub(super) fn sift(&mut self, scope: &Scope) -> Result<(), Problem> {
        if self.filter.is_some() {
            let columns: Vec<Expr> = scope.0.columns().into_iter().map(Expr::Column).collect();
            let segment = self.segment(&columns, scope)?;
            self.add(Segment { schema: Arc::new(scope.nullable()), ..segment });
        }
        Ok(())
    }

    fn segment(&mut self, outputs: &[Expr], input: &Scope) -> Result<Segment, Problem> {
        let filter = self.filter.take();
        let physical = |expr: &Expr| input.expr(expr).map_err(|error| self.explain(&error));
        let filter = filter.as_ref().map(physical).transpose()?;
        let pairs: Vec<_> = outputs.iter().map(|e| Ok((e.clone(), physical(e)?))).collect::<Result<_, Problem>>()?;
        let schema = output_schema(&pairs, input.0.as_arrow()).map_err(|(name, found)| {
            let message = format!("column `{name}` is of type {found}, which a row cannot hold");
            self.place.at.problem(message).help("CAST it")
        })?;
        let outputs = pairs.into_iter().map(|(_, physical)| physical).collect();
        Ok(Segment { filter, outputs, schema: Arc::new(schema) })
    }

    /// How long something is remembered without a row, in nanoseconds.
    pub(super) fn hold(&self) -> i64 {
        let longest = self.around.options.iter().map(Options::hold).max().unwrap_or_default();
        i64::try_from(longest.as_nanos()).unwrap_or(i64::MAX)
    }

    /// The longest time that a table's rows are waited for.
    pub(super) fn delay(&self) -> Duration {
        self.around.options.iter().map(Options::delay).max().unwrap_or_default()
    }
}

/// What columns of a table are qualified with.
pub(super) fn reference(name: &TableName) -> TableReference {
    match &*name.qualifier {
        [schema, table] => TableReference::partial(schema.as_str(), table.as_str()),
        other => TableReference::bare(other.join(".")),
    }
}

/// Of each table, the columns that are read, and the time, so that there is always one.
fn columns(plan: &LogicalPlan, around: Around<'_>, place: Place<'_>) -> Result<Columns> {
    let tables: Vec<DFSchema> = (place.names.iter().zip(around.tables))
        .map(|(name, upstream)| DFSchema::try_from_qualified_schema(reference(name), &upstream.table.schema))
        .collect::<Result<_>>()?;
    let mut read: Vec<BTreeSet<usize>> =
        around.tables.iter().map(|upstream| upstream.table.schema.index_of(TS).into_iter().collect()).collect();
    // Above an aggregate only its own columns are left.
    let mut root = plan;
    plan.apply(|node| {
        if matches!(node, LogicalPlan::Aggregate(_)) {
            root = node;
            return Ok(TreeNodeRecursion::Stop);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    root.apply(|node| {
        let keys: &[Expr] = if let LogicalPlan::Aggregate(aggregate) = node { &aggregate.group_expr } else { &[] };
        for expr in node.expressions() {
            // Grouped by name, devices are grouped by their numbers.
            let is_device = |column: &Column| column.name == DEVICE && keys.contains(&expr);
            for column in expr.column_refs() {
                for (table, read) in tables.iter().zip(&mut read) {
                    let rank = Column::new(column.relation.clone(), RANK);
                    let rank = Some(rank).filter(|_| is_device(column) && matches!(expr, Expr::Column(_)));
                    let rank = rank.and_then(|rank| table.maybe_index_of_column(&rank));
                    read.extend(rank.or_else(|| table.maybe_index_of_column(column)));
                }
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    let mut arrays_alone = BTreeSet::new();
    for (at, unnest) in place.names.iter().enumerate().filter_map(|(at, name)| Some((at, name.unnest.as_ref()?))) {
        let mut meant = arrays(unnest, &place.names[..at]);
        let array = meant.find_map(|(at, column)| Some((at, tables[at].maybe_index_of_column(&column)?)));
        if let Some((table, column)) = array.filter(|(table, column)| read[*table].insert(*column)) {
            arrays_alone.insert((table, column));
        }
    }
    let columns = read.into_iter().map(|columns| columns.into_iter().collect()).collect();
    Ok(Columns { columns, arrays_alone })
}

/// Which columns are read.
#[derive(Default)]
pub(super) struct Columns {
    /// Of each table, their places.
    pub(super) columns: Vec<Vec<usize>>,
    /// Those that only an `UNNEST` reads.
    pub(super) arrays_alone: BTreeSet<(usize, usize)>,
}

/// The columns that an `UNNEST` can be about, with the places of their tables. One of them is there.
pub(super) fn arrays(unnest: &Unnest, before: &[TableName]) -> impl Iterator<Item = (usize, Column)> {
    let (column, qualifier) = unnest.column.split_last().expect("it names a column");
    let tables =
        before.iter().enumerate().filter(move |(_, table)| qualifier.is_empty() || table.qualifier == qualifier);
    tables.map(move |(at, table)| (at, Column::new(Some(reference(table)), column)))
}

pub(super) fn unalias(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => unalias(&alias.expr),
        other => other,
    }
}

/// The columns that the markers stand for, once rows are grouped.
pub(super) struct Bounds {
    pub(super) start: Column,
    pub(super) end: Column,
    /// Whether the window is that of the rows that are grouped.
    is_instant: bool,
}

impl Bounds {
    pub(super) fn new(aggregate: &AggregatePlan, window_at: Option<usize>) -> Bounds {
        let start = match window_at {
            None => Column::new_unqualified("window start"),
            Some(at) => {
                let (qualifier, field) = aggregate.schema.qualified_field(at);
                Column::new(qualifier.cloned(), field.name())
            }
        };
        Bounds { start, end: Column::new_unqualified("window end"), is_instant: window_at.is_none() }
    }

    /// The aggregate's own columns, among which the window's marker is its start, and the end of the window.
    pub(super) fn schema(&self, aggregate: &AggregatePlan) -> Result<DFSchema> {
        let own = aggregate.schema.iter().map(|(qualifier, field)| (qualifier.cloned(), field.clone()));
        let end = (None, Arc::new(Field::new(&self.end.name, TIME, true)));
        DFSchema::new_with_metadata(own.chain([end]).collect(), HashMap::new())
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
