//! `params`: what a template has to be told, with types and defaults.
//!
//! ```js
//! let p = params(#{
//!     room: #{ type: "device", model: "hotel-room", title: "Room" },
//!     setpoint: #{ type: "number", preset: 22.0, min: 16.0, max: 28.0 },
//! });
//! ```

use super::super::host::{Host, Raised};
use super::{Mistake, duration_of, find_device, kind_of, text_of};
use edgeway_sdk::{Json, did_you_mean};
use rhai::{Array, Dynamic, Engine, Map, NativeCallContext, Position};
use std::collections::BTreeMap;

/// The words that say what a parameter is.
const WORDS: [&str; 7] = ["type", "title", "preset", "min", "max", "model", "one_of"];
/// Which of them only some types have.
const ONLY: [(&str, &[&str]); 3] =
    [("min", &["number", "integer"]), ("max", &["number", "integer"]), ("model", &["device"])];
const TYPES: [&str; 7] = ["device", "number", "integer", "text", "bool", "duration", "time"];

pub(super) fn register(engine: &mut Engine, host: &Host) {
    let h = host.clone();
    engine.register_fn("params", move |ctx: NativeCallContext, wanted: Map| params(&h, ctx.call_position(), &wanted));
}

fn params(host: &Host, at: Position, wanted: &Map) -> Raised<Map> {
    let given = host.declare("params", at, |draft| {
        draft.asks_params = true;
        draft.values.clone()
    })?;
    let mut values = Map::new();
    for (name, spec) in wanted {
        let value = value(host, name, spec, given.as_ref());
        values.insert(name.clone(), host.check(at, value)?.unwrap_or(Dynamic::UNIT));
    }
    let unknown = given.iter().flat_map(BTreeMap::keys).find(|name| !wanted.contains_key(name.as_str()));
    if let Some(name) = unknown {
        let help = did_you_mean(name, wanted.keys().map(|known| known.as_str()));
        host.check::<()>(at, Err(Mistake::new(format!("this template has no parameter `{name}`")).maybe_help(help)))?;
    }
    if values.values().any(Dynamic::is_unit) {
        // What follows would only say the same again, in other words.
        return Err(super::super::host::stop(at));
    }
    Ok(values)
}

fn value(host: &Host, name: &str, spec: &Dynamic, given: Option<&BTreeMap<String, Json>>) -> Result<Dynamic, Mistake> {
    let spec = spec.read_lock::<Map>().ok_or_else(|| {
        Mistake::new(format!("what `{name}` is, is written as a map, this is {}", kind_of(spec)))
            .help("write `#{ type: \"number\", preset: 22.0 }`")
    })?;
    if let Some(word) = spec.keys().find(|word| !WORDS.contains(&word.as_str())) {
        return Err(Mistake::new(format!("a parameter has no `{word}`")).maybe_help(did_you_mean(word, WORDS)));
    }
    let value = match (given.and_then(|given| given.get(name)), spec.get("preset")) {
        (Some(given), _) => from_json(given),
        (None, Some(preset)) => preset.clone(),
        (None, None) => {
            return Err(Mistake::new(format!("the parameter `{name}` has no value"))
                .help("say for what the template is used, in a file beside it with the same name and `.toml`"));
        }
    };
    fits(host, &spec, &value).map_err(|mistake| mistake.within(&format!("parameter `{name}`")))?;
    Ok(value)
}

fn fits(host: &Host, spec: &Map, value: &Dynamic) -> Result<(), Mistake> {
    let kind = match spec.get("type") {
        Some(kind) => text_of(kind, "a type")?,
        None => return Err(Mistake::new("its `type` is missing").maybe_help(did_you_mean("", TYPES))),
    };
    for (word, types) in ONLY {
        if spec.contains_key(word) && !types.contains(&&*kind) {
            return Err(Mistake::new(format!("`{word}` has no meaning for a {kind}"))
                .help(format!("it is for {}", types.join(" and "))));
        }
    }
    match &*kind {
        "device" => device(host, spec, value)?,
        "number" => within(spec, value)?,
        "integer" if value.is_int() => within(spec, value)?,
        "integer" => return Err(not_a("whole number", value)),
        "text" => drop(text_of(value, "it")?),
        "bool" if value.is_bool() => {}
        "bool" => return Err(not_a("`true` or `false`", value)),
        "duration" => drop(duration_of(value)?),
        "time" => drop(super::conditions::moment_of(host, value)?),
        other => {
            return Err(Mistake::new(format!("there is no type `{other}`")).maybe_help(did_you_mean(other, TYPES)));
        }
    }
    let number = |value: &Dynamic| value.as_float().ok().or_else(|| Some(value.as_int().ok()? as f64));
    let same = |other: &Dynamic| match (number(other), number(value)) {
        (Some(other), Some(value)) => other == value,
        _ => other.to_string() == value.to_string(),
    };
    let choice = match spec.get("one_of") {
        Some(choice) => Some(choice.clone().try_cast::<Array>().ok_or_else(|| Mistake::new("`one_of` is a list"))?),
        None => None,
    };
    match choice {
        Some(choice) if !choice.iter().any(same) => {
            let known = choice.iter().map(|other| format!("`{other}`")).collect::<Vec<_>>().join(", ");
            Err(Mistake::new(format!("`{value}` is none of {known}")))
        }
        _ => Ok(()),
    }
}

fn device(host: &Host, spec: &Map, value: &Dynamic) -> Result<(), Mistake> {
    let things = host.things();
    let found = find_device(&things, value)?;
    let Some(model) = spec.get("model") else { return Ok(()) };
    let (model, has) = (text_of(model, "a model")?, &things.model_of(found).name);
    if *model == **has {
        return Ok(());
    }
    Err(Mistake::new(format!("`{value}` is a `{has}`, and not a `{model}`")))
}

fn within(spec: &Map, value: &Dynamic) -> Result<(), Mistake> {
    let number = |value: &Dynamic| value.as_float().ok().or_else(|| Some(value.as_int().ok()? as f64));
    let found = number(value).ok_or_else(|| not_a("number", value))?;
    let bound = |word: &str| match spec.get(word) {
        Some(bound) => number(bound).map(Some).ok_or_else(|| Mistake::new(format!("`{word}` is a number"))),
        None => Ok(None),
    };
    if let Some(min) = bound("min")?.filter(|min| found < *min) {
        return Err(Mistake::new(format!("{value} is below {min}")));
    }
    if let Some(max) = bound("max")?.filter(|max| found > *max) {
        return Err(Mistake::new(format!("{value} is above {max}")));
    }
    Ok(())
}

fn not_a(wanted: &str, value: &Dynamic) -> Mistake {
    Mistake::new(format!("it is a {wanted}, this is {}", kind_of(value)))
}

fn from_json(json: &Json) -> Dynamic {
    match json {
        Json::Null | Json::Object(_) => Dynamic::UNIT,
        Json::Bool(b) => (*b).into(),
        Json::Number(number) => match number.as_i64() {
            Some(number) => number.into(),
            None => number.as_f64().unwrap_or_default().into(),
        },
        Json::String(text) => text.clone().into(),
        Json::Array(items) => items.iter().map(from_json).collect::<Array>().into(),
    }
}
