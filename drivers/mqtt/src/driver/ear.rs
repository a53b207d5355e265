//! What is done with everything that comes on a connection.

use super::Shared;
use crate::client::{Came, Ear, Heard, Message};
use crate::codec::{self, Presence};
use crate::config::{Availability, Qos};
use crate::plan::{Board, DevicePlace, Get, Topic};
use crate::sparkplug::{self, Now};
use edgeway_payload::{Document, Format};
use edgeway_sdk::{Batch, Quality, Sink, Timestamp, Value};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// So many values are handed on at once.
const BATCH_MAX: usize = 512;

/// Listens on one connection.
pub(super) struct Listener {
    board: Arc<Board>,
    shared: Arc<Shared>,
    sink: Arc<dyn Sink>,
    batch: Batch,
    /// What each topic of [`Board::presences`] has said.
    said: Vec<Option<bool>>,
    /// Of each device, what came of that.
    presence: Vec<Presence>,
    wishes: mpsc::Sender<Message>,
    /// What comes is what was queued for us while we were away.
    is_catching_up: bool,
}

impl Listener {
    pub(super) fn new(
        board: Arc<Board>,
        shared: Arc<Shared>,
        sink: Arc<dyn Sink>,
        wishes: mpsc::Sender<Message>,
    ) -> Self {
        let said = vec![None; board.presences.len()];
        let presence = vec![Presence::Unknown; board.devices.len()];
        let (batch, is_catching_up) = Default::default();
        Listener { board, shared, sink, batch, said, presence, wishes, is_catching_up }
    }

    /// The same on a session that goes on: what was queued comes first.
    pub(super) fn resuming(self, is_catching_up: bool) -> Self {
        Listener { is_catching_up, ..self }
    }

    fn flush(&mut self) {
        if !self.batch.is_empty() {
            let room = self.batch.len();
            let batch = std::mem::replace(&mut self.batch, with_room(room));
            self.sink.data(batch);
        }
    }

    fn values(&mut self, topic: &Topic, heard: &Heard<'_>, now: Timestamp) {
        let before = self.batch.len();
        let presence = &self.presence;
        if heard.payload.len() > self.shared.payload_bytes_max {
            self.shared.counters.unreadable.add(1);
            topic.points().for_each(|listener| self.batch.bad(listener.point, Quality::Bad, now));
            return;
        }
        if !codec::read(topic, heard, now, |device| presence[device], &mut self.batch) {
            self.shared.counters.unreadable.add(1);
        }
        if heard.came == Came::Live {
            self.shared.waiting.tell(&self.batch, before);
        }
    }

    /// What the broker has kept as the last of its topic answers nobody.
    fn answer(&mut self, heard: &Heard<'_>) {
        let is_answer = heard.came != Came::Retained;
        if is_answer && !self.shared.waiting.answered(heard.topic, heard.correlation, heard.payload) {
            self.shared.counters.late_answers.add(1);
        }
    }

    fn presences(&mut self, topic: &Topic, payload: &[u8]) {
        for &at in &topic.presences {
            let presence = &self.board.presences[at];
            let Some(is_online) = presence.availability.says(payload) else { continue };
            self.said[at] = Some(is_online);
            self.judge(presence.device);
        }
    }

    /// A device is gone if one says so, and there if all do.
    fn judge(&mut self, place: DevicePlace) {
        let mut of_device =
            self.board.presences.iter().zip(&self.said).filter(|(presence, _)| presence.device == place);
        let gone = of_device.clone().find(|(_, said)| **said == Some(false)).map(|(presence, _)| presence);
        let presence = match gone {
            Some(_) => Presence::Gone,
            None if of_device.all(|(_, said)| *said == Some(true)) => Presence::There,
            None => Presence::Unknown,
        };
        let before = std::mem::replace(&mut self.presence[place], presence);
        if before == presence || (before, presence) == (Presence::Unknown, Presence::Unknown) {
            return;
        }
        let reason = gone.map(|gone| format!("it is said to be `{}`", gone.availability.offline));
        // What came before is told before.
        self.flush();
        self.sink.online(self.board.devices[place].ix, reason.as_deref());
        if before == Presence::Gone {
            self.ask(place);
        }
    }

    /// Asks for the present values of a device that has come back.
    fn ask(&self, place: DevicePlace) {
        for get in self.board.gets.iter().filter(|get| get.device == place) {
            self.wish(get.message(self.shared.qos));
        }
    }

    /// Whoever is too slow to send has others to send meanwhile: a wish may be lost.
    fn wish(&self, message: Message) {
        let _ = self.wishes.try_send(message);
    }

