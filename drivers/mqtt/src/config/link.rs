//! A link's options.

use super::{Endpoint, Security, check_duration};
use crate::topic::{filter_problem, topic_problem};
use edgeway_sdk::{Json, Problem, options};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::time::Duration;

/// What a message may carry at most, unless the options say otherwise.
const PAYLOAD_BYTES_DEFAULT: u64 = 1 << 20;
/// What a message may carry at most, whatever the options say: more is not read as JSON or CBOR.
const PAYLOAD_BYTES_MAX: u64 = 4 << 20;

/// A link's options, checked.
#[derive(Debug, Clone)]
pub(crate) struct LinkOptions {
    pub(crate) endpoint: Endpoint,
    pub(crate) version: Version,
    pub(crate) client_id: Option<String>,
    /// User and password.
    pub(crate) credentials: Option<(String, String)>,
    pub(crate) files: edgeway_tls::Files,
    pub(crate) keep_alive: Duration,
    pub(crate) qos: Qos,
    pub(crate) session: Session,
    pub(crate) share: Option<String>,
    pub(crate) subscribe: Vec<String>,
    pub(crate) timeout: Duration,
    pub(crate) payload_bytes_max: u32,
    pub(crate) discovery_prefix: String,
    /// Of all that was written: what tells this link from others of the same broker.
    pub(crate) fingerprint: u32,
}

/// The version of the protocol.
#[derive(serde::Deserialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Version {
    /// MQTT 3.1.1
    #[serde(rename = "3.1.1")]
    V3,
    /// MQTT 5
    #[default]
    #[serde(rename = "5")]
    V5,
}

/// How sure it is that a message arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "they are the words of the standard")]
pub(crate) enum Qos {
    AtMostOnce,
    AtLeastOnce,
    ExactlyOnce,
}

/// Whether the broker keeps for us what comes while we are away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Session {
    Clean,
    /// For so long; MQTT 3.1.1 cannot say that.
    Keep(Duration),
}

/// The words of `session`.
#[derive(serde::Deserialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "lowercase")]
enum SessionWord {
    /// The broker forgets us when we go
    #[default]
    Clean,
    /// The broker keeps what comes meanwhile
    Keep,
}

/// A link's options, as written.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "MQTT link")]
pub(crate) struct Written {
    /// `mqtt://host:port` (port 1883 unless named) or `mqtts://host:port` (8883)
    endpoint: String,
    /// The version of the protocol, `"5"` or `"3.1.1"`
    #[serde(default)]
    version: Version,
    /// By which name the broker knows us. Default: one that is made anew whenever the gateway starts
    client_id: Option<String>,
    /// Who we are
    username: Option<String>,
    /// The password of the user
    password: Option<String>,
    /// Certificates to trust, in PEM. Default: those of the system
    #[schemars(extend("format" = "path"))]
    ca: Option<PathBuf>,
    /// Our own certificate with its chain, in PEM
    #[schemars(extend("format" = "path"))]
    cert: Option<PathBuf>,
    /// The key of our certificate, in PEM
    #[schemars(extend("format" = "path"))]
    key: Option<PathBuf>,
    /// How long the connection may be idle before it is looked at, 1s to 18h
    #[serde(default = "keep_alive_default", with = "options::duration")]
    #[schemars(with = "String")]
    keep_alive: Duration,
    /// The quality of service with which is subscribed and published, 0 to 2
    #[serde(default = "qos_default")]
    #[schemars(range(min = 0, max = 2))]
    qos: i64,
    /// Whether the broker keeps what comes while we are away
    #[serde(default)]
    session: SessionWord,
    /// For how long the broker keeps it, 1s to 365d; MQTT 5 alone
    #[serde(default, with = "options::maybe_duration")]
    #[schemars(with = "Option<String>")]
    session_expiry: Option<Duration>,
    /// The group with which messages are shared: each comes to one of its members
    share: Option<String>,
    /// Filters to subscribe to. A topic that none of them covers is subscribed to by itself
    #[serde(default)]
    subscribe: Vec<String>,
    /// How long the broker may take for an answer, and a device to confirm a write, 50ms to 60s
    #[serde(default = "timeout_default", with = "options::duration")]
    #[schemars(with = "String")]
    timeout: Duration,
    /// The most that a message may carry, 1KiB to 4MiB
    #[serde(default = "max_payload_default")]
    max_payload: String,
    /// The first part of the topics of Home Assistant's discovery
    #[serde(default = "discovery_prefix_default")]
    discovery_prefix: String,
}

fn keep_alive_default() -> Duration {
    Duration::from_secs(30)
}

fn qos_default() -> i64 {
    1
}

fn timeout_default() -> Duration {
    Duration::from_secs(5)
}

fn max_payload_default() -> String {
    "1MiB".into()
}

fn discovery_prefix_default() -> String {
    "homeassistant".into()
}

/// For how long the broker keeps a session, unless the options say otherwise.
const SESSION_EXPIRY: Duration = Duration::from_secs(3600);

