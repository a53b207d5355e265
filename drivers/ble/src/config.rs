//! What people write, and what is wrong with it.

mod device;
mod link;
mod place;
mod point;

pub(crate) use device::{DeviceOptions, Keep, Written as WrittenDevice};
pub(crate) use link::{LinkOptions, Written as WrittenLink};
pub(crate) use place::{Characteristic, Place};
pub(crate) use point::{Point, Watch, WriteWith, Written as WrittenPoint};

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
