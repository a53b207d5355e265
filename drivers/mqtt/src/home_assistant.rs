//! Descriptions in the form of Home Assistant's MQTT discovery: pure.
//!
//! A message `PREFIX/COMPONENT/[NODE/]OBJECT/config` describes one entity; `PREFIX/device/[NODE/]OBJECT/config` describes a
//! device with all of its own. Keys may be abbreviated, and `~` stands for a common part of topics
//! (home-assistant.io, "MQTT discovery").

mod entity;
mod keys;
mod template;

pub(crate) use template::Template;

use edgeway_sdk::{Discovered, Json};
use entity::Entity;
use serde_json::{Map, json};
use std::collections::BTreeMap;

/// A device with its entities.
#[derive(Debug, Default)]
pub(crate) struct Device {
    said: Vec<(&'static str, String)>,
    /// By where they are described: what is described again takes the place of the former.
    entities: BTreeMap<String, Entity>,
}

/// More devices are no list for a person.
const DEVICES_MAX: usize = 10_000;
/// More entities no device has.
const ENTITIES_MAX: usize = 1_000;

/// Devices by their identifiers.
#[derive(Debug, Default)]
pub(crate) struct Devices(BTreeMap<String, Device>);

impl Devices {
    /// Takes in a message; false if it describes nothing.
    pub(crate) fn take(&mut self, prefix: &str, topic: &str, payload: &[u8]) -> bool {
        let Some((component, id)) = place(prefix, topic) else { return false };
        let Ok(Json::Object(config)) = serde_json::from_slice(payload) else { return false };
        let mut config = keys::whole(config);
        let (id, about) = identity(&config).unwrap_or_else(|| (id.to_owned(), vec![]));
        if self.0.len() >= DEVICES_MAX && !self.0.contains_key(&id) {
            return false;
        }
        let device = self.0.entry(id).or_default();
        if device.said.is_empty() {
            device.said = about;
        }
        if component != "device" {
            device.add(topic.to_owned(), Entity::new(component, config));
            return true;
        }
        let components = config.remove("components");
        for (name, part) in components.as_ref().and_then(Json::as_object).into_iter().flatten() {
            if let Some(entity) = part.as_object().and_then(|part| of_device(&config, part)) {
                device.add(format!("{topic}/{name}"), entity);
            }
        }
        true
    }

    /// Each as the options of a device, with its identifier.
    pub(crate) fn found(&self) -> Vec<(&str, Discovered)> {
        self.0.iter().map(|(id, device)| (id.as_str(), device.found(id))).collect()
    }

    /// The points of a device.
    pub(crate) fn points(&self, id: &str) -> Option<Vec<Discovered>> {
        let device = self.0.get(id)?;
        Some(device.entities.values().flat_map(Entity::points).collect())
    }
}

impl Device {
    fn add(&mut self, place: String, entity: Entity) {
        if self.entities.len() < ENTITIES_MAX {
            self.entities.insert(place, entity);
        }
    }

    fn found(&self, id: &str) -> Discovered {
        let mut availability: Vec<Json> = vec![];
        for one in self.entities.values().flat_map(Entity::availability) {
            if !availability.contains(&one) {
                availability.push(one);
            }
        }
        let mut options = Map::from_iter([("home_assistant".to_owned(), json!(id))]);
        if !availability.is_empty() {
            options.insert("availability".into(), availability.into());
        }
        let found = Discovered::new(options.into()).said("speaks", "Home Assistant discovery");
        self.said.iter().fold(found, |found, (name, text)| found.said(*name, text))
    }
}

/// The component and the object of a topic that describes something.
fn place<'t>(prefix: &str, topic: &'t str) -> Option<(&'t str, &'t str)> {
    let rest = topic.strip_prefix(prefix)?.strip_prefix('/')?.strip_suffix("/config")?;
    let parts: Vec<&str> = rest.split('/').collect();
    match parts[..] {
        [component, object] | [component, _, object] => Some((component, object)),
        _ => None,
    }
}

/// What tells a device from others, and what it says of itself.
fn identity(config: &Map<String, Json>) -> Option<(String, Vec<(&'static str, String)>)> {
    let device = config.get("device")?.as_object()?;
    let first = |json: &Json| match json {
        Json::Array(items) => items.first().and_then(text),
        json => text(json),
    };
    let connection = || device.get("connections")?.as_array()?.first()?.as_array()?.last().and_then(text);
    let id = device.get("identifiers").and_then(first).or_else(connection)?;
    let names = [("name", "name"), ("manufacturer", "vendor"), ("model", "model"), ("sw_version", "version")];
    let about = names.iter().filter_map(|(key, name)| Some((*name, device.get(*key).and_then(text)?)));
    Some((id, about.collect()))
}

fn text(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// An entity in the description of a device, which has what is common to all.
fn of_device(common: &Map<String, Json>, part: &Map<String, Json>) -> Option<Entity> {
    let part = keys::whole(part.clone());
    let component = part.get("platform")?.as_str()?.to_owned();
    let mut config = common.clone();
    config.extend(part);
    Some(Entity::new(&component, keys::with_base(config)))
}

#[cfg(test)]
mod tests;