impl LinkOptions {
    /// Reads a link's table.
    ///
    /// # Errors
    /// All mistakes found.
    pub(crate) fn parse(options: &Json) -> Result<Self, Vec<Problem>> {
        let written: Written = options::parse(options).map_err(|problem| vec![problem])?;
        let mut problems = vec![];
        let endpoint = Endpoint::parse(&written.endpoint).map_err(|problem| problems.push(problem)).ok();
        written.check(endpoint.as_ref(), &mut problems);
        let qos = qos(written.qos, &mut problems);
        let payload_bytes_max = payload_bytes_max(&written.max_payload, &mut problems);
        let Some(endpoint) = endpoint.filter(|_| problems.is_empty()) else { return Err(problems) };
        Ok(LinkOptions {
            endpoint,
            version: written.version,
            session: written.session(),
            client_id: written.client_id,
            credentials: written.username.map(|user| (user, written.password.unwrap_or_default())),
            files: edgeway_tls::Files { ca: written.ca, identity: written.cert.zip(written.key) },
            keep_alive: written.keep_alive,
            qos,
            share: written.share,
            subscribe: written.subscribe,
            timeout: written.timeout,
            payload_bytes_max,
            discovery_prefix: written.discovery_prefix,
            fingerprint: fingerprint(options),
        })
    }

    /// What tells the wire of this link from others: two clients of one broker get on well unless they have one id.
    pub(crate) fn wire(&self) -> String {
        match &self.client_id {
            Some(id) => format!("{} as {id}", self.endpoint),
            None => format!("{} as {:08x}", self.endpoint, self.fingerprint),
        }
    }
}

impl Written {
    fn session(&self) -> Session {
        match self.session {
            SessionWord::Clean => Session::Clean,
            SessionWord::Keep => Session::Keep(self.session_expiry.unwrap_or(SESSION_EXPIRY)),
        }
    }

    fn check(&self, endpoint: Option<&Endpoint>, problems: &mut Vec<Problem>) {
        check_duration(problems, "keep_alive", self.keep_alive, Duration::from_secs(1)..=Duration::from_secs(64_800));
        check_duration(problems, "timeout", self.timeout, Duration::from_millis(50)..=Duration::from_secs(60));
        if let Some(endpoint) = endpoint {
            self.check_files(endpoint, problems);
        }
        let prefix = topic_problem(&self.discovery_prefix);
        problems.extend(prefix.map(|problem| Problem::key("discovery_prefix", problem)));
        self.check_login(problems);
        self.check_session(problems);
        for (at, filter) in self.subscribe.iter().enumerate() {
            let is_shared = filter.starts_with("$share/");
            let shared = is_shared.then(|| format!("`{filter}` is shared; name the group with `share`"));
            problems.extend(
                shared.or_else(|| filter_problem(filter)).map(|text| Problem::key(format!("subscribe[{at}]"), text)),
            );
        }
        if let Some(share) =
            self.share.as_deref().filter(|share| share.is_empty() || share.contains(['/', '+', '#', '\0']))
        {
            problems.push(
                Problem::key("share", format!("`{share}` is not the name of a group"))
                    .help("a word without `/`, `+` and `#`"),
            );
        }
    }

    fn check_files(&self, endpoint: &Endpoint, problems: &mut Vec<Problem>) {
        let files = [("ca", &self.ca), ("cert", &self.cert), ("key", &self.key)];
        for (key, _) in files.iter().filter(|(_, path)| path.is_some() && endpoint.security == Security::None) {
            problems.push(
                Problem::key(*key, "there is no TLS with `mqtt://`").help("use `mqtts://`, or leave the file out"),
            );
        }
        match (&self.cert, &self.key) {
            (Some(_), None) => problems.push(Problem::key("key", "a certificate needs its key")),
            (None, Some(_)) => problems.push(Problem::key("cert", "a key needs its certificate")),
            _ => {}
        }
    }

    fn check_login(&self, problems: &mut Vec<Problem>) {
        if self.password.is_some() && self.username.is_none() {
            problems.push(Problem::key("username", "a password needs the name of its user"));
        }
        let texts = [("client_id", &self.client_id), ("username", &self.username), ("password", &self.password)];
        for (key, _) in texts.iter().filter(|(_, text)| text.as_deref().is_some_and(|text| text.contains('\0'))) {
            problems.push(Problem::key(*key, "has a NUL, which MQTT does not allow"));
        }
        if let Some(id) = self.client_id.as_deref().filter(|id| id.is_empty() || id.len() > 65_535) {
            let message = format!("{} bytes are no client id", id.len());
            problems.push(Problem::key("client_id", message).help("1 to 65535 bytes; every broker takes 23"));
        }
    }

    fn check_session(&self, problems: &mut Vec<Problem>) {
        if self.session == SessionWord::Keep && self.client_id.is_none() {
            let problem = Problem::key("client_id", "a session is kept for a client that comes again under its name");
            problems.push(problem.help("give `client_id`"));
        }
        let Some(expiry) = self.session_expiry else { return };
        check_duration(problems, "session_expiry", expiry, Duration::from_secs(1)..=Duration::from_secs(365 * 86_400));
        if self.session == SessionWord::Clean {
            problems.push(
                Problem::key("session_expiry", "a clean session ends with its connection")
                    .help("set `session = \"keep\"`"),
            );
        } else if self.version == Version::V3 {
            problems.push(Problem::key("session_expiry", "MQTT 3.1.1 cannot say for how long; the broker decides"));
        }
    }
}

