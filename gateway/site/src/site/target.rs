//! Targets and routes: what leaves the gateway, and whereto.

use edgeway_thing_models::Filter;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A northbound destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetSite {
    /// `cloud` of `[target.cloud]`.
    pub name: Arc<str>,
    /// Where it is.
    pub kind: TargetKind,
}

/// The kinds of targets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetKind {
    /// An MQTT broker.
    Mqtt(Box<MqttTarget>),
    /// A file on this machine, one line of JSON for each payload.
    File(FileTarget),
}

/// An MQTT broker. Everything is published with QoS 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttTarget {
    /// Name or address.
    pub host: String,
    /// 1883 or 8883 unless the URL names another.
    pub port: u16,
    /// With or without TLS.
    pub transport: Transport,
    /// The protocol's version.
    pub version: MqttVersion,
    /// Unique on the broker; `edgeway-<site>-<target>` unless given.
    pub client_id: String,
    /// The user, if the broker wants one.
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// How often the connection proves that it lives.
    pub keep_alive: Duration,
    /// The most publishes under way at one time, at least 1.
    pub inflight: u16,
    /// The topic of commands, with `{device}` still in it and `{site}` replaced; `None`: the cloud cannot send any.
    pub commands: Option<String>,
    /// The topic of their results, in the same form; `None`: no replies.
    pub replies: Option<String>,
}

/// With or without TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// `mqtt://`
    Plain,
    /// `mqtts://`
    Tls {
        /// Certificates (PEM) to trust; `None`: the system's.
        ca: Option<PathBuf>,
        /// This gateway's certificate and its key (PEM), if the broker wants one.
        identity: Option<(PathBuf, PathBuf)>,
    },
}

/// The version of MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MqttVersion {
    /// 3.1.1
    V3,
    /// 5
    V5,
}

/// A file on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileTarget {
    /// Where, below the site's data folder unless absolute.
    pub path: PathBuf,
}

/// Text that never shows up in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Which subjects go to which target, in which form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteSite {
    /// Its name; also the name of its cursor in the journal.
    pub name: Arc<str>,
    /// A message goes this way if one of these matches its subject ...
    pub subjects: Vec<Filter>,
    /// ... and none of these.
    pub except: Vec<Filter>,
    /// The target's place in [`Site::targets`](crate::Site::targets).
    pub target: usize,
    /// The topic, with `{site}` replaced and `{subject}`, `{kind}`, `{model}` and `{device}` still in it; empty for a
    /// file.
    pub topic: String,
    /// The most messages in one payload. 1: one JSON object; more: a JSON array.
    pub batch_messages: usize,
    /// How long a message waits for others of its payload.
    pub batch_age: Duration,
    /// Where a route that the journal does not know yet begins.
    pub from: Start,
}

/// Where a new route begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the oldest message that the journal still has.
    Oldest,
    /// At the next message.
    Now,
}
