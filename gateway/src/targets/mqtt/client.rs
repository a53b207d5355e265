//! One connection to a broker, in either version of the protocol.
//!
//! The two versions come as two crates of the same shape; the macro below is the one text for both.

use super::Settings;
use crate::targets::Outcome;
use bytes::Bytes;
use edgeway_site::MqttVersion;
use futures::future::BoxFuture;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How long connecting may take, TCP, TLS and MQTT together.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// How long a goodbye may take.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);
/// The most incoming messages that wait to be handled; more are dropped and counted.
const INCOMING_MAX: usize = 256;
/// The largest packet taken in, in bytes: commands are small.
const INCOMING_BYTES_MAX: u32 = 256 << 10;

/// A message that the broker sent us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Incoming {
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
    /// The broker had kept it for us from before we subscribed.
    pub(crate) retained: bool,
}

/// What came of a publish: acknowledged or refused, or an error if the connection broke before that was known.
pub(crate) type Notice = BoxFuture<'static, Result<Outcome, String>>;

/// A connection. It ends with the first error, or when it is dropped.
pub(crate) struct MqttClient {
    version: Version,
    poll: tokio::task::JoinHandle<()>,
}

enum Version {
    V3(v3::Client),
    V5(v5::Client),
}

impl MqttClient {
    /// Connects, and subscribes to a topic if one is given. What comes in arrives at the receiver, which ends when the
    /// connection does.
    pub(crate) async fn connect(
        settings: Settings,
        subscribe: Option<&str>,
    ) -> Result<(Self, mpsc::Receiver<Incoming>), String> {
        let (incoming, receiver) = mpsc::channel(INCOMING_MAX);
        let connected = async {
            Ok::<_, String>(match settings.version {
                MqttVersion::V3 => {
                    let (client, poll) = v3::connect(settings, subscribe, incoming).await?;
                    MqttClient { version: Version::V3(client), poll }
                }
                MqttVersion::V5 => {
                    let (client, poll) = v5::connect(settings, subscribe, incoming).await?;
                    MqttClient { version: Version::V5(client), poll }
                }
            })
        };
        let client =
            tokio::time::timeout(CONNECT_WITHIN, connected).await.map_err(|_| "no answer within 10 s".to_owned())??;
        Ok((client, receiver))
    }

    /// Queues a publish with QoS 1; waits only while the queue is full.
    pub(crate) async fn publish(&self, topic: &str, payload: Bytes) -> Result<Notice, String> {
        match &self.version {
            Version::V3(client) => v3::publish(client, topic, payload).await,
            Version::V5(client) => v5::publish(client, topic, payload).await,
        }
    }

    /// Says goodbye, so that the broker does not take it for a lost connection.
    pub(crate) async fn close(mut self) {
        let goodbye = async {
            match &self.version {
                Version::V3(client) => drop(client.disconnect().await),
                Version::V5(client) => drop(client.disconnect().await),
            }
            // The poll task ends once the goodbye is on the wire; whether it could be sent matters to nobody.
            let _ = (&mut self.poll).await;
        };
        let _ = tokio::time::timeout(CLOSE_WITHIN, goodbye).await;
    }
}

impl Drop for MqttClient {
    fn drop(&mut self) {
        self.poll.abort();
    }
}

fn without_session<T>(answer: Result<T, oneshot::error::RecvError>) -> Result<T, String> {
    answer.map_err(|_| "the connection ended".to_owned())
}

