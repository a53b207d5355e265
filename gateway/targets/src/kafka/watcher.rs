//! What librdkafka says beside the messages: it knows why it cannot connect, and a message's own error does not.

use super::verdict;
use crate::TargetError;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::time::Duration;
use tokio::sync::watch;

/// The last that was said.
#[derive(Debug, Clone)]
struct Said {
    error: KafkaError,
    reason: String,
}

/// Listens to one client.
pub(super) struct Watcher(watch::Sender<Option<Said>>);

/// Tells what was said.
#[derive(Clone)]
pub(super) struct Alarm(watch::Receiver<Option<Said>>);

pub(super) fn watch() -> (Watcher, Alarm) {
    let (said, heard) = watch::channel(None);
    (Watcher(said), Alarm(heard))
}

impl ClientContext for Watcher {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, message, "kafka client");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let is_summary = error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown);
        self.0.send_if_modified(|said| {
            // That all brokers are down is a consequence of what was said of the last one.
            let is_news = said.is_none() || !is_summary;
            if is_news {
                *said = Some(Said { error, reason: reason.to_owned() });
            }
            is_news
        });
    }
}

impl Said {
    fn is_denied(&self) -> bool {
        self.error.rdkafka_error_code().is_some_and(verdict::is_denied)
    }

    fn into_error(self) -> TargetError {
        match self.is_denied() {
            true => TargetError::Denied(self.reason),
            false => TargetError::Away(self.reason),
        }
    }
}

impl Alarm {
    /// Waits until the brokers turn this client away. Never ends if they do not.
    pub(super) async fn denied(mut self) -> TargetError {
        let denied = |said: &Option<Said>| said.as_ref().is_some_and(Said::is_denied);
        match self.0.wait_for(denied).await.ok().and_then(|said| said.clone()) {
            Some(said) => said.into_error(),
            None => std::future::pending().await,
        }
    }

    /// The last error of the connection, if there was one.
    pub(super) fn reason(&self) -> Option<TargetError> {
        self.0.borrow().clone().map(Said::into_error)
    }

    /// No answer for so long, and what the library says about it.
    pub(super) fn away(&self, within: Duration) -> TargetError {
        let why = self.0.borrow().as_ref().map_or_else(String::new, |said| format!(": {}", said.reason));
        TargetError::Away(format!("no answer within {} s{why}", within.as_secs()))
    }
}
