//! The options of a link.

use super::{Endpoint, check_duration, noted, within};
use edgeway_sdk::{Json, Problem, options};
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
/// Sizes of blocks (RFC 7959 section 2.2).
const BLOCK_BYTES: [u64; 7] = [16, 32, 64, 128, 256, 512, 1024];
/// What is not for a server.
const CLIENT_ONLY: [&str; 10] = [
    "identity",
    "secret",
    "timeout",
    "messages",
    "ack_timeout",
    "ack_random_factor",
    "max_retransmit",
    "block_size",
    "in_flight",
    "renew",
];

/// A link's options, checked.
#[derive(Debug, Clone)]
pub(crate) struct LinkOptions {
    pub(crate) endpoint: Endpoint,
    pub(crate) secret: Option<Secret>,
    pub(crate) timeout: Duration,
    pub(crate) messages: Messages,
    pub(crate) ack_timeout: Duration,
    pub(crate) ack_random_factor: f64,
    pub(crate) retransmit_max: u32,
    pub(crate) block_bytes: usize,
    pub(crate) in_flight: u16,
    pub(crate) renew: Duration,
    pub(crate) payload_bytes_max: usize,
}

/// A key that both ends have, and its name.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret {
    pub(crate) identity: String,
    pub(crate) key: Vec<u8>,
}

/// A secret is not shown.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// How questions are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Messages {
    /// Acknowledged by the device, and repeated until they are
    #[default]
    Confirmable,
    /// Sent once
    NonConfirmable,
}

/// A link's options, as written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "CoAP link")]
pub(crate) struct Written {
    /// coap://host:port (5683), coaps://host:port (5684), or listen://0.0.0.0:5683 for devices that push
    #[serde(default)]
    endpoint: String,
    /// With coaps://, the name of the pre-shared key
    identity: Option<String>,
    /// With coaps://, the pre-shared key: text, or bytes as hex:00ff10
    secret: Option<String>,
    /// How long an answer may take, repetitions included, 50ms to 5m. Default: 9s
    #[serde(default = "timeout", with = "options::duration")]
    #[schemars(with = "String")]
    timeout: Duration,
    /// Whether questions are confirmable. Default: confirmable
    #[serde(default)]
    messages: Messages,
    /// After how long a question is repeated first, 50ms to 1m; each time after twice as long. Default: 2s
    #[serde(default = "ack_timeout", with = "options::duration")]
    #[schemars(with = "String")]
    ack_timeout: Duration,
    /// By how much that is stretched at random, 1 to 3. Default: 1.5
    #[serde(default = "ack_random_factor")]
    #[schemars(range(min = 1, max = 3))]
    ack_random_factor: f64,
    /// How often a question is repeated at most, 0 to 10. Default: 4
    #[serde(default = "max_retransmit")]
    #[schemars(range(min = 0, max = 10))]
    max_retransmit: i64,
    /// The longest payload of one datagram in bytes: 16, 32, 64, 128, 256, 512 or 1024. Default: 1024
    #[serde(default = "block_size")]
    block_size: u64,
    /// How many questions are under way at the same time, 1 to 64. Default: 1
    #[serde(default = "in_flight")]
    #[schemars(range(min = 1, max = 64))]
    in_flight: i64,
    /// After how long without a notification an observation is renewed at the latest, 1s to 1d. Default: 60s
    #[serde(default = "renew", with = "options::duration")]
    #[schemars(with = "String")]
    renew: Duration,
    /// The longest payload that is taken, 1KiB to 4MiB. Default: 256KiB
    #[serde(default = "max_payload")]
    max_payload: String,
}

fn timeout() -> Duration {
    Duration::from_secs(9)
}

/// ACK_TIMEOUT of RFC 7252 section 4.8.
fn ack_timeout() -> Duration {
    Duration::from_secs(2)
}

/// ACK_RANDOM_FACTOR of RFC 7252 section 4.8.
fn ack_random_factor() -> f64 {
    1.5
}

/// MAX_RETRANSMIT of RFC 7252 section 4.8.
fn max_retransmit() -> i64 {
    4
}

