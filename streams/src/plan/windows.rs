//! Which operator a window in `GROUP BY` is.

use super::lower::{Bounds, Lowering, unalias};
use super::scope::Scope;
use super::window::{Frame, Wrong, length_of};
use crate::catalog::TS;
use crate::df::{AggregatePlan, DataType, Expr, ExprSchemable, ScalarFunction, ScalarValue};
use crate::dialect::{At, AtLimit, Emit};
use crate::functions;
use crate::marker;
use crate::rows::Timing;
use crate::segment::row_type;
use crate::sorted::Sorter;
use crate::spans::{Rule, Spans};
use crate::windows::{self, Grouping, Limits, Telling, Windows};
use edgeway_sdk::Problem;
use std::sync::Arc;
use std::time::Duration;

/// The most windows of rows that one row can be in.
const COUNT_OVERLAP_MAX: u64 = 1_000;

impl Lowering<'_> {
    /// Groups of rows in windows.
    pub(super) fn aggregate(&mut self, aggregate: &AggregatePlan) -> Result<Scope, Problem> {
        let input = self.lower(&aggregate.input)?;
        let window = window(aggregate);
        if window.is_none() && self.timing == Timing::Moment && !self.around.is_bounded {
            let problem = self.place.at.problem("an aggregate over rows that never end never has an answer");
            return Err(problem.help("add GROUP BY TUMBLE(ts, INTERVAL '10 seconds')"));
        }
        let at = self.place.window.unwrap_or(self.place.at);
        let texts: Vec<String> = aggregate.group_expr.iter().chain(&aggregate.aggr_expr).map(Expr::to_string).collect();
        let rule = match &window {
            Some((_, call)) if [marker::SESSION, marker::COUNT, marker::STATE].contains(&call.name()) => {
                Some(self.rule(call, &input, at)?)
            }
            _ => None,
        };
        if rule.is_some() || aggregate.aggr_expr.iter().any(is_timed) {
            self.sort(&input)?;
        }
        let filter = self.filter.take();
        let place = window.as_ref().map(|(place, _)| *place);
        let grouping = input
            .grouping(filter.as_ref(), aggregate, place, self.around.ranks)
            .map_err(|error| self.explain(&error))?;
        for field in grouping.key_schema.fields() {
            if row_type(field.data_type()).is_none() {
                let problem = at.problem(format!("a key of type {} cannot be told", field.data_type()));
                return Err(problem.help("CAST it"));
            }
        }
        let bounds = Bounds::new(aggregate, place);
        let scope = bounds.schema(aggregate).map_err(|error| self.explain(&error))?;
        self.fingerprint = self.fingerprint.with(&format!("aggregate {}", texts.join(", ")));
        match (rule, window) {
            (Some(rule), _) => self.spans(rule, grouping)?,
            (None, Some((_, call))) => self.frame(&call, grouping, at)?,
            (None, None) if !aggregate.group_expr.iter().any(is_window_time) => {
                self.add(Windows::new(Frame::whole(), grouping, self.limits(), 0, Telling::default()));
            }
            (None, None) => self.add(Windows::new(Frame::instant(), grouping, self.limits(), 0, Telling::default())),
        }
        self.waits |= self.timing == Timing::Moment;
        self.timing = Timing::WindowEnd;
        self.bounds = Some(bounds);
        Ok(Scope(Arc::new(scope)))
    }

    /// From here on rows come in the order of their time.
    pub(super) fn sort(&mut self, scope: &Scope) -> Result<(), Problem> {
        if self.timing == Timing::Moment {
            // What is not needed need not wait.
            self.sift(scope)?;
            let delay = i64::try_from(self.delay().as_nanos()).unwrap_or(i64::MAX);
            self.fingerprint = self.fingerprint.with("sort");
            self.waits = true;
            self.add(Sorter::new(delay, self.bytes_max(), self.around.site.things.clone()));
        }
        Ok(())
    }

    fn spans(&mut self, rule: Rule, grouping: Grouping) -> Result<(), Problem> {
        let spans = Spans::new(rule, grouping, self.limits()).map_err(|error| self.explain(&error))?;
        self.add(spans);
        Ok(())
    }

    fn rule(&self, call: &ScalarFunction, input: &Scope, at: At) -> Result<Rule, Problem> {
        let wrong = |(message, right): Wrong| at.problem(message).help(format!("write for example {right}"));
        match call.name() {
            marker::SESSION => {
                self.check_time_of(call, at)?;
                let gap = length_of("gap", &call.args[1]).map_err(wrong)?;
                let longest = call.args.get(2).map_or(Ok(i64::MAX), |longest| length_of("longest", longest));
                Ok(Rule::Session { gap, longest: longest.map_err(wrong)? })
            }
            marker::COUNT => {
                let rows = count(&call.args[0]).map_err(wrong)?;
                let every = call.args.get(1).map_or(Ok(rows), count).map_err(wrong)?;
                if rows.div_ceil(every) > COUNT_OVERLAP_MAX {
                    let problem = at.problem(format!("a row would be in {} windows", rows.div_ceil(every)));
                    return Err(problem.help(format!("{COUNT_OVERLAP_MAX} is the most: let windows begin less often")));
                }
                Ok(Rule::Count { rows, every })
            }
            _ => {
                let condition = |expr: &Expr| {
                    let found = expr.get_type(&*input.0).map_err(|error| self.explain(&error))?;
                    if found != DataType::Boolean {
                        let problem = at.problem(format!("`{expr}` is not a condition"));
                        return Err(problem.help("write for example STATEWINDOW(rotor_speed > 2, active_power > 50)"));
                    }
                    input.expr(expr).map_err(|error| self.explain(&error))
                };
                let ends = call.args.get(1).map(condition).transpose()?;
                Ok(Rule::State { begins: condition(&call.args[0])?, ends })
            }
        }
    }

    /// How much a step may hold.
    pub(super) fn limits(&self) -> Limits {
        self.uses(&["group_limit", "at_limit"]);
        let options = &self.around.own;
        let groups = options.group_limit.map_or(windows::GROUPS_MAX, |setting| setting.value as usize);
        let evicts = options.at_limit.is_some_and(|setting| setting.value == AtLimit::Evict);
        Limits { bytes: self.bytes_max(), groups, evicts }
    }

    /// How much memory a step may take.
    pub(super) fn bytes_max(&self) -> usize {
        self.uses(&["state_limit", "late"]);
        self.around.own.state_limit.map_or(windows::STATE_BYTES_MAX, |setting| setting.value as usize)
    }

    /// Whether windows are told more than once.
    fn telling(&self, frame: &Frame, grouping: &Grouping) -> Result<Telling, Problem> {
        self.uses(&["allowed_lateness", "emit_every", "emit"]);
        let options = &self.around.own;
        if let (Some(limit), Some(_)) = (options.at_limit, options.allowed_lateness)
            && limit.value == AtLimit::Evict
        {
            let problem = limit
                .at
                .problem("windows that late rows still change are kept, so that to tell them early makes no room");
            return Err(problem.help("take `allowed_lateness` out, or set at_limit = 'drop'"));
        }
        let update = options.emit.filter(|emit| emit.value == Emit::Update);
        let every = options.emit_every.map(|every| (every.at, every.value));
        let every = every.or(update.map(|update| (update.at, Duration::from_secs(1))));
        if let Some((at, _)) = every
            && (!frame.is_tumbling() || grouping.carries())
        {
            let problem = at.problem("only windows that follow each other can be told before they are over");
            return Err(
                problem.help("use TUMBLE, without functions of standing values; HOP and CUMULATE tell often anyway")
            );
        }
        if let Some(lateness) = options.allowed_lateness
            && grouping.carries()
        {
            let problem = lateness.at.problem("functions of standing values need rows in order, so none can be late");
            return Err(problem.help("set watermark_delay instead"));
        }
        let nanos = |length: Duration| i64::try_from(length.as_nanos()).unwrap_or(i64::MAX);
        let lateness = options.allowed_lateness.map_or(0, |lateness| nanos(lateness.value));
        Ok(Telling { every: every.map(|(_, every)| nanos(every)), lateness })
    }

    fn check_time_of(&self, call: &ScalarFunction, at: At) -> Result<(), Problem> {
        if matches!(&call.args[0], Expr::Column(column) if column.name == TS) {
            return Ok(());
        }
        let problem = at.problem("a window is over `ts`, the time of the row");
        Err(problem.help(format!("write {}(ts, ...)", call.name().to_uppercase())))
    }

    fn frame(&mut self, call: &ScalarFunction, grouping: Grouping, at: At) -> Result<(), Problem> {
        self.check_time_of(call, at)?;
        let frame = Frame::new(call.name(), &call.args[1..], self.timing, &self.around.site.zone);
        let frame = frame.map_err(|(message, right)| at.problem(message).help(format!("write for example {right}")))?;
        if let Some(zone) = frame.zone() {
            self.fingerprint = self.fingerprint.with(&format!("days of {zone:?}"));
        }
        self.check_open_windows(&frame, at)?;
        if grouping.carries() && frame.has_gaps() {
            let problem = at.problem("values stand from window to window, and these leave gaps");
            return Err(problem.help("make the windows as long as their step"));
        }
        if grouping.carries() {
            self.uses(&["hold"]);
        }
        let hold = self.hold();
        let telling = self.telling(&frame, &grouping)?;
        self.tells_again |= telling != Telling::default();
        self.add(Windows::new(frame, grouping, self.limits(), hold, telling));
        Ok(())
    }

    /// Panes are open from the start of the first window behind the watermark to the newest row, and the delay is what
    /// lies between watermark and row.
    fn check_open_windows(&self, window: &Frame, at: At) -> Result<(), Problem> {
        let delay = self.delay();
        let open = window.panes_in(i64::try_from(delay.as_nanos()).unwrap_or(i64::MAX));
        if self.timing == Timing::WindowEnd || open <= windows::OPEN_MAX as i64 {
            return Ok(());
        }
        let (delay, most) = (delay.as_secs_f64(), windows::OPEN_MAX);
        let message = format!("with a delay of {delay} s, {open} parts of windows can be open; {most} is the most");
        Err(at.problem(message).help("make the window or its step larger, or watermark_delay smaller"))
    }
}

