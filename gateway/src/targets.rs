//! Targets: where routes send. A target knows how to deliver; the route owns the loop (see `router`).

mod file;
mod mqtt;

pub(crate) use mqtt::{Incoming, MqttClient, Settings as MqttSettings};

use async_trait::async_trait;
use bytes::Bytes;
use edgeway_site::{TargetKind, TargetSite};

/// One thing to deliver: a message, or several of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
    /// How many messages it holds.
    pub(crate) messages: u64,
    /// The offsets of the first and the last of them.
    pub(crate) offsets: (u64, u64),
}

/// A failed delivery.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TargetError {
    /// The target is away. The route connects again, with backoff, and sends again what was not acknowledged.
    #[error("{0}")]
    Away(String),
}

/// A northbound connection of one route.
#[async_trait]
pub(crate) trait Target: Send + Sync {
    /// Opens the connection. Called first, and again after [`TargetError::Away`].
    async fn connect(&mut self) -> Result<(), TargetError>;

    /// Delivers a batch in order and returns once each delivery is acknowledged or refused. On [`TargetError::Away`] any
    /// number of them may have arrived; the route sends the whole batch again.
    async fn send(&mut self, batch: &[Delivery]) -> Result<Vec<Outcome>, TargetError>;

    /// Closes the connection. Called last.
    async fn close(&mut self);
}

/// What became of one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The target has it.
    Acknowledged,
    /// The target will never take it.
    Refused(String),
}

/// Makes the connection of a route to a target, without any I/O.
pub(crate) fn open(route: &str, target: &TargetSite) -> Box<dyn Target> {
    match &target.kind {
        TargetKind::Mqtt(options) => Box::new(mqtt::MqttTarget::new(route, (**options).clone())),
        TargetKind::File(options) => Box::new(file::FileTarget::new(options.path.clone())),
        other => unreachable!("the site was loaded by this build, which knows no {other:?}"),
    }
}
