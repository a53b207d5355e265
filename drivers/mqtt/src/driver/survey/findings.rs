//! What messages describe: pure.

use crate::config::{DeviceOptions, LinkOptions};
use crate::home_assistant;
use crate::sparkplug::{self, Births, REBIRTH_EVERY};
use crate::topic::covers;
use crate::zigbee2mqtt::{self, Device};
use bytes::Bytes;
use edgeway_payload::{Document, Format};
use edgeway_sdk::{Discovered, Timestamp};
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use tokio::time::Instant;

/// More topics are no list for a person.
const TOPICS_MAX: usize = 10_000;
/// More edge nodes are not asked.
const NODES_MAX: usize = 10_000;
/// Topics and payloads of all that is kept may take so much.
const TOTAL_BYTES_MAX: usize = 16 << 20;
/// A longer payload is no state of a device.
const KEPT_BYTES_MAX: usize = 64 << 10;
/// So much of a payload is shown.
const SHOWN_CHARS_MAX: usize = 60;
/// The end of the topic where Zigbee2MQTT lists its devices.
const LIST: &str = "/bridge/devices";

/// What is subscribed to, and which edge nodes are asked for their births.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub(super) filters: Vec<String>,
    pub(super) nodes: Vec<(String, String)>,
}

impl Wanted {
    /// All kinds of descriptions.
    pub(super) fn everything(link: &LinkOptions) -> Self {
        let mut filters = link.subscribe.clone();
        filters.extend([format!("+{LIST}"), format!("+/+{LIST}"), format!("{}#", sparkplug::PREFIX)]);
        filters.push(format!("{}/#", link.discovery_prefix));
        Wanted { filters, nodes: vec![] }
    }

    /// What describes a device; `None` if nothing can.
    pub(super) fn of(link: &LinkOptions, device: &DeviceOptions) -> Option<Self> {
        if let Some(edge) = &device.sparkplug {
            let filters =
                ["NBIRTH", "DBIRTH"].map(|kind| format!("{}{}/{kind}/{}/#", sparkplug::PREFIX, edge.group, edge.node));
            return Some(Wanted { filters: filters.into(), nodes: vec![(edge.group.clone(), edge.node.clone())] });
        }
        let filter = match device {
            DeviceOptions { bridge: Some(bridge), .. } => format!("{bridge}{LIST}"),
            DeviceOptions { home_assistant: Some(_), .. } => format!("{}/#", link.discovery_prefix),
            DeviceOptions { topic, .. } => format!("{}/#", topic.as_ref()?),
        };
        Some(Wanted { filters: vec![filter], nodes: vec![] })
    }
}

/// What was heard.
pub(super) struct Findings {
    prefix: String,
    subscribe: Vec<String>,
    bridges: BTreeMap<String, Vec<Device>>,
    assistant: home_assistant::Devices,
    births: Births,
    /// Edge nodes that were heard of, and when they were asked for their births.
    nodes: BTreeMap<(String, String), Option<Instant>>,
    topics: BTreeMap<String, Bytes>,
    room: Room,
}

/// How much is kept of which topic.
#[derive(Default)]
struct Room {
    bytes: HashMap<String, usize>,
    total: usize,
}

impl Room {
    /// Counts a message as kept, in place of the one before of its topic. False if there is no room for it.
    fn take(&mut self, topic: &str, payload: &[u8]) -> bool {
        let before = self.bytes.get(topic).copied().unwrap_or(0);
        let bytes = topic.len() + payload.len();
        let total = self.total - before + bytes;
        let fits = total <= TOTAL_BYTES_MAX;
        if fits {
            self.bytes.insert(topic.to_owned(), bytes);
            self.total = total;
        }
        fits
    }
}

impl Findings {
    /// Of these edge nodes the births are wanted, though they may say nothing.
    pub(super) fn new(link: &LinkOptions, nodes: Vec<(String, String)>) -> Self {
        Findings {
            prefix: link.discovery_prefix.clone(),
            subscribe: link.subscribe.clone(),
            bridges: BTreeMap::new(),
            assistant: home_assistant::Devices::default(),
            births: Births::default(),
            nodes: nodes.into_iter().map(|name| (name, None)).collect(),
            topics: BTreeMap::new(),
            room: Room::default(),
        }
    }

    /// Takes in a message; true if it is news.
    pub(super) fn take(&mut self, topic: &str, payload: &Bytes) -> bool {
        let told = sparkplug::Topic::parse(topic);
        let is_kept = told.is_none_or(|told| told.kind == sparkplug::Kind::Birth);
        if is_kept && !self.room.take(topic, payload) {
            return false;
        }
        if let Some(base) = topic.strip_suffix(LIST) {
            self.bridges.insert(base.to_owned(), zigbee2mqtt::devices(payload));
            return true;
        }
        if let Some(told) = told {
            let is_birth = self.births.take(topic, payload);
            if (!is_birth || told.device.is_some()) && self.nodes.len() < NODES_MAX {
                self.nodes.entry((told.group.to_owned(), told.node.to_owned())).or_default();
            }
            return is_birth;
        }
        if self.assistant.take(&self.prefix, topic, payload) {
            return true;
        }
        let is_short = !payload.is_empty() && payload.len() <= KEPT_BYTES_MAX;
        let is_new = !self.topics.contains_key(topic);
        if is_short && (!is_new || self.topics.len() < TOPICS_MAX) {
            self.topics.insert(topic.to_owned(), payload.clone());
        }
        is_new
    }

