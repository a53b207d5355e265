//! How messages become payloads.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use arrow_array::RecordBatch;
use bytes::Bytes;
use edgeway_site::FormatSite;
use edgeway_thing_models::{ClockState, Message, MessageId, Selected, Things};
use std::sync::Arc;

/// One message on its way out.
#[derive(Debug, Clone)]
pub struct Item {
    /// The message.
    pub message: Arc<Message>,
    /// Its id, the same on every delivery.
    pub id: MessageId,
    /// What its times are worth.
    pub clock: ClockState,
    /// What the route's `select` made of it.
    pub selected: Option<Arc<Selected>>,
    /// It is sent out of a backlog, while newer messages overtake it.
    pub late: bool,
}

/// What a payload is.
#[derive(Debug, Clone)]
pub enum Content {
    /// Bytes, and their media type.
    Bytes(Bytes, &'static str),
    /// A table, for targets that store rows.
    Table(Table),
}

/// Rows of one kind and model.
#[derive(Debug, Clone)]
pub struct Table {
    /// `property/wind_turbine`, `event/wind_turbine/overheat`, `status`, `stream/ti_10min`, ...
    pub name: String,
    /// The rows.
    pub batch: RecordBatch,
}

/// A payload, or several where a format splits what it is given.
#[derive(Debug, Clone)]
pub struct Payload {
    /// The topic that the format wants; `None`: the route's.
    pub topic: Option<String>,
    /// What is said.
    pub content: Content,
    /// Which of the given messages are in it.
    pub items: std::ops::Range<usize>,
}

/// A message that a format cannot say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unfit {
    /// Which of the given messages.
    pub item: usize,
    /// Why.
    pub reason: String,
}

/// What a format needs to know of its surroundings.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// What numbers stand for.
    pub things: Arc<Things>,
    /// The site's name.
    pub site: Arc<str>,
    /// The gateway's name.
    pub gateway: Arc<str>,
}

/// A format of one route.
pub trait Format: Send {
    /// The last will that the target should register before it connects: topic and payload.
    fn will(&mut self) -> Option<(String, Bytes)> {
        None
    }

    /// What has to be said first on a new connection. `time_ms` is now, in milliseconds since 1970.
    fn greeting(&mut self, time_ms: i64) -> Vec<(String, Bytes)> {
        let _ = time_ms;
        vec![]
    }

    /// Says `items`, which have the same topic and are at least one.
    fn encode(&mut self, items: &[Item]) -> Result<Vec<Payload>, Unfit>;
}

/// The format that a site asks for.
pub fn format(site: &FormatSite, batch_messages: usize, around: &Surroundings) -> Box<dyn Format> {
    let _ = (site, batch_messages, around);
    unimplemented!()
}
