//! Where routes send.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod file;
mod http;
#[cfg(feature = "kafka")]
mod kafka;
mod mqtt;
mod nats;
mod parquet;
mod postgres;
mod stdout;
mod tls;
mod window;
mod worker;

pub use mqtt::{Incoming, MqttClient, Notice as MqttNotice, Settings as MqttSettings};
pub use parquet::{Archive, Wanted};

use async_trait::async_trait;
use bytes::Bytes;
use edgeway_formats::Content;
use edgeway_site::{TargetKind, TargetSite};
use edgeway_thing_models::MessageId;
use std::time::Duration;
use tokio::sync::mpsc;

/// One thing to deliver: a message, or several of one topic.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Where to; empty for targets without topics.
    pub topic: String,
    /// What keeps its order: the device's id, or the subject of what is of no device.
    pub key: String,
    /// What is said.
    pub content: Content,
    /// The id of the first message in it; with the number of messages, and the last id, this names them all.
    pub id: MessageId,
    /// The id of the last message in it.
    pub last_id: MessageId,
    /// How many messages it holds.
    pub messages: u64,
}

impl Delivery {
    /// The payload and its media type, or the outcome of a delivery to a target that stores no tables.
    pub(crate) fn bytes(&self) -> Result<(Bytes, &'static str), Outcome> {
        match &self.content {
            Content::Bytes(bytes, media_type) => Ok((bytes.clone(), media_type)),
            Content::Table(_) => Err(Outcome::Refused("this target takes no tables; choose another format".into())),
        }
    }

    /// The size of the payload in bytes; that of a table counts as nothing.
    pub(crate) fn content_bytes(&self) -> usize {
        match &self.content {
            Content::Bytes(bytes, _) => bytes.len(),
            Content::Table(_) => 0,
        }
    }

    /// What a permanent failure means: one message is refused, several may be taken one by one.
    pub(crate) fn refused(&self, reason: impl Into<String>) -> Outcome {
        if self.messages > 1 { Outcome::Split(reason.into()) } else { Outcome::Refused(reason.into()) }
    }
}

/// What became of one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The target has it, safely.
    Delivered,
    /// The target will never take it, and why.
    Refused(String),
    /// The target will not take this payload of several messages, and why; it may take them one by one.
    Split(String),
}

/// Why a connection is of no use at the moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// The link or the peer is away: connect again after a growing pause, without end.
    #[error("{0}")]
    Away(String),
    /// The peer asks to be left alone for a while.
    #[error("{reason}; asked to wait {} s", after.as_secs())]
    Throttled {
        /// How long.
        after: Duration,
        /// What it said.
        reason: String,
    },
    /// The peer refuses this gateway or this route: wrong credentials, no rights, no such stream. A person has to act.
    #[error("{0}")]
    Denied(String),
}

/// What is said at the start of a connection.
#[derive(Debug, Clone, Default)]
pub struct Opening {
    /// The last will: topic and payload.
    pub will: Option<(String, Bytes)>,
    /// The topic on which the far end may say something, see [`Target::incoming`].
    pub listen: Option<String>,
}

/// The connection of one route to a target.
///
/// Deliveries are settled in the order in which they were sent, each once. After an error everything that is not settled
/// yet may or may not have arrived; the route connects again and sends it again.
#[async_trait]
pub trait Target: Send {
    /// Opens the connection. Called first, and again after an error.
    async fn connect(&mut self, opening: Opening) -> Result<(), TargetError>;

    /// What the far end says on the topic that the opening named, over the connection just opened; `None` where nothing
    /// can be said. Ends with the connection.
    fn incoming(&mut self) -> Option<mpsc::Receiver<Incoming>> {
        None
    }

    /// Takes deliveries and sends them in order. Waits while the target's window is full, not for the answers. Returns
    /// the outcomes known by now, of the oldest deliveries that were not settled before. Whoever drops it before it ends
    /// does not know what was sent and has to connect again.
    async fn send(&mut self, batch: Vec<Delivery>) -> Result<Vec<Outcome>, TargetError>;

    /// Waits for more outcomes; at least one if anything is unsettled. If nothing is, it ends only with the error of a
    /// connection that was lost meanwhile, where the target notices. May be dropped at any time without losing an
    /// outcome.
    async fn settle(&mut self) -> Result<Vec<Outcome>, TargetError>;

    /// Settles what can be settled quickly (a file that is being gathered is finished now), for a clean stop.
    async fn finish(&mut self) -> Result<Vec<Outcome>, TargetError>;

    /// Closes the connection. Called last.
    async fn close(&mut self);
}

/// The connection of a route to a target, without any I/O.
///
/// # Errors
/// [`TargetError::Denied`] if this build cannot speak to such a target.
pub fn open(route: &str, site: &TargetSite) -> Result<Box<dyn Target>, TargetError> {
    Ok(match &site.kind {
        TargetKind::Mqtt(site) => Box::new(mqtt::MqttTarget::new(route, site)),
        TargetKind::Http(site) => Box::new(http::HttpTarget::new(site)),
        TargetKind::Nats(site) => Box::new(nats::NatsTarget::new(route, site)),
        #[cfg(feature = "kafka")]
        TargetKind::Kafka(site) => Box::new(kafka::KafkaTarget::new(route, site)),
        TargetKind::Postgres(site) => Box::new(postgres::PostgresTarget::new(route, site)),
        TargetKind::Parquet(site) => Box::new(parquet::ParquetTarget::new(route, site)),
        TargetKind::File(site) => Box::new(file::FileTarget::new(site)),
        TargetKind::Stdout => Box::new(stdout::StdoutTarget::new()),
        other => return Err(unknown(other)),
    })
}

fn unknown(kind: &TargetKind) -> TargetError {
    TargetError::Denied(match kind {
        TargetKind::Kafka(_) => "this build has no Kafka; build with `--features kafka`".into(),
        other => format!("this build does not know the target {other:?}; use a newer one"),
    })
}
