//! A link's options.

use super::login::{Given, Login, Written as WrittenOAuth};
use super::{Endpoint, check_duration, headers, noted, size, tls, within};
use edgeway_payload::PAYLOAD_BYTES_MAX;
use edgeway_sdk::{Json, Problem, options};
use edgeway_tls::{Files, ServerFiles};
use reqwest::Url;
use reqwest::header::HeaderMap;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Below this, answers are lost to the scheduling of the machine.
const TIMEOUT_MIN: Duration = Duration::from_millis(10);
/// The gateway gives no transaction more time than this.
const DURATION_MAX: Duration = Duration::from_secs(10);
const IDLE_MAX: Duration = Duration::from_secs(600);
const BODY_BYTES_MIN: usize = 1 << 10;
const IN_FLIGHT_MAX: u16 = 64;
const REDIRECTS_MAX: u16 = 10;
const CONNECTIONS_MAX: u16 = 1024;

/// A link's options, checked.
#[derive(Clone)]
pub(crate) enum LinkOptions {
    /// We ask.
    Client(Box<ClientOptions>),
    /// Devices send.
    Hooks(HookOptions),
}

/// How a server is asked.
#[derive(Clone)]
pub(crate) struct ClientOptions {
    pub(crate) base: Url,
    pub(crate) files: Files,
    pub(crate) login: Login,
    pub(crate) headers: HeaderMap,
    pub(crate) timeout: Duration,
    pub(crate) connect_timeout: Duration,
    /// How long a connection is kept that nobody needs.
    pub(crate) idle: Duration,
    pub(crate) pause: Duration,
    pub(crate) in_flight: u16,
    pub(crate) redirects_max: u16,
    pub(crate) body_bytes_max: usize,
    key: String,
}

/// How what devices send is taken.
#[derive(Clone)]
pub(crate) struct HookOptions {
    /// Host and port.
    pub(crate) address: String,
    /// Of an endpoint with TLS.
    pub(crate) tls: Option<ServerFiles>,
    /// Who a sender has to be.
    pub(crate) login: Login,
    /// How long a request may take to come.
    pub(crate) timeout: Duration,
    pub(crate) body_bytes_max: usize,
    pub(crate) connections_max: u16,
}

/// A link's options, as written.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "HTTP link")]
pub(crate) struct Written {
    /// `http://host:port/path` or `https://host:port/path`, below which everything is asked for, or for devices that send `listen://0.0.0.0:port` or, with TLS, `listens://0.0.0.0:port`
    endpoint: String,
    /// https: certificates to trust, in PEM. Default: those of the system
    #[schemars(extend("format" = "path"))]
    ca: Option<PathBuf>,
    /// https, and required with `listens`: our own certificate, with its chain, in PEM
    #[schemars(extend("format" = "path"))]
    cert: Option<PathBuf>,
    /// https, and required with `listens`: the key of our certificate, in PEM
    #[schemars(extend("format" = "path"))]
    key: Option<PathBuf>,
    /// `listens`: senders have to show a certificate of one of these, in PEM. Default: anybody may send
    #[schemars(extend("format" = "path"))]
    client_ca: Option<PathBuf>,
    /// The name of a login with a password (RFC 7617). With `listen`, what senders have to give
    username: Option<String>,
    /// The password of `username`
    password: Option<String>,
    /// A bearer token (RFC 6750). With `listen`, what senders have to give
    token: Option<String>,
    /// Tokens from a token server (RFC 6749, section 4.4)
    oauth: Option<WrittenOAuth>,
    /// Headers of every request
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// How long an answer may take until it is whole, 10ms to 10s. With `listen`, how long a request may take until it is. Default: 5s
    #[serde(default = "timeout_default", with = "options::duration")]
    #[schemars(with = "String")]
    timeout: Duration,
    /// How long opening a connection may take, 10ms to 10s. Default: 3s
    #[serde(default, with = "options::maybe_duration")]
    #[schemars(with = "Option<String>")]
    connect_timeout: Option<Duration>,
    /// How long a connection is kept for the next request, 0s to 10m. Many servers close theirs after 5s; 0s makes one for each request. Default: 4s
    #[serde(default, with = "options::maybe_duration")]
    #[schemars(with = "Option<String>")]
    idle: Option<Duration>,
    /// The least time between the starts of two requests, 0s to 10s. Default: 0s
    #[serde(default, with = "options::maybe_duration")]
    #[schemars(with = "Option<String>")]
    pause: Option<Duration>,
    /// Requests on their way at the same time, 1 to 64. Default: 4
    #[schemars(range(min = 1, max = 64))]
    in_flight: Option<i64>,
    /// How many times an answer may send us elsewhere on the same server, 0 to 10. Default: 3
    #[schemars(range(min = 0, max = 10))]
    redirects: Option<i64>,
    /// The most that is taken of a body, 1KiB to 4MiB
    #[serde(default = "max_body_default")]
    max_body: String,
    /// `listen`: the most connections of senders at the same time, 1 to 1024. Default: 64
    #[schemars(range(min = 1, max = 1024))]
    connections: Option<i64>,
}

