//! `devices.toml` and `devices/*.toml`, with what drivers say of their options.

use super::keys::{Key, Kind, properties, table};
use edgeway_sdk::{Driver, Json};
use serde_json::{Map, json};
use std::sync::Arc;

const TOP: [Key; 3] = [
    ("link", Kind::Named("link"), "Wires: everything on one shares a connection"),
    ("template", Kind::Named("template"), "What devices of one kind have in common"),
    ("device", Kind::List("device"), "Devices"),
];

const WHEN: Kind = Kind::Choice(&["always", "change"]);

/// What templates and devices both say.
const USUAL: [Key; 4] = [
    ("link", Kind::Text, "The link that the device is on"),
    ("poll", Kind::Duration, "How often points are read that say nothing themselves, 10ms to 1d. Default: 1s"),
    ("report", WHEN, "Which values are reported: all, or those that are news. Default: always"),
    ("report_every", Kind::Duration, "What is read is told at least so often, changed or not"),
];

const TEMPLATE: [Key; 4] = [
    ("model", Kind::Text, "The thing model, `wind-turbine`"),
    ("points", Kind::Named("point"), "Where each property of the model is"),
    ("services", Kind::Named("writes"), "What each service of the model writes"),
    ("events", Kind::Named("event"), "When each event of the model happens"),
];

const DEVICE: [Key; 4] = [
    ("id", Kind::Text, "Unique in the site: letters, digits, `-`, `_` and `.`, at most 64"),
    ("template", Kind::Text, "Its template"),
    ("labels", Kind::TextTable, "Texts, for scenes, queries and people"),
    (
        "points",
        Kind::Named("own_point"),
        "What it has differently from its template; false: it does not have this property",
    ),
];

const POINT: [Key; 9] = [
    ("scale", Kind::Number, "value = raw x scale + offset; not 0. Default: 1"),
    ("offset", Kind::Number, "value = raw x scale + offset, in the model's unit. Default: 0"),
    ("unit", Kind::Text, "The value's unit after scaling; must be the model's"),
    ("write", Kind::Bool, "false: never write it, whatever the model says. Default: the model's access"),
    ("poll", Kind::Duration, "How often it is read, 10ms to 1d. Default: the device's"),
    (
        "stale_after",
        Kind::Duration,
        "The value turns stale when it has not been read for so long. Default: 3 x poll, at least 2s",
    ),
    ("report", WHEN, "Which values are reported: all, or those that are news. Default: the device's"),
    ("deadband", Kind::Ref("deadband"), "A number is news only if it differs by more than this, in the model's unit"),
    ("report_every", Kind::Duration, "What is read is told at least so often, changed or not. Default: the device's"),
];

const WRITE: [Key; 5] = [
    ("value", Kind::Ref("scalar"), "The raw value to write"),
    ("input", Kind::Text, "The input of the service to write, through scale and offset"),
    ("map", Kind::Ref("map"), "The raw value for each value of the input"),
    ("scale", Kind::Number, "raw = (value - offset) / scale. Default: 1"),
    ("offset", Kind::Number, "raw = (value - offset) / scale. Default: 0"),
];

const EVENT: [Key; 2] = [
    ("on", Kind::Text, "It happens when this property changes to a good value that is not 0, false or empty"),
    ("output", Kind::TextTable, "The property that fills each field of the event"),
];

pub(super) fn schema(drivers: &[Arc<dyn Driver>]) -> Json {
    let mut defs = json!({
        "template": table(&[&USUAL[..], &TEMPLATE].concat(), &["model"]),
        "device": table(&[&USUAL[..], &DEVICE].concat(), &["id", "template"]),
        "own_point": { "anyOf": [{ "const": false }, { "$ref": "#/$defs/point" }] },
        "writes": { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/write" } },
        "event": table(&EVENT, &["on"]),
        "deadband": {
            "anyOf": [{ "type": "number", "minimum": 0 }, { "type": "string", "pattern": "%$", "examples": ["2 %"] }],
        },
        "scalar": { "type": ["string", "number", "boolean"] },
        "map": { "type": "object", "additionalProperties": { "$ref": "#/$defs/scalar" } },
    });
    for driver in drivers {
        let manifest = driver.manifest();
        let (name, options) = (&manifest.name, &manifest.options);
        let named = json!({ "const": name, "description": manifest.summary });
        let link = Map::from_iter([("driver".to_owned(), named)]);
        let mut put = |part: &str, schema: &Json, keys: Map<String, Json>, required: &[&str]| {
            embed(&mut defs, &format!("{name}.{part}"), schema, keys, required);
        };
        let required: Vec<&str> = required(&options.link).chain(["driver"]).collect();
        put("link", &options.link, link, &required);
        put("device", &options.device, Map::new(), &[]);
        // A point may have some of its keys from its template, and some from its device.
        put("point", &options.point, properties(&POINT), &[]);
        put("write", &options.point, properties(&WRITE), &[]);
        for table in ["template", "device"] {
            defs[table]["properties"][name] = reference(&format!("{name}.device"));
        }
    }
    for part in ["link", "point", "write"] {
        let each = drivers.iter().map(|driver| reference(&format!("{}.{part}", driver.manifest().name)));
        defs[part] = json!({ "anyOf": each.collect::<Vec<_>>() });
    }
    let mut schema = table(&TOP, &[]);
    schema["$defs"] = defs;
    schema
}

fn reference(name: &str) -> Json {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn required(schema: &Json) -> impl Iterator<Item = &str> {
    schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str)
}

/// Puts a driver's schema among the definitions, with the gateway's keys beside its own. A driver that does not describe
/// its options takes any.
fn embed(defs: &mut Json, name: &str, schema: &Json, keys: Map<String, Json>, required: &[&str]) {
    let mut schema = schema.clone();
    for (inner, definition) in schema["$defs"].take().as_object().into_iter().flatten() {
        let mut definition = definition.clone();
        rename(&mut definition, name);
        defs[format!("{name}.{inner}")] = definition;
    }
    rename(&mut schema, name);
    let mut all = schema["properties"].as_object().cloned();
    let is_described = all.is_some();
    // Where a driver calls an option as the gateway does a key, the gateway has it.
    all.get_or_insert_default().extend(keys);
    let mut table = json!({
        "type": "object",
        "properties": all,
        "required": required,
        "additionalProperties": !is_described,
    });
    for key in ["title", "description"] {
        if let Some(text) = schema.get(key).filter(|text| text.is_string()) {
            table[key] = text.clone();
        }
    }
    defs[name] = table;
}

/// References lead to where the definitions are now.
fn rename(schema: &mut Json, name: &str) {
    match schema {
        Json::Object(object) => {
            for (key, value) in object {
                match (key.as_str(), value.as_str().and_then(|path| path.strip_prefix("#/$defs/"))) {
                    ("$ref", Some(inner)) => *value = json!(format!("#/$defs/{name}.{inner}")),
                    _ => rename(value, name),
                }
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| rename(item, name)),
        _ => {}
    }
}
