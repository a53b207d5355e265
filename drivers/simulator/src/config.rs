//! The options of a link, a device and a point: read, then checked.

mod device;
mod link;
mod point;
mod replay;
mod trouble;

pub(crate) use device::{DeviceOptions, EventOptions, On, ServiceOptions, WrittenDevice};
pub(crate) use link::{Choice, LinkOptions};
pub(crate) use point::{By, Column, ColumnType, Form, Missing, Point, Shape, SignalOptions, Switch, What, Written};
pub(crate) use replay::{AtEnd, ReplayOptions, TimeUnit, Times};
pub(crate) use trouble::{Effect, Kind, Trouble};

use edgeway_sdk::{Json, Problem, options};
use std::fmt::Display;
use std::time::Duration;

/// Reads a duration above 0, or notes what is wrong with it.
fn duration(key: &str, text: Option<&str>, usual: Duration, problems: &mut Vec<Problem>) -> Duration {
    let Some(text) = text else { return usual };
    options::duration::parse(text).filter(|duration| !duration.is_zero()).unwrap_or_else(|| {
        let message = format!("`{text}` is not a duration above 0");
        problems.push(Problem::key(key, message).help("write \"250ms\", \"1s\" or \"5m\""));
        usual
    })
}

/// Notes a number that lies outside its limits, or is none.
fn within<T: Display + PartialOrd>(key: &str, found: T, (low, high): (T, T), problems: &mut Vec<Problem>) {
    if !(low <= found && found <= high) {
        problems.push(outside(key, found, (low, high)));
    }
}

fn outside<T: Display>(key: &str, found: T, (low, high): (T, T)) -> Problem {
    Problem::key(key, format!("{found} is out of range")).help(format!("{low} to {high}"))
}

/// Keys of a table that have no meaning for `what`, which the table's key `choice` names.
fn strangers(options: &Json, choice: &str, what: &str, allowed: &[&str]) -> Vec<Problem> {
    let help = match allowed {
        [] => format!("`{what}` takes no options"),
        keys => format!("it takes {}", keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")),
    };
    let given = options.as_object().into_iter().flat_map(|table| table.keys());
    let strange = given.filter(|key| *key != choice && !allowed.contains(&key.as_str()));
    strange.map(|key| Problem::key(key, format!("`{key}` has no meaning for `{what}`")).help(&help)).collect()
}

/// Problems of a table within another one, under its key.
fn beneath(key: &str, problems: Vec<Problem>) -> impl Iterator<Item = Problem> {
    problems.into_iter().map(move |problem| {
        let place = match &problem.place {
            edgeway_sdk::Place::Key(inner) if !inner.is_empty() => format!("{key}.{inner}"),
            _ => key.to_owned(),
        };
        Problem { place: edgeway_sdk::Place::Key(place), ..problem }
    })
}
