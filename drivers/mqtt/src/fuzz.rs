//! For fuzzing: what is read of what a stranger sends. Not an API.

use crate::home_assistant::{Devices, Template};
use crate::plan::{EdgeNode, Member};
use crate::sparkplug::{Births, Node, Now, Topic};
use crate::zigbee2mqtt;
use edgeway_sdk::{DeviceIx, PointIx, Timestamp};
use std::collections::HashMap;
use tokio::time::Instant;

/// The list of devices of a Zigbee2MQTT.
pub fn zigbee2mqtt(payload: &[u8]) {
    for device in zigbee2mqtt::devices(payload) {
        let _ = (device.found("zigbee2mqtt"), device.points());
    }
}

/// A description of Home Assistant's discovery.
pub fn home_assistant(topic: &str, payload: &[u8]) {
    let mut descriptions = Devices::default();
    descriptions.take("homeassistant", topic, payload);
    let ids: Vec<String> = descriptions.found().into_iter().map(|(id, _)| id.to_owned()).collect();
    for id in ids {
        let _ = descriptions.points(&id);
    }
}

/// A template of Home Assistant's, and what it makes of a payload.
pub fn template(text: &str, payload: &[u8]) {
    if let Ok(template) = Template::parse(text) {
        let _ = template.render(payload);
    }
}

/// A message of Sparkplug B, as it is looked at for what it offers, and as it is heard: twice, because what the first has made
/// must bear the second.
pub fn sparkplug(topic: &str, payload: &[u8]) {
    let mut births = Births::default();
    births.take(topic, payload);
    let _ = (births.devices(), births.points("plant/edge"));
    let Some(parsed) = Topic::parse(topic) else { return };
    let member = Member { devices: vec![DeviceIx(0)], metrics: HashMap::from([("Power".into(), vec![PointIx(0)])]) };
    let board = EdgeNode { members: HashMap::from([(parsed.device.map(str::to_owned), member)]) };
    let mut node = Node::default();
    for _ in 0..2 {
        node.hear(parsed, payload, &board, Now { clock: Timestamp::EPOCH, at: Instant::now() });
    }
}
