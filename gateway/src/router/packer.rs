//! Messages to deliveries: grouped by topic, cut by number and size, put into the route's format.

use super::Surroundings;
use super::books::{Holder, holder};
use super::grouping::group;
use super::topic::Topic;
use edgeway_formats::{Content, Format, Item, Payload, table_name};
use edgeway_site::{Order, RouteSite, TargetKind};
use edgeway_targets::Delivery;
use edgeway_thing_models::{Body, Message, MessageId, Things};
use std::sync::Arc;

/// What a value and a message take in a payload, roughly, in bytes: enough to cut payloads before they are made.
const VALUE_BYTES: usize = 90;
const MESSAGE_BYTES: usize = 160;

/// Packs for one route.
pub(super) struct Packer {
    topic: Topic,
    order: Order,
    format: Box<dyn Format>,
    things: Arc<Things>,
    messages_max: usize,
    bytes_max: usize,
    stores_tables: bool,
}

/// A message to be packed, and its place.
#[derive(Clone)]
pub(super) struct Packed {
    pub(super) offset: u64,
    pub(super) item: Item,
}

/// What became of some messages.
pub(super) enum Parcel {
    /// Something to deliver.
    Delivery(Delivery, Contents),
    /// A message that the format cannot say.
    Unfit(Packed, String),
}

/// Which messages a delivery holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Contents {
    /// The first and the last offset.
    pub(super) offsets: (u64, u64),
    /// How many messages of each holder.
    pub(super) holders: Vec<(Holder, u64)>,
}

impl Contents {
    pub(super) fn messages(&self) -> u64 {
        self.holders.iter().map(|(_, count)| count).sum()
    }

    fn add(&mut self, message: &Packed) {
        let holder = holder(&message.item.message);
        match self.holders.iter_mut().find(|(known, _)| *known == holder) {
            Some((_, count)) => *count += 1,
            None => self.holders.push((holder, 1)),
        }
    }
}

impl Packer {
    pub(super) fn new(site: &RouteSite, target: &TargetKind, around: &Surroundings<'_>) -> Self {
        let stores_tables = matches!(target, TargetKind::Postgres(_) | TargetKind::Parquet(_));
        let around_format = edgeway_formats::Surroundings {
            things: around.things.clone(),
            site: around.site_name.into(),
            gateway: around.gateway.into(),
        };
        let format = match stores_tables {
            true => edgeway_formats::table_format(&around_format),
            false => edgeway_formats::format(&site.format, site.batch_messages, &around_format),
        };
        Packer {
            topic: Topic::new(&site.topic),
            order: site.order,
            format,
            things: around.things.clone(),
            messages_max: site.batch_messages.max(1),
            bytes_max: if stores_tables { usize::MAX } else { site.batch_bytes },
            stores_tables,
        }
    }

    /// The format, for what is said at the start of a connection.
    pub(super) fn format(&mut self) -> &mut dyn Format {
        &mut *self.format
    }

    pub(super) fn messages_max(&self) -> usize {
        self.messages_max
    }

    /// Packs messages, to be delivered one after the other in the order of the route. With `Singly` each goes alone.
    pub(super) fn pack(&mut self, messages: Vec<Packed>, manner: Manner) -> Vec<Parcel> {
        let most = if manner == Manner::Singly { 1 } else { self.messages_max };
        let mut parcels = vec![];
        for (topic, group) in self.groups(messages) {
            let topic = if self.stores_tables { String::new() } else { topic };
            let mut group = group.into_iter().peekable();
            while group.peek().is_some() {
                let (mut part, mut bytes) = (vec![], 0);
                while part.len() < most && (part.is_empty() || bytes < self.bytes_max) {
                    let Some(message) = group.next() else { break };
                    bytes += estimate(&message.item.message);
                    part.push(message);
                }
                self.encode(&topic, part, &mut parcels);
            }
        }
        parcels
    }

    /// By topic or table. Rows of different tables have no order among them.
    fn groups(&self, messages: Vec<Packed>) -> Vec<(String, Vec<Packed>)> {
        if self.stores_tables {
            let table =
                |packed: &Packed| table_name(&packed.item.message, packed.item.selected.as_deref(), &self.things);
            return group(messages, table, |_| None::<Holder>);
        }
        group(messages, |packed| self.topic.of(&packed.item.message, &self.things), |packed| self.sequence(packed))
    }

