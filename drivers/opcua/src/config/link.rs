//! A link's options.

use super::security::{ClearText, Mode, Policy, Revocation, Security};
use super::{Endpoint, Watch, check_duration, noted, within};
use edgeway_sdk::{Json, Problem, options};
use std::path::PathBuf;
use std::time::Duration;

/// Below this, answers are lost to the scheduling of the machine.
const TIMEOUT_MIN: Duration = Duration::from_millis(10);
/// The gateway gives no transaction more time than this.
const TIMEOUT_MAX: Duration = Duration::from_secs(10);
const SECOND: Duration = Duration::from_secs(1);

/// A link's options, checked.
#[derive(Debug, Clone)]
pub(crate) struct LinkOptions {
    pub(crate) endpoint: Endpoint,
    pub(crate) security: Security,
    pub(crate) application_uri: String,
    pub(crate) timeout: Duration,
    pub(crate) session_timeout: Duration,
    /// How often the server tells what is new. Default: the shortest period of the points that it tells.
    pub(crate) publishing: Option<Duration>,
    pub(crate) keep_alive: Duration,
    pub(crate) nodes_max: usize,
    pub(crate) in_flight: u16,
    pub(crate) message_bytes_max: usize,
    pub(crate) watch: Watch,
}

/// A link's options, as written.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "OPC UA link")]
pub(crate) struct WrittenLink {
    /// `opc.tcp://host:port/path`, port 4840 unless named
    endpoint: String,
    /// How messages are protected
    #[serde(default)]
    pub(super) security: Policy,
    /// What is done to messages. Default: sign-and-encrypt, if there is a security policy
    pub(super) mode: Option<Mode>,
    /// The folder of certificates: `own`, `private`, `trusted`, `issuers` and `rejected`. Needed with a security policy. A server that is met for the first time is put into `rejected`; move it to `trusted`, or put the certificate of its authority there
    #[schemars(extend("format" = "path"))]
    pub(super) pki: Option<PathBuf>,
    /// Whether an authority needs a revocation list that is up to date, in `trusted/crl` of `pki`. Default: required
    pub(super) revocation: Option<Revocation>,
    /// The gateway's own certificate, DER or PEM. Default: one that the gateway makes, `own/cert.der` in `pki`
    #[schemars(extend("format" = "path"))]
    pub(super) cert: Option<PathBuf>,
    /// Its private key, PEM. Default: `private/private.pem` in `pki`
    #[schemars(extend("format" = "path"))]
    pub(super) key: Option<PathBuf>,
    /// The URI of this gateway, which its certificate names
    #[serde(default = "application_uri_default")]
    application_uri: String,
    /// The host name that the server's certificate has to be for. Default: that of the endpoint
    pub(super) server_name: Option<String>,
    /// A user of the server
    pub(super) username: Option<String>,
    /// The user's password
    pub(super) password: Option<String>,
    /// What is done where the server takes passwords only unencrypted
    #[serde(default)]
    pub(super) clear_text_password: ClearText,
    /// The certificate of a user, DER or PEM
    #[schemars(extend("format" = "path"))]
    pub(super) user_cert: Option<PathBuf>,
    /// Its private key, PEM
    #[schemars(extend("format" = "path"))]
    pub(super) user_key: Option<PathBuf>,
    /// How long an answer may take, 10ms to 10s
    #[serde(default = "timeout_default", with = "options::duration")]
    #[schemars(with = "String")]
    timeout: Duration,
    /// How long the server keeps a session of which it hears nothing, 10s to 1h
    #[serde(default = "session_timeout_default", with = "options::duration")]
    #[schemars(with = "String")]
    session_timeout: Duration,
    /// How often the server tells what is new, 10ms to 60s. Default: the shortest `poll` of the points that it tells
    #[serde(default, with = "options::maybe_duration")]
    #[schemars(with = "Option<String>")]
    publishing: Option<Duration>,
    /// How often the server is asked for its state, and how long it may say nothing, 1s to 60s and at most `session_timeout`; after three times this the connection is given up
    #[serde(default = "keep_alive_default", with = "options::duration")]
    #[schemars(with = "String")]
    keep_alive: Duration,
    /// The most nodes in one request, 1 to 10000; fewer if the server says that it takes fewer
    #[serde(default = "max_nodes_default")]
    #[schemars(range(min = 1, max = 10000))]
    max_nodes: i64,
    /// Reads and writes on their way at the same time, 1 to 16
    #[serde(default = "in_flight_default")]
    #[schemars(range(min = 1, max = 16))]
    in_flight: i64,
    /// The most that one message of the server may hold, in KiB, 64 to 65536
    #[serde(default = "max_message_default")]
    #[schemars(range(min = 64, max = 65536))]
    max_message_kib: i64,
    /// Whether points whose options do not say so are told by the server or asked for
    #[serde(default)]
    watch: Watch,
}

fn application_uri_default() -> String {
    "urn:edgeway:gateway".into()
}

fn timeout_default() -> Duration {
    3 * SECOND
}

fn session_timeout_default() -> Duration {
    60 * SECOND
}

fn keep_alive_default() -> Duration {
    10 * SECOND
}

fn max_nodes_default() -> i64 {
    500
}

fn in_flight_default() -> i64 {
    4
}

fn max_message_default() -> i64 {
    4096
}

