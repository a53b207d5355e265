//! What people write, and what is wrong with it.

mod device;
mod endpoint;
mod link;
mod point;

pub(crate) use device::{Availability, DeviceOptions, Edge, Retained, Service, Written as WrittenDevice};
pub(crate) use endpoint::{Endpoint, Security};
pub(crate) use link::{LinkOptions, Qos, Session, Version, Written as WrittenLink};
pub(crate) use point::{Confirm, Mapped, OWN_ECHO, Point, Stamps, Written as WrittenPoint};

use crate::topic::Pattern;
use edgeway_sdk::Problem;
use edgeway_sdk::options::check_duration;

/// The pattern of a topic. Anything that is wrong with it is noted.
fn pattern(key: &str, text: &str, problems: &mut Vec<Problem>) -> Option<Pattern> {
    Pattern::parse(text).map_err(|wrong| problems.push(Problem::key(key, wrong))).ok()
}

/// All mistakes in one line.
pub(crate) fn sentence(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; ")
}
