//! How messages become payloads.
//!
//! A route gives the messages of one topic to its [`Format`] and gets [`Payload`]s for its target. Formats are pure: no
//! file, no socket. [`format()`] makes the one that a site asks for, [`table_format`] the one for targets that store rows.
//!
//! **It is not** a router: which messages, in which order, how many at a time and what becomes of payloads that are too
//! large is decided by whoever calls it. The tables of formats, their limits and what is lost in which are in the README.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod alink;
mod arrow_ipc;
mod csv;
mod flat;
mod json;
mod json_lines;
mod numbers;
mod protobuf;
mod runs;
mod sparkplug;
mod table;
mod template;
mod value_text;

pub use table::{Table, messages_of_table, table_format, table_name, tables};
pub use template::check_template;

use bytes::Bytes;
use edgeway_sdk::Timestamp;
use edgeway_site::FormatSite;
use edgeway_thing_models::{ClockState, Message, MessageId, Rendered, Selected, Things};
use std::fmt;
use std::ops::Range;
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

impl Item {
    /// The one JSON form of the message.
    pub fn rendered<'a>(&'a self, things: &'a Things) -> Rendered<'a> {
        Rendered {
            clock: self.clock,
            selected: self.selected.as_deref(),
            ..Rendered::new(&self.message, things, Some(self.id))
        }
    }
}

/// What a payload is.
#[derive(Debug, Clone)]
pub enum Content {
    /// Bytes, and their media type.
    Bytes(Bytes, &'static str),
    /// A table, for targets that store rows.
    Table(Table),
}

/// A payload, or several where a format splits what it is given.
///
/// The payloads of one call are to be sent in their order. Their items are never empty, follow each other without a gap
/// and are together all that was given.
#[derive(Debug, Clone)]
pub struct Payload {
    /// The topic that the format wants; `None`: the route's.
    pub topic: Option<String>,
    /// What is said.
    pub content: Content,
    /// Which of the given messages are in it.
    pub items: Range<usize>,
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

impl Unfit {
    pub(crate) fn new(item: usize, reason: impl fmt::Display) -> Self {
        Unfit { item, reason: reason.to_string() }
    }
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
///
/// A format may remember what passed (Sparkplug B counts its messages): payloads must be sent in the order in which they
/// were made, and what was not settled before a connection broke must be encoded anew after [`Format::greeting`].
pub trait Format: Send {
    /// The last will that the target should register before it connects: topic and payload. Begins a new session; the
    /// next [`Format::greeting`] belongs to it.
    fn will(&mut self) -> Option<(String, Bytes)> {
        None
    }

    /// What has to be said first on a new connection, and when [`Format::wants_greeting`] says so. `time_ms` is now, in milliseconds since 1970.
    fn greeting(&mut self, time_ms: i64) -> Vec<(String, Bytes)> {
        let _ = time_ms;
        vec![]
    }

    /// The topic on which the far end may ask for the greeting again.
    fn listens(&self) -> Option<String> {
        None
    }

    /// Whether what was said there asks for that. The greeting then is said on the same connection.
    fn wants_greeting(&self, payload: &[u8]) -> bool {
        let _ = payload;
        false
    }

    /// Says `items`, which have the same topic and are at least one.
    ///
    /// # Errors
    /// If the format cannot say one of them; nothing of the call counts as said then, and the others can be given again.
    fn encode(&mut self, items: &[Item]) -> Result<Vec<Payload>, Unfit>;
}

/// The format that a site asks for. `batch_messages` is the most messages that the route puts into a payload: at 1 a JSON
/// payload is one object, otherwise an array.
pub fn format(site: &FormatSite, batch_messages: usize, around: &Surroundings) -> Box<dyn Format> {
    let things = around.things.clone();
    match site {
        FormatSite::Json => Box::new(json::Json::new(things, batch_messages)),
        FormatSite::JsonLines => Box::new(json_lines::JsonLines::new(things)),
        FormatSite::Csv => Box::new(csv::Csv::new(things)),
        FormatSite::ArrowIpc => Box::new(arrow_ipc::ArrowIpc::new(around)),
        FormatSite::Protobuf => Box::new(protobuf::Protobuf::new(things)),
        FormatSite::SparkplugB { group, node } => {
            Box::new(sparkplug::SparkplugB::new(group, node, around, Timestamp::now()))
        }
        FormatSite::Alink { product_keys } => Box::new(alink::Alink::new(things, product_keys.clone())),
        FormatSite::Template { text, content_type } => Box::new(template::Template::new(things, text, content_type)),
        unknown => Box::new(Unknown(format!("this build does not know the format {unknown:?}; use a newer one"))),
    }
}

/// A format that a newer site package has and this one does not.
struct Unknown(String);

impl Format for Unknown {
    fn encode(&mut self, _: &[Item]) -> Result<Vec<Payload>, Unfit> {
        Err(Unfit::new(0, &self.0))
    }
}