macro_rules! version {
    ($module:ident, $rumqttc:ident, $tune:expr, $outcome:expr) => {
        mod $module {
            use super::*;
            use rumqttc::{
                AsyncClient, Event, EventLoop, MqttOptions, Packet, PublishOptions, QoS, TlsConfiguration, Transport,
            };
            use $rumqttc as rumqttc;

            pub(super) type Client = AsyncClient;

            pub(super) async fn connect(
                settings: Settings,
                subscribe: Option<&str>,
                incoming: mpsc::Sender<Incoming>,
            ) -> Result<(Client, tokio::task::JoinHandle<()>), String> {
                let options = options(&settings)?;
                let (client, event_loop) =
                    AsyncClient::builder(options).capacity(usize::from(settings.inflight)).build();
                let (up, is_up) = oneshot::channel();
                let poll = tokio::spawn(poll(event_loop, up, incoming));
                without_session(is_up.await)??;
                if let Some(filter) = subscribe {
                    let notice = client.subscribe_tracked(filter, QoS::AtLeastOnce).await.map_err(|e| e.to_string())?;
                    notice.wait_completion_async().await.map_err(|e| format!("subscribing to {filter}: {e}"))?;
                }
                Ok((client, poll))
            }

            fn options(settings: &Settings) -> Result<MqttOptions, String> {
                let mut options = MqttOptions::new(&settings.client_id, (settings.host.clone(), settings.port));
                options.set_keep_alive(settings.keep_alive_seconds);
                if let Some((user, password)) = &settings.credentials {
                    options.set_credentials(user.clone(), password.clone());
                }
                if let Some(tls) = &settings.tls {
                    let tls = match &tls.ca {
                        Some(ca) => {
                            TlsConfiguration::Simple { ca: ca.clone(), alpn: None, client_auth: tls.identity.clone() }
                        }
                        None => TlsConfiguration::try_default_rustls().map_err(|e| e.to_string())?,
                    };
                    options.set_transport(Transport::tls_with_config(tls));
                }
                let tune: fn(&mut MqttOptions, &Settings) = $tune;
                tune(&mut options, settings);
                Ok(options)
            }

            /// Drives the connection until its first error. `up` is told how connecting went.
            async fn poll(
                mut event_loop: EventLoop,
                up: oneshot::Sender<Result<(), String>>,
                incoming: mpsc::Sender<Incoming>,
            ) {
                let mut up = Some(up);
                loop {
                    match event_loop.poll().await {
                        Ok(Event::Incoming(Packet::ConnAck(_))) => {
                            up.take().map(|up| up.send(Ok(())));
                        }
                        Ok(Event::Incoming(Packet::Publish(publish))) => {
                            // This loop also keeps the connection alive, so it never waits for whoever listens.
                            let topic = String::from_utf8_lossy(&publish.topic).into_owned();
                            let message = Incoming { topic, payload: publish.payload, retained: publish.retain };
                            if incoming.try_send(message).is_err() {
                                metrics::counter!("edgeway_mqtt_incoming_dropped_messages_total").increment(1);
                            }
                        }
                        Ok(_) => {}
                        Err(error) => {
                            up.take().map(|up| up.send(Err(error.to_string())));
                            return;
                        }
                    }
                }
            }

            pub(super) async fn publish(client: &Client, topic: &str, payload: Bytes) -> Result<Notice, String> {
                let options = PublishOptions::new(QoS::AtLeastOnce);
                let notice = client.publish_tracked(topic, payload, options).await.map_err(|e| e.to_string())?;
                Ok(Box::pin(async move {
                    let outcome: fn(_) -> Result<Outcome, String> = $outcome;
                    outcome(notice.wait_async().await)
                }))
            }
        }
    };
}

version!(
    v3,
    rumqttc_v4,
    |options, settings| {
        options.set_clean_session(true).set_inflight(settings.inflight);
        options.set_max_packet_size(INCOMING_BYTES_MAX as usize, usize::MAX);
    },
    |result: Result<rumqttc::PublishResult, rumqttc::PublishNoticeError>| match result {
        Ok(_) => Ok(Outcome::Acknowledged),
        Err(error) => Err(error.to_string()),
    }
);

version!(
    v5,
    rumqttc_v5,
    |options, settings| {
        options.set_clean_start(true).set_outgoing_inflight_upper_limit(settings.inflight);
        options.set_max_packet_size(Some(INCOMING_BYTES_MAX));
    },
    |result: Result<rumqttc::PublishResult, rumqttc::PublishNoticeError>| match result {
        Ok(_) => Ok(Outcome::Acknowledged),
        // Only these two mean that this very message can never be delivered. What an operator can mend (no rights, a full
        // broker) is retried, because a refused message is a lost one.
        Err(rumqttc::PublishNoticeError::V5PubAck(
            reason @ (rumqttc::PubAckReason::TopicNameInvalid | rumqttc::PubAckReason::PayloadFormatInvalid),
        )) => Ok(Outcome::Refused(format!("{reason:?}"))),
        Err(error) => Err(error.to_string()),
    }
);