impl LinkOptions {
    /// Reads a link's table.
    ///
    /// # Errors
    /// All mistakes found.
    pub(crate) fn parse(options: &Json) -> Result<Self, Vec<Problem>> {
        let written: WrittenLink = options::parse(options).map_err(|problem| vec![problem])?;
        let problems = &mut vec![];
        let endpoint = noted(Endpoint::parse(&written.endpoint), problems);
        let security = Security::read(&written, problems);
        written.check_times(problems);
        if !written.application_uri.contains(':') {
            let message = format!("`{}` is not a URI", written.application_uri);
            problems.push(Problem::key("application_uri", message).help("write `urn:example:gateway`"));
        }
        let nodes_max = within("max_nodes", written.max_nodes, 1..=10_000, problems);
        let in_flight = within("in_flight", written.in_flight, 1..=16, problems);
        let message_kib_max = within("max_message_kib", written.max_message_kib, 64..=65_536, problems);
        match endpoint {
            Some(endpoint) if problems.is_empty() => Ok(LinkOptions {
                endpoint,
                security,
                application_uri: written.application_uri,
                timeout: written.timeout,
                session_timeout: written.session_timeout,
                publishing: written.publishing,
                keep_alive: written.keep_alive,
                nodes_max: nodes_max as usize,
                in_flight: in_flight as u16,
                message_bytes_max: message_kib_max as usize * 1024,
                watch: written.watch,
            }),
            _ => Err(std::mem::take(problems)),
        }
    }
}

impl WrittenLink {
    fn check_times(&self, problems: &mut Vec<Problem>) {
        check_duration(problems, "timeout", self.timeout, TIMEOUT_MIN..=TIMEOUT_MAX);
        let before = problems.len();
        check_duration(problems, "session_timeout", self.session_timeout, 10 * SECOND..=3600 * SECOND);
        check_duration(problems, "keep_alive", self.keep_alive, SECOND..=60 * SECOND);
        if problems.len() == before && self.keep_alive > self.session_timeout {
            let message = "it is longer than `session_timeout`, and the server would forget the session in between";
            let help = format!("at most {}", options::duration::show(self.session_timeout));
            problems.push(Problem::key("keep_alive", message).help(help));
        }
        if let Some(publishing) = self.publishing {
            check_duration(problems, "publishing", publishing, TIMEOUT_MIN..=60 * SECOND);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(options: Json) -> Vec<String> {
        LinkOptions::parse(&options).expect_err("wrong").iter().map(Problem::to_string).collect()
    }

    #[test]
    fn every_mistake_of_a_link_is_told_at_once() {
        assert_eq!(
            problems(json!({
                "endpoint": "plc", "security": "basic256sha256", "timeout": "0s", "session_timeout": "1s", "keep_alive": "5m",
                "publishing": "1ms", "max_nodes": 0, "in_flight": 17, "max_message_kib": 1, "application_uri": "x", "password": "y",
            })),
            [
                "`endpoint`: `plc` is not an OPC UA endpoint (write `opc.tcp://plc`)",
                "`pki`: certificates need a folder (a folder of the site, `pki = \"pki\"`: it holds the gateway's certificate and those it trusts)",
                "`password`: `password` needs `username` beside it",
                "`timeout`: 0s is out of range (10ms to 10s)",
                "`session_timeout`: 1s is out of range (10s to 3600s)",
                "`keep_alive`: 300s is out of range (1s to 60s)",
                "`publishing`: 1ms is out of range (10ms to 60s)",
                "`application_uri`: `x` is not a URI (write `urn:example:gateway`)",
                "`max_nodes`: 0 is out of range (1 to 10000)",
                "`in_flight`: 17 is out of range (1 to 16)",
                "`max_message_kib`: 1 is out of range (64 to 65536)",
            ]
        );
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let with = |key: &str, value: &str| json!({ "endpoint": "opc.tcp://a", "security": "basic256", "pki": "p", key: value });
        let bare = |key: &str, value: &str| json!({ "endpoint": "opc.tcp://a", key: value });
        for (options, problem) in [
            (
                bare("mode", "sign"),
                "`mode`: there is no mode without a security policy (set `security`, or remove `mode`)",
            ),
            (
                bare("revocation", "required"),
                "`revocation`: there are no certificates to be revoked without `pki` (set `pki`, or remove `revocation`)",
            ),
            (with("cert", "a.der"), "`cert`: `cert` needs `key` beside it"),
            (with("user_key", "a.pem"), "`user_key`: `user_key` needs `user_cert` beside it"),
            (
                json!({ "endpoint": "opc.tcp://a", "user_cert": "a", "user_key": "b" }),
                "`user_cert`: a certificate is of no use with `security = \"none\"`; remove `user_cert` and `user_key` (or set `security`)",
            ),
            (
                json!({ "endpoint": "opc.tcp://a", "security": "basic256", "pki": "p", "user_cert": "a", "user_key": "b", "username": "c" }),
                "`user_cert`: a user has a name or a certificate, not both",
            ),
            (
                json!({ "endpoint": "opc.tcp://a", "session_timeout": "10s", "keep_alive": "11s" }),
                "`keep_alive`: it is longer than `session_timeout`, and the server would forget the session in between (at most 10s)",
            ),
            (bare("security", "basic"), "`security`: unknown choice `basic` (did you mean `basic256`?)"),
        ] {
            assert_eq!(problems(options), [problem]);
        }
    }
}
