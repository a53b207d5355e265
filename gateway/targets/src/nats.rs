//! NATS JetStream: a message is delivered when the stream has acknowledged it.
//!
//! Publishes are pipelined up to the site's `inflight` and settled in order. Each carries the id of its first message as
//! `Nats-Msg-Id`, so that the stream itself drops repeats within its duplicate window (two minutes unless it was made with
//! another), and the name of the stream, so that no other stream takes it by mistake.

mod connection;
mod login;
mod stream;
mod subject;
mod verdict;

use crate::window::Window;
use crate::{Delivery, Opening, Outcome, Target, TargetError};
use async_nats::HeaderMap;
use async_nats::header::{NATS_EXPECTED_STREAM, NATS_MESSAGE_ID};
use async_nats::jetstream::context::{PublishAckFuture, PublishError};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{Context, ContextBuilder};
use async_trait::async_trait;
use connection::Lost;
use edgeway_site::NatsTarget as NatsSite;
use std::sync::Arc;
use std::time::Duration;
use stream::Stream;

/// Longer than a half-open link takes to be found, so that this only ends a connection on which all but JetStream answers.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(40);
const REQUESTED_WITHIN: Duration = Duration::from_secs(10);
/// The window bounds what is under way; the library's own bound must not be the smaller one.
const LIBRARY_INFLIGHT_MAX: usize = 2 * (u16::MAX as usize);

/// The connection of one route to JetStream.
pub(crate) struct NatsTarget {
    route: String,
    site: NatsSite,
    session: Option<Session>,
    window: Window,
}

/// What one connection needs.
struct Session {
    jetstream: Context,
    stream: Arc<Stream>,
    lost: Lost,
}

impl NatsTarget {
    pub(crate) fn new(route: &str, site: &NatsSite) -> Self {
        let window = Window::new(usize::from(site.inflight));
        NatsTarget { route: route.to_owned(), site: site.clone(), session: None, window }
    }

    async fn send_one(&mut self, delivery: Delivery) -> Result<(), TargetError> {
        self.window.room(delivery.content_bytes()).await?;
        let session = self.session.as_ref().ok_or_else(|| TargetError::Away("not connected".into()))?;
        let (subject, message) = match message(&delivery, &session.stream.name) {
            Ok(message) => message,
            Err(outcome) => {
                self.window.push_settled(outcome);
                return Ok(());
            }
        };
        let sent = session.jetstream.send_publish(subject.clone(), message).await;
        let (stream, lost) = (session.stream.clone(), session.lost.clone());
        self.window.push(delivery.content_bytes(), answer(sent, lost, delivery, stream, subject));
        Ok(())
    }

    /// What goes back to the route. After an error the connection is of no use any more.
    fn told(&mut self, result: Result<Vec<Outcome>, TargetError>) -> Result<Vec<Outcome>, TargetError> {
        if result.is_err() {
            self.session = None;
        }
        result
    }
}

/// The subject and the message, or the outcome of a delivery that cannot be one.
fn message(delivery: &Delivery, stream: &str) -> Result<(String, PublishMessage), Outcome> {
    let (payload, media_type) = delivery.bytes()?;
    if delivery.topic.is_empty() {
        return Err(Outcome::Refused("a message needs a topic here".into()));
    }
    let mut headers = HeaderMap::new();
    headers.insert(NATS_MESSAGE_ID, delivery.id.to_string());
    headers.insert(NATS_EXPECTED_STREAM, stream);
    headers.insert("Edgeway-Last-Id", delivery.last_id.to_string());
    headers.insert("Edgeway-Messages", delivery.messages.to_string());
    headers.insert("Content-Type", media_type);
    Ok((subject::subject(&delivery.topic), PublishMessage::build().payload(payload).headers(headers)))
}

async fn answer(
    sent: Result<PublishAckFuture, PublishError>,
    lost: Lost,
    delivery: Delivery,
    stream: Arc<Stream>,
    subject: String,
) -> Result<Outcome, TargetError> {
    let acknowledged = async { sent?.await };
    tokio::select! {
        biased;
        acknowledged = acknowledged => match acknowledged {
            Ok(_) => Ok(Outcome::Delivered),
            Err(error) => verdict::of_publish(&error, &delivery, &stream, &subject),
        },
        why = lost.why() => Err(why),
    }
}

#[async_trait]
impl Target for NatsTarget {
    async fn connect(&mut self, _opening: Opening) -> Result<(), TargetError> {
        self.session = None;
        self.window.clear();
        let (client, lost) = connection::connect(&self.route, &self.site).await?;
        let jetstream = ContextBuilder::new()
            .timeout(REQUESTED_WITHIN)
            .ack_timeout(ACKNOWLEDGED_WITHIN)
            .max_ack_inflight(LIBRARY_INFLIGHT_MAX)
            .build(client);
        let stream = tokio::select! {
            stream = stream::find(&jetstream, &self.site) => stream?,
            why = lost.clone().why() => return Err(why),
        };
        self.session = Some(Session { jetstream, stream, lost });
        Ok(())
    }

    async fn send(&mut self, batch: Vec<Delivery>) -> Result<Vec<Outcome>, TargetError> {
        for delivery in batch {
            if let Err(error) = self.send_one(delivery).await {
                self.window.push(0, std::future::ready(Err(error)));
                break;
            }
        }
        let ready = self.window.ready();
        self.told(ready)
    }

    async fn settle(&mut self) -> Result<Vec<Outcome>, TargetError> {
        let settled = self.window.settle().await;
        self.told(settled)
    }

    async fn finish(&mut self) -> Result<Vec<Outcome>, TargetError> {
        let finished = self.window.finish().await;
        self.told(finished)
    }

    async fn close(&mut self) {
        self.session = None;
    }
}
