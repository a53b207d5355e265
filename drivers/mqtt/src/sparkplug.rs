//! Sparkplug B, as a host application hears it (specification 3.0, chapters 4 to 6): births, data, deaths and commands.
//!
//! Pure: messages and the time go in, values and wishes come out. A sequence that has a gap may have lost a birth, and
//! with it the meaning of every alias, so nothing is believed until the edge node has said everything anew.

mod metric;
mod offers;

pub(crate) use metric::command;
pub(crate) use offers::Births;

use crate::config::Edge;
use crate::plan::{EdgeNode, Member};
use edgeway_sdk::{Batch, DeviceIx, Timestamp};
use edgeway_sparkplug::{Message as _, Metric, MetricValue, Payload};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What every topic begins with.
pub(crate) const PREFIX: &str = "spBv1.0/";
/// With this an edge node is told to say everything anew.
const REBIRTH: &str = "Node Control/Rebirth";
/// Which life of an edge node a birth and a death belong to.
const LIFE: &str = "bdSeq";
/// An edge node that does not do as it is told is not told more often.
pub(crate) const REBIRTH_EVERY: Duration = Duration::from_secs(5);

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Birth,
    Data,
    Death,
}

/// What a topic says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Topic<'t> {
    pub(crate) group: &'t str,
    pub(crate) kind: Kind,
    pub(crate) node: &'t str,
    pub(crate) device: Option<&'t str>,
}

impl<'t> Topic<'t> {
    /// `None` if it is none of those that an edge node speaks on.
    pub(crate) fn parse(topic: &'t str) -> Option<Self> {
        let mut parts = topic.strip_prefix(PREFIX)?.split('/');
        let (group, kind, node, device) = (parts.next()?, parts.next()?, parts.next()?, parts.next());
        let kind = match (kind, device) {
            ("NBIRTH", None) | ("DBIRTH", Some(_)) => Kind::Birth,
            ("NDATA", None) | ("DDATA", Some(_)) => Kind::Data,
            ("NDEATH", None) | ("DDEATH", Some(_)) => Kind::Death,
            _ => return None,
        };
        parts.next().is_none().then_some(Topic { group, kind, node, device })
    }
}

/// What comes of a message.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) values: Batch,
    /// Who has come, or gone for a reason.
    pub(crate) online: Vec<(DeviceIx, Option<&'static str>)>,
    /// The edge node is to say everything anew.
    pub(crate) wants_rebirth: bool,
    /// Values of the past, which are not told.
    pub(crate) historical: u64,
}

/// The time, for values and for waiting: whoever sets the clock does not change how long somebody has waited.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    pub(crate) clock: Timestamp,
    pub(crate) at: Instant,
}

/// What has been heard of an edge node since the connection was opened.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// Set between its birth and its death.
    life: Option<Life>,
    asked_at: Option<Instant>,
    /// Since when it ought to say everything. Of one that has died nothing is expected.
    awaited_since: Option<Instant>,
    is_given_up: bool,
}

/// What is to be done about an edge node that ought to say everything and has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Overdue {
    pub(crate) wants_rebirth: bool,
    /// It has had its time, and that was not told before.
    pub(crate) is_given_up: bool,
}

/// What an edge node has said since its birth.
#[derive(Debug, Default)]
struct Life {
    number: Option<u64>,
    last_seq: Option<u64>,
    aliases: HashMap<u64, Arc<str>>,
    types: HashMap<Option<String>, HashMap<Arc<str>, u32>>,
}

/// Whether a message follows the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Next,
    Again,
    Gap,
}

impl Node {
    /// Takes in a message of the node or of a device behind it. `None` if it could not be read.
    pub(crate) fn hear(&mut self, topic: Topic<'_>, payload: &[u8], board: &EdgeNode, now: Now) -> Option<Said> {
        let payload = Payload::decode(payload).ok()?;
        let mut said = Said::default();
        match (topic.kind, topic.device) {
            (Kind::Birth, None) => self.born(&payload, board, now.clock, &mut said),
            (Kind::Death, None) => self.died(&payload, board, &mut said),
            (kind, device) => self.goes_on(kind, device, &payload, board, now, &mut said),
        }
        Some(said)
    }

    /// The node is asked to say everything, if it has not done so yet.
    pub(crate) fn begin(&mut self, at: Instant) {
        if self.life.is_none() {
            (self.asked_at, self.awaited_since) = (Some(at), Some(at));
        }
    }

    /// What is due of a node that ought to say everything within this time.
    pub(crate) fn overdue(&mut self, at: Instant, patience: Duration) -> Overdue {
        let Some(since) = self.awaited_since else { return Overdue::default() };
        let is_news = at.duration_since(since) >= patience && !self.is_given_up;
        self.is_given_up |= is_news;
        Overdue { wants_rebirth: self.ask(at), is_given_up: is_news }
    }

    /// True if the node was not asked a moment ago to say everything, and so has to be.
    fn ask(&mut self, at: Instant) -> bool {
        let is_due = self.asked_at.is_none_or(|asked_at| at.duration_since(asked_at) >= REBIRTH_EVERY);
        if is_due {
            self.asked_at = Some(at);
        }
        is_due
    }

    /// The type of a metric, as its birth has said.
    pub(crate) fn data_type(&self, edge: &Edge, name: &str) -> Option<u32> {
        self.life.as_ref()?.types.get(&edge.device)?.get(name).copied()
    }

