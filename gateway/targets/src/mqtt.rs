//! MQTT, version 5 or 3.1.1, with or without TLS. Everything is published with QoS 1, and nothing is retained.
//!
//! The client library's own reconnecting is not used: at the first error the connection is given up as a whole and the
//! route connects again, so there is one place that decides what is sent again, and no session state to lose or to be
//! stuck with. What ends a connection that says nothing is in `pulse`, what tells a poisonous message from a bad link
//! in `poison`.

mod client;
mod packet;
mod platform;
mod poison;
mod pulse;
mod session;
mod settings;
mod v3;
mod v5;

pub use client::{Incoming, MqttClient, Notice};
pub use settings::Settings;

use crate::window::Window;
use crate::{Delivery, Opening, Outcome, Target, TargetError};
use async_trait::async_trait;
use bytes::Bytes;
use client::Properties;
use edgeway_site::MqttTarget as MqttSite;
use poison::{Poison, Sent};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How long a broker is left alone that is busy or has had too much: MQTT cannot say how long it wants.
const THROTTLED_FOR: Duration = Duration::from_secs(10);

/// The MQTT connection of one route.
pub(crate) struct MqttTarget {
    route: String,
    site: MqttSite,
    client: Option<MqttClient>,
    incoming: Option<mpsc::Receiver<Incoming>>,
    window: Window,
    /// What is in the window; `None`: could not be sent.
    under_way: VecDeque<Option<Sent>>,
    poison: Poison,
    goodbye: Goodbye,
}

/// How a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goodbye {
    /// In order: the broker forgets us.
    Said,
    /// Without a word, so that the broker says our last will: whoever waits for it learns that we are gone.
    Will,
}

impl MqttTarget {
    pub(crate) fn new(route: &str, site: &MqttSite) -> Self {
        let window = Window::new(usize::from(site.inflight));
        let poison = Poison::default();
        MqttTarget {
            route: route.to_owned(),
            site: site.clone(),
            client: None,
            incoming: None,
            window,
            under_way: VecDeque::new(),
            poison,
            goodbye: Goodbye::Said,
        }
    }

    async fn send_one(&mut self, delivery: Delivery) -> Result<(), TargetError> {
        let name = (delivery.id, delivery.last_id);
        if self.poison.wants_calm(name) {
            self.calm().await?;
        }
        if self.poison.is_wary() {
            self.window.empty().await?;
            self.account();
        }
        self.window.room(delivery.content_bytes()).await?;
        self.account();
        self.publish(&delivery).await?;
        self.under_way.push_back(Some(Sent { name, at: Instant::now() }));
        Ok(())
    }

    async fn publish(&mut self, delivery: &Delivery) -> Result<(), TargetError> {
        let client = self.client.as_ref().ok_or_else(not_connected)?;
        match packed(client, &self.poison, delivery) {
            Err(outcome) => self.window.push_settled(outcome),
            Ok((payload, properties)) => {
                let (bytes, several) = (payload.len(), delivery.messages > 1);
                let notice = client.publish_with(&delivery.topic, payload, properties).await?;
                self.window.push(bytes, async move {
                    match notice.await? {
                        Outcome::Refused(reason) if several => Ok(Outcome::Split(reason)),
                        outcome => Ok(outcome),
                    }
                });
            }
        }
        Ok(())
    }

    /// Sees whether the connection holds while nothing is sent on it, so that a bad link is not taken for a bad message.
    async fn calm(&mut self) -> Result<(), TargetError> {
        let client = self.client.as_ref().ok_or_else(not_connected)?;
        match tokio::time::timeout(poison::CALM, client.ended()).await {
            Err(_) => Ok(()),
            Ok(end) => {
                self.poison.acquit();
                Err(end.error)
            }
        }
    }

    /// Takes note of what was settled.
    fn account(&mut self) {
        let settled = self.under_way.len() - self.window.len();
        self.under_way.drain(..settled);
        self.poison.settled(settled);
    }

    /// The connection failed before a delivery was sent. What was sent before may still have been answered, so that is
    /// looked at first.
    fn not_sent(&mut self, error: TargetError) {
        self.window.push(0, std::future::ready(Err(error)));
        self.under_way.push_back(None);
    }

    /// Looks at what goes back to the route.
    fn told(&mut self, result: Result<Vec<Outcome>, TargetError>) -> Result<Vec<Outcome>, TargetError> {
        self.account();
        if let Err(TargetError::Away(_)) = &result
            && self.client.as_ref().is_some_and(MqttClient::peer_broke_off)
        {
            self.poison.broke(&self.under_way, Instant::now());
        }
        if result.is_err() {
            self.client = None;
        }
        result
    }
}

/// What to publish, or the outcome of what need not be sent.
fn packed(client: &MqttClient, poison: &Poison, delivery: &Delivery) -> Result<(Bytes, Properties), Outcome> {
    let (payload, media_type) = delivery.bytes()?;
    let properties = Properties::of(delivery, media_type);
    let verdict = poison.verdict((delivery.id, delivery.last_id));
    match verdict.or_else(|| client.unfit(&delivery.topic, &payload, &properties)) {
        Some(reason) => Err(delivery.refused(reason)),
        None => Ok((payload, properties)),
    }
}

/// Waits until an idle connection is lost.
async fn lost(client: Option<&MqttClient>) -> TargetError {
    match client {
        Some(client) => client.ended().await.error,
        None => std::future::pending().await,
    }
}

fn not_connected() -> TargetError {
    TargetError::Away("not connected".into())
}

#[async_trait]
impl Target for MqttTarget {
    async fn connect(&mut self, opening: Opening) -> Result<(), TargetError> {
        self.client = None;
        self.window.clear();
        self.under_way.clear();
        // Certificates are read each time, so that renewed ones are used without a restart.
        self.goodbye = if opening.will.is_some() { Goodbye::Will } else { Goodbye::Said };
        let settings = Settings::new(&self.route, &self.site)?.with_will(opening.will);
        let (client, incoming) = MqttClient::connect(settings, opening.listen.as_deref()).await?;
        self.client = Some(client);
        self.incoming = opening.listen.map(|_| incoming);
        Ok(())
    }

    fn incoming(&mut self) -> Option<mpsc::Receiver<Incoming>> {
        self.incoming.take()
    }

    async fn send(&mut self, batch: Vec<Delivery>) -> Result<Vec<Outcome>, TargetError> {
        for delivery in batch {
            if let Err(error) = self.send_one(delivery).await {
                self.not_sent(error);
                break;
            }
        }
        let ready = self.window.ready();
        self.told(ready)
    }

    async fn settle(&mut self) -> Result<Vec<Outcome>, TargetError> {
        let settled = tokio::select! {
            biased;
            settled = self.window.settle() => settled,
            error = lost(self.client.as_ref()), if self.window.len() == 0 => Err(error),
        };
        self.told(settled)
    }

    async fn finish(&mut self) -> Result<Vec<Outcome>, TargetError> {
        let finished = self.window.finish().await;
        self.told(finished)
    }

    async fn close(&mut self) {
        match (self.client.take(), self.goodbye) {
            (Some(client), Goodbye::Said) => client.close().await,
            (client, _) => drop(client),
        }
    }
}
