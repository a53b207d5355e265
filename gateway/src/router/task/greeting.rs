//! The start of a connection: what a format has to say first, and says again if the far end asks for it.

use super::{Over, Route};
use crate::router::inflight::{Batch, Part, Source};
use crate::router::packer;
use edgeway_sdk::Timestamp;
use edgeway_targets::{Incoming, Opening, TargetError};
use edgeway_thing_models::MessageId;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tracing::{info, warn};

/// How long opening a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(30);

impl Route {
    pub(super) async fn connect(&mut self) -> Result<(), TargetError> {
        let format = self.packer.format();
        let opening = Opening { will: format.will(), listen: format.listens() };
        match timeout(CONNECT_WITHIN, self.target.connect(opening)).await {
            Ok(connected) => connected?,
            Err(_) => return Err(TargetError::Away(format!("no answer within {} s", CONNECT_WITHIN.as_secs()))),
        }
        self.incoming = self.target.incoming();
        self.state.connected.store(true, Relaxed);
        self.greet().await.map_err(|ended| match ended {
            Over::Lost(error) => error,
            Over::Stopped | Over::Anew => TargetError::Away("the connection was given up".into()),
        })
    }

    async fn greet(&mut self) -> Result<(), Over> {
        let greeting = self.packer.format().greeting(Timestamp::now().as_millis());
        let id = MessageId { gateway: self.gateway, epoch: self.journal.epoch(), offset: 0 };
        let greetings = greeting.into_iter().map(|(topic, payload)| packer::greeting(topic, payload, id));
        let (deliveries, parts) = greetings.map(|(delivery, contents)| (delivery, Part::Sent(contents))).unzip();
        self.flight.push(Batch { source: Source::Greeting, next: 0, parts, ends: vec![] });
        self.send(deliveries).await
    }

    /// The far end has said something. What a broker had kept was not meant for this connection.
    pub(super) async fn hear(&mut self, said: &Incoming) -> Result<(), Over> {
        if said.retained || !self.packer.format().wants_greeting(&said.payload) {
            warn!(route = %self.state.name, topic = said.topic, "What came on this topic is not understood and ignored.");
            return Ok(());
        }
        // One answer is enough for all who ask at the same time.
        while self.incoming.as_mut().is_some_and(|incoming| incoming.try_recv().is_ok()) {}
        info!(route = %self.state.name, topic = said.topic, "The far end asks for the births again.");
        self.greet().await
    }
}

/// What the far end says next; never, if it cannot say anything.
pub(super) async fn next(incoming: &mut Option<mpsc::Receiver<Incoming>>) -> Incoming {
    if let Some(open) = incoming
        && let Some(said) = open.recv().await
    {
        return said;
    }
    // The end of the connection is told by the target.
    *incoming = None;
    std::future::pending().await
}
