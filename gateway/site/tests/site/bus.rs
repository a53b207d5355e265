//! A driver that only has options.

use async_trait::async_trait;
use edgeway_sdk::{Access, Driver, Fault, Json, Link, Manifest, Problem, options};
use serde::Deserialize;
use std::sync::Arc;

/// A driver of this name.
pub(crate) struct Bus(Manifest);

impl Bus {
    pub(crate) fn new(name: &str) -> Self {
        Bus(Manifest::new(name, "0.1.0", "has options"))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkOptions {
    endpoint: String,
    #[serde(rename = "timeout")]
    _timeout: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceOptions {
    unit: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PointOptions {
    at: String,
    #[serde(rename = "type")]
    _type: Option<Type>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Type {
    U16,
    F32,
}

#[async_trait]
impl Driver for Bus {
    fn manifest(&self) -> &Manifest {
        &self.0
    }

    fn check_link(&self, options: &Json) -> Result<String, Vec<Problem>> {
        let link: LinkOptions = options::parse(options).map_err(|problem| vec![problem])?;
        if link.endpoint.starts_with("tcp://") {
            return Ok(link.endpoint);
        }
        Err(vec![Problem::key("endpoint", format!("`{}` is not an endpoint", link.endpoint)).help("`tcp://host:port`")])
    }

    fn check_device(&self, options: &Json) -> Vec<Problem> {
        match options::parse::<DeviceOptions>(options) {
            Ok(DeviceOptions { unit: 1..=247 }) => vec![],
            Ok(DeviceOptions { unit }) => {
                vec![Problem::key("unit", format!("{unit} is not a unit id")).help("1 to 247")]
            }
            Err(problem) => vec![problem],
        }
    }

    fn check_point(&self, options: &Json, access: Access) -> Vec<Problem> {
        match options::parse::<PointOptions>(options) {
            Ok(point) if access.writes() && point.at.starts_with("input:") => {
                vec![
                    Problem::key("at", "an input register cannot be written")
                        .help("use `holding`, or make the point read-only"),
                ]
            }
            Ok(_) => vec![],
            Err(problem) => vec![problem],
        }
    }

    fn open(&self, _: Json) -> Result<Arc<dyn Link>, Fault> {
        Err(Fault::Unsupported("opening"))
    }
}