/// The window, and its place among the keys; `None` if rows of windows are grouped by the window that they are of.
fn window(aggregate: &AggregatePlan) -> Option<(usize, ScalarFunction)> {
    let call = |expr: &Expr| match unalias(expr) {
        Expr::ScalarFunction(call) if marker::WINDOWS.contains(&call.name()) => Some(call.clone()),
        _ => None,
    };
    aggregate.group_expr.iter().enumerate().find_map(|(at, expr)| Some((at, call(expr)?)))
}

/// Whether a key says which window a row is of.
pub(super) fn is_window_time(expr: &Expr) -> bool {
    matches!(unalias(expr), Expr::Column(column) if marker::TIMES.contains(&column.name.as_str()))
}

/// Whether an aggregate is one of values that stand until the next report.
fn is_timed(expr: &Expr) -> bool {
    matches!(unalias(expr), Expr::AggregateFunction(call) if functions::timed(call.func.name()).is_some())
}

fn count(expr: &Expr) -> Result<u64, Wrong> {
    let count = match unalias(expr) {
        Expr::Literal(ScalarValue::Int64(Some(count)), _) => u64::try_from(*count).ok().filter(|count| *count > 0),
        _ => None,
    };
    count.ok_or_else(|| ("a window of rows has a whole number of them".to_owned(), "COUNTWINDOW(100)"))
}
