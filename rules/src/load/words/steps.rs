//! What a scene does.

use super::super::host::{Host, Raised, raise};
use super::{Mistake, StepWord, closure_of, duration_of, find_device, kind_of, text_of, value_of};
use crate::plan::{Computed, Step};
use edgeway_sdk::{Value, did_you_mean};
use edgeway_thing_models::CheckError;
use rhai::{Dynamic, Engine, Map, NativeCallContext, Position};
use std::sync::Arc;

pub(super) fn register(engine: &mut Engine, host: &Host) {
    let h = host.clone();
    engine.register_fn("set", move |ctx: NativeCallContext, device: Dynamic, property: Dynamic, value: Dynamic| {
        set(&h, ctx.call_position(), &device, &property, &value)
    });
    let h = host.clone();
    engine.register_fn("invoke", move |ctx: NativeCallContext, device: Dynamic, service: Dynamic| {
        invoke(&h, ctx.call_position(), &device, &service, &Map::new())
    });
    let h = host.clone();
    engine.register_fn("invoke", move |ctx: NativeCallContext, device: Dynamic, service: Dynamic, input: Map| {
        invoke(&h, ctx.call_position(), &device, &service, &input)
    });
    let h = host.clone();
    engine.register_fn("notify", move |ctx: NativeCallContext, channel: Dynamic, text: Dynamic| {
        notify(&h, ctx.call_position(), &channel, &text)
    });
    let h = host.clone();
    engine.register_fn("delay", move |ctx: NativeCallContext, duration: Dynamic| -> Raised<StepWord> {
        let duration = h.check(ctx.call_position(), duration_of(&duration))?;
        Ok(StepWord::of(duration.map(Step::Delay)))
    });
    let h = host.clone();
    engine.register_fn("run_scene", move |ctx: NativeCallContext, name: Dynamic| {
        run_scene(&h, ctx.call_position(), &name)
    });
    let h = host.clone();
    engine.register_fn("run", move |ctx: NativeCallContext, closure: Dynamic| {
        closure_of(&h, "run", ctx.call_position(), &closure).map(|closure| StepWord::of(closure.map(Step::Run)))
    });
    let h = host.clone();
    engine.register_fn("emit", move |ctx: NativeCallContext, step: Dynamic| emit(&h, ctx.call_position(), step));
}

impl StepWord {
    fn of(step: Option<Step>) -> Self {
        step.map_or(StepWord::Hollow, StepWord::Step)
    }
}

fn set(host: &Host, at: Position, device: &Dynamic, property: &Dynamic, value: &Dynamic) -> Raised<StepWord> {
    if !value.is_fnptr() {
        let step = value_of(value).and_then(|value| set_fixed(host, device, property, &value));
        return host.check(at, step).map(StepWord::of);
    }
    let closure = closure_of(host, "set", at, value)?;
    let place = host.check(at, settable(host, device, property))?;
    let (Some(closure), Some((device, property))) = (closure, place) else { return Ok(StepWord::Hollow) };
    Ok(StepWord::Step(Step::Set { device, property, value: Computed::Script(closure) }))
}

fn set_fixed(host: &Host, device: &Dynamic, property: &Dynamic, value: &Value) -> Result<Step, Mistake> {
    let things = host.things();
    let device = find_device(&things, device)?;
    let name = text_of(property, "a property's name")?;
    let (property, value) = things.model_of(device).check_set(&name, value)?;
    Ok(Step::Set { device, property, value: Computed::Fixed(value) })
}

/// The place of a property that can be set.
fn settable(
    host: &Host,
    device: &Dynamic,
    property: &Dynamic,
) -> Result<(edgeway_sdk::DeviceIx, edgeway_thing_models::PropertyIx), Mistake> {
    let point = super::find_property(host, device, property)?;
    let things = host.things();
    let found = point.property(&things);
    if !found.access.writes() {
        return Err(CheckError::ReadOnly { name: found.identifier.to_string() }.into());
    }
    Ok((point.device, point.property))
}

fn invoke(host: &Host, at: Position, device: &Dynamic, service: &Dynamic, input: &Map) -> Raised<StepWord> {
    let step = || {
        let things = host.things();
        let device = find_device(&things, device)?;
        let name = text_of(service, "a service's name")?;
        let given = input.iter().map(|(name, value)| Ok((Arc::from(name.as_str()), value_of(value)?)));
        let given = given.collect::<Result<Vec<(Arc<str>, Value)>, Mistake>>()?;
        let (service, input) = things.model_of(device).check_invoke(&name, &given)?;
        Ok(Step::Invoke { device, service, input })
    };
    host.check(at, step()).map(StepWord::of)
}

fn notify(host: &Host, at: Position, channel: &Dynamic, text: &Dynamic) -> Raised<StepWord> {
    let channel = host.check(at, channel_of(channel))?;
    let text = if text.is_fnptr() {
        closure_of(host, "notify", at, text)?.map(Computed::Script)
    } else {
        host.check(at, text_of(text, "a message"))?.map(Computed::Fixed)
    };
    let (Some(channel), Some(text)) = (channel, text) else { return Ok(StepWord::Hollow) };
    Ok(StepWord::Step(Step::Notify { channel, text }))
}

/// A channel is one level of a subject, `notify/<channel>`.
fn channel_of(channel: &Dynamic) -> Result<Arc<str>, Mistake> {
    let name = text_of(channel, "a channel")?;
    let fits = !name.is_empty() && !name.contains(|c: char| matches!(c, '/' | '+' | '#') || c.is_control());
    if fits {
        Ok(name)
    } else {
        Err(Mistake::new(format!("`{name}` is no name for a channel"))
            .help("one word without `/`, `+` and `#`: \"on-call\""))
    }
}

fn run_scene(host: &Host, at: Position, name: &Dynamic) -> Raised<StepWord> {
    let Some(name) = host.check(at, text_of(name, "a scene's name"))? else { return Ok(StepWord::Hollow) };
    if host.is_loading() {
        return Ok(StepWord::RunScene { name, at });
    }
    host.check(at, host.scene(&name)).map(|scene| StepWord::of(scene.map(Step::RunScene)))
}

fn emit(host: &Host, at: Position, step: Dynamic) -> Raised<()> {
    match step.clone().try_cast::<StepWord>() {
        Some(StepWord::Step(step)) => host.emit(at, step),
        Some(StepWord::RunScene { .. } | StepWord::Hollow) => {
            Err(raise(at, "`emit` works only inside `run(|| ..)`".into()))
        }
        None => {
            let words = ["set", "invoke", "notify", "delay", "run_scene"];
            let help = did_you_mean("", words).unwrap_or_default();
            Err(raise(at, format!("`emit` needs a step, this is {} ({help})", kind_of(&step))))
        }
    }
}
