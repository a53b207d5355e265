//! Hosts, ports and the URLs that name them.

use crate::report::Report;
use crate::section::Found;
use edgeway_sdk::Problem;
use std::sync::Arc;

/// Whether a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tls {
    Without,
    With,
}

/// A scheme, and what it stands for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scheme {
    pub(super) name: &'static str,
    pub(super) tls: Tls,
    pub(super) port: u16,
}

/// What may follow host and port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// Nothing but a slash.
    Nothing,
    /// A path and perhaps a query.
    Path,
}

/// Which URLs are right, and what to call them.
pub(super) struct Wanted {
    /// `an MQTT broker`
    pub(super) noun: &'static str,
    pub(super) schemes: [Scheme; 2],
    pub(super) tail: Tail,
    pub(super) help: &'static str,
}

/// Where a URL leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) tls: Tls,
    pub(super) host: String,
    pub(super) port: u16,
}

/// Reads a URL; reports one that is wrong.
pub(super) fn read(url: &Found<Arc<str>>, wanted: &Wanted, report: &mut Report) -> Option<Address> {
    let address = parse(&url.value, wanted);
    if address.is_none() {
        let problem = Problem::new(url.mark.say(format!("`{}` is not the URL of {}", url.value, wanted.noun)));
        report.add(&url.mark, problem.help(wanted.help));
    }
    address
}

/// Reads `host:port`, where the port may be left out if there is a usual one.
pub(super) fn host_and_port(text: &str, usual: Option<u16>) -> Option<(String, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let port = match port {
        "" => usual?,
        port => port.strip_prefix(':')?.parse().ok().filter(|port| *port > 0)?,
    };
    is_host(host).then(|| (host.to_owned(), port))
}

/// Whether a text can be a name or an address.
pub(super) fn is_host(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'))
}

fn parse(url: &str, wanted: &Wanted) -> Option<Address> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = wanted.schemes.iter().find(|known| known.name == scheme)?;
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let fits = match wanted.tail {
        Tail::Nothing => tail.is_empty() || tail == "/",
        Tail::Path => !tail.contains('#') && tail.chars().all(|c| c.is_ascii_graphic()),
    };
    let (host, port) = host_and_port(authority, Some(scheme.port)).filter(|_| fits)?;
    Some(Address { tls: scheme.tls, host, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMES: [Scheme; 2] =
        [Scheme { name: "mqtt", tls: Tls::Without, port: 1883 }, Scheme { name: "mqtts", tls: Tls::With, port: 8883 }];

    fn parsed(url: &str, tail: Tail) -> Option<(String, u16)> {
        let wanted = Wanted { noun: "a broker", schemes: SCHEMES, tail, help: "" };
        parse(url, &wanted).map(|address| (address.host, address.port))
    }

    #[test]
    fn urls_name_host_port_and_tls() {
        let cases = [
            ("mqtt://localhost", Some(("localhost", 1883))),
            ("mqtts://a.example:443/", Some(("a.example", 443))),
            ("mqtts://a.example", Some(("a.example", 8883))),
            ("mqtt://[::1]:1884", Some(("::1", 1884))),
            ("mqtt://", None),
            ("mqtt://host:port", None),
            ("mqtt://host:0", None),
            ("mqtt://user:pw@host", None),
            ("mqtt://host/path", None),
            ("http://host", None),
            ("host:1883", None),
            ("mqtt://[::1", None),
        ];
        for (url, expected) in cases {
            let expected = expected.map(|(host, port)| (host.to_owned(), port));
            assert_eq!(parsed(url, Tail::Nothing), expected, "{url}");
        }
    }

    #[test]
    fn a_path_is_right_where_one_is_wanted() {
        for url in ["mqtt://host/a/b?c=d", "mqtt://host?c", "mqtt://host"] {
            assert_eq!(parsed(url, Tail::Path), Some(("host".to_owned(), 1883)), "{url}");
        }
        for url in ["mqtt://host/a b", "mqtt://host/a#b", "mqtt://host/ä"] {
            assert_eq!(parsed(url, Tail::Path), None, "{url}");
        }
    }
}
