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

use edgeway_sdk::Problem;
use edgeway_sdk::options::{check_duration, within};

/// The value; or its problem noted, and a value to go on with.
fn noted<T: Default>(value: Result<T, Problem>, problems: &mut Vec<Problem>) -> T {
    value.unwrap_or_else(|problem| {
        problems.push(problem);
        T::default()
    })
}
