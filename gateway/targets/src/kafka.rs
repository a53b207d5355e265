//! Kafka: a message is delivered when all replicas in sync have it (`acks=all`, idempotent producer).
//!
//! The producer of librdkafka keeps the order within a partition over its own retries, and it retries without end. What
//! does end is the patience of this target: if the oldest message has no answer for a while, the producer is thrown away
//! with all that it still holds, and the route sends again in order. So there is one place that decides.

mod configuration;
mod topic;
mod verdict;
mod watcher;

use crate::window::Window;
use crate::{Delivery, Opening, Outcome, Target, TargetError};
use async_trait::async_trait;
use edgeway_site::KafkaTarget as KafkaSite;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer};
use std::time::Duration;
use watcher::{Alarm, Watcher};

/// The most deliveries under way.
const DELIVERIES_MAX: usize = 1000;
/// How long the oldest message may be without an answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);
const CONNECTED_WITHIN: Duration = Duration::from_secs(10);

type KafkaProducer = FutureProducer<Watcher>;

/// The connection of one route to Kafka.
pub(crate) struct KafkaTarget {
    route: String,
    site: KafkaSite,
    producer: Option<(KafkaProducer, Alarm)>,
    window: Window,
}

impl KafkaTarget {
    pub(crate) fn new(route: &str, site: &KafkaSite) -> Self {
        let window = Window::new(DELIVERIES_MAX);
        KafkaTarget { route: route.to_owned(), site: site.clone(), producer: None, window }
    }

    async fn send_one(&mut self, delivery: Delivery) -> Result<(), TargetError> {
        self.window.room(delivery.content_bytes()).await?;
        let (producer, alarm) = self.producer.as_ref().ok_or_else(|| TargetError::Away("not connected".into()))?;
        let sent = match hand_over(producer, &delivery) {
            Ok(sent) => sent,
            Err(outcome) => {
                self.window.push_settled(outcome);
                return Ok(());
            }
        };
        let alarm = alarm.clone();
        self.window.push(delivery.content_bytes(), answer(sent, alarm, delivery));
        Ok(())
    }

    /// What goes back to the route. After an error the producer is of no use any more.
    fn told(&mut self, result: Result<Vec<Outcome>, TargetError>) -> Result<Vec<Outcome>, TargetError> {
        if result.is_err() {
            self.drop_producer();
        }
        result
    }

    /// Throws away what it holds, which takes a moment, so not here.
    fn drop_producer(&mut self) {
        if let Some(producer) = self.producer.take() {
            tokio::task::spawn_blocking(move || drop(producer));
        }
    }
}

/// Gives a message to the library, which sends it in its own time; or the outcome of a delivery that cannot be one.
fn hand_over(producer: &KafkaProducer, delivery: &Delivery) -> Result<Result<DeliveryFuture, KafkaError>, Outcome> {
    let (payload, media_type) = delivery.bytes()?;
    let topic = topic::topic(&delivery.topic).map_err(|reason| Outcome::Refused(reason.into()))?;
    let (id, last_id, messages) =
        (delivery.id.to_string(), delivery.last_id.to_string(), delivery.messages.to_string());
    let headers = [("edgeway-id", &*id), ("edgeway-last-id", &*last_id), ("edgeway-messages", &*messages)];
    let mut list = OwnedHeaders::new_with_capacity(headers.len() + 1);
    for (key, value) in headers.into_iter().chain([("content-type", media_type)]) {
        list = list.insert(Header { key, value: Some(value) });
    }
    let record = FutureRecord::to(&topic).key(&delivery.key).payload(&payload[..]).headers(list);
    Ok(producer.send_result(record).map_err(|(error, _)| error))
}

async fn answer(
    sent: Result<DeliveryFuture, KafkaError>,
    alarm: Alarm,
    delivery: Delivery,
) -> Result<Outcome, TargetError> {
    let sent = match sent {
        Ok(sent) => sent,
        Err(error) => return verdict::of(&error, &delivery),
    };
    tokio::select! {
        biased;
        answered = sent => match answered {
            Ok(Ok(_)) => Ok(Outcome::Delivered),
            Ok(Err((error, _))) => verdict::of(&error, &delivery),
            Err(_) => Err(TargetError::Away("the producer ended".into())),
        },
        error = alarm.clone().denied() => Err(error),
        () = tokio::time::sleep(ANSWERED_WITHIN) => Err(alarm.away(ANSWERED_WITHIN)),
    }
}

/// Makes a producer and asks it for the brokers, which blocks.
fn start(route: &str, site: &KafkaSite) -> Result<(KafkaProducer, Alarm), TargetError> {
    let (watcher, alarm) = watcher::watch();
    let configuration = configuration::of(route, site);
    let producer = KafkaProducer::from_config_and_context(&configuration, watcher).map_err(|error| {
        TargetError::Denied(format!(
            "{error}; this build's Kafka client has neither TLS nor SCRAM unless librdkafka has"
        ))
    })?;
    match producer.client().fetch_metadata(None, CONNECTED_WITHIN) {
        Ok(_) => Ok((producer, alarm)),
        Err(error) => Err(alarm.reason().unwrap_or_else(|| verdict::of_connecting(&error))),
    }
}

#[async_trait]
impl Target for KafkaTarget {
    async fn connect(&mut self, _opening: Opening) -> Result<(), TargetError> {
        self.drop_producer();
        self.window.clear();
        let (route, site) = (self.route.clone(), self.site.clone());
        let started = tokio::task::spawn_blocking(move || start(&route, &site)).await;
        self.producer = Some(started.map_err(|error| TargetError::Away(error.to_string()))??);
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
        self.drop_producer();
    }
}
