//! What Zigbee2MQTT says of its devices in `BASE/bridge/devices`: pure.
//!
//! Each device has a list of what it exposes (zigbee2mqtt.io, "Exposes"), which becomes points with offers. The bits of
//! `access` are: 1, it is published; 2, it can be set; 4, it can be asked for.

use edgeway_sdk::{Access, Discovered, Holds, Json, Offer};
use serde::Deserialize;
use serde_json::{Map, json};

const PUBLISHED: u8 = 1;
const SET: u8 = 2;
const GET: u8 = 4;

/// A device in the list.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Device {
    friendly_name: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    ieee_address: String,
    #[serde(default)]
    disabled: bool,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    definition: Option<Definition>,
}

#[derive(Debug, Clone, Deserialize)]
struct Definition {
    #[serde(default)]
    model: String,
    #[serde(default)]
    vendor: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    exposes: Vec<Expose>,
}

/// Something that a device has, or a group of such (`light`, `climate`, ...).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Expose {
    #[serde(rename = "type")]
    kind: String,
    name: Option<String>,
    property: Option<String>,
    label: Option<String>,
    description: Option<String>,
    access: u8,
    unit: Option<String>,
    value_min: Option<f64>,
    value_max: Option<f64>,
    value_step: Option<f64>,
    value_on: Json,
    value_off: Json,
    values: Vec<Json>,
    features: Vec<Expose>,
    item_type: Option<Box<Expose>>,
}

/// The devices of a list; those that cannot be read are left out.
pub(crate) fn devices(payload: &[u8]) -> Vec<Device> {
    let all: Vec<Json> = serde_json::from_slice(payload).unwrap_or_default();
    let read = all.into_iter().filter_map(|device| Device::deserialize(device).ok());
    read.filter(|device| device.kind != "Coordinator").collect()
}

impl Device {
    /// The topic of its states.
    pub(crate) fn topic(&self, base: &str) -> String {
        format!("{base}/{}", self.friendly_name)
    }

    /// It as the options of a device.
    pub(crate) fn found(&self, base: &str) -> Discovered {
        let options = json!({ "topic": self.topic(base), "bridge": base });
        let mut found = Discovered::new(options).said("speaks", "Zigbee2MQTT").said("name", &self.friendly_name);
        match &self.definition {
            Some(Definition { vendor, model, description, .. }) => {
                for (name, text) in [("vendor", vendor), ("model", model), ("is", description)] {
                    if !text.is_empty() {
                        found = found.said(name, text);
                    }
                }
            }
            None => found = found.said("is", "not supported by Zigbee2MQTT"),
        }
        if self.disabled {
            found = found.said("state", "disabled");
        }
        if let Some(description) = self.description.as_ref().filter(|text| !text.is_empty()) {
            found = found.said("description", description);
        }
        found.said("address", &self.ieee_address)
    }

    /// What it exposes, each as the options of a point.
    pub(crate) fn points(&self) -> Vec<Discovered> {
        let mut points = vec![];
        for expose in self.definition.iter().flat_map(|definition| &definition.exposes) {
            expose.add(&Place::default(), &mut points);
        }
        points
    }
}

/// Where the features of a composite are.
#[derive(Debug, Clone, Default)]
struct Place {
    path: String,
    name: String,
    /// The property of the whole, by which all of it is asked for.
    whole: Option<String>,
}

impl Place {
    fn below(&self, property: &str) -> Place {
        let name = if self.name.is_empty() { property.to_owned() } else { format!("{}_{property}", self.name) };
        let whole = self.whole.clone().or_else(|| Some(property.to_owned()));
        Place { path: below(&self.path, property), name, whole }
    }
}

impl Expose {
    fn add(&self, place: &Place, points: &mut Vec<Discovered>) {
        let property = self.property.as_deref().or(self.name.as_deref()).filter(|property| !property.is_empty());
        match (self.kind.as_str(), property) {
            ("composite", Some(property)) => {
                let place = place.below(property);
                self.features.iter().for_each(|feature| feature.add(&place, points));
            }
            // A kind of device: its features stand beside each other.
            (_, _) if !self.features.is_empty() => self.features.iter().for_each(|feature| feature.add(place, points)),
            (_, Some(property)) => points.extend(self.point(&place.below(property))),
            _ => {}
        }
    }

