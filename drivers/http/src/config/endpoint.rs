//! Where a link leads: to a server, or to a port of this machine that devices send to.

use edgeway_sdk::Problem;
use reqwest::Url;

const FORMS: &str = "write `http://host/path`, `https://host/path`, or for devices that send `listen://0.0.0.0:8080` or \
                     `listens://0.0.0.0:8443`";

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// The address below which everything is asked for. Its path does not end with a slash.
    Server(Url),
    /// Host and port that devices send to.
    Listen(String),
    /// The same with TLS. It is a word of its own, so that a certificate that is left out never means no TLS.
    ListenTls(String),
}

impl Endpoint {
    /// Reads an endpoint.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        match text.split_once("://") {
            Some(("listen", address)) => listen(text, address).map(Endpoint::Listen),
            Some(("listens", address)) => listen(text, address).map(Endpoint::ListenTls),
            Some(("http" | "https", _)) => server(text).map(Endpoint::Server),
            _ => Err(wrong(format!("`{text}` is not an endpoint")).help(FORMS)),
        }
    }
}

fn wrong(message: impl Into<String>) -> Problem {
    Problem::key("endpoint", message)
}

fn listen(text: &str, address: &str) -> Result<String, Problem> {
    let address = address.trim_end_matches('/');
    let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).and_then(|(_, port)| port.parse().ok());
    match port {
        Some(1..=u16::MAX) => Ok(address.to_owned()),
        _ => Err(wrong(format!("`{text}` has no host and port")).help("as in `listen://0.0.0.0:8080`")),
    }
}

fn server(text: &str) -> Result<Url, Problem> {
    let mut url = Url::parse(text).map_err(|error| wrong(format!("`{text}`: {error}")).help(FORMS))?;
    // The text is not shown: it may hold a password.
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it holds a login").help("write `username` and `password`"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(format!("`{text}` has more than a path")).help("a point has `query`"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// An address with more path. There is one slash between any two parts.
pub(crate) fn joined(base: &Url, parts: &[&str]) -> Url {
    let mut path = base.path().trim_end_matches('/').to_owned();
    for part in parts.iter().filter(|part| !part.is_empty()) {
        path = format!("{}/{}", path.trim_end_matches('/'), part.trim_start_matches('/'));
    }
    let mut url = base.clone();
    url.set_path(&path);
    url
}

/// True if one server answers for both, to the same strangers.
pub(crate) fn same_origin(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        Endpoint::parse(text).expect_err("wrong").to_string()
    }

    #[test]
    fn servers_and_ports_are_told_apart() {
        let server = |text| Endpoint::Server(Url::parse(text).expect("an address"));
        assert_eq!(
            Endpoint::parse("HTTP://Meter:80/api/"),
            Err(wrong("`HTTP://Meter:80/api/` is not an endpoint").help(FORMS))
        );
        assert_eq!(Endpoint::parse("http://Meter:80/api/"), Ok(server("http://meter/api")));
        assert_eq!(Endpoint::parse("https://[::1]:8443"), Ok(server("https://[::1]:8443/")));
        assert_eq!(Endpoint::parse("listen://0.0.0.0:8080"), Ok(Endpoint::Listen("0.0.0.0:8080".into())));
        assert_eq!(Endpoint::parse("listens://[::]:8443/"), Ok(Endpoint::ListenTls("[::]:8443".into())));
    }

    #[test]
    fn what_is_wrong_is_said_without_showing_a_password() {
        assert!(problem("http://a:secret@meter").ends_with("it holds a login (write `username` and `password`)"));
        assert!(problem("http://meter/a?b=c").contains("has more than a path"));
        assert!(problem("http://").contains("empty host"));
        for text in ["listen://0.0.0.0", "listen://0.0.0.0:0", "listen://:80", "listens://0.0.0.0"] {
            assert!(problem(text).starts_with(&format!("`endpoint`: `{text}` has no host and port")));
        }
        assert!(problem("tcp://meter").contains("is not an endpoint"));
    }

    #[test]
    fn paths_are_joined_with_one_slash() {
        let base = Url::parse("http://meter/api").expect("an address");
        assert_eq!(joined(&base, &["status", "/a b/"]).as_str(), "http://meter/api/status/a%20b/");
        assert_eq!(joined(&base, &["", ""]).as_str(), "http://meter/api");
        let bare = Url::parse("http://meter").expect("an address");
        assert_eq!(joined(&bare, &["", "x"]).as_str(), "http://meter/x");
    }
}
