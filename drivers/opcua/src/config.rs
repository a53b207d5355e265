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
pub(crate) use security::{ClearText, Files, Identity, Mode, Policy, Revocation, Security};

use edgeway_sdk::Problem;
use edgeway_sdk::options::{check_duration, within};

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

/// The value; or its problem noted.
fn noted<T>(value: Result<T, Problem>, problems: &mut Vec<Problem>) -> Option<T> {
    value.map_err(|problem| problems.push(problem)).ok()
}
