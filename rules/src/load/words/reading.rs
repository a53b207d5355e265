//! Reading values in closures, listing devices, printing.

use super::super::draft::Mistake;
use super::super::host::{Host, Raised, raise};
use super::{ConditionWord, PropertyWord, SceneWord, StepWord, TriggerWord, find_property, text_of};
use crate::facts::Facts;
use crate::values::Seen;
use edgeway_sdk::{Value, did_you_mean};
use edgeway_thing_models::{DataType, Device, Things};
use rhai::{Array, Dynamic, Engine, ImmutableString, Map, NativeCallContext, Position};
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) fn register(engine: &mut Engine, host: &Host) {
    let h = host.clone();
    engine.register_fn("value", move |ctx: NativeCallContext, device: Dynamic, property: Dynamic| {
        read(&h, "value", ctx.call_position(), &device, &property)?.map_err(|why| raise(ctx.call_position(), why))
    });
    let h = host.clone();
    engine.register_fn(
        "value_or",
        move |ctx: NativeCallContext, device: Dynamic, property: Dynamic, default: Dynamic| {
            let found = read(&h, "value_or", ctx.call_position(), &device, &property)?;
            Ok::<_, Box<rhai::EvalAltResult>>(found.unwrap_or(default))
        },
    );
    let h = host.clone();
    engine.register_fn("cause", move |ctx: NativeCallContext| -> Raised<Map> {
        Ok(cause(h.facts(ctx.call_position())?.as_deref()))
    });
    let h = host.clone();
    engine.register_fn("devices", move |ctx: NativeCallContext, filter: Map| devices(&h, ctx.call_position(), &filter));
    let h = host.clone();
    engine.register_fn("devices", move |ctx: NativeCallContext| devices(&h, ctx.call_position(), &Map::new()));
}

/// The value as scripts see it, an enum as its label; or why there is none.
fn read(
    host: &Host,
    word: &str,
    at: Position,
    device: &Dynamic,
    property: &Dynamic,
) -> Raised<Result<Dynamic, String>> {
    host.read(word, at, |_, _| ())?;
    let point = match find_property(host, device, property) {
        Ok(point) => point,
        Err(mistake) => return Err(raise(at, mistake.in_one_line())),
    };
    host.note_read(point.slot);
    let things = host.things();
    let name = point.name(&things);
    host.read(word, at, |values, now| {
        let seen = values.seen(point.slot).ok_or_else(|| format!("`{name}` has not been reported yet"))?;
        match seen.good() {
            Some(value) => Ok(to_dynamic(&point.property(&things).data_type, value)),
            None => Err(unusable(&name, seen, now.since(seen.source_time).as_secs())),
        }
    })
}

/// What set the scene off: `kind`, `device`, `name` and `values`, each `()` or empty where there is none.
fn cause(facts: Option<&Facts>) -> Map {
    let text = |text: Option<&str>| text.map_or(Dynamic::UNIT, |text| text.to_owned().into());
    let values = facts.map(|facts| facts.values.as_slice()).unwrap_or_default();
    let values: Map = values.iter().map(|(name, value)| (name.as_ref().into(), plain(value))).collect();
    Map::from([
        ("kind".into(), text(facts.map(|facts| facts.kind.as_str()))),
        ("device".into(), text(facts.and_then(|facts| facts.device.as_deref()))),
        ("name".into(), text(facts.map(|facts| &*facts.name))),
        ("values".into(), values.into()),
    ])
}

fn unusable(name: &str, seen: &Seen, age_secs: u64) -> String {
    format!("`{name}` is {}, {age_secs} s old", seen.quality)
}

fn to_dynamic(data_type: &DataType, value: &Value) -> Dynamic {
    match (data_type, value) {
        (DataType::Enum(labels), Value::Int(number)) => {
            labels.get(number).map_or_else(|| Dynamic::from(*number), |label| label.clone().into())
        }
        (_, value) => plain(value),
    }
}

fn plain(value: &Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(b) => (*b).into(),
        Value::Int(i) => (*i).into(),
        Value::Float(x) => (*x).into(),
        Value::Text(text) => text.to_string().into(),
        Value::Bytes(bytes) => Dynamic::from_blob(bytes.to_vec()),
        Value::Array(items) => items.iter().map(plain).collect::<Array>().into(),
        Value::Struct(fields) => {
            fields.iter().map(|(name, value)| (name.as_ref().into(), plain(value))).collect::<Map>().into()
        }
    }
}

