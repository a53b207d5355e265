//! Where a link leads: `coap://host:port`, `coaps://host:port`, `listen://0.0.0.0:port`.

use edgeway_sdk::Problem;
use edgeway_sdk::options::{host_name, split_port};
use std::fmt;
use std::net::SocketAddr;

/// The ports of RFC 7252 section 12.6 and 12.7.
const PORT_DEFAULT: u16 = 5683;
const SECURE_PORT_DEFAULT: u16 = 5684;

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// A server, in datagrams as they are.
    Plain { host: String, port: u16 },
    /// A server, with DTLS.
    Secure { host: String, port: u16 },
    /// A port of the gateway's own, for devices that push.
    Listen { at: SocketAddr },
}

impl Default for Endpoint {
    fn default() -> Self {
        Endpoint::Plain { host: String::new(), port: PORT_DEFAULT }
    }
}

impl Endpoint {
    /// Reads an endpoint from the option of this name.
    pub(super) fn parse(text: &str, key: &str) -> Result<Self, Problem> {
        let problem = |help: &str| Problem::key(key, format!("`{text}` is not a CoAP endpoint")).help(help);
        match text.split_once("://") {
            Some(("coap", rest)) => {
                let (host, port) = server(rest, PORT_DEFAULT).map_err(problem)?;
                Ok(Endpoint::Plain { host, port })
            }
            Some(("coaps", rest)) => {
                let (host, port) = server(rest, SECURE_PORT_DEFAULT).map_err(problem)?;
                Ok(Endpoint::Secure { host, port })
            }
            Some(("listen", rest)) => listen(rest).map_err(problem),
            Some(("coap+tcp" | "coaps+tcp" | "coap+ws" | "coaps+ws", _)) => {
                Err(problem("this driver speaks CoAP over UDP: `coap://host:port` or `coaps://host:port`"))
            }
            Some(_) => Err(problem("`coap://host:port`, `coaps://host:port` or `listen://0.0.0.0:5683`")),
            None => Err(problem(&format!("write `coap://{text}`"))),
        }
    }

    /// Host and port of a server, for the system to look up.
    pub(crate) fn server(&self) -> Option<(&str, u16)> {
        match self {
            Endpoint::Plain { host, port } | Endpoint::Secure { host, port } => Some((host, *port)),
            Endpoint::Listen { .. } => None,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, host, port) = match self {
            Endpoint::Listen { at } => return write!(f, "listen://{at}"),
            Endpoint::Plain { host, port } => ("coap", host, port),
            Endpoint::Secure { host, port } => ("coaps", host, port),
        };
        if host.contains(':') { write!(f, "{scheme}://[{host}]:{port}") } else { write!(f, "{scheme}://{host}:{port}") }
    }
}

fn server(rest: &str, port_default: u16) -> Result<(String, u16), &'static str> {
    const HELP: &str = "write `coap://host:port`; an IPv6 address goes in brackets";
    if rest.trim_end_matches('/').contains('/') {
        return Err("the path goes into a device or a point: `path = \"/room/1\"`");
    }
    let rest = rest.trim_end_matches('/');
    let (host, port) = split_port(rest, port_default).ok_or("a port is a number from 1 to 65535")?;
    Ok((host_name(host).ok_or(HELP)?, port))
}

fn listen(rest: &str) -> Result<Endpoint, &'static str> {
    const HELP: &str = "an address of this machine and a port: `listen://0.0.0.0:5683` for all of them";
    let at: SocketAddr = rest.parse().map_err(|_| HELP)?;
    if at.port() == 0 { Err(HELP) } else { Ok(Endpoint::Listen { at }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normal(text: &str) -> Result<String, String> {
        Endpoint::parse(text, "endpoint").map(|e| e.to_string()).map_err(|problem| problem.to_string())
    }

    #[test]
    fn one_endpoint_has_one_key() {
        for (text, key) in [
            ("coap://Sensor-1", "coap://sensor-1:5683"),
            ("coap://sensor-1:5683/", "coap://sensor-1:5683"),
            ("coaps://sensor-1", "coaps://sensor-1:5684"),
            ("coap://[0:0:0:0:0:0:0:1]:61616", "coap://[::1]:61616"),
            ("listen://[::]:5683", "listen://[::]:5683"),
        ] {
            assert_eq!(normal(text).as_deref(), Ok(key), "{text}");
        }
    }

    #[test]
    fn an_endpoint_that_cannot_be_reached_is_refused_with_advice() {
        let listen = "an address of this machine and a port: `listen://0.0.0.0:5683` for all of them";
        for (text, advice) in [
            ("10.0.0.5:5683", "write `coap://10.0.0.5:5683`"),
            ("udp://10.0.0.5", "`coap://host:port`, `coaps://host:port` or `listen://0.0.0.0:5683`"),
            ("coap+tcp://a", "this driver speaks CoAP over UDP: `coap://host:port` or `coaps://host:port`"),
            ("coap://a/room/1", "the path goes into a device or a point: `path = \"/room/1\"`"),
            ("coap://a:0", "a port is a number from 1 to 65535"),
            ("coap://", "write `coap://host:port`; an IPv6 address goes in brackets"),
            ("coaps://::1:5684", "write `coap://host:port`; an IPv6 address goes in brackets"),
            ("listen://0.0.0.0:0", listen),
            ("listen://:5683", listen),
        ] {
            assert_eq!(normal(text), Err(format!("`endpoint`: `{text}` is not a CoAP endpoint ({advice})")));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_endpoint_in_its_normal_form_or_a_problem(
            text in "\\PC{0,16}|(coap|coaps|listen)://[\\[\\]/a-zA-Z0-9.:-]{0,16}"
        ) {
            if let Ok(endpoint) = Endpoint::parse(&text, "endpoint") {
                prop_assert_eq!(Endpoint::parse(&endpoint.to_string(), "endpoint"), Ok(endpoint));
            }
        }
    }
}
