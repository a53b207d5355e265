//! A link's options.

use super::{BITS_MAX, REGISTERS_MAX, within};
use edgeway_sdk::{Json, Problem, options};
use std::fmt;
use std::net::Ipv6Addr;
use std::time::Duration;

const PORT_DEFAULT: u16 = 502;
/// Below this, answers are lost to the scheduling of the machine.
const TIMEOUT_MIN: Duration = Duration::from_millis(10);
/// The gateway gives no transaction more time than this.
const DURATION_MAX: Duration = Duration::from_secs(10);

/// A link's options, checked.
#[derive(Debug, Clone)]
pub(crate) struct LinkOptions {
    pub(crate) endpoint: Endpoint,
    pub(crate) timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) registers_max: u16,
    pub(crate) bits_max: u16,
    pub(crate) gap_registers_max: u16,
    pub(crate) pause: Duration,
}

/// A link's options, as written.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    endpoint: String,
    #[serde(default = "timeout_default", with = "options::duration")]
    timeout: Duration,
    #[serde(default = "connect_timeout_default", with = "options::duration")]
    connect_timeout: Duration,
    #[serde(default = "max_registers_default")]
    max_registers: i64,
    #[serde(default = "max_bits_default")]
    max_bits: i64,
    #[serde(default = "max_gap_registers_default")]
    max_gap_registers: i64,
    #[serde(default, with = "options::duration")]
    pause: Duration,
}

fn timeout_default() -> Duration {
    Duration::from_secs(1)
}

fn connect_timeout_default() -> Duration {
    Duration::from_secs(3)
}

fn max_registers_default() -> i64 {
    REGISTERS_MAX.into()
}

fn max_bits_default() -> i64 {
    BITS_MAX.into()
}

fn max_gap_registers_default() -> i64 {
    8
}

impl LinkOptions {
    /// Reads a link's table.
    ///
    /// # Errors
    /// All mistakes found.
    pub(crate) fn parse(options: &Json) -> Result<Self, Vec<Problem>> {
        let written: Written = options::parse(options).map_err(|problem| vec![problem])?;
        let mut problems = vec![];
        check(&mut problems, "timeout", written.timeout, TIMEOUT_MIN);
        check(&mut problems, "connect_timeout", written.connect_timeout, TIMEOUT_MIN);
        check(&mut problems, "pause", written.pause, Duration::ZERO);
        let registers_max = within("max_registers", written.max_registers, 1..=REGISTERS_MAX, &mut problems);
        let bits_max = within("max_bits", written.max_bits, 1..=BITS_MAX, &mut problems);
        let gap_registers_max =
            within("max_gap_registers", written.max_gap_registers, 0..=REGISTERS_MAX - 1, &mut problems);
        let endpoint = Endpoint::parse(&written.endpoint).map_err(|problem| problems.push(problem));
        match endpoint {
            Ok(endpoint) if problems.is_empty() => {
                let Written { timeout, connect_timeout, pause, .. } = written;
                Ok(LinkOptions {
                    endpoint,
                    timeout,
                    connect_timeout,
                    registers_max,
                    bits_max,
                    gap_registers_max,
                    pause,
                })
            }
            _ => Err(problems),
        }
    }
}

fn check(problems: &mut Vec<Problem>, key: &str, duration: Duration, least: Duration) {
    if !(least..=DURATION_MAX).contains(&duration) {
        let problem = Problem::key(key, format!("{} is out of range", shown(duration)));
        problems.push(problem.help(format!("{} to {}", shown(least), shown(DURATION_MAX))));
    }
}

/// As people write it.
fn shown(duration: Duration) -> String {
    if duration.is_zero() { "0s".into() } else { format!("{duration:?}") }
}

