//! MQTT, version 5 or 3.1.1, with or without TLS. Everything is published with QoS 1.
//!
//! The client library's own reconnecting is not used: at the first error the connection is given up as a whole and the
//! route connects again, so there is one place that decides what is sent again, and no session state to lose.

mod client;

pub(crate) use client::{Incoming, MqttClient};

use super::{Delivery, Outcome, Target, TargetError};
use async_trait::async_trait;
use edgeway_site::{MqttTarget as MqttSite, MqttVersion, Transport};
use futures::stream::{FuturesOrdered, StreamExt};
use std::path::Path;

/// Everything needed to connect, with certificates read.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) version: MqttVersion,
    pub(crate) client_id: String,
    pub(crate) credentials: Option<(String, String)>,
    pub(crate) keep_alive_seconds: u16,
    pub(crate) inflight: u16,
    pub(crate) tls: Option<Tls>,
}

/// TLS with certificates as PEM.
#[derive(Clone)]
pub(crate) struct Tls {
    /// Whom to trust; `None`: the system's certificates.
    pub(crate) ca: Option<Vec<u8>>,
    /// Our certificate and key.
    pub(crate) identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl Settings {
    /// Settings of one connection to a target; each route, and the commands, have one of their own.
    pub(crate) fn new(purpose: &str, site: &MqttSite) -> Result<Self, TargetError> {
        let tls = match &site.transport {
            Transport::Plain => None,
            Transport::Tls { ca, identity } => {
                let ca = ca.as_deref().map(read).transpose()?;
                let identity = identity.as_ref().map(|(cert, key)| Ok((read(cert)?, read(key)?))).transpose()?;
                Some(Tls { ca, identity })
            }
        };
        let password = site.password.as_ref().map_or_else(String::new, |secret| secret.reveal().to_owned());
        Ok(Settings {
            host: site.host.clone(),
            port: site.port,
            version: site.version,
            client_id: format!("{}-{purpose}", site.client_id),
            credentials: site.username.clone().map(|user| (user, password)),
            keep_alive_seconds: u16::try_from(site.keep_alive.as_secs()).unwrap_or(u16::MAX).max(1),
            inflight: site.inflight.max(1),
            tls,
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TargetError> {
    std::fs::read(path).map_err(|error| TargetError::Away(format!("{}: {error}", path.display())))
}

/// The MQTT connection of one route.
pub(super) struct MqttTarget {
    route: String,
    site: MqttSite,
    client: Option<MqttClient>,
}

impl MqttTarget {
    pub(super) fn new(route: &str, site: MqttSite) -> Self {
        MqttTarget { route: route.to_owned(), site, client: None }
    }
}

#[async_trait]
impl Target for MqttTarget {
    async fn connect(&mut self) -> Result<(), TargetError> {
        self.client = None;
        // Certificates are read each time, so that renewed ones are used without a restart.
        let settings = Settings::new(&self.route, &self.site)?;
        let (client, _) = MqttClient::connect(settings, None).await.map_err(TargetError::Away)?;
        self.client = Some(client);
        Ok(())
    }

    async fn send(&mut self, batch: &[Delivery]) -> Result<Vec<Outcome>, TargetError> {
        let Some(client) = &self.client else { return Err(TargetError::Away("not connected".into())) };
        let mut notices = FuturesOrdered::new();
        for delivery in batch {
            let notice = client.publish(&delivery.topic, delivery.payload.clone()).await.map_err(TargetError::Away)?;
            notices.push_back(notice);
        }
        let mut outcomes = Vec::with_capacity(batch.len());
        while let Some(outcome) = notices.next().await {
            outcomes.push(outcome.map_err(TargetError::Away)?);
        }
        Ok(outcomes)
    }

    async fn close(&mut self) {
        if let Some(client) = self.client.take() {
            client.close().await;
        }
    }
}
