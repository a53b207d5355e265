//! The words of the language: one function each, and what they hand to each other.
//!
//! A word that is used wrongly while the script loads notes the mistake and returns something hollow, so that the
//! script goes on and all mistakes are found at once. While a scene runs it raises an error.

mod conditions;
mod reading;
mod scene;
mod steps;
mod triggers;

pub(crate) use reading::value_of;
pub(super) use reading::{kind_of, print};

use super::draft::Mistake;
use super::host::{Host, Raised};
use crate::plan::{Condition, Step, What};
use crate::scripts::Closure;
use crate::values::Slot;
use edgeway_sdk::{DeviceIx, did_you_mean, options::duration};
use edgeway_thing_models::{PropertyIx, Things};
use rhai::{Dynamic, Engine, FnPtr, Position};
use std::sync::Arc;
use std::time::Duration;

/// How every word is written, for advice.
const USAGES: [(&str, &str); 37] = [
    ("scene", "scene(\"name\")"),
    ("title", ".title(\"what it does\")"),
    ("when", ".when(prop(device, property) > 28)"),
    ("only_if", ".only_if(prop(device, property) == true)"),
    ("then", ".then([set(device, property, value)])"),
    ("otherwise", ".otherwise([notify(channel, text)])"),
    ("cooldown", ".cooldown(\"30s\")"),
    ("mode", ".mode(\"single\")"),
    ("priority", ".priority(10)"),
    ("prop", "prop(device, property)"),
    ("changed", "changed(prop(device, property))"),
    ("level", "level(prop(device, property) > 28)"),
    ("event", "event(device, name)"),
    ("row", "row(query, #{ device: device })"),
    ("cron", "cron(\"0 7 * * 1-5\")"),
    ("goes_online", "goes_online(device)"),
    ("goes_offline", "goes_offline(device)"),
    ("held", "held(condition, \"10m\")"),
    ("fresh", "fresh(prop(device, property), \"2m\")"),
    ("time_between", "time_between(\"22:00\", \"06:00\")"),
    ("is_online", "is_online(device)"),
    ("check", "check(\"why\", || value(device, property) > 28)"),
    ("all", "all([condition, condition])"),
    ("any", "any([condition, condition])"),
    ("not", "not(condition)"),
    ("set", "set(device, property, value)"),
    ("invoke", "invoke(device, service, #{ input: value })"),
    ("notify", "notify(channel, text)"),
    ("delay", "delay(\"3s\")"),
    ("run_scene", "run_scene(name)"),
    ("run", "run(|| emit(set(device, property, value)))"),
    ("emit", "emit(set(device, property, value))"),
    ("value", "value(device, property)"),
    ("value_or", "value_or(device, property, default)"),
    ("devices", "devices(#{ model: \"wind-turbine\" })"),
    ("print", "print(text)"),
    ("sleep", "delay(\"3s\")"),
];

/// The longest name, title or message.
const TEXT_BYTES_MAX: usize = 4 * 1024;
/// A script may name one wrong device or scene after the other, so that advice must not cost much: how many names it
/// looks at, and how long a wrong one may be.
const ADVISED_MAX: (usize, usize) = (1_000, 64);

/// A property of a device; hollow after a mistake.
#[derive(Debug, Clone)]
pub(super) struct PropertyWord(Option<Point>);

#[derive(Debug, Clone, Copy)]
struct Point {
    device: DeviceIx,
    property: PropertyIx,
    slot: Slot,
}

/// A condition with its text; hollow after a mistake.
#[derive(Debug, Clone)]
pub(super) struct ConditionWord {
    condition: Option<Condition>,
    text: Arc<str>,
}

/// A trigger with its text; hollow after a mistake.
#[derive(Debug, Clone)]
pub(super) struct TriggerWord(Option<(What, Arc<str>)>);

/// A step; hollow after a mistake.
#[derive(Debug, Clone)]
pub(super) enum StepWord {
    Step(Step),
    /// A scene may be named before it is declared.
    RunScene {
        name: Arc<str>,
        at: Position,
    },
    Hollow,
}

/// A scene, by its place in the draft.
#[derive(Debug, Clone, Copy)]
pub(super) struct SceneWord(pub(super) usize);

