//! One connection to a broker, in either version of the protocol.
//!
//! The client library's own reconnecting is not used: the first error ends the connection as a whole, and the gateway
//! connects again. So there is no state left to be stuck with, and everything is subscribed to anew.

mod life;
mod v3;
mod v5;

use crate::config::{Endpoint, Qos, Session, Version};
use bytes::Bytes;
use edgeway_sdk::Fault;
use rustls::ClientConfig;
use std::sync::Arc;
use std::time::Duration;

/// More requests than this wait for room.
const REQUESTS_MAX: usize = 64;
/// More messages with QoS 1 and 2 under way are too many for some brokers.
const INFLIGHT_MAX: u16 = 20;
/// So many filters are put into one packet: some brokers take no more.
const FILTERS_MAX: usize = 8;
/// What a packet holds beside its payload, at most: the topic, and properties of a reasonable size.
const PACKET_OVERHEAD_BYTES: u32 = 128 << 10;

/// What a connection is made with.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) endpoint: Endpoint,
    pub(crate) version: Version,
    pub(crate) client_id: String,
    /// User and password.
    pub(crate) credentials: Option<(String, String)>,
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) keep_alive: Duration,
    pub(crate) session: Session,
    pub(crate) timeout: Duration,
    pub(crate) payload_bytes_max: u32,
}

impl Settings {
    fn packet_bytes_max(&self) -> u32 {
        self.payload_bytes_max.saturating_add(PACKET_OVERHEAD_BYTES)
    }

    fn keep_alive_seconds(&self) -> u16 {
        u16::try_from(self.keep_alive.as_secs()).unwrap_or(u16::MAX).max(1)
    }
}

/// A message that has come.
#[derive(Clone, Copy)]
pub(crate) struct Heard<'m> {
    pub(crate) topic: &'m [u8],
    pub(crate) payload: &'m Bytes,
    pub(crate) came: Came,
    /// User properties.
    pub(crate) properties: &'m [(String, String)],
    pub(crate) correlation: Option<&'m [u8]>,
}

/// From when a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    /// It was sent just now.
    Live,
    /// It is the last of its topic, which the broker has kept from before we subscribed.
    Retained,
    /// The broker has kept it for us while we were away.
    Queued,
}

impl Came {
    /// As the packet has it.
    fn of(retain: bool) -> Self {
        if retain { Came::Retained } else { Came::Live }
    }
}

/// Takes what comes, in the task of the connection: it must not wait.
pub(crate) trait Ear: Send {
    /// A message has come.
    fn hear(&mut self, heard: &Heard<'_>);

    /// The broker has acknowledged a subscription. What it has kept for us came before.
    fn subscribed(&mut self) {}

    /// Nothing more is there at the moment.
    fn rest(&mut self);
}

/// A message to send.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
    pub(crate) qos: Qos,
    /// Where an answer is to come, and what it is to carry.
    pub(crate) answer: Option<(String, Bytes)>,
}

/// What came of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The broker has it; with QoS 0, the network.
    Taken,
    /// The broker has it, and nobody has subscribed to its topic.
    Unheard,
    /// The broker does not take it.
    Refused(String),
}

/// Why a filter was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) filter: String,
    pub(crate) reason: &'static str,
}

/// The connection has ended; why, it says to whoever listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

/// A connection that is open. It lives while [`Events`] runs.
pub(crate) struct Connection {
    pub(crate) broker: Broker,
    pub(crate) events: Events,
    /// The broker goes on with the session of a connection before.
    pub(crate) is_resumed: bool,
}

/// What is sent on a connection.
#[derive(Clone)]
pub(crate) struct Broker {
    client: Client,
    /// The largest packet that the broker takes.
    packet_bytes_max: Option<u32>,
}

#[derive(Clone)]
enum Client {
    V3(v3::Client),
    V5(v5::Client),
}

/// What comes on a connection.
pub(crate) struct Events {
    source: Source,
    endpoint: Endpoint,
    /// A connection that has said nothing for longer is dead; `None` if it need not say anything.
    silence_max: Option<Duration>,
}

enum Source {
    V3(Box<v3::Events>),
    V5(Box<v5::Events>),
}

/// What the broker said when it took the connection.
#[derive(Debug, Clone, Copy, Default)]
struct Terms {
    packet_bytes_max: Option<u32>,
    /// The keep-alive that it wants instead of ours; none at all if it is zero.
    keep_alive: Option<Duration>,
    is_resumed: bool,
}

impl Connection {
    /// Connects, and waits for the broker's answer.
    ///
    /// # Errors
    /// [`Fault::Config`] if a person has to act, else [`Fault::Link`].
    pub(crate) async fn open(settings: &Settings) -> Result<Connection, Fault> {
        let (client, source, terms) = match settings.version {
            Version::V3 => {
                let (client, events, terms) = v3::open(settings).await?;
                (Client::V3(client), Source::V3(Box::new(events)), terms)
            }
            Version::V5 => {
                let (client, events, terms) = v5::open(settings).await?;
                (Client::V5(client), Source::V5(Box::new(events)), terms)
            }
        };
        let keep_alive = terms.keep_alive.unwrap_or(settings.keep_alive);
        let silence_max = (!keep_alive.is_zero()).then(|| keep_alive.mul_f64(1.5));
        let events = Events { source, endpoint: settings.endpoint.clone(), silence_max };
        let broker = Broker { client, packet_bytes_max: terms.packet_bytes_max };
        Ok(Connection { broker, events, is_resumed: terms.is_resumed })
    }
}

impl Events {
    /// Lets the ear hear until the connection ends, and says why it has.
    pub(crate) async fn run(self, ear: &mut dyn Ear) -> String {
        match self.source {
            Source::V3(events) => v3::live(*events, ear, &self.endpoint, self.silence_max).await,
            Source::V5(events) => v5::live(*events, ear, &self.endpoint, self.silence_max).await,
        }
    }
}

impl Broker {
    /// Subscribes; gives back what the broker does not let us have.
    ///
    /// # Errors
    /// [`Gone`] if the connection ends before.
    pub(crate) async fn subscribe(&self, filters: &[String], qos: Qos) -> Result<Vec<Refused>, Gone> {
        match &self.client {
            Client::V3(client) => v3::subscribe(client, filters, qos).await,
            Client::V5(client) => v5::subscribe(client, filters, qos).await,
        }
    }

    /// Sends a message, and waits until the broker has it.
    ///
    /// # Errors
    /// [`Gone`] if the connection ends before: nobody knows whether the broker has it.
    pub(crate) async fn publish(&self, message: Message) -> Result<Sent, Gone> {
        if let Some(reason) = self.unfit(&message) {
            return Ok(Sent::Refused(reason));
        }
        match &self.client {
            Client::V3(client) => v3::publish(client, message).await,
            Client::V5(client) => v5::publish(client, message).await,
        }
    }

    /// Says goodbye, so that the broker does not take it for a lost connection.
    pub(crate) async fn leave(&self) {
        // Whoever cannot be told has gone already.
        match &self.client {
            Client::V3(client) => drop(client.disconnect().await),
            Client::V5(client) => drop(client.disconnect().await),
        }
    }

    /// A packet that the broker does not take would end the connection.
    fn unfit(&self, message: &Message) -> Option<String> {
        let most = self.packet_bytes_max?;
        let answer = message.answer.as_ref().map_or(0, |(topic, data)| topic.len() + data.len());
        // Headers and lengths take less than this.
        let bytes = message.topic.len() + message.payload.len() + answer + 64;
        (bytes > most as usize).then(|| format!("the broker takes no packets of more than {most} bytes"))
    }
}
