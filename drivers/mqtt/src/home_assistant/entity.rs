//! One entity, and the points that it is.

use super::template;
use edgeway_sdk::{Access, Discovered, Holds, Json, Offer};
use serde_json::{Map, json};

/// An entity with its keys in full.
#[derive(Debug)]
pub(super) struct Entity {
    component: String,
    config: Map<String, Json>,
}

/// The keys of a value: where it is told, how it is read, and where it is set.
struct Value {
    name: &'static str,
    state: &'static str,
    templates: [&'static str; 2],
    command: &'static str,
}

/// The words of two values, in a state and in a command.
struct Words {
    told: [String; 2],
    sent: [String; 2],
}

const VALUES: [Value; 12] = [
    value("", "state_topic", ["value_template", "state_value_template"], "command_topic"),
    value("action", "action_topic", ["action_template", ""], ""),
    value("brightness", "brightness_state_topic", ["brightness_value_template", ""], "brightness_command_topic"),
    value("color_temp", "color_temp_state_topic", ["color_temp_value_template", ""], "color_temp_command_topic"),
    value("current_humidity", "current_humidity_topic", ["current_humidity_template", ""], ""),
    value("current_temperature", "current_temperature_topic", ["current_temperature_template", ""], ""),
    value("fan_mode", "fan_mode_state_topic", ["fan_mode_state_template", ""], "fan_mode_command_topic"),
    value("mode", "mode_state_topic", ["mode_state_template", ""], "mode_command_topic"),
    value("percentage", "percentage_state_topic", ["percentage_value_template", ""], "percentage_command_topic"),
    value("position", "position_topic", ["position_template", ""], "set_position_topic"),
    value("temperature", "temperature_state_topic", ["temperature_state_template", ""], "temperature_command_topic"),
    value("tilt", "tilt_status_topic", ["tilt_status_template", ""], "tilt_command_topic"),
];

const fn value(name: &'static str, state: &'static str, templates: [&'static str; 2], command: &'static str) -> Value {
    Value { name, state, templates, command }
}

impl Entity {
    pub(super) fn new(component: &str, config: Map<String, Json>) -> Self {
        Entity { component: component.to_owned(), config }
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.config.get(key)?.as_str().filter(|text| !text.is_empty())
    }

    fn number(&self, key: &str) -> Option<f64> {
        self.config.get(key)?.as_f64()
    }

    /// A light whose payloads are JSON with fields of fixed names.
    fn is_json_light(&self) -> bool {
        self.component == "light" && self.text("schema") == Some("json")
    }

    /// Where it is said whether it is there, as the options of a device's availability.
    pub(super) fn availability(&self) -> Vec<Json> {
        let mut all: Vec<Json> = vec![];
        let listed = self.config.get("availability").and_then(Json::as_array).into_iter().flatten();
        all.extend(listed.filter_map(|one| availability(one.as_object()?, "topic", "value_template")));
        all.extend(availability(&self.config, "availability_topic", "availability_template"));
        all
    }

    /// Its values as the options of points.
    pub(super) fn points(&self) -> Vec<Discovered> {
        if self.is_json_light() {
            return self.json_light();
        }
        VALUES.iter().filter_map(|value| self.point(value)).collect()
    }

    fn point(&self, value: &Value) -> Option<Discovered> {
        let (state, command) = (self.text(value.state), self.text(value.command));
        // A command that is more than the word for the value cannot be made.
        let has_template = self.text(&value.command.replace("topic", "template")).is_some();
        let command = command.filter(|_| !has_template);
        let command = command.filter(|_| state.is_none() || !value.name.is_empty() || self.has_one_language());
        let access = match (state, command) {
            (Some(_), Some(_)) => Access::ReadWrite,
            (Some(_), None) => Access::Read,
            (None, Some(_)) => Access::Write,
            (None, None) => return None,
        };
        let mut options = Map::new();
        options.extend(state.map(|topic| ("topic".to_owned(), json!(topic))));
        options.extend(command.map(|topic| ("set".to_owned(), json!(topic))));
        if state == command {
            // What is written would come back and confirm itself.
            options.insert("confirm".into(), json!("publish"));
        }
        let template = value.templates.iter().find_map(|key| self.text(key));
        let is_number = self.place(template, command.is_some(), &mut options);
        let holds = self.holds(value, is_number);
        self.put_words(value, &holds, access, &mut options);
        if matches!(holds, Holds::Float { .. } | Holds::Int { .. }) {
            options.insert("type".into(), json!("number"));
        }
        Some(Discovered::new(options.into()).offering(self.offer(value, holds).access(access)))
    }

    /// How the value is read and written; true if it is said to be a number.
    fn place(&self, template: Option<&str>, is_written: bool, options: &mut Map<String, Json>) -> bool {
        let mut put = |key: &str, value: Json| drop(options.insert(key.to_owned(), value));
        let Some(template) = template else {
            put("format", json!("text"));
            return false;
        };
        match template::path(template) {
            Some(path) if path.at.is_empty() => {
                put("format", json!("text"));
                path.is_number
            }
            Some(path) if !is_written => {
                put("at", json!(path.at));
                path.is_number
            }
            Some(path) if path.is_number => {
                put("at", json!(path.at));
                put("payload", json!("{value}"));
                true
            }
            // Commands are bare words, whatever the states are.
            _ => {
                put("format", json!("text"));
                put("template", json!(template));
                false
            }
        }
    }

    fn holds(&self, value: &Value, is_number: bool) -> Holds {
        let component = self.component.as_str();
        let limits = (self.number("min"), self.number("max"));
        match (component, value.name) {
            (_, "brightness") => {
                Holds::Int { min: Some(0), max: Some(self.number("brightness_scale").unwrap_or(255.0) as i64) }
            }
            (_, "color_temp") => Holds::Int { min: None, max: None },
            (_, "percentage" | "position" | "tilt") => Holds::Int { min: Some(0), max: Some(100) },
            (_, "current_humidity" | "current_temperature") => Holds::Float { min: None, max: None },
            (_, "temperature") => Holds::Float { min: self.number("min_temp"), max: self.number("max_temp") },
            ("number", _) => Holds::Float { min: limits.0, max: limits.1 },
            ("binary_sensor" | "switch" | "light" | "fan" | "siren" | "lock" | "button" | "scene", "") => Holds::Bool,
            _ => match self.words(value) {
                words if !words.is_empty() => Holds::Enum { words: (0..).zip(words).collect() },
                _ if is_number || self.is_measured() => Holds::Float { min: None, max: None },
                _ => Holds::Text,
            },
        }
    }

    fn is_measured(&self) -> bool {
        self.component == "sensor" && (self.text("unit_of_measurement").is_some() || self.text("state_class").is_some())
    }

    fn words(&self, value: &Value) -> Vec<String> {
        let key = match value.name {
            "" => "options",
            "mode" => "modes",
            "fan_mode" => "fan_modes",
            _ => return vec![],
        };
        let words = self.config.get(key).and_then(Json::as_array).into_iter().flatten();
        words.filter_map(|word| word.as_str().map(str::to_owned)).collect()
    }

    /// The words that stand for values.
    fn put_words(&self, value: &Value, holds: &Holds, access: Access, options: &mut Map<String, Json>) {
        let map: Map<String, Json> = match holds {
            Holds::Enum { words } => words.iter().map(|(number, word)| (word.clone(), json!(number))).collect(),
            Holds::Bool if value.name.is_empty() => {
                let Words { told, sent } = self.two_words();
                let words = if access.reads() { told } else { sent };
                // A button has one word alone.
                let pairs = words.into_iter().zip([json!(true), json!(false)]);
                pairs.filter(|(word, _)| !word.is_empty()).collect()
            }
            _ => return,
        };
        options.insert("map".into(), map.into());
    }

    /// Whether a state is told in the same words as it is set.
    fn has_one_language(&self) -> bool {
        let Words { told, sent } = self.two_words();
        told == sent
            && !matches!(self.component.as_str(), "cover" | "valve" | "vacuum" | "lawn_mower" | "alarm_control_panel")
    }

    fn two_words(&self) -> Words {
        let word = |keys: [&str; 2], default: &str| {
            let found = keys.iter().find_map(|key| self.config.get(*key));
            found.map_or(default.to_owned(), |word| word.as_str().map_or_else(|| word.to_string(), str::to_owned))
        };
        let one = |on: &str, off: &str, keys: [&str; 2]| [word([keys[0], ""], on), word([keys[1], ""], off)];
        match self.component.as_str() {
            "lock" => Words {
                told: one("LOCKED", "UNLOCKED", ["state_locked", "state_unlocked"]),
                sent: one("LOCK", "UNLOCK", ["payload_lock", "payload_unlock"]),
            },
            "button" => {
                let press = || [word(["payload_press", ""], "PRESS"), String::new()];
                Words { told: press(), sent: press() }
            }
            _ => Words {
                told: [word(["state_on", "payload_on"], "ON"), word(["state_off", "payload_off"], "OFF")],
                sent: one("ON", "OFF", ["payload_on", "payload_off"]),
            },
        }
    }

    fn offer(&self, value: &Value, holds: Holds) -> Offer {
        let own = self.text("object_id").or_else(|| self.text("name")).or_else(|| self.text("device_class"));
        let own = own.or_else(|| self.text("unique_id")).unwrap_or(&self.component);
        let name = if value.name.is_empty() { own.to_owned() } else { format!("{own}_{}", value.name) };
        let unit = match value.name {
            "" => self.text("unit_of_measurement").unwrap_or_default(),
            "percentage" | "position" | "tilt" | "current_humidity" => "%",
            _ => "",
        };
        let described = [Some(self.component.as_str()), self.text("name"), self.text("device_class")];
        let described: Vec<&str> = described.into_iter().flatten().collect();
        Offer::new(name, holds).unit(unit).described(described.join(", "))
    }

    fn json_light(&self) -> Vec<Discovered> {
        let (Some(state), Some(command)) = (self.text("state_topic"), self.text("command_topic")) else {
            return vec![];
        };
        let scale = self.number("brightness_scale").unwrap_or(255.0) as i64;
        let point = |at: &str, holds: Holds, map: Option<Json>| {
            let mut options = json!({ "topic": state, "set": command, "at": at });
            if state == command {
                options["confirm"] = json!("publish");
            }
            if let Some(map) = map {
                options["map"] = map;
            }
            let (name, description) = (format!("{}_{at}", self.text("name").unwrap_or("light")), "light");
            let offer = Offer::new(name, holds).access(Access::ReadWrite).described(description);
            Discovered::new(options).offering(offer)
        };
        let mut points = vec![point("state", Holds::Bool, Some(json!({ "ON": true, "OFF": false })))];
        if self.config.get("brightness") == Some(&json!(true)) {
            points.push(point("brightness", Holds::Int { min: Some(0), max: Some(scale) }, None));
        }
        points
    }
}

/// One availability as options; `None` if its words are hidden in a template.
fn availability(config: &Map<String, Json>, topic: &str, template: &str) -> Option<Json> {
    let text = |key: &str| config.get(key).and_then(Json::as_str).map(str::to_owned);
    let mut options = Map::from_iter([("topic".to_owned(), json!(text(topic)?))]);
    if let Some(template) = text(template) {
        let path = template::path(&template)?;
        if !path.at.is_empty() {
            options.insert("at".into(), json!(path.at));
        }
    }
    for (word, key) in [("payload_available", "online"), ("payload_not_available", "offline")] {
        options.extend(text(word).map(|word| (key.to_owned(), json!(as_in_json(word, options.contains_key("at"))))));
    }
    Some(options.into())
}

/// Home Assistant writes bools as Python does.
fn as_in_json(word: String, is_in_json: bool) -> String {
    match (word.as_str(), is_in_json) {
        ("True" | "False", true) => word.to_lowercase(),
        _ => word,
    }
}