fn qos(number: i64, problems: &mut Vec<Problem>) -> Qos {
    match number {
        0 => Qos::AtMostOnce,
        1 => Qos::AtLeastOnce,
        2 => Qos::ExactlyOnce,
        _ => {
            problems.push(Problem::key("qos", format!("{number} is no quality of service")).help("0, 1 or 2"));
            Qos::AtLeastOnce
        }
    }
}

fn payload_bytes_max(text: &str, problems: &mut Vec<Problem>) -> u32 {
    let bytes = options::bytes(text).filter(|bytes| (1 << 10..=PAYLOAD_BYTES_MAX).contains(bytes));
    let bytes = bytes.unwrap_or_else(|| {
        problems
            .push(Problem::key("max_payload", format!("`{text}` is not a size that can be")).help("`1KiB` to `4MiB`"));
        PAYLOAD_BYTES_DEFAULT
    });
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

fn fingerprint(options: &Json) -> u32 {
    let mut hasher = DefaultHasher::new();
    options.to_string().hash(&mut hasher);
    hasher.finish() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(options: Json) -> Vec<String> {
        LinkOptions::parse(&options).expect_err("wrong").iter().map(Problem::to_string).collect()
    }

    #[test]
    fn an_endpoint_is_enough() {
        let link = LinkOptions::parse(&json!({ "endpoint": "mqtt://broker" })).expect("right");
        assert_eq!((link.version, link.qos, link.session), (Version::V5, Qos::AtLeastOnce, Session::Clean));
        assert_eq!((link.keep_alive, link.timeout), (Duration::from_secs(30), Duration::from_secs(5)));
        assert_eq!((link.payload_bytes_max, link.credentials), (1 << 20, None));
    }

    #[test]
    fn two_links_disturb_each_other_if_they_have_one_client_id() {
        let wire = |options: Json| LinkOptions::parse(&options).expect("right").wire();
        let named = |id: &str, qos: u8| json!({ "endpoint": "mqtt://a", "client_id": id, "qos": qos });
        assert_eq!(wire(named("x", 0)), wire(named("x", 1)));
        assert_ne!(wire(named("x", 0)), wire(named("y", 0)));
        let unnamed = |filter: &str| json!({ "endpoint": "mqtt://a", "subscribe": [filter] });
        assert_eq!(wire(unnamed("a/#")), wire(unnamed("a/#")));
        assert_ne!(wire(unnamed("a/#")), wire(unnamed("b/#")));
    }

    #[test]
    fn what_cannot_be_is_told_with_what_would_be_right() {
        let with = |key: &str, value: Json| json!({ "endpoint": "mqtt://a", key: value });
        for (options, problem) in [
            (with("qos", json!(3)), "`qos`: 3 is no quality of service (0, 1 or 2)"),
            (with("keep_alive", json!("0s")), "`keep_alive`: 0s is out of range (1s to 64800s)"),
            (with("max_payload", json!("10MB")), "`max_payload`: `10MB` is not a size that can be (`1KiB` to `4MiB`)"),
            (with("password", json!("x")), "`username`: a password needs the name of its user"),
            (
                with("ca", json!("ca.pem")),
                "`ca`: there is no TLS with `mqtt://` (use `mqtts://`, or leave the file out)",
            ),
            (
                with("share", json!("a/b")),
                "`share`: `a/b` is not the name of a group (a word without `/`, `+` and `#`)",
            ),
            (
                with("subscribe", json!(["a#"])),
                "`subscribe[0]`: in `a#` a wildcard shares its level with something else",
            ),
            (
                with("subscribe", json!(["$share/g/a"])),
                "`subscribe[0]`: `$share/g/a` is shared; name the group with `share`",
            ),
            (
                with("session", json!("keep")),
                "`client_id`: a session is kept for a client that comes again under its name (give `client_id`)",
            ),
            (
                with("session_expiry", json!("1h")),
                "`session_expiry`: a clean session ends with its connection (set `session = \"keep\"`)",
            ),
            (with("version", json!("4")), "`version`: unknown choice `4` (one of `3.1.1`, `5`)"),
            (with("client_id", json!("a\0")), "`client_id`: has a NUL, which MQTT does not allow"),
            (json!({ "endpoint": "mqtts://a", "cert": "c.pem" }), "`key`: a certificate needs its key"),
        ] {
            assert_eq!(problems(options), [problem]);
        }
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let found = problems(json!({
            "endpoint": "http://a", "qos": -1, "timeout": "1ms", "max_payload": "x", "password": "x",
            "subscribe": ["a", ""], "share": "",
        }));
        let keys: Vec<&str> = found.iter().filter_map(|text| text.split('`').nth(1)).collect();
        assert_eq!(keys, ["endpoint", "timeout", "username", "subscribe[1]", "share", "qos", "max_payload"]);
    }
}
