//! One connection to a broker, in either version of the protocol.

use super::pulse::{Pulse, Silence};
use super::settings::Settings;
use super::{packet, v3, v5};
use crate::{Delivery, Outcome, TargetError};
use bytes::Bytes;
use edgeway_site::MqttVersion;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// How long connecting may take, TCP, TLS and MQTT together.
pub(super) const CONNECT_WITHIN: Duration = Duration::from_secs(20);
/// How long a goodbye may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);
/// The most incoming messages that wait to be handled; more are dropped and counted.
const INCOMING_MAX: usize = 256;

/// A message that the broker sent us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// Its topic.
    pub topic: String,
    /// What it says.
    pub payload: Bytes,
    /// The broker had kept it for us from before we subscribed.
    pub retained: bool,
}

/// What came of a publish: delivered or refused, or an error if the connection broke before that was known.
pub type Notice = BoxFuture<'static, Result<Outcome, TargetError>>;

/// A connection. It ends with the first error, or when it is dropped.
pub struct MqttClient {
    version: Version,
    pulse: Arc<Pulse>,
    terms: Terms,
    payload_bytes_max: Option<usize>,
    ended: watch::Receiver<Option<End>>,
    task: JoinHandle<()>,
}

enum Version {
    V3(v3::Client),
    V5(v5::Client),
}

/// What the broker said when it took the connection.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Terms {
    /// The largest packet that it takes, in bytes.
    pub(super) packet_bytes_max: Option<usize>,
    /// The keep-alive that it wants instead of ours.
    pub(super) keep_alive: Option<Duration>,
}

/// How a connection ended.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub(super) error: TargetError,
    pub(super) by: Side,
}

/// Who ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The peer, perhaps because of what was sent.
    Peer,
    /// We, or the link.
    Us,
}

/// What goes with a payload where the protocol has a place for it.
#[derive(Debug, Clone, Default)]
pub(super) struct Properties {
    pub(super) content_type: Option<&'static str>,
    pub(super) user: Vec<(String, String)>,
}

impl Properties {
    pub(super) fn of(delivery: &Delivery, media_type: &'static str) -> Self {
        let user = vec![
            ("id".to_owned(), delivery.id.to_string()),
            ("last-id".to_owned(), delivery.last_id.to_string()),
            ("messages".to_owned(), delivery.messages.to_string()),
        ];
        Properties { content_type: Some(media_type), user }
    }

    fn bytes(&self) -> usize {
        let user = self.user.iter().map(|(name, value)| packet::user_property_bytes(name, value));
        self.content_type.map_or(0, packet::text_property_bytes) + user.sum::<usize>()
    }
}

impl MqttClient {
    /// Connects, and subscribes to a topic if one is given. What comes in arrives at the receiver, which ends when the
    /// connection does.
    ///
    /// # Errors
    /// As for a target; a broker that does not answer within 20 s is away.
    pub async fn connect(
        settings: Settings,
        subscribe: Option<&str>,
    ) -> Result<(Self, mpsc::Receiver<Incoming>), TargetError> {
        let (incoming, receiver) = mpsc::channel(INCOMING_MAX);
        let connected = async {
            match settings.version {
                MqttVersion::V3 => v3::connect(&settings, subscribe, incoming).await.map(|link| link.map(Version::V3)),
                MqttVersion::V5 => v5::connect(&settings, subscribe, incoming).await.map(|link| link.map(Version::V5)),
            }
        };
        let no_answer = || TargetError::Away(format!("no answer within {} s", CONNECT_WITHIN.as_secs()));
        let link = tokio::time::timeout(CONNECT_WITHIN, connected).await.map_err(|_| no_answer())??;
        Ok((link.into_client(settings.payload_bytes_max), receiver))
    }

    /// Queues a publish with QoS 1; waits only while the queue is full.
    ///
    /// # Errors
    /// What ended the connection.
    pub async fn publish(&self, topic: &str, payload: Bytes) -> Result<Notice, TargetError> {
        if let Some(reason) = self.unfit(topic, &payload, &Properties::default()) {
            return Ok(Box::pin(std::future::ready(Ok(Outcome::Refused(reason)))));
        }
        self.publish_with(topic, payload, Properties::default()).await
    }

