//! Messages to payloads.

use super::Surroundings;
use super::select::Select;
use crate::targets::Delivery;
use edgeway_journal::Entry;
use edgeway_site::RouteSite;
use edgeway_thing_models::{Message, MessageId, Rendered, Things};
use std::collections::HashMap;
use std::sync::Arc;

/// The most bytes of a payload that holds several messages; a single message may be larger.
const PAYLOAD_BYTES_MAX: usize = 128 << 10;

/// What an array adds to its messages at its end and between two of them.
const BRACKETS: usize = 2;

/// Selects and renders the messages of one route.
pub(super) struct Packer {
    select: Select,
    things: Arc<Things>,
    gateway: Arc<str>,
    topic: Vec<Piece>,
    messages_max: usize,
}

/// A piece of a topic template.
enum Piece {
    Text(String),
    Subject,
    Kind,
    Model,
    Device,
}

/// A payload being filled.
struct Open {
    topic: String,
    bytes: Vec<u8>,
    messages: usize,
    offsets: (u64, u64),
}

impl Packer {
    pub(super) fn new(site: &RouteSite, around: &Surroundings<'_>) -> Self {
        Packer {
            select: Select::new(site),
            things: around.things.clone(),
            gateway: around.gateway.into(),
            topic: pieces(&site.topic, around.site_name),
            messages_max: site.batch_messages.max(1),
        }
    }

    pub(super) fn messages_max(&self) -> usize {
        self.messages_max
    }

    /// Payloads of the messages that the route takes. Messages of one topic keep their order.
    pub(super) fn pack(&mut self, entries: &[Entry<Message>]) -> Vec<Delivery> {
        let (mut closed, mut rendered) = (vec![], vec![]);
        let mut open: Vec<Open> = vec![];
        let mut by_topic: HashMap<String, usize> = HashMap::new();
        for entry in entries {
            if !self.select.takes(&entry.item, &self.things) {
                continue;
            }
            let topic = self.topic(&entry.item);
            let at = *by_topic.entry(topic).or_insert_with_key(|topic| {
                open.push(Open { topic: topic.clone(), bytes: vec![], messages: 0, offsets: (0, 0) });
                open.len() - 1
            });
            self.render(entry, &mut rendered);
            if open[at].bytes.len() + rendered.len() + BRACKETS > PAYLOAD_BYTES_MAX {
                closed.extend(self.close(&mut open[at]));
            }
            self.add(&mut open[at], entry.offset, &rendered);
            if open[at].messages == self.messages_max {
                closed.extend(self.close(&mut open[at]));
            }
        }
        closed.extend(open.iter_mut().filter_map(|open| self.close(open)));
        closed
    }

    fn render(&self, entry: &Entry<Message>, out: &mut Vec<u8>) {
        out.clear();
        let id = MessageId { gateway: &self.gateway, offset: entry.offset };
        let rendered = Rendered { message: &entry.item, things: &self.things, id: Some(id) };
        serde_json::to_writer(out, &rendered).expect("a message renders to memory");
    }

    fn add(&self, open: &mut Open, offset: u64, rendered: &[u8]) {
        if self.messages_max > 1 {
            open.bytes.push(if open.messages == 0 { b'[' } else { b',' });
        }
        if open.messages == 0 {
            open.offsets.0 = offset;
        }
        open.bytes.extend_from_slice(rendered);
        open.offsets.1 = offset;
        open.messages += 1;
    }

    fn close(&self, open: &mut Open) -> Option<Delivery> {
        let messages = std::mem::take(&mut open.messages);
        if messages == 0 {
            return None;
        }
        if self.messages_max > 1 {
            open.bytes.push(b']');
        }
        let payload = std::mem::take(&mut open.bytes).into();
        Some(Delivery { topic: open.topic.clone(), payload, messages: messages as u64, offsets: open.offsets })
    }

    fn topic(&self, message: &Message) -> String {
        let subject = message.subject(&self.things);
        let level = |at: usize| subject.split('/').nth(at).unwrap_or("-").to_owned();
        let text = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Subject => subject.clone(),
            Piece::Kind => level(0),
            Piece::Model => level(1),
            Piece::Device => level(2),
        };
        self.topic.iter().map(text).collect()
    }
}

fn pieces(template: &str, site_name: &str) -> Vec<Piece> {
    let template = template.replace("{site}", site_name);
    let mut pieces = vec![];
    let mut rest = template.as_str();
    while let Some(start) = rest.find('{') {
        let Some(end) = rest[start..].find('}').map(|end| start + end) else { break };
        pieces.push(Piece::Text(rest[..start].to_owned()));
        pieces.push(match &rest[start + 1..end] {
            "subject" => Piece::Subject,
            "kind" => Piece::Kind,
            "model" => Piece::Model,
            "device" => Piece::Device,
            _ => Piece::Text(rest[start..=end].to_owned()),
        });
        rest = &rest[end + 1..];
    }
    pieces.push(Piece::Text(rest.to_owned()));
    pieces
}