pub(super) fn register(engine: &mut Engine, host: &Host) {
    engine.register_type_with_name::<PropertyWord>("property");
    engine.register_type_with_name::<ConditionWord>("condition");
    engine.register_type_with_name::<TriggerWord>("trigger");
    engine.register_type_with_name::<StepWord>("step");
    engine.register_type_with_name::<SceneWord>("scene");
    conditions::register(engine, host);
    triggers::register(engine, host);
    steps::register(engine, host);
    scene::register(engine, host);
    reading::register(engine, host);
}

/// How a word is written.
pub(super) fn usage(name: &str) -> Option<&'static str> {
    USAGES.iter().find(|(word, _)| *word == name).map(|(_, usage)| *usage)
}

/// All words.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    USAGES.iter().map(|(word, _)| *word)
}

fn find_device(things: &Things, id: &Dynamic) -> Result<DeviceIx, Mistake> {
    let id = text_of(id, "a device's id")?;
    things.device_ix(&id).ok_or_else(|| {
        let known = things.current_devices().map(|(_, device)| &*device.id);
        Mistake::new(format!("no device is called `{id}`")).maybe_help(advice(&id, known))
    })
}

/// Which of many names was probably meant.
pub(super) fn advice<'a>(found: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let (names, bytes) = ADVISED_MAX;
    if found.len() > bytes { None } else { did_you_mean(found, known.take(names)) }
}

fn find_property(host: &Host, device: &Dynamic, property: &Dynamic) -> Result<Point, Mistake> {
    let things = host.things();
    let device = find_device(&things, device)?;
    let name = text_of(property, "a property's name")?;
    let model = things.model_of(device);
    let (property, _) = model.property(&name).ok_or_else(|| {
        let known = model.properties.iter().map(|property| &*property.identifier);
        Mistake::new(format!("`{}` has no property `{name}`", model.name)).maybe_help(advice(&name, known))
    })?;
    Ok(Point { device, property, slot: host.slots().of(device, property) })
}

/// Text, or a mistake that says what should have been there.
fn text_of(value: &Dynamic, wanted: &str) -> Result<Arc<str>, Mistake> {
    match value.as_immutable_string_ref() {
        Ok(text) if text.len() > TEXT_BYTES_MAX => Err(Mistake::new(format!("{wanted} is too long")).help("4 KiB")),
        Ok(text) => Ok(Arc::from(text.as_str())),
        Err(_) => Err(Mistake::new(format!("{wanted} is text in quotes, this is {}", kind_of(value)))),
    }
}

fn duration_of(value: &Dynamic) -> Result<Duration, Mistake> {
    let text = text_of(value, "a duration")?;
    match duration::parse(&text) {
        Some(duration) if !duration.is_zero() => Ok(duration),
        _ => {
            Err(Mistake::new(format!("`{text}` is not a duration"))
                .help("write \"500ms\", \"30s\", \"10m\" or \"2h 30m\""))
        }
    }
}

/// A closure without parameters. What it captured is copied: Rhai shares it with the script, so that every closure
/// made in a loop would see the loop's last value.
fn closure_of(host: &Host, word: &str, at: Position, closure: &Dynamic) -> Raised<Option<Arc<Closure>>> {
    let Some(mut call) = closure.clone().try_cast::<FnPtr>() else {
        let mistake = Mistake::new(format!("`{word}` needs a closure, this is {}", kind_of(closure)));
        return host.check(at, Err(mistake.help(format!("write `{}`", usage(word).unwrap_or("|| ..")))));
    };
    call.iter_curry_mut().for_each(settle);
    let captured = call.curry().len();
    let (script, parameters) =
        host.declare(word, at, |draft| (draft.script, draft.parameters.get(call.fn_name()).copied()))?;
    if parameters.is_some_and(|parameters| parameters != captured) {
        return host
            .check(at, Err(Mistake::new(format!("the closure in `{word}` gets no arguments")).help("write `|| ..`")));
    }
    Ok(Some(Arc::new(Closure { call, script })))
}

/// Replaces a shared value by what it holds now, also inside a captured closure.
fn settle(value: &mut Dynamic) {
    let mut settled = std::mem::take(value).flatten();
    if let Some(mut inner) = settled.clone().try_cast::<FnPtr>() {
        inner.iter_curry_mut().for_each(settle);
        settled = inner.into();
    }
    *value = settled;
}
