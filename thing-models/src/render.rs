//! The one JSON form of a message.
//!
//! Routes, the API, the command line and files show messages like this. Every form begins with `subject`, `id` (if the
//! message has one) and `time`, when the gateway got or made it. All times are RFC 3339 in UTC with milliseconds.
//!
//! | kind | subject | what follows |
//! | --- | --- | --- |
//! | report | `property/<model>/<device>` | `device`, `model`, `values`: by property an object of `value`, `label` (enums), `unit` (if there is one), `quality`, `time` (when the device measured it) |
//! | event | `event/<model>/<device>/<event>` | `device`, `model`, `event`, `kind` (`info`, `alert`, `error`), `output` by name, `source_time` |
//! | status | `status/<model>/<device>` | `device`, `model`, `state` (`unknown`, `online`, `degraded`, `offline`), `reason` (empty when it came) |
//! | row | `stream/<query>` | `query`, `row_id`, `values` by column, `source_time` |
//! | firing | `scene/<scene>` | `scene`, `cause`, `chain` |
//! | command | `command/<model>/<device>` | `device`, `model`, `command` (its id), `state`, `reason` (if it was not applied), `result` (if a value was read back), `action` (`{"set":{property:value}}` or `{"invoke":service,"input":{}}`), `origin` (`api`, `scene/<scene>`, `cloud/<target>`), `issued`, `deadline` |
//! | notice | `notify/<channel>` | `channel`, `text`, `scene` |
//! | ledger | `ledger/<consumer>` | `consumer`, `reason`, `from`, `to`, `count` |
//! | balance | `ledger/<route>` | `route`, `taken`, `delivered`, `queued`, `expired`, `dropped`, `dead`, `devices` (the same by device, `-` for what is of none) |
//!
//! ```json
//! {"subject":"property/wind-turbine/wt-07","id":"0f3c5a1e9b2d0000000700000000126f","time":"2026-11-23T09:00:00.500Z","device":"wt-07",
//!  "model":"wind-turbine","values":{
//!   "wind_speed":{"value":7.1,"unit":"m/s","quality":"good","time":"2026-11-23T09:00:00.480Z"},
//!   "state":{"value":2,"label":"production","quality":"good","time":"2026-11-23T09:00:00.480Z"},
//!   "active_power":{"value":null,"unit":"kW","quality":"bad:timeout","time":"2026-11-23T09:00:00.480Z"}}}
//! ```
//!
//! The value of a `float` that is exactly a 32-bit number has the digits of that number, 7.1 rather than
//! 7.099999904632568; every other number has the fewest digits that give the same 64-bit number. Bytes are hexadecimal.

mod body;
mod clock;
mod value;

pub use clock::Rfc3339;
pub use value::Typed;

use crate::id::MessageId;
use crate::message::Message;
use crate::things::Things;
use edgeway_sdk::Value;
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt;
use std::sync::Arc;

/// A message as JSON, by any serde serializer; nothing is built in between.
#[derive(Debug, Clone, Copy)]
pub struct Rendered<'a> {
    /// The message.
    pub message: &'a Message,
    /// What its numbers stand for.
    pub things: &'a Things,
    /// Its id, if it is in the journal.
    pub id: Option<MessageId>,
    /// What its times are worth.
    pub clock: ClockState,
    /// What a route wants to say instead of what the message says.
    pub selected: Option<&'a Selected>,
}

impl<'a> Rendered<'a> {
    /// A message as it is.
    pub fn new(message: &'a Message, things: &'a Things, id: Option<MessageId>) -> Self {
        Rendered { message, things, id, clock: ClockState::Set, selected: None }
    }
}

/// What the gateway's clock was worth when a message was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ClockState {
    /// It was right, as far as anyone knows.
    #[default]
    Set,
    /// It had not been set; times of the gateway's own are worth nothing.
    Unset,
    /// It had not been set; the times were put right afterwards, when it became known how far off it was.
    Corrected,
}

impl ClockState {
    /// In one word, as messages show it.
    pub fn as_str(self) -> &'static str {
        match self {
            ClockState::Set => "set",
            ClockState::Unset => "unset",
            ClockState::Corrected => "corrected",
        }
    }
}

/// What a route's `select` made of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Selected {
    /// Names of the columns; the same for all messages of a route.
    pub columns: Arc<[Arc<str>]>,
    /// Their values.
    pub values: Vec<Value>,
}

impl Serialize for Rendered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("subject", &Shown(self.message.address(self.things)))?;
        if let Some(id) = &self.id {
            map.serialize_entry("id", id)?;
        }
        map.serialize_entry("time", &Rfc3339::new(self.message.time))?;
        if self.clock != ClockState::Set {
            map.serialize_entry("clock", self.clock.as_str())?;
        }
        match self.selected {
            Some(selected) => map.serialize_entry("values", &body::Columns::of(selected))?,
            None => body::entries(&self.message.body, self.things, &mut map)?,
        }
        map.end()
    }
}

/// Anything that can be shown, as a JSON string.
struct Shown<T>(T);

impl<T: fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
