//! The options of a device.

use super::{Method, Path, Query, noted};
use edgeway_payload::Format;
use edgeway_sdk::{Json, Problem, options};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// A device's options, checked.
#[derive(Debug, Clone, Default)]
pub(crate) struct DeviceOptions {
    pub(crate) path: Path,
    pub(crate) source: Option<Source>,
    pub(crate) services: BTreeMap<String, Service>,
}

/// From where a device pushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Source {
    address: IpAddr,
    port: Option<u16>,
}

/// A service of a device.
#[derive(Debug, Clone, Default)]
pub(crate) struct Service {
    pub(crate) path: Path,
    pub(crate) query: Query,
    pub(crate) method: Method,
    pub(crate) format: Format,
    pub(crate) payload: Option<String>,
}

/// A device's options, as written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "CoAP device")]
pub(crate) struct Written {
    /// The path before those of its points and services, /room/1. Default: none
    #[serde(default)]
    path: String,
    /// With listen://, from which address it pushes, 10.0.0.7 or 10.0.0.7:5683. Default: any
    source: Option<String>,
    /// What the device can be told to do: the services of its model by name, each with a path
    #[serde(default)]
    #[schemars(extend("x-names" = "services"))]
    services: BTreeMap<String, WrittenService>,
}

/// A service, as written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenService {
    /// The path, after the device's
    path: String,
    /// The query, unit=c&all
    #[serde(default)]
    query: String,
    /// How it is asked for. Default: post
    #[serde(default = "post")]
    method: Method,
    /// How the input is written: json, cbor, or text with a payload. Default: json
    #[serde(default)]
    format: Format,
    /// What is sent, with {name} for each input of that name. Default: all inputs as an object
    payload: Option<String>,
}

fn post() -> Method {
    Method::Post
}

impl DeviceOptions {
    /// Reads a device's table.
    ///
    /// # Errors
    /// All mistakes found.
    pub(crate) fn parse(options: &Json) -> Result<Self, Vec<Problem>> {
        let written: Written = options::parse(options).map_err(|problem| vec![problem])?;
        let mut problems = vec![];
        let services = written.services.into_iter();
        let device = DeviceOptions {
            path: noted(Path::parse(&written.path, "path"), &mut problems),
            source: written.source.and_then(|text| noted(source(&text).map(Some), &mut problems)),
            services: services.map(|(name, written)| (name.clone(), service(&name, written, &mut problems))).collect(),
        };
        if problems.is_empty() { Ok(device) } else { Err(problems) }
    }
}

impl Source {
    /// Whether somebody may be both.
    pub(crate) fn overlaps(self, other: Source) -> bool {
        let is_same_port = self.port.is_none() || other.port.is_none() || self.port == other.port;
        self.address == other.address && is_same_port
    }
}

fn source(text: &str) -> Result<Source, Problem> {
    let whole = text.parse::<SocketAddr>().map(|at| Source { address: at.ip(), port: Some(at.port()) });
    whole.or_else(|_| text.parse().map(|address| Source { address, port: None })).map_err(|_| {
        Problem::key("source", format!("`{text}` is no address")).help("10.0.0.7, 10.0.0.7:5683 or fd00::7")
    })
}

fn service(name: &str, written: WrittenService, problems: &mut Vec<Problem>) -> Service {
    let key = |option: &str| format!("services.{name}.{option}");
    if !matches!(written.format, Format::Json | Format::Cbor | Format::Text) {
        problems.push(Problem::key(key("format"), "an input is not written so").help("`json`, `cbor` or `text`"));
    }
    match (written.format, &written.payload) {
        (Format::Cbor, Some(_)) => {
            problems.push(Problem::key(key("payload"), "CBOR is no text").help("leave it out: all inputs are sent"));
        }
        (Format::Text, None) => {
            let problem = Problem::key(key("payload"), "a text has to be given");
            problems.push(problem.help("as in `payload = \"{seconds}\"`"));
        }
        _ => {}
    }
    Service {
        path: noted(Path::parse(&written.path, &key("path")), problems),
        query: noted(Query::parse(&written.query, &key("query")), problems),
        method: written.method,
        format: written.format,
        payload: written.payload,
    }
}

impl Source {
    /// Whether something that came from there is of this device. A socket for both kinds of addresses shows IPv4 in IPv6.
    pub(crate) fn is(self, from: SocketAddr) -> bool {
        self.address.to_canonical() == from.ip().to_canonical() && self.port.is_none_or(|port| port == from.port())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_mistake_of_a_device_is_told_at_once() {
        let options = json!({ "path": "/a?b", "source": "here", "services": {
            "blink": { "path": "/a%", "format": "binary" },
            "say": { "path": "/say", "format": "text" },
        }});
        let problems = DeviceOptions::parse(&options).expect_err("wrong");
        assert_eq!(
            problems.iter().map(Problem::to_string).collect::<Vec<_>>(),
            [
                "`path`: `/a?b` is more than a path (put what follows the `?` into `query`)",
                "`source`: `here` is no address (10.0.0.7, 10.0.0.7:5683 or fd00::7)",
                "`services.blink.format`: an input is not written so (`json`, `cbor` or `text`)",
                "`services.blink.path`: `/a%` is no path: `a%` has a `%` without two hexadecimal digits, or is not UTF-8",
                "`services.say.payload`: a text has to be given (as in `payload = \"{seconds}\"`)",
            ]
        );
    }

    #[test]
    fn a_source_is_an_address_with_or_without_a_port() {
        let from: SocketAddr = "[::ffff:10.0.0.7]:40000".parse().expect("an address");
        assert!(source("10.0.0.7").expect("an address").is(from));
        assert!(!source("10.0.0.7:5683").expect("an address").is(from));
        assert!(!source("10.0.0.8").expect("an address").is(from));
    }
}
