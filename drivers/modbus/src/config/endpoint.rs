//! Where units are reached: a TCP server, a serial port, or whoever dials in.

use edgeway_sdk::Problem;
use edgeway_sdk::options::{host_name, split_port};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

const PORT_DEFAULT: u16 = 502;

/// Where units are reached. Shown in its normal form, which is the key of the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// A server; an IPv6 address without its brackets.
    Tcp { host: String, port: u16 },
    /// A serial port.
    Serial { path: PathBuf },
    /// A port of the gateway's own, for devices that dial in.
    Listen { at: SocketAddr },
}

impl Endpoint {
    /// Reads an endpoint from the option of this name.
    pub(super) fn parse(text: &str, key: &str) -> Result<Self, Problem> {
        let problem = |help: &str| Problem::key(key, format!("`{text}` is not a Modbus endpoint")).help(help);
        match text.split_once("://") {
            Some(("tcp", rest)) => tcp(rest).map_err(problem),
            Some(("serial", path)) => serial(path).map_err(problem),
            Some(("listen", rest)) => listen(rest).map_err(problem),
            Some(_) => Err(problem("`tcp://host:port`, `serial:///dev/serial/by-id/...` or `listen://0.0.0.0:port`")),
            None if text.starts_with('/') => Err(problem(&format!("write `serial://{text}`"))),
            None => Err(problem(&format!("write `tcp://{text}`"))),
        }
    }

    pub(crate) fn is_serial(&self) -> bool {
        matches!(self, Endpoint::Serial { .. })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Endpoint::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
            Endpoint::Serial { path } => write!(f, "serial://{}", path.display()),
            Endpoint::Listen { at } => write!(f, "listen://{at}"),
        }
    }
}

fn tcp(rest: &str) -> Result<Endpoint, &'static str> {
    let (host, port) = split_port(rest, PORT_DEFAULT).ok_or("a port is a number from 1 to 65535")?;
    let host = host_name(host).ok_or("write `tcp://host:port`; an IPv6 address goes in brackets")?;
    Ok(Endpoint::Tcp { host, port })
}

fn serial(path: &str) -> Result<Endpoint, &'static str> {
    match path.starts_with('/') {
        true => Ok(Endpoint::Serial { path: path.into() }),
        false => Err("the path of a port begins with `/`: `serial:///dev/serial/by-id/...`"),
    }
}

fn listen(rest: &str) -> Result<Endpoint, &'static str> {
    const HELP: &str = "an address of this machine and a port: `listen://0.0.0.0:1502` for all of them";
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
    fn one_wire_has_one_key() {
        for (text, key) in [
            ("tcp://plc-1", "tcp://plc-1:502"),
            ("tcp://PLC-1:502", "tcp://plc-1:502"),
            ("tcp://plc-1:0502", "tcp://plc-1:502"),
            ("tcp://[::1]:1502", "tcp://[::1]:1502"),
            ("tcp://[0:0:0:0:0:0:0:1]:1502", "tcp://[::1]:1502"),
            ("tcp://[FE80::1]", "tcp://[fe80::1]:502"),
            ("serial:///dev/serial/by-id/usb-FTDI", "serial:///dev/serial/by-id/usb-FTDI"),
            ("listen://0.0.0.0:1502", "listen://0.0.0.0:1502"),
            ("listen://[::]:1502", "listen://[::]:1502"),
        ] {
            assert_eq!(normal(text).as_deref(), Ok(key), "{text}");
        }
    }

    #[test]
    fn an_endpoint_that_cannot_be_reached_is_refused_with_advice() {
        let listen = "an address of this machine and a port: `listen://0.0.0.0:1502` for all of them";
        for (text, advice) in [
            ("10.0.0.5:502", "write `tcp://10.0.0.5:502`"),
            ("/dev/ttyS0", "write `serial:///dev/ttyS0`"),
            ("rtu://dev/ttyS0", "`tcp://host:port`, `serial:///dev/serial/by-id/...` or `listen://0.0.0.0:port`"),
            ("serial://ttyS0", "the path of a port begins with `/`: `serial:///dev/serial/by-id/...`"),
            ("listen://:1502", listen),
            ("listen://0.0.0.0:0", listen),
            ("tcp://plc:0", "a port is a number from 1 to 65535"),
            ("tcp://plc:modbus", "a port is a number from 1 to 65535"),
            ("tcp://", "write `tcp://host:port`; an IPv6 address goes in brackets"),
            ("tcp://a b", "write `tcp://host:port`; an IPv6 address goes in brackets"),
            ("tcp://[::1", "write `tcp://host:port`; an IPv6 address goes in brackets"),
            ("tcp://::1:502", "write `tcp://host:port`; an IPv6 address goes in brackets"),
        ] {
            assert_eq!(normal(text), Err(format!("`endpoint`: `{text}` is not a Modbus endpoint ({advice})")));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_endpoint_in_its_normal_form_or_a_problem(
            text in "\\PC{0,16}|(tcp|listen|serial)://[\\[\\]/a-zA-Z0-9.:-]{0,16}"
        ) {
            if let Ok(endpoint) = Endpoint::parse(&text, "endpoint") {
                prop_assert_eq!(Endpoint::parse(&endpoint.to_string(), "endpoint"), Ok(endpoint));
            }
        }
    }
}