    /// The same with properties, and without looking whether it fits.
    pub(super) async fn publish_with(
        &self,
        topic: &str,
        payload: Bytes,
        properties: Properties,
    ) -> Result<Notice, TargetError> {
        self.pulse.published();
        let ended = self.ended.clone();
        match &self.version {
            Version::V3(client) => v3::publish(client, topic, payload, properties, ended).await,
            Version::V5(client) => v5::publish(client, topic, payload, properties, ended).await,
        }
    }

    /// Why this cannot be published here.
    pub(super) fn unfit(&self, topic: &str, payload: &Bytes, properties: &Properties) -> Option<String> {
        if let Some(reason) = packet::bad_topic(topic) {
            return Some(reason.to_owned());
        }
        let most = self.payload_bytes_max.unwrap_or(usize::MAX);
        if payload.len() > most {
            return Some(format!("its {} bytes are more than the {most} that this platform takes", payload.len()));
        }
        let properties_bytes = matches!(self.version, Version::V5(_)).then(|| properties.bytes());
        let most = self.terms.packet_bytes_max.unwrap_or(usize::MAX);
        match packet::publish_bytes(topic, payload.len(), properties_bytes) {
            Some(bytes) if bytes > most => {
                Some(format!("its packet has {bytes} bytes, and the broker takes no more than {most}"))
            }
            Some(_) => None,
            None => Some(format!("its {} bytes are more than MQTT can say", payload.len())),
        }
    }

    /// Waits until the connection has ended.
    pub(super) async fn ended(&self) -> End {
        ended(self.ended.clone()).await
    }

    /// True if the peer ended the connection or said no to a publish, rather than that the link was lost.
    pub(super) fn peer_broke_off(&self) -> bool {
        self.ended.borrow().as_ref().is_none_or(|end| end.by == Side::Peer)
    }

    /// Says goodbye, so that the broker does not take it for a lost connection.
    pub async fn close(mut self) {
        let goodbye = async {
            match &self.version {
                Version::V3(client) => drop(client.disconnect().await),
                Version::V5(client) => drop(client.disconnect().await),
            }
            // The task ends once the goodbye is on the wire; whether it could be sent matters to nobody.
            let _ = (&mut self.task).await;
        };
        let _ = tokio::time::timeout(CLOSE_WITHIN, goodbye).await;
    }
}

impl Drop for MqttClient {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A connection that was just made.
pub(super) struct Link<C> {
    pub(super) client: C,
    pub(super) pulse: Arc<Pulse>,
    pub(super) terms: Terms,
    pub(super) ended: watch::Receiver<Option<End>>,
    pub(super) task: JoinHandle<()>,
}

impl<C> Link<C> {
    fn map<D>(self, version: impl FnOnce(C) -> D) -> Link<D> {
        let Link { client, pulse, terms, ended, task } = self;
        Link { client: version(client), pulse, terms, ended, task }
    }
}

impl Link<Version> {
    fn into_client(self, payload_bytes_max: Option<usize>) -> MqttClient {
        let Link { client: version, pulse, terms, ended, task } = self;
        MqttClient { version, pulse, terms, payload_bytes_max, ended, task }
    }
}

impl End {
    /// The watch has ended it.
    pub(super) fn silent(silence: Silence, limit: Duration) -> Self {
        let what = match silence {
            Silence::Dead => "nothing was heard",
            Silence::Stuck => "nothing was acknowledged",
        };
        End { error: TargetError::Away(format!("{what} for {:.1} s", limit.as_secs_f64())), by: Side::Us }
    }
}

/// Waits until a connection has ended.
pub(super) async fn ended(mut ended: watch::Receiver<Option<End>>) -> End {
    match ended.wait_for(Option::is_some).await {
        Ok(end) => end.clone().expect("it was waited for"),
        Err(_) => End { error: TargetError::Away("the connection was closed".into()), by: Side::Us },
    }
}