fn block_size() -> u64 {
    1024
}

/// NSTART of RFC 7252 section 4.8.
fn in_flight() -> i64 {
    1
}

fn renew() -> Duration {
    MINUTE
}

fn max_payload() -> String {
    "256KiB".into()
}

impl LinkOptions {
    /// Reads a link's table.
    ///
    /// # Errors
    /// All mistakes found.
    pub(crate) fn parse(options: &Json) -> Result<Self, Vec<Problem>> {
        let written: Written = options::parse(options).map_err(|problem| vec![problem])?;
        let mut problems = vec![];
        let endpoint = noted(endpoint(&written.endpoint), &mut problems);
        let millis = Duration::from_millis;
        check_duration(&mut problems, "timeout", written.timeout, millis(50)..=5 * MINUTE);
        check_duration(&mut problems, "ack_timeout", written.ack_timeout, millis(50)..=MINUTE);
        check_duration(&mut problems, "renew", written.renew, millis(1000)..=24 * 60 * MINUTE);
        if !(1.0..=3.0).contains(&written.ack_random_factor) {
            let found = format!("{} is out of range", written.ack_random_factor);
            problems.push(Problem::key("ack_random_factor", found).help("1 to 3"));
        }
        let secret = secret(&endpoint, written.identity, written.secret, &mut problems);
        not_of_a_server(&endpoint, options, &mut problems);
        let link = LinkOptions {
            secret,
            timeout: written.timeout,
            messages: written.messages,
            ack_timeout: written.ack_timeout,
            ack_random_factor: written.ack_random_factor,
            retransmit_max: within("max_retransmit", written.max_retransmit, 0..=10_u16, &mut problems).into(),
            block_bytes: block_bytes(written.block_size, &mut problems),
            in_flight: within("in_flight", written.in_flight, 1..=64, &mut problems),
            renew: written.renew,
            payload_bytes_max: noted(payload_bytes_max(&written.max_payload), &mut problems),
            endpoint,
        };
        if problems.is_empty() { Ok(link) } else { Err(problems) }
    }
}

fn endpoint(text: &str) -> Result<Endpoint, Problem> {
    match text {
        "" => Err(Problem::key("endpoint", "a link needs an endpoint").help("`coap://host:port`")),
        text => Endpoint::parse(text, "endpoint"),
    }
}

fn secret(
    endpoint: &Endpoint,
    identity: Option<String>,
    secret: Option<String>,
    problems: &mut Vec<Problem>,
) -> Option<Secret> {
    let mut wrong = |key: &str, found: &str, help: &str| problems.push(Problem::key(key, found).help(help));
    match (endpoint, identity, secret) {
        (Endpoint::Secure { .. }, Some(identity), Some(secret)) => match key(&secret) {
            Some(key) => return Some(Secret { identity, key }),
            None => wrong("secret", "this is no key", "1 to 64 bytes: text, or bytes as `hex:00ff10`"),
        },
        (Endpoint::Secure { .. }, identity, secret) => {
            if identity.is_none() {
                wrong("identity", "`coaps://` needs the name of a pre-shared key", "`identity` and `secret`");
            }
            if secret.is_none() {
                wrong("secret", "`coaps://` needs a pre-shared key", "`identity` and `secret`");
            }
        }
        // Of a server all options are looked at together.
        (Endpoint::Listen { .. }, ..) => {}
        (Endpoint::Plain { .. }, identity, secret) => {
            for (key, _) in
                [("identity", identity), ("secret", secret)].into_iter().filter(|(_, given)| given.is_some())
            {
                wrong(key, "without DTLS nobody asks for it", "`endpoint = \"coaps://host:port\"`");
            }
        }
    }
    None
}

fn key(text: &str) -> Option<Vec<u8>> {
    let bytes = match text.strip_prefix("hex:") {
        None => text.as_bytes().to_vec(),
        Some(digits) => {
            let digits: Vec<u8> = digits
                .chars()
                .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
                .collect::<Option<_>>()?;
            let (pairs, []) = digits.as_chunks::<2>() else { return None };
            pairs.iter().map(|[high, low]| high << 4 | low).collect()
        }
    };
    (1..=64).contains(&bytes.len()).then_some(bytes)
}