/// Where the units are reached. Shown in its normal form, which is the key of the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Endpoint {
    fn parse(text: &str) -> Result<Self, Problem> {
        let problem =
            |help: &str| Problem::key("endpoint", format!("`{text}` is not a Modbus TCP endpoint")).help(help);
        let rest = match text.split_once("://") {
            Some(("tcp", rest)) => rest,
            Some(_) => return Err(problem("only `tcp://host:port` is spoken")),
            None => return Err(problem(&format!("write `tcp://{text}`"))),
        };
        let (host, port) = split_port(rest).ok_or_else(|| problem("a port is a number from 1 to 65535"))?;
        let host =
            host_name(host).ok_or_else(|| problem("write `tcp://host:port`; an IPv6 address goes in brackets"))?;
        Ok(Endpoint { host, port })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Endpoint { host, port } = self;
        if host.contains(':') { write!(f, "tcp://[{host}]:{port}") } else { write!(f, "tcp://{host}:{port}") }
    }
}

fn split_port(rest: &str) -> Option<(&str, u16)> {
    match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => Some((host, port.parse().ok().filter(|port| *port != 0)?)),
        _ => Some((rest, PORT_DEFAULT)),
    }
}

/// A name or an address in its normal form; IPv6 without its brackets.
fn host_name(host: &str) -> Option<String> {
    if let Some(inner) = host.strip_prefix('[') {
        return Some(inner.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?.to_string());
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    (!host.is_empty() && host.chars().all(fits)).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn key(endpoint: &str) -> Result<String, String> {
        LinkOptions::parse(&json!({ "endpoint": endpoint }))
            .map(|link| link.endpoint.to_string())
            .map_err(|problems| problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn one_wire_has_one_key() {
        for text in ["tcp://plc-1", "tcp://PLC-1:502", "tcp://plc-1:0502"] {
            assert_eq!(key(text).as_deref(), Ok("tcp://plc-1:502"), "{text}");
        }
        for text in ["tcp://[::1]:1502", "tcp://[0:0:0:0:0:0:0:1]:1502"] {
            assert_eq!(key(text).as_deref(), Ok("tcp://[::1]:1502"), "{text}");
        }
        assert_eq!(key("tcp://[FE80::1]").as_deref(), Ok("tcp://[fe80::1]:502"));
    }

    #[test]
    fn an_endpoint_that_cannot_be_reached_is_refused_with_advice() {
        let start = "is not a Modbus TCP endpoint";
        for (text, advice) in [
            ("10.0.0.5:502", "write `tcp://10.0.0.5:502`"),
            ("rtu://dev/ttyS0", "only `tcp://host:port` is spoken"),
            ("tcp://plc:0", "a port is a number from 1 to 65535"),
            ("tcp://plc:modbus", "a port is a number from 1 to 65535"),
            ("tcp://", "write `tcp://host:port`; an IPv6 address goes in brackets"),
            ("tcp://a b", "write `tcp://host:port`; an IPv6 address goes in brackets"),
            ("tcp://[::1", "write `tcp://host:port`; an IPv6 address goes in brackets"),
            ("tcp://::1:502", "write `tcp://host:port`; an IPv6 address goes in brackets"),
        ] {
            assert_eq!(key(text), Err(format!("`endpoint`: `{text}` {start} ({advice})")));
        }
    }

    #[test]
    fn every_mistake_of_a_link_is_told_at_once() {
        let options = json!({ "endpoint": "x", "timeout": "0s", "pause": "1m", "max_registers": 126, "max_bits": 0, "max_gap_registers": -1 });
        let problems = LinkOptions::parse(&options).expect_err("wrong");
        let texts: Vec<String> = problems.iter().map(Problem::to_string).collect();
        assert_eq!(
            texts,
            [
                "`timeout`: 0s is out of range (10ms to 10s)",
                "`pause`: 60s is out of range (0s to 10s)",
                "`max_registers`: 126 is out of range (1 to 125)",
                "`max_bits`: 0 is out of range (1 to 2000)",
                "`max_gap_registers`: -1 is out of range (0 to 124)",
                "`endpoint`: `x` is not a Modbus TCP endpoint (write `tcp://x`)",
            ]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_an_endpoint_in_its_normal_form_or_a_problem(text in "\\PC{0,16}|tcp://[\\[\\]a-zA-Z0-9.:-]{0,16}") {
            if let Ok(endpoint) = Endpoint::parse(&text) {
                prop_assert_eq!(Endpoint::parse(&endpoint.to_string()), Ok(endpoint));
            }
        }
    }
}
