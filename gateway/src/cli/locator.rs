//! A point in one line: `modbus:tcp://10.0.0.20;unit=7;holding:100;f32`.
//!
//! ```text
//! DRIVER ":" ENDPOINT { ";" ( KEY "=" VALUE | ADDRESS | TYPE ) }
//! ```
//!
//! A key belongs to the point, the device or the link, whichever has an option of that name, looked for in this order; where
//! only a device is meant, in the order device, link. The first word without a key is the point's `at`, the second its `type`.
//! What stands in quotes may hold semicolons: `root="nsu=urn:plc;s=Boiler"`.

use crate::program::Drivers;
use edgeway_sdk::{Access, Driver, Fault, Json, Link, Problem, did_you_mean};
use serde_json::{Map, json};
use std::sync::Arc;

/// The keys that are a hint for discovery alone.
const HINTS: [&str; 1] = ["units"];

/// What a line says.
pub(super) struct Locator {
    pub(super) driver: Arc<dyn Driver>,
    pub(super) link: Json,
    pub(super) device: Json,
    pub(super) point: Json,
}

/// How much of a line is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Device,
    Point,
}

impl Locator {
    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str, what: What, drivers: &Drivers) -> Result<Self, Problem> {
        let form = "write DRIVER:ENDPOINT;ADDRESS, as in `modbus:tcp://10.0.0.20;unit=7;holding:100;f32`";
        let (name, rest) = text.split_once(':').ok_or_else(|| Problem::new("there is no driver").help(form))?;
        let driver = drivers.find(name)?;
        let mut locator = Locator { driver, link: json!({}), device: json!({}), point: json!({}) };
        let (endpoint, parts) = rest.split_once(';').unwrap_or((rest, ""));
        if !endpoint.is_empty() {
            locator.link["endpoint"] = json!(endpoint);
        }
        for part in split(parts).filter(|part| !part.is_empty()) {
            locator.take(part, what)?;
        }
        Ok(locator)
    }

    fn take(&mut self, part: &str, what: What) -> Result<(), Problem> {
        let Some((key, value)) = part.split_once('=') else { return self.take_word(part) };
        let manifest = self.driver.manifest();
        let options = &manifest.options;
        let (table, schema) = if HINTS.contains(&key) && manifest.can.discover {
            (&mut self.link, &options.link)
        } else if what == What::Point && knows(&options.point, key) {
            (&mut self.point, &options.point)
        } else if knows(&options.device, key) {
            (&mut self.device, &options.device)
        } else if knows(&options.link, key) {
            (&mut self.link, &options.link)
        } else {
            let all = [&options.point, &options.device, &options.link].into_iter().flat_map(keys);
            let problem = Problem::new(format!("driver `{}` has no option `{key}`", manifest.name));
            return Err(problem.maybe_help(did_you_mean(key, all)));
        };
        table[key] = read(value, &schema["properties"][key]);
        Ok(())
    }

    fn take_word(&mut self, word: &str) -> Result<(), Problem> {
        for key in ["at", "type"] {
            if self.point.get(key).is_none() && knows(&self.driver.manifest().options.point, key) {
                self.point[key] = json!(word);
                return Ok(());
            }
        }
        Err(Problem::new(format!("`{word}` is one word too many")).help("write options as KEY=VALUE"))
    }

    /// Everything that the driver finds wrong with it.
    pub(super) fn problems(&self, with: What) -> Vec<Problem> {
        let mut problems = self.driver.check_link(&self.link).err().unwrap_or_default();
        problems.extend(self.driver.check_device(&self.device));
        if with == What::Point {
            problems.extend(self.driver.check_point(&self.point, Access::Read));
        }
        problems
    }

    pub(super) fn open(&self) -> Result<Arc<dyn Link>, Fault> {
        self.driver.open(self.link.clone())
    }
}

/// The parts between semicolons that stand in no quotes.
fn split(parts: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    parts.split(move |c| {
        quoted ^= c == '"';
        c == ';' && !quoted
    })
}

/// A value as JSON has it. What can only be a text is one without quotes too, as `password=1234`.
fn read(value: &str, schema: &Json) -> Json {
    let kinds = match &schema["type"] {
        Json::Array(kinds) => kinds.as_slice(),
        kind => std::slice::from_ref(kind),
    };
    let is_text = kinds.iter().all(|kind| kind == "string" || kind == "null");
    let read = serde_json::from_str(value).ok().filter(|json: &Json| json.is_string() || !is_text);
    read.unwrap_or_else(|| json!(value))
}

fn properties(schema: &Json) -> Option<&Map<String, Json>> {
    schema.get("properties")?.as_object()
}

fn keys(schema: &Json) -> impl Iterator<Item = &str> {
    properties(schema).into_iter().flat_map(|all| all.keys().map(String::as_str))
}

fn knows(schema: &Json, key: &str) -> bool {
    properties(schema).is_some_and(|all| all.contains_key(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> Drivers {
        Drivers::of(std::path::Path::new("/nowhere")).0
    }

    fn wrong(text: &str) -> String {
        Locator::parse(text, What::Point, &here()).err().expect("wrong").to_string()
    }

    #[test]
    fn every_part_finds_its_place() {
        let text = "modbus:serial:///dev/ttyUSB0;baud=9600;parity=none;unit=7;holding:100;f32;order=CDAB";
        let locator = Locator::parse(text, What::Point, &here()).expect("right");
        assert_eq!(locator.link, json!({ "endpoint": "serial:///dev/ttyUSB0", "baud": 9600, "parity": "none" }));
        assert_eq!(locator.device, json!({ "unit": 7 }));
        assert_eq!(locator.point, json!({ "at": "holding:100", "type": "f32", "order": "CDAB" }));
        assert_eq!(locator.problems(What::Point), []);
    }

    #[test]
    fn a_text_of_digits_is_a_text_and_quotes_hold_semicolons() {
        let text = r#"mqtt:mqtt://10.0.0.5;password=1234;username="5";keep_alive=30s;qos=1;topic="a;b""#;
        let locator = Locator::parse(text, What::Device, &here()).expect("right");
        let link = json!({ "endpoint": "mqtt://10.0.0.5", "password": "1234", "username": "5", "keep_alive": "30s", "qos": 1 });
        assert_eq!((locator.link, locator.device), (link, json!({ "topic": "a;b" })));
    }

    #[test]
    fn where_only_a_device_is_meant_nothing_belongs_to_a_point() {
        let text = "http:http://10.0.0.30;path=/meter/1;timeout=1s";
        let locator = Locator::parse(text, What::Device, &here()).expect("right");
        assert_eq!(locator.device, json!({ "path": "/meter/1" }));
        let point = Locator::parse(text, What::Point, &here()).expect("right").point;
        assert_eq!(point, json!({ "path": "/meter/1" }));
    }

    #[test]
    fn what_is_wrong_is_told_with_what_would_be_right() {
        assert!(wrong("modbus").starts_with("there is no driver (write DRIVER:ENDPOINT;ADDRESS"));
        assert_eq!(wrong("modbs:tcp://a"), "unknown driver `modbs` (did you mean `modbus`?)");
        assert_eq!(wrong("modbus:tcp://a;unti=7"), "driver `modbus` has no option `unti` (did you mean `unit`?)");
        assert_eq!(wrong("modbus:tcp://a;holding:1;u16;7"), "`7` is one word too many (write options as KEY=VALUE)");
    }
}
