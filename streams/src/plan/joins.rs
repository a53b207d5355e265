//! Which join a `JOIN` is, and what it compares.

use super::lower::{Lowering, arrays};
use super::scope::Scope;
use super::windows::is_window_time;
use crate::catalog::TS;
use crate::df::{BinaryExpr, Expr, Join as JoinPlan, Operator as Sign, Result, split_conjunction};
use crate::dialect::{self, How};
use crate::join::{AsOf, Bounds, Interval, Join, Keys, Lookup, Pairing, SameWindow};
use crate::plan::window::nanos;
use crate::query::{Step, Work};
use crate::rows::Timing;
use crate::unnest::Unnest;
use edgeway_sdk::Problem;
use std::sync::Arc;

/// What a join compares.
struct Conditions {
    /// Expressions over the left and over the right table that must be equal.
    keys: Vec<(Expr, Expr)>,
    /// What else must be true.
    rest: Vec<Expr>,
}

impl Lowering<'_> {
    /// A table that is joined to those before it.
    pub(super) fn join(&mut self, join: &JoinPlan) -> Result<Scope, Problem> {
        let left = self.lower(&join.left)?;
        let at = self.inputs;
        let (Some(upstream), Some(name)) = (self.around.tables.get(at), self.place.names.get(at)) else {
            return Err(self.unsupported());
        };
        if let Some(unnest) = &name.unnest {
            return self.unnest(&left, unnest);
        }
        let left_timing = self.timing;
        let right = self.read(at)?;
        let conditions = Conditions::of(join, &left, &right);
        let texts: Vec<String> = conditions.rest.iter().map(Expr::to_string).collect();
        let keys: Vec<String> = conditions.keys.iter().map(|(one, other)| format!("{one} = {other}")).collect();
        let how = name.how;
        let text = format!("join {how:?} {} where {} and {}", name.name, keys.join(" and "), texts.join(" and "));
        self.fingerprint = self.fingerprint.with(&text);
        let both = left.join(&right).map_err(|error| self.explain(&error))?;
        if let Some(rows) = &upstream.table.rows {
            let rows = rows.project(&self.columns[at]).map_err(|error| self.explain(&error.into()))?;
            let pairing = self.pairing(&left, &both, how, &conditions.rest)?;
            let [left, right] = self.keys(&conditions.keys, &left, &right)?;
            self.add(Lookup::new(left, &right, rows, pairing).map_err(|error| self.explain(&error))?);
            return Ok(both);
        }
        let things = self.around.site.things.clone();
        let bytes = self.bytes_max();
        let delay = i64::try_from(self.delay().as_nanos()).unwrap_or(i64::MAX);
        let both_windows = left_timing == Timing::WindowEnd && upstream.table.timing == Timing::WindowEnd;
        let join: Box<dyn Join> = if how == How::AsOf {
            if let Some(rest) = conditions.rest.first() {
                let problem = name.at.problem(format!("an ASOF JOIN compares keys with `=` only, and not `{rest}`"));
                return Err(problem.help("put the condition into WHERE"));
            }
            let pairing = self.pairing(&left, &both, how, &[])?;
            self.uses(&["asof_tolerance"]);
            let tolerance = self.around.options.iter().find_map(|options| options.asof_tolerance);
            let tolerance = tolerance.map(|setting| i64::try_from(setting.value.as_nanos()).unwrap_or(i64::MAX));
            let keys = self.keys(&conditions.keys, &left, &right)?;
            Box::new(AsOf::new(keys, pairing, tolerance, delay, bytes, things))
        } else if both_windows
            && conditions.keys.iter().any(|(one, other)| is_window_time(one) && is_window_time(other))
        {
            let pairing = self.pairing(&left, &both, how, &conditions.rest)?;
            Box::new(SameWindow::new(self.keys(&conditions.keys, &left, &right)?, pairing, bytes, things))
        } else {
            let Some(bounds) = conditions.bounds(&left, &right) else {
                let (problem, help) = (
                    name.at.problem("a JOIN of two streams needs to know how far apart their times may be"),
                    &name.qualifier,
                );
                let help = help.join(".");
                return Err(problem.help(match both_windows {
                    true => format!("add AND {help}.window_start = other.window_start, or write ASOF JOIN"),
                    false => format!(
                        "add AND {help}.ts BETWEEN other.ts - INTERVAL '10 seconds' AND other.ts + INTERVAL '10 seconds', or write ASOF JOIN"
                    ),
                }));
            };
            let pairing = self.pairing(&left, &both, how, &conditions.rest)?;
            let keys = self.keys(&conditions.keys, &left, &right)?;
            Box::new(Interval::new(keys, pairing, bounds, bytes, things))
        };
        self.waits |= !both_windows;
        let input = self.streams - 1;
        self.steps.push(Step { fingerprint: self.fingerprint.0, work: Work::Meet(input, join) });
        Ok(both)
    }

    /// A row for each element of an array.
    fn unnest(&mut self, left: &Scope, unnest: &dialect::Unnest) -> Result<Scope, Problem> {
        let at = self.inputs;
        let right = self.read(at)?;
        let how = self.place.names[at].how;
        let mut meant = arrays(unnest, &self.place.names[..at]);
        let array = meant.find_map(|(at, column)| Some((left.0.maybe_index_of_column(&column)?, at, column.name)));
        let (array, table, column) = array.ok_or_else(|| self.unsupported())?;
        let keeps_arrays = self.reads_array(table, &column);
        self.fingerprint = self.fingerprint.with(&format!("{how:?} {unnest:?}"));
        let both = left.join(&right).map_err(|error| self.explain(&error))?;
        let pairing = self.pairing(left, &both, how, &[])?;
        let read = self.columns[at].clone();
        self.add(Unnest { array, keeps_arrays, numbered: unnest.numbered, read, pairing });
        Ok(both)
    }

    fn keys(&self, keys: &[(Expr, Expr)], left: &Scope, right: &Scope) -> Result<[Keys; 2], Problem> {
        let (lefts, rights): (Vec<Expr>, Vec<Expr>) = keys.iter().cloned().unzip();
        let keys = |scope: &Scope, exprs: &[Expr]| Keys::new(scope.exprs(exprs)?, scope.0.as_arrow());
        let both = keys(left, &lefts).and_then(|left| Ok([left, keys(right, &rights)?]));
        both.map_err(|error| self.explain(&error))
    }

    fn pairing(&self, left: &Scope, both: &Scope, how: How, rest: &[Expr]) -> Result<Pairing, Problem> {
        let filter = rest.iter().cloned().reduce(Expr::and);
        let filter = filter.map(|filter| both.expr(&filter)).transpose().map_err(|error| self.explain(&error))?;
        Ok(Pairing {
            schema: Arc::new(both.nullable()),
            left_columns: left.0.fields().len(),
            filter,
            keeps_left: how != How::Inner,
        })
    }
}