    fn edge(&mut self, heard: &Heard<'_>, clock: Timestamp) -> Option<()> {
        let now = Now { clock, at: Instant::now() };
        let topic = sparkplug::Topic::parse(std::str::from_utf8(heard.topic).ok()?)?;
        let key = (topic.group.to_owned(), topic.node.to_owned());
        let board = self.board.clone();
        let node = board.edges.get(&key)?;
        let said = self.shared.nodes().entry(key).or_default().hear(topic, heard.payload, node, now);
        match said {
            Some(said) => self.of_edge(said, topic, clock),
            None => self.shared.counters.unreadable.add(1),
        }
        Some(())
    }

    fn of_edge(&mut self, said: sparkplug::Said, topic: sparkplug::Topic<'_>, now: Timestamp) {
        let before = self.batch.len();
        self.batch.append(said.values);
        self.shared.waiting.tell(&self.batch, before);
        self.shared.counters.historical.add(said.historical);
        if !said.online.is_empty() {
            self.flush();
        }
        for (device, gone) in said.online {
            self.sink.online(device, gone);
        }
        if said.wants_rebirth {
            self.wish(rebirth(topic.group, topic.node, now));
            self.shared.counters.rebirths.add(1);
        }
    }
}

impl Ear for Listener {
    fn hear(&mut self, heard: &Heard<'_>) {
        let now = Timestamp::now();
        self.shared.counters.messages.add(1);
        let is_queued = self.is_catching_up && heard.came == Came::Live;
        let heard = &Heard { came: if is_queued { Came::Queued } else { heard.came }, ..*heard };
        let board = self.board.clone();
        match board.topics.get(heard.topic) {
            Some(topic) => {
                if !topic.presences.is_empty() {
                    self.presences(topic, heard.payload);
                }
                if topic.has_responses {
                    self.answer(heard);
                }
                self.values(topic, heard, now);
            }
            None if self.edge(heard, now).is_some() => {}
            None => self.shared.counters.unknown_topics.add(1),
        }
        if self.batch.len() >= BATCH_MAX {
            self.flush();
        }
    }

    fn subscribed(&mut self) {
        self.is_catching_up = false;
    }

    fn rest(&mut self) {
        self.flush();
    }
}

/// A batch that need not grow.
fn with_room(values: usize) -> Batch {
    Batch {
        points: Vec::with_capacity(values),
        values: Vec::with_capacity(values),
        qualities: Vec::with_capacity(values),
        source_times: Vec::with_capacity(values),
        reasons: vec![],
    }
}

impl Availability {
    /// Whether the device is there, if a payload says so.
    fn says(&self, payload: &[u8]) -> Option<bool> {
        let text = std::str::from_utf8(payload).ok()?.trim();
        let field = self.at.as_ref().and_then(|at| {
            let document = Document::parse(Format::Json, text.as_bytes(), Timestamp::EPOCH).ok()?;
            Some(word(at.read(&document)?.value))
        });
        // Older versions of Zigbee2MQTT say the bare word.
        match field.as_deref().unwrap_or(text) {
            word if word == self.online => Some(true),
            word if word == self.offline => Some(false),
            _ => None,
        }
    }
}

/// A text is a word as it is; anything else as JSON has it, so that `true` can be one.
fn word(value: Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        other => other.to_json().to_string(),
    }
}

impl Get {
    pub(super) fn message(&self, qos: Qos) -> Message {
        Message { topic: self.topic.clone(), payload: self.payload.clone().into(), qos, answer: None }
    }
}

/// The message that makes an edge node say everything anew.
pub(super) fn rebirth(group: &str, node: &str, now: Timestamp) -> Message {
    let edge = crate::config::Edge { group: group.to_owned(), node: node.to_owned(), device: None };
    let (topic, payload) = (sparkplug::command_topic(&edge), sparkplug::rebirth(now).into());
    Message { topic, payload, qos: Qos::AtMostOnce, answer: None }
}

#[cfg(test)]
mod tests {
    use crate::config::DeviceOptions;
    use serde_json::json;

    #[test]
    fn the_word_may_be_deep_in_the_payload_and_need_not_be_a_text() {
        for (options, payload, is_there) in [
            (json!({ "topic": "t", "at": "a.b" }), r#"{"a": {"b": "online"}}"#, Some(true)),
            (json!({ "topic": "t", "at": "a.b" }), r#"{"a": {"b": "offline"}}"#, Some(false)),
            (json!({ "topic": "t", "at": "a.b" }), r#"{"a.b": "offline"}"#, None),
            (
                json!({ "topic": "t", "at": "up", "online": "true", "offline": "false" }),
                r#"{"up": false}"#,
                Some(false),
            ),
            (json!({ "topic": "t", "at": "up", "online": "1", "offline": "0" }), r#"{"up": 1}"#, Some(true)),
            (json!({ "topic": "t", "at": "state" }), "online", Some(true)),
            (json!({ "topic": "t" }), " offline\n", Some(false)),
        ] {
            let device = DeviceOptions::parse(&json!({ "availability": [options] })).expect("right");
            assert_eq!(device.availability[0].says(payload.as_bytes()), is_there, "{payload}");
        }
    }
}
