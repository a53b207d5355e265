//! Functions that devices need and DataFusion does not have, or not in the form that a stream needs.

mod arrays;
mod circular;
mod json;
mod spread;
mod summary;
mod timed;

pub(crate) use json::Arrows;
pub(crate) use summary::Timed;

use crate::df::{AggregateUDF, DataType, ScalarUDF, Signature, TIME, Volatility};
use spread::{Spread, StddevPopulation, StddevSample, VarPopulation, VarSample};
use std::sync::Arc;
use summary::{Answer, Summary, Summing};

/// Those of a row.
pub(crate) fn scalars() -> impl Iterator<Item = Arc<ScalarUDF>> {
    json::all().into_iter().chain(arrays::all())
}

/// Those of groups.
pub(crate) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    vec![
        of::<circular::Mean>("circ_mean", &[], number(), Answer::Float),
        of::<circular::Deviation>("circ_stddev", &[], number(), Answer::Float),
        of::<Spread<VarSample>>("var", &["var_sample", "var_samp"], number(), Answer::Float),
        of::<Spread<VarPopulation>>("var_pop", &["var_population"], number(), Answer::Float),
        of::<Spread<StddevSample>>("stddev", &["stddev_samp"], number(), Answer::Float),
        of::<Spread<StddevPopulation>>("stddev_pop", &[], number(), Answer::Float),
        of::<timed::Mean>("tw_avg", &[], standing(DataType::Float64), Answer::Float),
        of::<timed::Integral>("integral", &[], standing(DataType::Float64), Answer::Float),
        of::<timed::Increase>("counter_increase", &[], standing(DataType::Float64), Answer::Float),
        of::<timed::Availability>("availability", &[], standing(DataType::Float64), Answer::Float),
        of::<timed::TimeIn>("time_in", &[], standing(DataType::Boolean), Answer::Interval),
        of::<timed::First>("first", &[], with_time(DataType::Float64), Answer::Float),
        of::<timed::Last>("last", &[], with_time(DataType::Float64), Answer::Float),
    ]
}

/// What an operator can do with a function that goes on from window to window; `None` for one that does not.
pub(crate) fn timed(name: &str) -> Option<Timed> {
    match name {
        "tw_avg" => Some(Timed::of::<timed::Mean>()),
        "integral" => Some(Timed::of::<timed::Integral>()),
        "counter_increase" => Some(Timed::of::<timed::Increase>()),
        "availability" => Some(Timed::of::<timed::Availability>()),
        "time_in" => Some(Timed::of::<timed::TimeIn>()),
        _ => None,
    }
}

fn of<S: Summary>(name: &'static str, aliases: &[&str], signature: Signature, answer: Answer) -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::from(Summing::<S>::new(name, aliases, signature, answer)))
}

fn number() -> Signature {
    Signature::exact(vec![DataType::Float64], Volatility::Immutable)
}

fn with_time(value: DataType) -> Signature {
    Signature::exact(vec![value, TIME], Volatility::Immutable)
}

/// The third argument says whether a value that is not known is bad, and not just not reported.
fn standing(value: DataType) -> Signature {
    Signature::exact(vec![value, TIME, DataType::Boolean], Volatility::Immutable)
}
