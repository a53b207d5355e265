//! Which operator an `OVER` is, and what its functions are.

use super::lower::{Lowering, unalias};
use super::scope::Scope;
use super::window::nanos;
use crate::catalog::TS;
use crate::df::{
    AggregateFunction, DFSchema, Expr, ExprSchemable, NullTreatment, ScalarValue, SortOptions, Window,
    WindowFrameBound, WindowFrameUnits, WindowFunction, WindowFunctionDefinition,
};
use crate::join::Keys;
use crate::marker;
use crate::over::{Call, Frame, Lagging, Over, Running, Sorting, Whole};
use crate::rows::Timing;
use edgeway_sdk::Problem;
use std::collections::HashMap;
use std::sync::Arc;

impl Lowering<'_> {
    /// Columns that are made over rows.
    pub(super) fn over(&mut self, window: &Window) -> Result<Scope, Problem> {
        let input = self.lower(&window.input)?;
        self.sift(&input)?;
        let mut made = vec![];
        let (mut parts, mut order) = (vec![], vec![]);
        for expr in &window.window_expr {
            let expr = self.insert(expr)?;
            let Expr::WindowFunction(function) = unalias(&expr) else { return Err(self.unsupported()) };
            parts = function.params.partition_by.clone();
            order = function.params.order_by.clone();
            made.push(self.function(function, &input)?);
        }
        let texts: Vec<String> = window.window_expr.iter().map(Expr::to_string).collect();
        let is_whole = self.timing == Timing::WindowEnd && parts.iter().any(|part| self.is_time_of_window(part));
        self.fingerprint = self.fingerprint.with(&format!("over {}", texts.join(", ")));
        let scope = over_scope(&input, window).map_err(|error| self.explain(&error))?;
        let schema = Arc::new(scope.nullable());
        let exprs = input.exprs(&parts).map_err(|error| self.explain(&error))?;
        let keys = Keys::new(exprs, input.0.as_arrow()).map_err(|error| self.explain(&error))?;
        if is_whole {
            let sorting = |sort: &crate::df::Sort| {
                let options = SortOptions { descending: !sort.asc, nulls_first: sort.nulls_first };
                Ok(Sorting { value: input.expr(&sort.expr)?, options })
            };
            let order = order.iter().map(sorting).collect::<Result<_, _>>().map_err(|error| self.explain(&error))?;
            let things = self.around.site.things.clone();
            self.add(Whole::new(keys, order, made, schema, things));
            return Ok(scope);
        }
        self.check_running(&made, &order)?;
        if !order.is_empty() {
            self.sort(&input)?;
            // What is made depends on the order.
            self.fingerprint = self.fingerprint.with("in order");
        }
        self.uses(&["hold"]);
        let hold = self.hold();
        self.add(Running::new(keys, made, schema, hold, self.limits()));
        Ok(scope)
    }

    /// Whether a part of a window's rows is one window.
    fn is_time_of_window(&self, part: &Expr) -> bool {
        let Expr::Column(column) = part else { return false };
        let is_bound = self.bounds.as_ref().is_some_and(|bounds| *column == bounds.start || *column == bounds.end);
        is_bound || marker::TIMES.contains(&column.name.as_str())
    }

    /// What makes sense only where all rows are known.
    fn check_running(&self, made: &[Over], order: &[crate::df::Sort]) -> Result<(), Problem> {
        let at = self.place.at;
        if made.iter().any(|over| matches!(over.call, Call::Rank | Call::DenseRank)) {
            let problem = at.problem("a rank is among the rows of a window");
            return Err(problem.help("write OVER (PARTITION BY window_start ORDER BY ...) over the rows of a window"));
        }
        let by_time = |sort: &crate::df::Sort| sort.asc && matches!(&sort.expr, Expr::Column(c) if c.name == TS);
        if order.iter().any(|sort| !by_time(sort)) {
            let problem = at.problem("rows of a stream can be ordered by `ts` only");
            return Err(problem.help("write ORDER BY ts, or take the rows as they come"));
        }
        Ok(())
    }

    fn function(&self, function: &WindowFunction, input: &Scope) -> Result<Over, Problem> {
        let args = &function.params.args;
        let data_type = Expr::WindowFunction(Box::new(function.clone())).get_type(&*input.0);
        let data_type = data_type.map_err(|error| self.explain(&error))?;
        let value = |at: usize| input.expr(&args[at]).map_err(|error| self.explain(&error));
        let call = match &function.fun {
            WindowFunctionDefinition::AggregateUDF(_) => {
                Call::Aggregate(Box::new(self.over_aggregate(function, input)?), self.frame_of(function)?)
            }
            WindowFunctionDefinition::WindowUDF(udf) => match udf.name() {
                "lag" => {
                    let default = args.get(2).map_or(Some(&ScalarValue::Null), literal);
                    let back = args.get(1).map_or(Some(&ScalarValue::Int64(Some(1))), literal).and_then(whole);
                    let (Some(back), Some(default)) = (back, default) else {
                        let problem = self.place.at.problem("`lag` goes back by a whole number of rows");
                        return Err(problem.help("write lag(x), lag(x, 2) or lag(x, 2, 0)"));
                    };
                    let default = default.cast_to(&data_type).map_err(|error| self.explain(&error))?;
                    let ignores_nulls = function.params.null_treatment == Some(NullTreatment::IgnoreNulls);
                    Call::Lag(Lagging { value: value(0)?, back, default, ignores_nulls })
                }
                "latest" => Call::Latest(value(0)?),
                "had_changed" => Call::HadChanged(value(0)?),
                "changed_cols" => {
                    let name = |arg: &Expr| arg.qualified_name().1;
                    let columns = args.iter().enumerate().map(|(at, arg)| Ok((name(arg), value(at)?)));
                    Call::ChangedCols(columns.collect::<Result<_, Problem>>()?)
                }
                "row_number" => Call::RowNumber,
                "rank" => Call::Rank,
                "dense_rank" => Call::DenseRank,
                _ => return Err(self.unsupported()),
            },
        };
        Ok(Over { call, data_type })
    }

    fn over_aggregate(&self, function: &WindowFunction, input: &Scope) -> Result<crate::windows::Aggregate, Problem> {
        let WindowFunctionDefinition::AggregateUDF(udf) = &function.fun else { return Err(self.unsupported()) };
        let params = &function.params;
        let plain = AggregateFunction::new_udf(
            udf.clone(),
            params.args.iter().map(counted).collect(),
            params.distinct,
            params.filter.clone(),
            vec![],
            params.null_treatment,
        );
        input.aggregate(&Expr::AggregateFunction(plain)).map_err(|error| self.explain(&error))
    }

    fn frame_of(&self, function: &WindowFunction) -> Result<Frame, Problem> {
        let (frame, order) = (&function.params.window_frame, &function.params.order_by);
        let unsupported = || {
            let at = self.place.at;
            let problem = at.problem("a frame goes from some rows or some time before a row to that row");
            problem.help("write ROWS BETWEEN 9 PRECEDING AND CURRENT ROW, or RANGE BETWEEN INTERVAL '1 minute' PRECEDING AND CURRENT ROW, with ORDER BY ts")
        };
        if order.is_empty() && self.timing == Timing::WindowEnd {
            return Ok(Frame::All);
        }
        if frame.end_bound != WindowFrameBound::CurrentRow {
            return Err(unsupported());
        }
        match (&frame.units, &frame.start_bound) {
            (_, WindowFrameBound::Preceding(start)) if start.is_null() => Ok(Frame::All),
            (WindowFrameUnits::Rows, WindowFrameBound::CurrentRow) => Ok(Frame::Rows(1)),
            (WindowFrameUnits::Rows, WindowFrameBound::Preceding(rows)) => {
                whole(rows).map(|rows| Frame::Rows(rows + 1)).ok_or_else(unsupported)
            }
            (WindowFrameUnits::Range, WindowFrameBound::Preceding(length)) => {
                nanos(&Expr::Literal(length.clone(), None)).map(Frame::Range).map_err(|_| unsupported())
            }
            _ => Err(unsupported()),
        }
    }
}

