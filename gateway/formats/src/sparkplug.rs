//! Sparkplug B (Eclipse Sparkplug 3.0), as an edge node with its devices.
//!
//! | message | when |
//! | --- | --- |
//! | NDEATH | the will of a connection, with the `bdSeq` of its NBIRTH |
//! | NBIRTH | first on every connection, and when a host asks for it by NCMD (`Node Control/Rebirth`): `bdSeq`, `Node Control/Rebirth`, `Properties/Gateway`, `Properties/Site` |
//! | DBIRTH | when a device comes, and for its first message on a connection: all its metrics with the values known from what passed, or null |
//! | DDATA | reports and events of a device that was born |
//! | DDEATH | when a device goes; and again for a report without one usable value while it is away |
//!
//! Metrics of a device are its properties by name, `Device Events/<event>/kind` and `Device Events/<event>/<output>` for
//! its events, and `Device Status/State` with `Device Status/Reason`. Late messages say their metrics as historical and change nothing else.

mod device;
mod metric;
mod node;
mod said;

use crate::{Content, Format, Item, Payload, Surroundings, Unfit};
use bytes::Bytes;
use device::{Known, Standing};
use edgeway_sdk::{DeviceIx, Timestamp};
use edgeway_thing_models::Things;
use metric::Tense;
use node::{Node, Verb};
use said::Said;
use std::collections::BTreeMap;
use std::sync::Arc;

const MEDIA_TYPE: &str = "application/x-protobuf";

/// See the file's head.
pub(crate) struct SparkplugB {
    things: Arc<Things>,
    node: Node,
    devices: BTreeMap<DeviceIx, Known>,
}

impl SparkplugB {
    /// `started` is now; the first `bdSeq` is made from it, so that it differs from that of the run before.
    pub(crate) fn new(group: &str, node: &str, around: &Surroundings, started: Timestamp) -> Self {
        let node = Node::new(group, node, around, started);
        SparkplugB { things: around.things.clone(), node, devices: BTreeMap::new() }
    }

    fn say(&mut self, said: Said, item: &Item) -> (String, Bytes) {
        let known = self.devices.entry(said.device).or_insert_with(|| Known::of(self.things.model_of(said.device)));
        let time = item.message.time;
        let name = &self.things.device(said.device).id;
        let (verb, metrics) = match known.hear(&said, item.late) {
            Reaction::Birth(tense) => (Verb::Birth, known.birth(&said.updates, tense, time)),
            Reaction::Data(tense) => (Verb::Data, known.data(&said.updates, tense)),
            Reaction::Death => (Verb::Death, vec![]),
        };
        self.node.of_device(verb, name, metrics, time.as_millis())
    }
}

/// What a message makes the node say of its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reaction {
    Birth(Tense),
    Data(Tense),
    Death,
}

impl Format for SparkplugB {
    fn will(&mut self) -> Option<(String, Bytes)> {
        Some(self.node.will())
    }

    fn greeting(&mut self, time_ms: i64) -> Vec<(String, Bytes)> {
        let mut greeting = vec![self.node.birth(time_ms)];
        let time = Timestamp::from_millis(time_ms);
        for (device, known) in &self.devices {
            let name = &self.things.device(*device).id;
            let metrics = known.birth(&[], Tense::Present, time);
            greeting.push(self.node.of_device(Verb::Birth, name, metrics, time_ms));
            // Its history can still come, and needs the birth to be understood.
            if known.standing == Standing::Away {
                greeting.push(self.node.of_device(Verb::Death, name, vec![], time_ms));
            }
        }
        greeting
    }

    fn listens(&self) -> Option<String> {
        Some(self.node.commands())
    }

    fn wants_greeting(&self, payload: &[u8]) -> bool {
        node::asks_for_rebirth(payload)
    }

    fn encode(&mut self, items: &[Item]) -> Result<Vec<Payload>, Unfit> {
        let said = items
            .iter()
            .enumerate()
            .map(|(at, item)| Said::of(item, &self.things).map_err(|reason| Unfit::new(at, reason)));
        let said: Vec<Said> = said.collect::<Result<_, _>>()?;
        let payloads = said.into_iter().zip(items).enumerate().map(|(at, (said, item))| {
            let (topic, bytes) = self.say(said, item);
            Payload { topic: Some(topic), content: Content::Bytes(bytes, MEDIA_TYPE), items: at..at + 1 }
        });
        Ok(payloads.collect())
    }
}

#[cfg(test)]
mod tests;
