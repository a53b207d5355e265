//! What people write, and what is wrong with it.

use edgeway_sdk::{Json, Problem, options};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// `[link.NAME]` with `driver = "acme"`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Link {
    /// Where the device listens: `tcp://host:port`
    #[schemars(regex(pattern = r"^tcp://[^/:]+:[0-9]{1,5}$"))]
    pub(crate) endpoint: String,
    /// How long an answer may take, 10ms to 1m
    #[serde(default = "second", with = "options::duration")]
    #[schemars(with = "String")]
    pub(crate) timeout: Duration,
}

/// A device's table `acme = { ... }`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Device {
    /// The unit behind the endpoint, 1 to 247
    #[schemars(range(min = 1, max = 247))]
    pub(crate) unit: u8,
}

/// A point.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Point {
    /// The register, 0 to 65535
    pub(crate) at: u16,
}

fn second() -> Duration {
    Duration::from_secs(1)
}

impl Link {
    /// Reads the options of a link.
    ///
    /// # Errors
    /// Every mistake.
    pub(crate) fn read(json: &Json) -> Result<Self, Vec<Problem>> {
        let link: Link = options::parse(json).map_err(|problem| vec![problem])?;
        let mut problems = vec![];
        if link.address().is_none() {
            let problem = Problem::key("endpoint", format!("`{}` is no endpoint", link.endpoint));
            problems.push(problem.help("tcp://host:port, as in \"tcp://192.0.2.7:4000\""));
        }
        if !(Duration::from_millis(10)..=Duration::from_secs(60)).contains(&link.timeout) {
            problems.push(Problem::key("timeout", "the timeout is not from 10ms to 1m"));
        }
        if problems.is_empty() { Ok(link) } else { Err(problems) }
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> Option<&str> {
        let address = self.endpoint.strip_prefix("tcp://")?;
        let (host, port) = address.rsplit_once(':')?;
        (!host.is_empty() && port.parse::<u16>().is_ok()).then_some(address)
    }
}

impl Device {
    /// Reads the options of a device.
    ///
    /// # Errors
    /// The first mistake.
    pub(crate) fn read(json: &Json) -> Result<Self, Problem> {
        let device: Device = options::parse(json)?;
        match device.unit {
            1..=247 => Ok(device),
            unit => Err(Problem::key("unit", format!("there is no unit {unit}")).help("units are 1 to 247")),
        }
    }
}

impl Point {
    /// Reads the options of a point.
    ///
    /// # Errors
    /// The first mistake.
    pub(crate) fn read(json: &Json) -> Result<Self, Problem> {
        options::parse(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wrong(json: &Json) -> Vec<String> {
        Link::read(json).expect_err("wrong").iter().map(Problem::to_string).collect()
    }

    #[test]
    fn every_mistake_of_a_link_is_told() {
        assert!(Link::read(&json!({ "endpoint": "tcp://127.0.0.1:4000" })).is_ok());
        let found = wrong(&json!({ "endpoint": "127.0.0.1:4000", "timeout": "5m" }));
        assert_eq!(found.len(), 2);
        assert!(found[0].contains("`127.0.0.1:4000` is no endpoint"), "{found:?}");
        assert!(wrong(&json!({ "endpont": "x" }))[0].contains("did you mean `endpoint`?"));
    }

    #[test]
    fn a_unit_is_in_its_range() {
        assert!(Device::read(&json!({ "unit": 247 })).is_ok());
        assert!(Device::read(&json!({ "unit": 0 })).is_err() && Device::read(&json!({})).is_err());
    }
}