fn timeout_default() -> Duration {
    Duration::from_secs(5)
}

fn max_body_default() -> String {
    "1MiB".into()
}

impl LinkOptions {
    /// Reads a link's table.
    ///
    /// # Errors
    /// All mistakes found.
    pub(crate) fn parse(options: &Json) -> Result<Self, Vec<Problem>> {
        let written: Written = options::parse(options).map_err(|problem| vec![problem])?;
        let problems = &mut vec![];
        check_duration(problems, "timeout", written.timeout, TIMEOUT_MIN..=DURATION_MAX);
        let link = match noted(Endpoint::parse(&written.endpoint), problems) {
            None => None,
            Some(Endpoint::Server(base)) => Some(LinkOptions::Client(Box::new(written.client(base, problems)))),
            Some(Endpoint::Listen(address)) => Some(LinkOptions::Hooks(written.plain_hooks(address, problems))),
            Some(Endpoint::ListenTls(address)) => Some(LinkOptions::Hooks(written.tls_hooks(address, problems))),
        };
        match link {
            Some(link) if problems.is_empty() => Ok(link),
            _ => Err(std::mem::take(problems)),
        }
    }

    /// Which wire it is: the server, what is asked for below, and as whom.
    pub(crate) fn key(&self) -> String {
        match self {
            LinkOptions::Client(client) => client.key.clone(),
            LinkOptions::Hooks(hooks) => {
                format!("listen:{}", hooks.address.rsplit_once(':').map_or("", |(_, port)| port))
            }
        }
    }
}

impl Written {
    fn client(mut self, base: Url, problems: &mut Vec<Problem>) -> ClientOptions {
        const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
        const IDLE: Duration = Duration::from_secs(4);
        let (connect_timeout, idle) = (self.connect_timeout.unwrap_or(CONNECT_TIMEOUT), self.idle.unwrap_or(IDLE));
        let pause = self.pause.unwrap_or_default();
        check_duration(problems, "connect_timeout", connect_timeout, TIMEOUT_MIN..=DURATION_MAX);
        check_duration(problems, "idle", idle, Duration::ZERO..=IDLE_MAX);
        check_duration(problems, "pause", pause, Duration::ZERO..=DURATION_MAX);
        if self.connections.is_some() {
            problems
                .push(Problem::key("connections", "it is for `listen://`").help("leave it out, or see `in_flight`"));
        }
        let key = self.wire(&base);
        let files = self.take_files();
        let given = Given { username: self.username, password: self.password, token: self.token, oauth: self.oauth };
        ClientOptions {
            files: files.client(base.scheme(), problems),
            base,
            login: given.login(problems),
            headers: headers::read("headers", &self.headers, problems),
            timeout: self.timeout,
            connect_timeout,
            idle,
            pause,
            in_flight: within("in_flight", self.in_flight.unwrap_or(4), 1..=IN_FLIGHT_MAX, problems),
            redirects_max: within("redirects", self.redirects.unwrap_or(3), 0..=REDIRECTS_MAX, problems),
            body_bytes_max: size("max_body", &self.max_body, BODY_BYTES_MIN..=PAYLOAD_BYTES_MAX, problems),
            key,
        }
    }

    fn take_files(&mut self) -> tls::Given {
        let (ca, client_ca) = (self.ca.take(), self.client_ca.take());
        tls::Given { ca, cert: self.cert.take(), key: self.key.take(), client_ca }
    }

    /// Two accounts of one server do not disturb each other.
    fn wire(&self, base: &Url) -> String {
        let address = base.as_str().trim_end_matches('/');
        match (&self.username, &self.oauth) {
            (Some(name), _) => format!("{address} as {name}"),
            (None, Some(oauth)) => format!("{address} as {}", oauth.client_id()),
            (None, None) => address.to_owned(),
        }
    }

    fn plain_hooks(mut self, address: String, problems: &mut Vec<Problem>) -> HookOptions {
        self.take_files().plain_listener(problems);
        self.hooks("listen://", address, None, problems)
    }

    fn tls_hooks(mut self, address: String, problems: &mut Vec<Problem>) -> HookOptions {
        let files = self.take_files().listener(problems);
        self.hooks("listens://", address, files, problems)
    }

