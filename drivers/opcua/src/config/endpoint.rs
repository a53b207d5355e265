//! Where a server is reached.

use edgeway_sdk::Problem;
use edgeway_sdk::options::{host_name, split_port};
use std::fmt;

const PORT_DEFAULT: u16 = 4840;

/// Where a server is reached. Shown in its normal form, which is the key of the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// A name or an address; an IPv6 address without its brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Empty, or with its slash.
    path: String,
}

impl Endpoint {
    /// Reads the option `endpoint`.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let problem = |help: &str| Problem::key("endpoint", format!("`{text}` is not an OPC UA endpoint")).help(help);
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(problem(&format!("write `opc.tcp://{text}`")));
        };
        if scheme != "opc.tcp" {
            return Err(problem("only `opc.tcp://host:port/path` is spoken"));
        }
        let (place, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) =
            split_port(place, PORT_DEFAULT).ok_or_else(|| problem("a port is a number from 1 to 65535"))?;
        let host = host_name(host)
            .ok_or_else(|| problem("write `opc.tcp://host:port/path`; an IPv6 address goes in brackets"))?;
        if path.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(problem("a path has no blanks"));
        }
        let path = if path == "/" { String::new() } else { path.to_owned() };
        Ok(Endpoint { host, port, path })
    }
}

impl Endpoint {
    /// Without the path.
    pub(crate) fn server(&self) -> String {
        let Endpoint { host, port, .. } = self;
        match host.contains(':') {
            true => format!("opc.tcp://[{host}]:{port}"),
            false => format!("opc.tcp://{host}:{port}"),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.server(), self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normal(text: &str) -> Result<String, String> {
        Endpoint::parse(text).map(|e| e.to_string()).map_err(|problem| problem.to_string())
    }

    #[test]
    fn one_wire_has_one_key() {
        for (text, key) in [
            ("opc.tcp://PLC-1", "opc.tcp://plc-1:4840"),
            ("opc.tcp://plc-1:4840/", "opc.tcp://plc-1:4840"),
            ("opc.tcp://plc-1:4841/UA/Lab", "opc.tcp://plc-1:4841/UA/Lab"),
            ("opc.tcp://[0:0:0:0:0:0:0:1]:1", "opc.tcp://[::1]:1"),
        ] {
            assert_eq!(normal(text).as_deref(), Ok(key), "{text}");
        }
    }

    #[test]
    fn an_endpoint_that_cannot_be_reached_is_refused_with_advice() {
        let form = "write `opc.tcp://host:port/path`; an IPv6 address goes in brackets";
        for (text, advice) in [
            ("10.0.0.5:4840", "write `opc.tcp://10.0.0.5:4840`"),
            ("opc.https://plc", "only `opc.tcp://host:port/path` is spoken"),
            ("opc.tcp://plc:0", "a port is a number from 1 to 65535"),
            ("opc.tcp://", form),
            ("opc.tcp://a b", form),
            ("opc.tcp://[::1", form),
            ("opc.tcp://plc/a b", "a path has no blanks"),
        ] {
            assert_eq!(normal(text), Err(format!("`endpoint`: `{text}` is not an OPC UA endpoint ({advice})")));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_endpoint_in_its_normal_form_or_a_problem(text in "\\PC{0,16}|opc.tcp://[\\[\\]/a-zA-Z0-9.:-]{0,16}") {
            if let Ok(endpoint) = Endpoint::parse(&text) {
                prop_assert_eq!(Endpoint::parse(&endpoint.to_string()), Ok(endpoint));
            }
        }
    }
}
