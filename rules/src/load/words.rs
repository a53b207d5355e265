//! The words of the language: one function each, and what they hand to each other.
//!
//! A word that is used wrongly while the script loads notes the mistake and returns something hollow, so that the
//! script goes on and all mistakes are found at once. While a scene runs it raises an error.

mod blocks;
mod conditions;
mod params;
mod reading;
mod scene;
mod steps;
mod triggers;

pub(crate) use reading::value_of;
pub(super) use reading::{criteria, kind_of, print};

use super::draft::Mistake;
use super::draft::Tree;
use super::host::{Host, Raised};
use crate::plan::{Condition, What};
use crate::scripts::Closure;
use crate::values::Slot;
use edgeway_sdk::{DeviceIx, did_you_mean, options::duration};
use edgeway_thing_models::{PropertyIx, Things};
use rhai::{Dynamic, Engine, FnPtr, Position};
use std::sync::Arc;
use std::time::Duration;

/// A word of the language: its name, its parameters, what it gives, and how it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word {
    pub(crate) name: &'static str,
    pub(crate) parameters: &'static [&'static str],
    pub(crate) gives: &'static str,
    pub(crate) usage: &'static str,
}

impl Word {
    const fn new(
        name: &'static str,
        parameters: &'static [&'static str],
        gives: &'static str,
        usage: &'static str,
    ) -> Self {
        Word { name, parameters, gives, usage }
    }
}

/// All words, for advice and for editors.
pub(crate) const WORDS: [Word; 61] = [
    Word::new("scene", &["name"], "scene", "scene(\"name\")"),
    Word::new("title", &["scene", "text"], "scene", ".title(\"what it does\")"),
    Word::new("when", &["scene", "trigger"], "scene", ".when(prop(device, property) > 28)"),
    Word::new("only_if", &["scene", "condition"], "scene", ".only_if(prop(device, property) == true)"),
    Word::new("then", &["scene", "steps"], "scene", ".then([set(device, property, value)])"),
    Word::new("otherwise", &["scene", "steps"], "scene", ".otherwise([notify(channel, text)])"),
    Word::new("cooldown", &["scene", "duration"], "scene", ".cooldown(\"30s\")"),
    Word::new("mode", &["scene", "mode"], "scene", ".mode(\"single\")"),
    Word::new("per_device", &["scene"], "scene", ".per_device()"),
    Word::new("priority", &["scene", "number"], "scene", ".priority(10)"),
    Word::new("resume_within", &["scene", "duration"], "scene", ".resume_within(\"10m\")"),
    Word::new("on_update", &["scene", "policy"], "scene", ".on_update(\"restart\")"),
    Word::new("at_most", &["scene", "count", "per"], "scene", ".at_most(100, \"10s\")"),
    Word::new("shadow", &["scene"], "scene", ".shadow()"),
    Word::new("allow", &["scene", "finding"], "scene", ".allow(\"loop\")"),
    Word::new("prop", &["device", "property"], "property", "prop(device, property)"),
    Word::new("changed", &["property"], "trigger", "changed(prop(device, property))"),
    Word::new("level", &["condition"], "trigger", "level(prop(device, property) > 28)"),
    Word::new("event", &["device", "name"], "trigger", "event(device, name)"),
    Word::new("row", &["query", "columns"], "trigger", "row(query, #{ device: device })"),
    Word::new("cron", &["pattern"], "trigger", "cron(\"0 7 * * 1-5\")"),
    Word::new("goes_online", &["device"], "trigger", "goes_online(device)"),
    Word::new("goes_offline", &["device"], "trigger", "goes_offline(device)"),
    Word::new("goes_stale", &["property"], "trigger", "goes_stale(prop(device, property))"),
    Word::new("sunrise", &["offset"], "trigger", "sunrise(\"+30m\")"),
    Word::new("sunset", &["offset"], "trigger", "sunset(\"-30m\")"),
    Word::new("site_starts", &[], "trigger", "site_starts()"),
    Word::new("held", &["condition", "duration"], "condition", "held(condition, \"10m\")"),
    Word::new("fresh", &["property", "duration"], "condition", "fresh(prop(device, property), \"2m\")"),
    Word::new("time_between", &["from", "to"], "condition", "time_between(\"22:00\", \"06:00\")"),
    Word::new("on_days", &["days"], "condition", "on_days(\"mon-fri\")"),
    Word::new("is_online", &["device"], "condition", "is_online(device)"),
    Word::new("is_stale", &["property"], "condition", "is_stale(prop(device, property))"),
    Word::new("or_unknown", &["condition"], "condition", "or_unknown(prop(device, property) > 28)"),
    Word::new("check", &["why", "closure"], "condition", "check(\"why\", || value(device, property) > 28)"),
    Word::new("all", &["conditions"], "condition", "all([condition, condition])"),
    Word::new("any", &["conditions"], "condition", "any([condition, condition])"),
    Word::new("not", &["condition"], "condition", "not(condition)"),
    Word::new("set", &["device", "property", "value"], "step", "set(device, property, value)"),
    Word::new("invoke", &["device", "service", "input"], "step", "invoke(device, service, #{ input: value })"),
    Word::new("notify", &["channel", "text"], "step", "notify(channel, text)"),
    Word::new("delay", &["duration"], "step", "delay(\"3s\")"),
    Word::new("run_scene", &["name"], "step", "run_scene(name)"),
    Word::new("wait_for", &["condition", "within"], "step", "wait_for(prop(device, property) == true, \"20s\")"),
    Word::new("if_true", &["condition", "steps"], "step", "if_true(condition, [step]).otherwise([step])"),
    Word::new("parallel", &["branches"], "step", "parallel([step, [step, step]])"),
    Word::new("repeat", &["times", "steps"], "step", "repeat(3, [step])"),
    Word::new("transaction", &["steps"], "step", "transaction([step, step])"),
    Word::new("within", &["step", "duration"], "step", "invoke(device, service).within(\"30s\")"),
    Word::new("retry", &["step", "times", "pause"], "step", "set(device, property, value).retry(3, \"2s\")"),
    Word::new("confirmed", &["step"], "step", "set(device, property, value).confirmed()"),
    Word::new("may_fail", &["step"], "step", "invoke(device, service).may_fail()"),
    Word::new("undo", &["step", "steps"], "step", "invoke(device, service).undo(invoke(device, other))"),
    Word::new("run", &["closure"], "step", "run(|| emit(set(device, property, value)))"),
    Word::new("emit", &["device", "event", "output"], "step", "emit(device, event, #{ output: value })"),
    Word::new("cause", &[], "Map", "cause().device"),
    Word::new("value", &["device", "property"], "Dynamic", "value(device, property)"),
    Word::new("value_or", &["device", "property", "default"], "Dynamic", "value_or(device, property, default)"),
    Word::new("devices", &["filter"], "Array", "devices(#{ model: \"wind-turbine\" })"),
    Word::new("params", &["wanted"], "Map", "params(#{ room: #{ type: \"device\" } })"),
    Word::new("print", &["text"], "String", "print(text)"),
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
pub(super) struct StepWord(Option<Tree>);

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
    blocks::register(engine, host);
    scene::register(engine, host);
    reading::register(engine, host);
    params::register(engine, host);
}

/// How a word is written.
pub(super) fn usage(name: &str) -> Option<&'static str> {
    match name {
        // It is not there, and this is what is meant.
        "sleep" => usage("delay"),
        name => WORDS.iter().find(|word| word.name == name).map(|word| word.usage),
    }
}

/// The names of all words.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    WORDS.iter().map(|word| word.name)
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
