//! What people write, and what is wrong with it.

mod device;
mod endpoint;
mod headers;
mod link;
mod login;
mod point;
mod tls;

pub(crate) use device::{
    DeviceOptions, Encoding, Hash, Service, ServiceMethod, Signature, Unchanged, Written as WrittenDevice,
};
pub(crate) use endpoint::{Endpoint, joined, same_origin};
pub(crate) use link::{ClientOptions, HookOptions, LinkOptions, Written as WrittenLink};
pub(crate) use login::{Login, OAuth, Where, encoded};
pub(crate) use point::{Point, Written as WrittenPoint};

use edgeway_sdk::options::{check_duration, within};
use edgeway_sdk::{Problem, options};
use std::ops::RangeInclusive;

/// How a value is written.
#[derive(serde::Deserialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Method {
    /// PUT
    #[default]
    Put,
    /// POST
    Post,
    /// PATCH
    Patch,
}

impl From<Method> for reqwest::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Put => reqwest::Method::PUT,
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
        }
    }
}

/// Reads a size, or notes what is wrong with it.
fn size(key: &str, text: &str, range: RangeInclusive<usize>, problems: &mut Vec<Problem>) -> usize {
    let found = options::bytes(text).and_then(|bytes| usize::try_from(bytes).ok());
    found.filter(|bytes| range.contains(bytes)).unwrap_or_else(|| {
        let problem = Problem::key(key, format!("`{text}` is not a size that is possible here"));
        problems.push(problem.help("1KiB to 4MiB"));
        *range.start()
    })
}

/// The first of these keys that was given.
fn first_given<const N: usize>(keys: [(&'static str, bool); N]) -> Option<&'static str> {
    keys.into_iter().find(|(_, is_given)| *is_given).map(|(key, _)| key)
}

/// The value; or its problem noted, and nothing.
fn noted<T>(value: Result<T, Problem>, problems: &mut Vec<Problem>) -> Option<T> {
    value.map_err(|problem| problems.push(problem)).ok()
}