impl Conditions {
    fn of(join: &JoinPlan, left: &Scope, right: &Scope) -> Conditions {
        let mut found = Conditions { keys: join.on.clone(), rest: vec![] };
        for condition in join.filter.iter().flat_map(|filter| split_conjunction(filter)) {
            match condition {
                Expr::BinaryExpr(BinaryExpr { left: one, op: Sign::Eq, right: other })
                    if left.has_all(one) && right.has_all(other) =>
                {
                    found.keys.push(((**one).clone(), (**other).clone()));
                }
                Expr::BinaryExpr(BinaryExpr { left: one, op: Sign::Eq, right: other })
                    if left.has_all(other) && right.has_all(one) =>
                {
                    found.keys.push(((**other).clone(), (**one).clone()));
                }
                other => found.rest.push(other.clone()),
            }
        }
        found
    }

    /// How much later than a left row a right one may be, as far as conditions on their times say so.
    fn bounds(&self, left: &Scope, right: &Scope) -> Option<Bounds> {
        let (mut low, mut high) = (None, None);
        let equal = self.keys.iter().filter_map(|(one, other)| Some((time(one, left)?, time(other, right)?)));
        for (one, other) in equal {
            (low, high) = (Some(one - other), Some(one - other));
        }
        for condition in self.rest.iter().flat_map(comparisons) {
            let (one, sign, other) = condition;
            // right + b  sign  left + a, so that right - left  sign  a - b
            let (sign, distance) = match (time(&one, right), time(&other, left)) {
                (Some(b), Some(a)) => (sign, a - b),
                _ => match (time(&other, right), time(&one, left)) {
                    (Some(b), Some(a)) => (sign.swap()?, a - b),
                    _ => continue,
                },
            };
            match sign {
                Sign::Gt | Sign::GtEq => low = low.max(Some(distance)),
                Sign::Lt | Sign::LtEq => high = Some(high.map_or(distance, |high: i64| high.min(distance))),
                _ => {}
            }
        }
        Some(low?..=high?)
    }
}

/// A condition as comparisons that must all be true.
fn comparisons(condition: &Expr) -> Vec<(Expr, Sign, Expr)> {
    match condition {
        Expr::BinaryExpr(binary) => vec![((*binary.left).clone(), binary.op, (*binary.right).clone())],
        Expr::Between(between) if !between.negated => {
            let of = |sign, bound: &Expr| ((*between.expr).clone(), sign, bound.clone());
            vec![of(Sign::GtEq, &between.low), of(Sign::LtEq, &between.high)]
        }
        _ => vec![],
    }
}

/// `ts`, `ts + INTERVAL` or `ts - INTERVAL` of a table: how much is added.
fn time(expr: &Expr, scope: &Scope) -> Option<i64> {
    match expr {
        Expr::Column(column) if column.name == TS && scope.has_all(expr) => Some(0),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let (at, by) = (time(left, scope)?, nanos(right).ok()?);
            match op {
                Sign::Plus => at.checked_add(by),
                Sign::Minus => at.checked_sub(by),
                _ => None,
            }
        }
        Expr::Cast(cast) => time(&cast.expr, scope),
        _ => None,
    }
}
