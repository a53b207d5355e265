//! What people write, and what is wrong with it.

mod device;
mod endpoint;
mod link;
mod point;

pub(crate) use device::{Availability, DeviceOptions, Edge, Retained, Service, Written as WrittenDevice};
pub(crate) use endpoint::{Endpoint, Security};
pub(crate) use link::{LinkOptions, Qos, Session, Version, Written as WrittenLink};
pub(crate) use point::{Confirm, Mapped, Point, Stamps, Written as WrittenPoint};

use crate::topic::Pattern;
use edgeway_sdk::{Problem, options};
use std::ops::RangeInclusive;
use std::time::Duration;

/// Notes a duration that is out of its range.
fn within(key: &str, duration: Duration, range: RangeInclusive<Duration>, problems: &mut Vec<Problem>) {
    if !range.contains(&duration) {
        let show = options::duration::show;
        let message = format!("{} is out of range", show(duration));
        problems.push(Problem::key(key, message).help(format!("{} to {}", show(*range.start()), show(*range.end()))));
    }
}

/// The pattern of a topic. Anything that is wrong with it is noted.
fn pattern(key: &str, text: &str, problems: &mut Vec<Problem>) -> Option<Pattern> {
    Pattern::parse(text).map_err(|wrong| problems.push(Problem::key(key, wrong))).ok()
}

/// All mistakes in one line.
pub(crate) fn sentence(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; ")
}