    fn born(&mut self, payload: &Payload, board: &EdgeNode, now: Timestamp, said: &mut Said) {
        *self = Node::default();
        let life = self.life.insert(Life { number: number(payload), last_seq: payload.seq, ..Life::default() });
        life.learn(None, payload);
        life.tell(None, payload, board, now, said);
        come(board, None, said);
    }

    fn died(&mut self, payload: &Payload, board: &EdgeNode, said: &mut Said) {
        // The last will of a connection that the node has given up itself comes late.
        let lives_since = self.life.as_ref().and_then(|life| Some(life.number?.wrapping_sub(number(payload)?) % 256));
        if lives_since.is_some_and(|lives| (1..128).contains(&lives)) {
            return;
        }
        *self = Node::default();
        let all = board.members.values().flat_map(|member| &member.devices);
        said.online.extend(all.map(|device| (*device, Some("its edge node has died"))));
    }

    fn goes_on(
        &mut self,
        kind: Kind,
        device: Option<&str>,
        payload: &Payload,
        board: &EdgeNode,
        now: Now,
        said: &mut Said,
    ) {
        let order = self.life.as_mut().map_or(Order::Gap, |life| life.order(payload.seq));
        match (order, &mut self.life) {
            (Order::Again, _) => return,
            (Order::Next, Some(life)) => {
                if kind == Kind::Birth {
                    life.learn(device, payload);
                    come(board, device, said);
                }
                if kind != Kind::Death {
                    said.wants_rebirth = !life.tell(device, payload, board, now.clock, said);
                } else if let Some(member) = member(board, device) {
                    said.online.extend(
                        member.devices.iter().map(|device| (*device, Some("its edge node says that it is gone"))),
                    );
                }
            }
            (_, life) => {
                *life = None;
                self.awaited_since.get_or_insert(now.at);
                said.wants_rebirth = true;
            }
        }
        said.wants_rebirth = said.wants_rebirth && self.ask(now.at);
    }
}

impl Life {
    fn order(&mut self, seq: Option<u64>) -> Order {
        // Whoever does not count has no gaps.
        let (Some(seq), Some(last)) = (seq, self.last_seq) else { return Order::Next };
        if seq == last {
            return Order::Again;
        }
        let is_next = seq == (last + 1) % 256;
        self.last_seq = Some(seq);
        if is_next { Order::Next } else { Order::Gap }
    }

    /// Learns the names, aliases and types that a birth tells.
    fn learn(&mut self, device: Option<&str>, payload: &Payload) {
        let mut types = HashMap::new();
        for metric in &payload.metrics {
            let Some(name) = &metric.name else { continue };
            let name: Arc<str> = name.as_str().into();
            if let Some(alias) = metric.alias {
                self.aliases.insert(alias, name.clone());
            }
            types.extend(metric.datatype.map(|data_type| (name, data_type)));
        }
        self.types.insert(device.map(str::to_owned), types);
    }

    /// Pushes what is known of the metrics. False if one of them cannot be named.
    fn tell(&self, device: Option<&str>, payload: &Payload, board: &EdgeNode, now: Timestamp, said: &mut Said) -> bool {
        let member = member(board, device);
        let types = self.types.get(&device.map(str::to_owned));
        let mut all_named = true;
        for metric in &payload.metrics {
            let Some(name) = self.name(metric) else {
                all_named = false;
                continue;
            };
            let Some(points) = member.and_then(|member| member.metrics.get(name)) else { continue };
            if metric.is_historical == Some(true) {
                said.historical += points.len() as u64;
                continue;
            }
            let data_type = metric.datatype.or_else(|| types?.get(name).copied());
            let (value, quality) = metric::value(metric, data_type);
            let time = metric::time(metric, payload, now);
            points.iter().for_each(|point| said.values.push(*point, value.clone(), quality, time));
        }
        all_named
    }

    fn name<'m>(&'m self, metric: &'m Metric) -> Option<&'m str> {
        match (&metric.name, metric.alias) {
            (Some(name), _) if !name.is_empty() => Some(name),
            (_, alias) => self.aliases.get(&alias?).map(AsRef::as_ref),
        }
    }
}

fn member<'b>(board: &'b EdgeNode, device: Option<&str>) -> Option<&'b Member> {
    board.members.get(&device.map(str::to_owned))
}

fn come(board: &EdgeNode, device: Option<&str>, said: &mut Said) {
    let devices = member(board, device).map_or(&[][..], |member| &member.devices);
    said.online.extend(devices.iter().map(|device| (*device, None)));
}

/// Which life of its node a birth or a death is of.
fn number(payload: &Payload) -> Option<u64> {
    let metric = payload.metrics.iter().find(|metric| metric.name.as_deref() == Some(LIFE))?;
    match metric.value {
        Some(MetricValue::Long(number)) => Some(number),
        Some(MetricValue::Int(number)) => Some(u64::from(number)),
        _ => None,
    }
}

/// Where a node or a device is told something, `kind` being the letters `CMD`.
pub(crate) fn command_topic(edge: &Edge) -> String {
    let Edge { group, node, device } = edge;
    match device {
        None => format!("{PREFIX}{group}/NCMD/{node}"),
        Some(device) => format!("{PREFIX}{group}/DCMD/{node}/{device}"),
    }
}

/// Asks a node to say everything anew.
pub(crate) fn rebirth(now: Timestamp) -> Vec<u8> {
    let value = Some(MetricValue::Boolean(true));
    metric::payload(REBIRTH, edgeway_sparkplug::data_type::BOOLEAN, value, now)
}

#[cfg(test)]
mod tests;
