//! The other end of a target, and what is sent to it.

use async_trait::async_trait;
use edgeway_formats::Content;
use edgeway_site::{TargetKind, TargetSite};
use edgeway_targets::{Delivery, Target};
use edgeway_thing_models::{GatewayId, MessageId};
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::Instant;

/// How long anything may take.
pub(crate) const WITHIN: Duration = Duration::from_secs(60);
/// Between two looks at something that cannot be waited for.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The other end of a target.
#[async_trait]
pub(crate) trait Peer: Send {
    /// How a gateway reaches it.
    fn site(&self) -> TargetKind;

    /// How somebody tries to whom it gives no access; `None`: it lets in everybody.
    fn stranger(&self) -> Option<TargetKind> {
        None
    }

    /// Message `n` with a payload of about so many bytes.
    fn message(&self, n: u64, bytes: usize) -> Delivery {
        message(n, bytes)
    }

    /// Message `n` in a form that the peer never takes; `None`: it takes everything.
    fn unwanted(&self, _n: u64) -> Option<Delivery> {
        None
    }

    /// Stops it and starts it again. What it has it keeps.
    async fn restart(&mut self);

    /// Everything that has arrived, in order, once that is so many different messages. Gives up after [`WITHIN`], with
    /// what there is.
    async fn arrived(&mut self, different: usize) -> Vec<Arrived>;
}

/// A message as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrived {
    pub(crate) n: u64,
    /// The size of its payload.
    pub(crate) bytes: usize,
    /// Its id, where the protocol has a place for it.
    pub(crate) id: Option<String>,
}

impl Arrived {
    /// From a payload of [`message`].
    pub(crate) fn read(payload: &[u8], id: Option<String>) -> Self {
        let text = std::str::from_utf8(payload).expect("payloads of the suite are text");
        let number = text.strip_prefix("{\"n\":").and_then(|rest| rest.split_once(','));
        let n = number.and_then(|(n, _)| n.parse().ok()).unwrap_or_else(|| panic!("not of the suite: {text:.80}"));
        Arrived { n, bytes: payload.len(), id }
    }
}

/// Message `n` as bytes.
pub(crate) fn message(n: u64, bytes: usize) -> Delivery {
    let head = format!("{{\"n\":{n},\"pad\":\"");
    let pad = "x".repeat(bytes.saturating_sub(head.len() + 2));
    let payload = format!("{head}{pad}\"}}");
    let content = Content::Bytes(payload.into(), "application/json");
    let topic = "suite/wt-07".to_owned();
    Delivery { topic, key: "wt-07".into(), content, id: id(n), last_id: id(n), messages: 1 }
}

/// The id of message `n`.
pub(crate) fn id(n: u64) -> MessageId {
    MessageId { gateway: GatewayId::of("suite"), epoch: 1, offset: n }
}

/// The target of a site.
pub(crate) fn open(kind: TargetKind) -> Box<dyn Target> {
    edgeway_targets::open("suite", &TargetSite { name: "peer".into(), kind }).expect("this build knows it")
}

/// How many different messages there are.
pub(crate) fn different(arrived: &[Arrived]) -> usize {
    arrived.iter().map(|message| message.n).collect::<HashSet<_>>().len()
}

/// Looks until `done`, but no longer than [`WITHIN`].
pub(crate) async fn look_until(mut done: impl FnMut() -> bool) {
    let until = Instant::now() + WITHIN;
    while !done() && Instant::now() < until {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