    /// Edge nodes that were heard of, and whose births were not, unless they were asked a moment ago.
    pub(super) fn unborn(&mut self, now: Instant) -> Vec<(String, String)> {
        let births = &self.births;
        let is_due = |asked_at: &Option<Instant>| asked_at.is_none_or(|at| now.duration_since(at) >= REBIRTH_EVERY);
        let unborn = self.nodes.iter_mut().filter(|((group, node), asked_at)| {
            is_due(asked_at) && births.points(&format!("{group}/{node}")).is_none()
        });
        let asked = unborn.map(|(name, asked_at)| {
            *asked_at = Some(now);
            name.clone()
        });
        asked.collect()
    }

    /// Every device that was described.
    pub(super) fn devices(&self) -> Vec<Discovered> {
        let bridged = self.bridges.iter().flat_map(|(base, devices)| devices.iter().map(|device| device.found(base)));
        // Zigbee2MQTT describes its devices to Home Assistant too, and says more in its own list.
        let is_twice = |id: &str| !self.bridges.is_empty() && id.starts_with("zigbee2mqtt_");
        let assistant = self.assistant.found().into_iter().filter(|(id, _)| !is_twice(id)).map(|(_, found)| found);
        let asked = |topic: &&String| self.subscribe.iter().any(|filter| covers(filter, topic));
        let plain = self
            .topics
            .iter()
            .filter(|(topic, _)| asked(topic))
            .map(|(topic, payload)| Discovered::new(json!({ "topic": topic })).said("payload", shown(payload)));
        bridged.chain(assistant).chain(self.births.devices()).chain(plain).collect()
    }

    /// The points of a device, once they are known.
    pub(super) fn points(&self, device: &DeviceOptions) -> Option<Vec<Discovered>> {
        if let Some(edge) = &device.sparkplug {
            let parts = [Some(&edge.group), Some(&edge.node), edge.device.as_ref()];
            let name: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
            return self.births.points(&name.join("/"));
        }
        if let Some(bridge) = &device.bridge {
            let topic = device.topic.as_deref()?;
            return self.bridges.get(bridge)?.iter().find(|known| known.topic(bridge) == topic).map(Device::points);
        }
        if let Some(id) = &device.home_assistant {
            return self.assistant.points(id);
        }
        let points: Vec<Discovered> = self.plain(device.topic.as_deref()?).collect();
        (!points.is_empty()).then_some(points)
    }

    /// What the last payloads of a topic, and of those below it, hold.
    fn plain(&self, base: &str) -> impl Iterator<Item = Discovered> {
        self.topics.iter().flat_map(move |(topic, payload)| {
            let below = topic.strip_prefix(base).unwrap_or_default().to_owned();
            document(payload).into_iter().flat_map(|document| document.points()).map(move |mut point| {
                if !below.is_empty() {
                    point.options["topic"] = json!(format!("{{topic}}{below}"));
                    if let Some(offer) = &mut point.offer {
                        offer.name = format!("{}_{}", below.trim_start_matches('/').replace('/', "_"), offer.name);
                    }
                }
                point
            })
        })
    }
}

/// JSON if it is some, else text.
fn document(payload: &[u8]) -> Option<Document> {
    let parsed = [Format::Json, Format::Text].map(|format| Document::parse(format, payload, Timestamp::EPOCH));
    let is_tree = matches!(payload.first(), Some(b'{' | b'['));
    let [json, text] = parsed;
    if is_tree { json.ok() } else { text.ok() }
}

fn shown(payload: &[u8]) -> String {
    let text = String::from_utf8_lossy(payload);
    let short: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if short.len() < text.len() { format!("{short}...") } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> Findings {
        let link = LinkOptions::parse(&json!({ "endpoint": "mqtt://a", "subscribe": ["#"] })).expect("right");
        Findings::new(&link, vec![])
    }

    #[test]
    fn what_is_kept_of_strangers_has_an_end() {
        let (mut findings, payload) = (findings(), Bytes::from(vec![b'7'; KEPT_BYTES_MAX]));
        let taken = (0..300).filter(|n| findings.take(&format!("t/{n:03}"), &payload)).count();
        assert_eq!(taken, TOTAL_BYTES_MAX / (KEPT_BYTES_MAX + 5));
        assert!(!findings.take("other/bridge/devices", &payload), "lists and descriptions count as well");
        assert!(!findings.take("t/000", &"8".into()), "it is no news");
        assert!(findings.take("t/300", &"8".into()), "what was replaced has made room");
    }

    #[test]
    fn an_edge_node_is_not_asked_at_every_look() {
        let (mut findings, now) = (findings(), Instant::now());
        let data = |findings: &mut Findings| assert!(!findings.take("spBv1.0/g/NDATA/n", &Bytes::new()));
        data(&mut findings);
        assert_eq!(findings.unborn(now), [("g".to_owned(), "n".to_owned())]);
        data(&mut findings);
        assert_eq!(findings.unborn(now + REBIRTH_EVERY / 2), []);
        assert_eq!(findings.unborn(now + REBIRTH_EVERY).len(), 1);
    }
}
