//! Units of columns, and expressions in which two of them meet that cannot: `m/s` compared with `km/h`.
//!
//! The unit of a column is its property's. It goes through sums, differences, and the aggregates whose answer is of the kind
//! of what they are asked about; products and quotients have none that is known.

use super::{Around, unaliased};
use crate::df::{BinaryExpr, Column, DFSchema, Expr, LogicalPlan, Operator, Result, TreeNode, TreeNodeRecursion};
use crate::dialect::{At, TableName};
use edgeway_sdk::Problem;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Units by column.
pub(crate) type Units = BTreeMap<String, Arc<str>>;

/// The aggregates and functions whose answer has the unit of their first argument.
const KEEPING: [&str; 24] = [
    "avg",
    "sum",
    "min",
    "max",
    "median",
    "first",
    "last",
    "first_value",
    "last_value",
    "tw_avg",
    "counter_increase",
    "approx_percentile_cont",
    "stddev",
    "stddev_pop",
    "abs",
    "round",
    "floor",
    "ceil",
    "coalesce",
    "array_element",
    "array_avg",
    "array_sum",
    "array_min",
    "array_max",
];

/// Checks a plan, and says which units its answer has.
///
/// # Errors
/// The first two units that do not fit together.
pub(super) fn check(
    plan: &LogicalPlan,
    around: Around<'_>,
    names: &[TableName],
    at: At,
) -> std::result::Result<Units, Problem> {
    let scope = Scope { around, names, made: std::cell::RefCell::default() };
    let mut problem = None;
    let mut nodes = vec![];
    let _ = plan.apply(|node| {
        nodes.push(node);
        Ok(TreeNodeRecursion::Continue)
    });
    // From below: what a node makes has a unit for those above it.
    for node in nodes.into_iter().rev() {
        for expr in node.expressions() {
            let _ = expr.apply(|part| {
                problem = problem.take().or_else(|| scope.misfit(part, at));
                Ok(TreeNodeRecursion::Continue)
            });
        }
        scope.note(node);
    }
    if let Some(problem) = problem {
        return Err(problem);
    }
    let LogicalPlan::Projection(projection) = plan else { return Ok(Units::new()) };
    let units = projection.expr.iter().filter_map(|expr| Some((expr.qualified_name().1, scope.unit(expr)?)));
    Ok(units.collect())
}

struct Scope<'a> {
    around: Around<'a>,
    names: &'a [TableName],
    /// Units of the columns that aggregates make, by their names.
    made: std::cell::RefCell<Units>,
}

impl Scope<'_> {
    fn unit(&self, expr: &Expr) -> Option<Arc<str>> {
        match unaliased(expr) {
            Expr::Column(column) => self.of_column(column),
            Expr::Cast(cast) => self.unit(&cast.expr),
            Expr::TryCast(cast) => self.unit(&cast.expr),
            Expr::Negative(inner) => self.unit(inner),
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Plus | Operator::Minus, right }) => {
                self.unit(left).or_else(|| self.unit(right))
            }
            Expr::AggregateFunction(call) if KEEPING.contains(&call.func.name()) => {
                self.unit(call.params.args.first()?)
            }
            Expr::ScalarFunction(call) if KEEPING.contains(&call.name()) => self.unit(call.args.first()?),
            Expr::WindowFunction(call) => self.unit(call.params.args.first()?),
            _ => None,
        }
    }

    fn of_column(&self, column: &Column) -> Option<Arc<str>> {
        if let Some(unit) = self.made.borrow().get(&column.flat_name()) {
            return Some(unit.clone());
        }
        let relation = column.relation.as_ref()?;
        let tables = self.names.iter().zip(self.around.tables);
        let mut meant = tables.filter(|(name, _)| super::lower::reference(name) == *relation);
        meant.next()?.1.table.units.get(&column.name).cloned()
    }

    /// The aggregates and columns over rows that a node makes.
    fn note(&self, node: &LogicalPlan) {
        let (schema, made, from): (&DFSchema, &[Expr], usize) = match node {
            LogicalPlan::Aggregate(aggregate) => (&aggregate.schema, &aggregate.aggr_expr, aggregate.group_expr.len()),
            LogicalPlan::Window(window) => {
                (&window.schema, &window.window_expr, window.schema.fields().len() - window.window_expr.len())
            }
            _ => return,
        };
        for (at, expr) in made.iter().enumerate() {
            if let Some(unit) = self.unit(expr) {
                let (qualifier, field) = schema.qualified_field(from + at);
                let name = Column::new(qualifier.cloned(), field.name()).flat_name();
                self.made.borrow_mut().insert(name, unit);
            }
        }
    }

    /// What is wrong with an expression itself, its parts left aside.
    fn misfit(&self, expr: &Expr, fallback: At) -> Option<Problem> {
        let Expr::BinaryExpr(BinaryExpr { left, op, right }) = expr else { return None };
        let what = match op {
            Operator::Plus => "added to",
            Operator::Minus => "taken from",
            op if op.supports_propagation() => "compared with",
            _ => return None,
        };
        let (one, other) = (self.unit(left)?, self.unit(right)?);
        if one == other {
            return None;
        }
        let (one, other) = if *op == Operator::Minus { (other, one) } else { (one, other) };
        let place = first_place(left).or_else(|| first_place(right)).unwrap_or(fallback);
        let problem = place.problem(format!("`{one}` is {what} `{other}` in `{expr}`"));
        Some(problem.help("convert one of them, as in `speed / 3.6`"))
    }
}

fn first_place(expr: &Expr) -> Option<At> {
    let mut found = None;
    let _: Result<TreeNodeRecursion> = expr.apply(|part| {
        if let Expr::Column(column) = part
            && let Some(span) = column.spans.first()
        {
            found = Some(At::new(span.start.line as usize, span.start.column as usize));
            return Ok(TreeNodeRecursion::Stop);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    found
}
