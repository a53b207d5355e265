//! What people write, and what is wrong with it.

mod device;
mod endpoint;
mod link;
mod path;
mod point;

pub(crate) use device::{DeviceOptions, Service, Source, Written as WrittenDevice};
pub(crate) use endpoint::Endpoint;
pub(crate) use link::{LinkOptions, Messages, Secret, Written as WrittenLink};
pub(crate) use path::{Path, Query};
pub(crate) use point::{Method, Point, Watch, Written as WrittenPoint};

use edgeway_sdk::{Problem, options};
use std::ops::RangeInclusive;
use std::time::Duration;

fn check_duration(problems: &mut Vec<Problem>, key: &str, duration: Duration, range: RangeInclusive<Duration>) {
    if !range.contains(&duration) {
        let shown = options::duration::show;
        let problem = Problem::key(key, format!("{} is out of range", shown(duration)));
        problems.push(problem.help(format!("{} to {}", shown(*range.start()), shown(*range.end()))));
    }
}

/// The value; or its problem noted, and a value to go on with.
fn noted<T: Default>(value: Result<T, Problem>, problems: &mut Vec<Problem>) -> T {
    value.unwrap_or_else(|problem| {
        problems.push(problem);
        T::default()
    })
}