    /// What keeps its order whatever its topics: each device, or everything.
    fn sequence(&self, packed: &Packed) -> Option<Holder> {
        match (self.order, holder(&packed.item.message)) {
            (Order::Strict, _) => Some(Holder::Nobody),
            (Order::Device, Holder::Nobody) => None,
            (Order::Device, device) => Some(device),
        }
    }

    /// Puts messages of one topic into the format. One that does not fit is left out; a payload that has become too large
    /// is made again in two halves.
    fn encode(&mut self, topic: &str, messages: Vec<Packed>, parcels: &mut Vec<Parcel>) {
        let items: Vec<Item> = messages.iter().map(|message| message.item.clone()).collect();
        match self.format.encode(&items) {
            Ok(payloads) if messages.len() > 1 && payloads.iter().any(|payload| self.is_too_large(payload)) => {
                let mut first = messages;
                let second = first.split_off(first.len() / 2);
                self.encode(topic, first, parcels);
                self.encode(topic, second, parcels);
            }
            Ok(payloads) => parcels.extend(payloads.into_iter().map(|payload| self.parcel(topic, payload, &messages))),
            Err(unfit) => {
                let mut before = messages;
                let mut after = before.split_off(unfit.item.min(before.len()));
                let misfit = (!after.is_empty()).then(|| after.remove(0));
                if !before.is_empty() {
                    self.encode(topic, before, parcels);
                }
                parcels.extend(misfit.map(|message| Parcel::Unfit(message, unfit.reason)));
                if !after.is_empty() {
                    self.encode(topic, after, parcels);
                }
            }
        }
    }

    fn is_too_large(&self, payload: &Payload) -> bool {
        match &payload.content {
            // The estimate was far off; a payload a little over what was asked for harms nobody.
            Content::Bytes(bytes, _) => payload.items.len() > 1 && bytes.len() > self.bytes_max + self.bytes_max / 2,
            Content::Table(_) => false,
        }
    }

    fn parcel(&self, topic: &str, payload: Payload, messages: &[Packed]) -> Parcel {
        let part = &messages[payload.items.clone()];
        let (first, last) = (&part[0], &part[part.len() - 1]);
        let mut contents = Contents { offsets: (first.offset, last.offset), holders: vec![] };
        part.iter().for_each(|message| contents.add(message));
        let delivery = Delivery {
            topic: payload.topic.unwrap_or_else(|| topic.to_owned()),
            key: key(&first.item.message, &self.things),
            content: payload.content,
            id: first.item.id,
            last_id: last.item.id,
            messages: part.len() as u64,
        };
        Parcel::Delivery(delivery, contents)
    }
}

/// Whether several messages may share a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    Together,
    Singly,
}

/// A delivery that holds no message: what a format says at the start of a connection.
pub(super) fn greeting(topic: String, payload: bytes::Bytes, id: MessageId) -> (Delivery, Contents) {
    let content = Content::Bytes(payload, "application/octet-stream");
    (Delivery { key: topic.clone(), topic, content, id, last_id: id, messages: 0 }, Contents::default())
}

/// What keeps its order: the device, or the subject of what is of none.
fn key(message: &Message, things: &Things) -> String {
    match crate::subjects::device(message) {
        Some(device) => things.device(device).id.to_string(),
        None => message.subject(things),
    }
}

fn estimate(message: &Message) -> usize {
    MESSAGE_BYTES
        + match &message.body {
            Body::Report(report) => report.values.len() * VALUE_BYTES,
            Body::Row(row) => row.values.len() * VALUE_BYTES / 2,
            Body::Event(event) => event.output.len() * VALUE_BYTES / 2,
            Body::Balance(balance) => balance.devices.len() * VALUE_BYTES,
            Body::Notice(notice) => notice.text.len(),
            Body::Status(_) | Body::Firing(_) | Body::Command(_) | Body::Ledger(_) => VALUE_BYTES,
        }
}
