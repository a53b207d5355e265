//! What people write, and what is wrong with it.

mod device;
mod endpoint;
mod link;
mod node;
mod point;
mod security;

pub(crate) use device::{DeviceOptions, Event, Method, WrittenDevice};
pub(crate) use endpoint::Endpoint;
pub(crate) use link::{LinkOptions, WrittenLink};
pub(crate) use node::{FieldPath, Namespace, Naming, NodeAddress};
pub(crate) use point::{Attribute, Monitoring, Point, Trigger, WrittenPoint};
pub(crate) use security::{ClearText, Files, Identity, Mode, Policy, Security};

use edgeway_sdk::{Problem, options};
use std::ops::RangeInclusive;
use std::time::Duration;

/// Whether values are told by the server or asked for.
#[derive(serde::Deserialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Watch {
    /// The server tells what is new.
    #[default]
    Subscribe,
    /// The gateway asks at every poll.
    Poll,
}

/// Which clock a value's time is taken from.
#[derive(serde::Deserialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Clock {
    /// That of the device that measured it.
    #[default]
    Source,
    /// That of the server.
    Server,
}

/// Notes a duration that is out of range.
fn check_duration(problems: &mut Vec<Problem>, key: &str, duration: Duration, range: RangeInclusive<Duration>) {
    if !range.contains(&duration) {
        let shown = options::duration::show;
        let problem = Problem::key(key, format!("{} is out of range", shown(duration)));
        problems.push(problem.help(format!("{} to {}", shown(*range.start()), shown(*range.end()))));
    }
}

/// The number, if it lies in the range; otherwise a problem, and the range's start.
fn within(key: &str, number: i64, range: RangeInclusive<u32>, problems: &mut Vec<Problem>) -> u32 {
    match u32::try_from(number) {
        Ok(number) if range.contains(&number) => number,
        _ => {
            let help = format!("{} to {}", range.start(), range.end());
            problems.push(Problem::key(key, format!("{number} is out of range")).help(help));
            *range.start()
        }
    }
}

/// The value; or its problem noted.
fn noted<T>(value: Result<T, Problem>, problems: &mut Vec<Problem>) -> Option<T> {
    value.map_err(|problem| problems.push(problem)).ok()
}
