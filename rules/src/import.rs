//! Bringing scenes over from Alibaba's Link Edge.
//!
//! The JSON is read into a rule that is proved against the site's models, and the rule is written as a script that a
//! person could have written. What Edgeway cannot say is a problem with its place in the JSON; what it says differently
//! is a note. Nothing is left out in silence.

mod actions;
mod branches;
mod ca;
mod comparison;
mod conditions;
mod cron;
mod layout;
mod literal;
mod names;
mod node;
mod notes;
mod places;
mod range;
mod rule;
mod script;
mod title;
mod triggers;

use edgeway_sdk::{Json, Problem};
use edgeway_thing_models::Things;
use jiff::tz::TimeZone;
use node::Node;
use rule::Rule;
use std::collections::BTreeMap;

/// Bytes.
const JSON_BYTES_MAX: usize = 1 << 20;
/// Bytes.
const NAME_BYTES_MAX: usize = 128;

/// A script made from a Link Edge scene.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The script, in Rhai.
    pub script: String,
    /// What whoever takes it over should know: where Link Edge does it differently, and what is left to do by hand.
    pub notes: Vec<String>,
}

/// The site that a Link Edge scene is brought to.
#[derive(Debug, Clone, Copy)]
pub struct ImportSite<'a> {
    /// Its devices and models. A `deviceName` is a device's id.
    pub things: &'a Things,
    /// Where it is.
    pub zone: &'a TimeZone,
    /// The product keys of models, by the model's name; a model that is not in it has its name as product key.
    pub product_keys: &'a BTreeMap<String, String>,
}

/// Turns a Link Edge scene into a script with one scene of this name.
///
/// ```
/// use edgeway_rules::{ImportSite, import};
/// use edgeway_thing_models::{Device, Things, ready_made};
///
/// let mut things = Things::default();
/// ready_made().into_iter().for_each(|model| { things.add_model(model.into()); });
/// let model = things.model_ix("hotel-room").unwrap();
/// things.add_device(Device { id: "room-301".into(), model, labels: Default::default() });
/// let site = ImportSite { things: &things, zone: &jiff::tz::TimeZone::UTC, product_keys: &Default::default() };
///
/// let json = r#"{
///     "type": "IFTTT",
///     "trigger": { "uri": "trigger/timer", "params": { "cron": "0 7 * * *", "cronType": "linux" } },
///     "action": [{
///         "uri": "action/device/setProperty",
///         "params": { "deviceName": "room-301", "propertyName": "curtain", "propertyValue": 100 }
///     }]
/// }"#;
/// let imported = import("wake-up", json, &site).unwrap();
/// assert!(imported.script.ends_with(r#"
/// scene("wake-up")
///     .title("07:00: Curtain 100 %")
///     .when(cron("0 7 * * *"))
///     .then([set("room-301", "curtain", 100)]);
/// "#));
/// ```
///
/// # Errors
/// All problems at once, each with its place in the JSON. At most 1 MiB of JSON, 16 triggers, 16 conditions in 4 levels,
/// 512 comparisons in all and 256 actions are read.
pub fn import(name: &str, json: &str, site: &ImportSite<'_>) -> Result<Imported, Vec<Problem>> {
    check_name(name).map_err(|problem| vec![problem])?;
    let json = parse(json).map_err(|problem| vec![problem])?;
    let rule = Rule::read(&Node::root(&json), site)?;
    Ok(Imported { script: script::write(name, &rule, site.things), notes: notes::of(&rule, site) })
}

fn check_name(name: &str) -> Result<(), Problem> {
    let wrong = |c: char| matches!(c, '/' | '+' | '#') || c.is_whitespace() || literal::is_deceptive(c);
    if name.len() > NAME_BYTES_MAX {
        return Err(Problem::new(format!(
            "a scene's name has at most {NAME_BYTES_MAX} bytes, this one {}",
            name.len()
        )));
    }
    if name.is_empty() || name.contains(wrong) {
        let words: Vec<&str> = name.split(wrong).filter(|word| !word.is_empty()).collect();
        let help = if words.is_empty() { "room-301.welcome".to_owned() } else { words.join("-").to_lowercase() };
        return Err(Problem::new(format!("{} is no name for a scene", node::shown(name)))
            .help(format!("without spaces, `/`, `+` and `#`: \"{help}\"")));
    }
    Ok(())
}

fn parse(json: &str) -> Result<Json, Problem> {
    if json.len() > JSON_BYTES_MAX {
        return Err(Problem::new(format!("{} bytes are too many for a scene: at most {JSON_BYTES_MAX}", json.len())));
    }
    // serde_json reads 128 levels and no more, so that none of what follows can exhaust the stack.
    serde_json::from_str(json).map_err(|error| {
        let text = error.to_string();
        let reason = text.split(" at line ").next().unwrap_or_default().to_owned();
        Problem::at(error.line(), error.column(), format!("not JSON: {reason}"))
    })
}
