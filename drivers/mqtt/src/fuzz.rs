//! For fuzzing: what is read of what a stranger sends. Not an API.

use crate::config::Edge;
use crate::plan::{EdgeNode, Member};
use crate::sparkplug::{Births, Node, Topic};
use crate::{home_assistant, zigbee2mqtt};
use edgeway_sdk::{DeviceIx, PointIx, Timestamp};
use std::collections::HashMap;

/// Reads a list of devices of Zigbee2MQTT, and everything that they expose.
pub fn zigbee2mqtt(payload: &[u8]) {
    for device in zigbee2mqtt::devices(payload) {
        let _ = (device.found("zigbee2mqtt"), device.points());
    }
}

/// Reads a description in the form of Home Assistant's discovery.
pub fn home_assistant(topic: &str, payload: &[u8]) {
    let mut devices = home_assistant::Devices::default();
    devices.take("homeassistant", topic, payload);
    for (id, _) in devices.found() {
        let _ = devices.points(id);
    }
}

/// Reads and evaluates a template as it stands in a description.
pub fn template(text: &str, payload: &[u8]) {
    if let Ok(template) = home_assistant::Template::parse(text) {
        let _ = template.render(payload);
    }
}

/// Hears a message of Sparkplug B twice: what the first has made must bear the second.
pub fn sparkplug(topic: &str, payload: &[u8]) {
    let Some(parsed) = Topic::parse(topic) else { return };
    let metrics = HashMap::from([("Power".into(), vec![PointIx(0)])]);
    let member = Member { devices: vec![DeviceIx(0)], metrics };
    let board = EdgeNode { members: HashMap::from([(parsed.device.map(str::to_owned), member)]) };
    let mut node = Node::default();
    let edge = Edge { group: parsed.group.into(), node: parsed.node.into(), device: parsed.device.map(str::to_owned) };
    for _ in 0..2 {
        node.hear(parsed, payload, &board, Timestamp::EPOCH);
        let _ = node.data_type(&edge, "Power");
    }
    let mut births = Births::default();
    births.take(topic, payload);
    let _ = births.devices();
}