fn not_of_a_server(endpoint: &Endpoint, options: &Json, problems: &mut Vec<Problem>) {
    if let (Endpoint::Listen { .. }, Some(given)) = (endpoint, options.as_object()) {
        for key in given.keys().filter(|key| CLIENT_ONLY.contains(&key.as_str())) {
            let problem = Problem::key(key, "this is of no use with `listen://`");
            problems.push(problem.help("leave it out: `endpoint` and `max_payload` are all that a server has"));
        }
    }
}

fn block_bytes(bytes: u64, problems: &mut Vec<Problem>) -> usize {
    if !BLOCK_BYTES.contains(&bytes) {
        let problem = Problem::key("block_size", format!("{bytes} is no size of a block"));
        problems.push(problem.help("16, 32, 64, 128, 256, 512 or 1024"));
    }
    bytes.clamp(16, 1024) as usize
}

fn payload_bytes_max(text: &str) -> Result<usize, Problem> {
    let bytes = options::bytes(text).filter(|bytes| (1 << 10..=4 << 20).contains(bytes));
    let bytes = bytes
        .ok_or_else(|| Problem::key("max_payload", format!("`{text}` is no size of a payload")).help("1KiB to 4MiB"))?;
    Ok(bytes as usize)
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
        let link = LinkOptions::parse(&json!({ "endpoint": "coap://a" })).expect("valid");
        assert_eq!((link.in_flight, link.block_bytes, link.payload_bytes_max), (1, 1024, 262_144));
    }

    #[test]
    fn every_mistake_of_a_link_is_told_at_once() {
        let options = json!({
            "endpoint": "coap://a", "secret": "x", "timeout": "1ms", "ack_timeout": "2m", "ack_random_factor": 0.5,
            "max_retransmit": 11, "block_size": 1000, "in_flight": 0, "renew": "10ms", "max_payload": "1GiB",
        });
        assert_eq!(
            problems(options),
            [
                "`timeout`: 1ms is out of range (50ms to 300s)",
                "`ack_timeout`: 120s is out of range (50ms to 60s)",
                "`renew`: 10ms is out of range (1s to 86400s)",
                "`ack_random_factor`: 0.5 is out of range (1 to 3)",
                "`secret`: without DTLS nobody asks for it (`endpoint = \"coaps://host:port\"`)",
                "`max_retransmit`: 11 is out of range (0 to 10)",
                "`block_size`: 1000 is no size of a block (16, 32, 64, 128, 256, 512 or 1024)",
                "`in_flight`: 0 is out of range (1 to 64)",
                "`max_payload`: `1GiB` is no size of a payload (1KiB to 4MiB)",
            ]
        );
    }

    #[test]
    fn dtls_needs_a_key_with_a_name() {
        assert_eq!(
            problems(json!({ "endpoint": "coaps://a" })),
            [
                "`identity`: `coaps://` needs the name of a pre-shared key (`identity` and `secret`)",
                "`secret`: `coaps://` needs a pre-shared key (`identity` and `secret`)",
            ]
        );
        for wrong in ["", "hex:", "hex:0", "hex:0g", &"x".repeat(65)] {
            let found = problems(json!({ "endpoint": "coaps://a", "identity": "me", "secret": wrong }));
            assert_eq!(found, ["`secret`: this is no key (1 to 64 bytes: text, or bytes as `hex:00ff10`)"], "{wrong}");
        }
        let link = LinkOptions::parse(&json!({ "endpoint": "coaps://a", "identity": "me", "secret": "hex:00fF" }));
        let secret = link.expect("valid").secret.expect("a key");
        assert_eq!(secret.key, [0, 255]);
        assert!(!format!("{secret:?}").contains("255"));
    }

    #[test]
    fn a_server_has_no_use_for_the_options_of_a_client() {
        let found = problems(json!({ "endpoint": "listen://0.0.0.0:5683", "identity": "me", "in_flight": 2 }));
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("`identity`: this is of no use with `listen://`"), "{found:?}");
    }
}
