//! Where the broker is.

use edgeway_sdk::Problem;
use std::fmt;

/// Host and port of a broker, and whether TLS is spoken there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: Security,
}

/// What protects the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Security {
    None,
    Tls,
}

impl Security {
    fn port(self) -> u16 {
        match self {
            Security::None => 1883,
            Security::Tls => 8883,
        }
    }

    fn scheme(self) -> &'static str {
        match self {
            Security::None => "mqtt",
            Security::Tls => "mqtts",
        }
    }
}

impl Endpoint {
    /// Reads an endpoint.
    ///
    /// # Errors
    /// What would be right.
    pub(crate) fn parse(text: &str) -> Result<Endpoint, Problem> {
        let wrong = || {
            Problem::key("endpoint", format!("`{text}` is not the endpoint of a broker"))
                .help("`mqtt://host:port` or `mqtts://host:port`")
        };
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let security = match scheme {
            "mqtt" => Security::None,
            "mqtts" => Security::Tls,
            _ => return Err(wrong()),
        };
        let (host, port) = split(rest.trim_end_matches('/')).ok_or_else(wrong)?;
        let port = match port {
            None => security.port(),
            Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?,
        };
        let is_host = !host.is_empty() && !host.contains(['/', '@', '?', '#', ' ', '[', ']', '\0']);
        is_host.then(|| Endpoint { host: host.to_ascii_lowercase(), port, security }).ok_or_else(wrong)
    }
}

/// Host and port; an IPv6 address stands in brackets.
fn split(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        return match rest.strip_prefix(':') {
            None => rest.is_empty().then_some((host, None)),
            port => Some((host, port)),
        };
    }
    match text.split_once(':') {
        None => Some((text, None)),
        Some((_, port)) if port.contains(':') => None,
        Some((host, port)) => Some((host, Some(port))),
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Endpoint { host, port, security } = self;
        let scheme = security.scheme();
        if host.contains(':') { write!(f, "{scheme}://[{host}]:{port}") } else { write!(f, "{scheme}://{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_written_in_one_way() {
        for (text, shown) in [
            ("mqtt://Broker", "mqtt://broker:1883"),
            ("mqtts://10.0.0.1", "mqtts://10.0.0.1:8883"),
            ("mqtt://a:1/", "mqtt://a:1"),
            ("mqtts://a:1", "mqtts://a:1"),
            ("mqtt://[::1]", "mqtt://[::1]:1883"),
            ("mqtts://[fe80::1]:99", "mqtts://[fe80::1]:99"),
        ] {
            assert_eq!(Endpoint::parse(text).expect("right").to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for wrong in [
            "",
            "broker",
            "http://a",
            "mqtt://",
            "mqtt://a:0",
            "mqtt://a:x",
            "mqtt://::1",
            "mqtt://u@a",
            "tcp://a",
            "mqtt://[::1]x",
        ] {
            let problem = Endpoint::parse(wrong).expect_err(wrong).to_string();
            assert!(problem.contains("is not the endpoint of a broker (`mqtt://host:port`"), "{problem}");
        }
    }
}