    fn point(&self, place: &Place) -> Option<Discovered> {
        let access = match (self.access & (PUBLISHED | GET) != 0, self.access & SET != 0) {
            (true, true) => Access::ReadWrite,
            (true, false) => Access::Read,
            (false, true) => Access::Write,
            (false, false) => return None,
        };
        let mut options = Map::from_iter([("at".to_owned(), json!(place.path))]);
        if let Some(map) = self.words() {
            options.insert("map".into(), map.into());
        }
        if let Some(whole) = place.whole.as_ref().filter(|_| self.access & GET != 0) {
            options.insert("get".into(), json!({ "payload": json!({ whole: "" }).to_string() }));
        }
        let found = Discovered::new(options.into());
        Some(match self.holds() {
            Some(holds) => found.offering(self.offer(place, holds).access(access)),
            None => found.said("type", &self.kind),
        })
    }

    fn offer(&self, place: &Place, holds: Holds) -> Offer {
        let texts = [self.label.as_deref(), self.description.as_deref()].into_iter().flatten();
        let texts: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
        let unit = self.unit.clone().unwrap_or_default();
        Offer::new(&place.name, holds).unit(unit).described(texts.join(": "))
    }

    /// The device's words, and the values that they stand for.
    fn words(&self) -> Option<Map<String, Json>> {
        let word = |json: &Json| json.as_str().map(str::to_owned);
        match self.kind.as_str() {
            "binary" => {
                let (on, off) = (word(&self.value_on)?, word(&self.value_off)?);
                Some(Map::from_iter([(on, json!(true)), (off, json!(false))]))
            }
            "enum" => {
                let numbered = (0_i64..).zip(&self.values);
                Some(numbered.map(|(number, word)| (spelt(word), json!(number))).collect())
            }
            _ => None,
        }
    }

    fn holds(&self) -> Option<Holds> {
        Some(match self.kind.as_str() {
            "binary" => Holds::Bool,
            "numeric" => self.number(),
            "enum" => Holds::Enum { words: (0..).zip(self.values.iter().map(spelt)).collect() },
            "text" => Holds::Text,
            "composite" => {
                let field =
                    |feature: &Expose| Some((feature.property.clone().or(feature.name.clone())?, feature.holds()?));
                Holds::Struct { fields: self.features.iter().filter_map(field).collect() }
            }
            "list" => Holds::Array { of: Box::new(self.item_type.as_ref()?.holds()?) },
            _ => return None,
        })
    }

    /// A number is whole if its steps are and its limits too.
    fn number(&self) -> Holds {
        let whole = |limit: f64| (limit.fract() == 0.0 && limit.abs() < 9.0e15).then_some(limit as i64);
        let limits = (self.value_min.map(whole), self.value_max.map(whole), self.value_step.map(whole));
        match limits {
            (Some(Some(min)), Some(Some(max)), Some(Some(_))) => Holds::Int { min: Some(min), max: Some(max) },
            _ => Holds::Float { min: self.value_min, max: self.value_max },
        }
    }
}

/// A word of an enum; some are numbers.
fn spelt(word: &Json) -> String {
    word.as_str().map_or_else(|| word.to_string(), str::to_owned)
}

/// The path of a field of what is at this path.
pub(crate) fn below(path: &str, name: &str) -> String {
    let is_plain = !name.is_empty()
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_numeric());
    match (path, is_plain) {
        ("", true) => name.to_owned(),
        ("", false) => format!("$['{}']", name.replace('\\', r"\\").replace('\'', r"\'")),
        (path, true) => format!("{path}.{name}"),
        (path, false) => format!("{path}['{}']", name.replace('\\', r"\\").replace('\'', r"\'")),
    }
}

#[cfg(test)]
mod tests;
