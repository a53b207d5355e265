//! What people write, and what is wrong with it.

mod device;
mod link;
mod place;
mod point;

pub(crate) use device::{DeviceOptions, Keep, Written as WrittenDevice};
pub(crate) use link::{LinkOptions, Written as WrittenLink};
pub(crate) use place::{Characteristic, Place};
pub(crate) use point::{Point, Watch, WriteWith, Written as WrittenPoint};

use edgeway_sdk::options::check_duration;