/// The value that a script wrote.
pub(crate) fn value_of(value: &Dynamic) -> Result<Value, Mistake> {
    if let Some(items) = value.clone().try_cast::<Array>() {
        return Ok(Value::Array(items.iter().map(value_of).collect::<Result<Vec<_>, _>>()?.into()));
    }
    if let Some(fields) = value.clone().try_cast::<Map>() {
        let fields = fields.iter().map(|(name, value)| Ok((Arc::from(name.as_str()), value_of(value)?)));
        return Ok(Value::Struct(fields.collect::<Result<Vec<_>, Mistake>>()?.into()));
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return Ok(Value::Text(text.as_str().into()));
    }
    match (value.as_bool(), value.as_int(), value.as_float()) {
        (Ok(b), _, _) => Ok(Value::Bool(b)),
        (_, Ok(i), _) => Ok(Value::Int(i)),
        (_, _, Ok(x)) => Ok(Value::Float(x)),
        _ => Err(Mistake::new(format!("a value is needed here, this is {}", kind_of(value)))),
    }
}

/// What a script handed over, for messages.
pub(crate) fn kind_of(value: &Dynamic) -> &'static str {
    match value {
        v if v.is_unit() => "nothing, `()`",
        v if v.is_bool() => "true or false",
        v if v.is_int() => "a whole number",
        v if v.is_float() => "a number",
        v if v.is_string() || v.is_char() => "text",
        v if v.is_array() => "an array",
        v if v.is_map() => "a map",
        v if v.is_fnptr() => "a closure",
        v if v.is::<PropertyWord>() => "a property",
        v if v.is::<ConditionWord>() => "a condition",
        v if v.is::<TriggerWord>() => "a trigger",
        v if v.is::<StepWord>() => "a step",
        v if v.is::<SceneWord>() => "a scene",
        _ => "something else",
    }
}

/// The ids of all devices that fit, in the order of the site.
fn devices(host: &Host, at: Position, filter: &Map) -> Raised<Array> {
    let things = host.things();
    let mut wanted = vec![];
    for (key, value) in filter {
        wanted.extend(host.check(at, criterion(&things, key, value))?);
    }
    if wanted.len() < filter.len() {
        return Ok(vec![]);
    }
    let fits = |device: &Device| wanted.iter().all(|criterion| criterion.fits(&things, device));
    let found: Array = things
        .current_devices()
        .filter(|(_, device)| fits(device))
        .map(|(_, device)| device.id.to_string().into())
        .collect();
    if found.is_empty() && host.is_loading() {
        host.declare("devices", at, |draft| draft.warn(at, Mistake::new("no device fits this filter")))?;
    }
    Ok(found)
}

/// What a filter of a site's file asks for.
pub(crate) fn criteria(
    things: &Things,
    filter: &serde_json::Map<String, edgeway_sdk::Json>,
) -> Result<Vec<Criterion>, Mistake> {
    let text = |value: &edgeway_sdk::Json| match value {
        edgeway_sdk::Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    filter.iter().map(|(key, value)| criterion(things, key, &text(value).into())).collect()
}

/// One thing that `devices(..)` asks of a device.
pub(crate) enum Criterion {
    Model(Arc<str>),
    Label(Arc<str>, Arc<str>),
}

impl Criterion {
    pub(crate) fn fits(&self, things: &Things, device: &Device) -> bool {
        match self {
            Criterion::Model(name) => things.model(device.model).name == *name,
            Criterion::Label(key, value) => device.labels.get(&**key).is_some_and(|found| **found == **value),
        }
    }
}

fn criterion(things: &Things, key: &str, value: &Dynamic) -> Result<Criterion, Mistake> {
    let text = text_of(value, "a model or a label")?;
    if key == "model" {
        let known = things.current_models().map(|(_, model)| &*model.name);
        return match things.model_ix(&text) {
            Some(_) => Ok(Criterion::Model(text)),
            None => Err(Mistake::new(format!("no model is called `{text}`")).maybe_help(did_you_mean(&text, known))),
        };
    }
    let labels: BTreeSet<&str> =
        things.current_devices().flat_map(|(_, device)| device.labels.keys().map(String::as_str)).collect();
    if labels.contains(key) {
        return Ok(Criterion::Label(Arc::from(key), text));
    }
    let known = labels.into_iter().chain(["model"]);
    Err(Mistake::new(format!("no device has the label `{key}`")).maybe_help(did_you_mean(key, known)))
}

/// `print`: a warning while loading, a line in the trace while a scene runs. Rhai wants the text back.
pub(crate) fn print(host: &Host, ctx: &NativeCallContext, what: &Dynamic) -> Raised<ImmutableString> {
    let text = what.to_string();
    let at = ctx.call_position();
    if host.is_loading() {
        host.declare("print", at, |draft| draft.warn(at, Mistake::new(format!("printed: {text}"))))?;
    } else {
        host.note_print(text.clone());
    }
    Ok(text.into())
}