    fn hooks(
        self,
        scheme: &str,
        address: String,
        tls: Option<ServerFiles>,
        problems: &mut Vec<Problem>,
    ) -> HookOptions {
        let strangers = [
            ("oauth", self.oauth.is_some()),
            ("headers", !self.headers.is_empty()),
            ("connect_timeout", self.connect_timeout.is_some()),
            ("idle", self.idle.is_some()),
            ("pause", self.pause.is_some()),
            ("in_flight", self.in_flight.is_some()),
            ("redirects", self.redirects.is_some()),
        ];
        for (key, _) in strangers.into_iter().filter(|(_, given)| *given) {
            problems.push(Problem::key(key, format!("it has no meaning with `{scheme}`")).help("leave it out"));
        }
        let given = Given { username: self.username, password: self.password, token: self.token, oauth: None };
        HookOptions {
            address,
            tls,
            login: given.login(problems),
            timeout: self.timeout,
            body_bytes_max: size("max_body", &self.max_body, BODY_BYTES_MIN..=PAYLOAD_BYTES_MAX, problems),
            connections_max: within("connections", self.connections.unwrap_or(64), 1..=CONNECTIONS_MAX, problems),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(options: Json) -> Vec<String> {
        LinkOptions::parse(&options).err().expect("wrong").iter().map(Problem::to_string).collect()
    }

    fn key(options: Json) -> String {
        LinkOptions::parse(&options).expect("right").key()
    }

    #[test]
    fn every_mistake_of_a_link_is_told_at_once() {
        let options = json!({
            "endpoint": "http://meter",
            "timeout": "1ms",
            "connect_timeout": "1h",
            "idle": "1h",
            "pause": "11s",
            "in_flight": 65,
            "redirects": 11,
            "max_body": "5MiB",
            "ca": "ca.pem",
            "cert": "us.pem",
            "client_ca": "devices.pem",
            "username": "gateway",
            "token": "t",
            "connections": 4,
            "headers": { "X": "a\nb" },
        });
        assert_eq!(
            problems(options),
            [
                "`timeout`: 1ms is out of range (10ms to 10s)",
                "`connect_timeout`: 3600s is out of range (10ms to 10s)",
                "`idle`: 3600s is out of range (0s to 600s)",
                "`pause`: 11s is out of range (0s to 10s)",
                "`connections`: it is for `listen://` (leave it out, or see `in_flight`)",
                "`client_ca`: it is for `listens://` (leave it out, or see `ca`)",
                "`ca`: it has no meaning with `http://` (write `https://`)",
                "`cert`: it has no meaning with `http://` (write `https://`)",
                "`key`: it is missing (`cert` needs one)",
                "`token`: there is more than one login (one of `username` with `password`, `token` and `oauth`)",
                "`headers.X`: the value has a character that no header may have (no line ends, no NUL)",
                "`in_flight`: 65 is out of range (1 to 64)",
                "`redirects`: 11 is out of range (0 to 10)",
                "`max_body`: `5MiB` is not a size that is possible here (1KiB to 4MiB)",
            ]
        );
    }

    #[test]
    fn what_has_no_meaning_for_devices_that_send_is_told() {
        let given =
            json!({ "endpoint": "listen://0.0.0.0:80", "cert": "c", "client_ca": "d", "idle": "1s", "connections": 0 });
        assert_eq!(
            problems(given),
            [
                "`cert`: it has no meaning with `listen://` (write `listens://`)",
                "`client_ca`: it has no meaning with `listen://` (write `listens://`)",
                "`idle`: it has no meaning with `listen://` (leave it out)",
                "`connections`: 0 is out of range (1 to 1024)",
            ]
        );
    }

    #[test]
    fn who_listens_with_tls_has_a_certificate() {
        let endpoint = "listens://0.0.0.0:8443";
        assert_eq!(
            problems(json!({ "endpoint": endpoint, "ca": "c", "key": "k", "in_flight": 2 })),
            [
                "`ca`: it has no meaning with `listens://` (`client_ca` is for the certificates of devices)",
                "`cert`: it is missing (`listens://` needs `cert` and `key`)",
                "`in_flight`: it has no meaning with `listens://` (leave it out)",
            ]
        );
        assert_eq!(
            problems(json!({ "endpoint": endpoint, "cert": "c" })),
            ["`key`: it is missing (`listens://` needs `cert` and `key`)"]
        );
        assert_eq!(
            key(json!({ "endpoint": endpoint, "cert": "c", "key": "k", "client_ca": "d" })),
            key(json!({ "endpoint": "listen://0.0.0.0:8443" })),
            "one port is one wire"
        );
    }

    #[test]
    fn a_token_server_has_an_address() {
        let oauth = json!({ "token_url": "login", "client_id": "a", "secret": "b" });
        let problem = "`oauth.token_url`: `login` is not an address (`https://login.example/token`)";
        assert_eq!(problems(json!({ "endpoint": "http://meter", "oauth": oauth })), [problem]);
    }

    #[test]
    fn accounts_of_one_server_are_wires_of_their_own() {
        let server = "https://Cloud.example:443/v1/";
        let login = |name: &str| json!({ "endpoint": server, "username": name, "password": "x" });
        let oauth = json!({ "token_url": "https://login", "client_id": "c", "secret": "s" });
        assert_eq!(key(json!({ "endpoint": server })), "https://cloud.example/v1");
        assert_eq!(key(login("a")), "https://cloud.example/v1 as a");
        assert_eq!(key(json!({ "endpoint": server, "oauth": oauth })), "https://cloud.example/v1 as c");
        assert_eq!(
            key(json!({ "endpoint": "listen://0.0.0.0:8080" })),
            key(json!({ "endpoint": "listen://[::]:8080" }))
        );
    }
}