fn over_scope(input: &Scope, window: &Window) -> crate::df::Result<Scope> {
    let made = window.schema.iter().skip(window.schema.fields().len() - window.window_expr.len());
    let made = made.map(|(qualifier, field)| (qualifier.cloned(), field.clone()));
    let own = input.0.iter().map(|(qualifier, field)| (qualifier.cloned(), field.clone()));
    Ok(Scope(Arc::new(DFSchema::new_with_metadata(own.chain(made).collect(), HashMap::new())?)))
}

/// `count(*)` counts ones.
#[expect(deprecated, reason = "the planner still leaves `*` in the arguments of functions with OVER")]
fn counted(arg: &Expr) -> Expr {
    match arg {
        Expr::Wildcard { .. } => Expr::Literal(ScalarValue::Int64(Some(1)), None),
        other => other.clone(),
    }
}

fn literal(expr: &Expr) -> Option<&ScalarValue> {
    match unalias(expr) {
        Expr::Literal(value, _) => Some(value),
        _ => None,
    }
}

fn whole(value: &ScalarValue) -> Option<usize> {
    match value {
        ScalarValue::Int64(Some(number)) => usize::try_from(*number).ok(),
        ScalarValue::UInt64(Some(number)) => usize::try_from(*number).ok(),
        _ => None,
    }
}
