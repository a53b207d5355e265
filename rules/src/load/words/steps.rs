//! What a scene does.

use super::super::draft::{Branch, Tree, column};
use super::super::host::{Host, Raised, raise};
use super::{Mistake, StepWord, closure_of, duration_of, find_device, kind_of, text_of, value_of};
use crate::plan::{Act, Computed, Deed, Doing, How, Step};
use edgeway_sdk::Value;
use edgeway_thing_models::{CheckError, NamedValues};
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
    engine.register_fn("emit", move |ctx: NativeCallContext, device: Dynamic, event: Dynamic| {
        emit_event(&h, ctx.call_position(), &device, &event, &Map::new())
    });
    let h = host.clone();
    engine.register_fn("emit", move |ctx: NativeCallContext, device: Dynamic, event: Dynamic, output: Map| {
        emit_event(&h, ctx.call_position(), &device, &event, &output)
    });
    let h = host.clone();
    engine.register_fn("delay", move |ctx: NativeCallContext, duration: Dynamic| -> Raised<StepWord> {
        let at = ctx.call_position();
        let text = format!("delay {duration}");
        let duration = h.check(at, duration_of(&duration))?;
        Ok(StepWord::new(at, text, duration.map(Branch::Delay)))
    });
    let h = host.clone();
    engine.register_fn("run_scene", move |ctx: NativeCallContext, name: Dynamic| {
        run_scene(&h, ctx.call_position(), &name)
    });
    let h = host.clone();
    engine.register_fn("run", move |ctx: NativeCallContext, closure: Dynamic| -> Raised<StepWord> {
        let at = ctx.call_position();
        let closure = closure_of(&h, "run", at, &closure)?;
        Ok(StepWord::new(at, "run a script".into(), closure.map(Branch::Run)))
    });
    let h = host.clone();
    engine.register_fn("emit", move |ctx: NativeCallContext, step: Dynamic| emit(&h, ctx.call_position(), step));
}

impl StepWord {
    pub(super) fn new(at: Position, text: String, what: Option<Branch>) -> Self {
        let tree = what.map(|what| {
            let mut tree = Tree { what, text: text.into(), at, size: 1, depth: 1 };
            let (size, depth) =
                tree.inner().fold((0, 0), |(size, depth), step| (size + step.size, depth.max(step.depth)));
            (tree.size, tree.depth) = (1 + size, 1 + depth);
            tree
        });
        StepWord(tree)
    }

    /// The step, unless a mistake made it hollow.
    pub(super) fn tree(self) -> Option<Tree> {
        self.0
    }
}

/// A deed as a step, done as such deeds are.
fn deed(host: &Host, at: Position, deed: Option<Deed>) -> StepWord {
    let text = deed.as_ref().map(|deed| deed.text(&host.things()));
    let act = deed.map(|deed| Branch::Act(Act { how: How::of(&deed), deed }));
    StepWord::new(at, text.unwrap_or_default(), act)
}

fn set(host: &Host, at: Position, device: &Dynamic, property: &Dynamic, value: &Dynamic) -> Raised<StepWord> {
    if !value.is_fnptr() {
        let set = value_of(value).and_then(|value| set_fixed(host, device, property, &value));
        return host.check(at, set).map(|set| deed(host, at, set));
    }
    let closure = closure_of(host, "set", at, value)?;
    let place = host.check(at, settable(host, device, property))?;
    let (Some(closure), Some((device, property))) = (closure, place) else { return Ok(StepWord(None)) };
    Ok(deed(host, at, Some(Deed::Set { device, property, value: Computed::Script(closure) })))
}

fn set_fixed(host: &Host, device: &Dynamic, property: &Dynamic, value: &Value) -> Result<Deed, Mistake> {
    let things = host.things();
    let device = find_device(&things, device)?;
    let name = text_of(property, "a property's name")?;
    let (property, value) = things.model_of(device).check_set(&name, value)?;
    Ok(Deed::Set { device, property, value: Computed::Fixed(value) })
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
    let call = || {
        let things = host.things();
        let device = find_device(&things, device)?;
        let name = text_of(service, "a service's name")?;
        let (service, input) = things.model_of(device).check_invoke(&name, &named(input)?)?;
        Ok(Deed::Invoke { device, service, input })
    };
    host.check(at, call()).map(|call| deed(host, at, call))
}

fn named(values: &Map) -> Result<NamedValues, Mistake> {
    values.iter().map(|(name, value)| Ok((Arc::from(name.as_str()), value_of(value)?))).collect()
}

/// An event of a thing of the site, told by the site itself.
fn emit_event(host: &Host, at: Position, device: &Dynamic, event: &Dynamic, output: &Map) -> Raised<StepWord> {
    let tell = || {
        let things = host.things();
        let device = find_device(&things, device)?;
        let name = text_of(event, "an event's name")?;
        let (event, output) = things.model_of(device).check_event(&name, &named(output)?)?;
        Ok(Deed::Emit { device, event, output })
    };
    host.check(at, tell()).map(|tell| deed(host, at, tell))
}

fn notify(host: &Host, at: Position, channel: &Dynamic, text: &Dynamic) -> Raised<StepWord> {
    let channel = host.check(at, channel_of(channel))?;
    let text = if text.is_fnptr() {
        closure_of(host, "notify", at, text)?.map(Computed::Script)
    } else {
        host.check(at, text_of(text, "a message"))?.map(Computed::Fixed)
    };
    let (Some(channel), Some(text)) = (channel, text) else { return Ok(StepWord(None)) };
    Ok(deed(host, at, Some(Deed::Notify { channel, text })))
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
    let name = host.check(at, text_of(name, "a scene's name"))?;
    let text = format!("run scene {}", name.as_deref().unwrap_or_default());
    Ok(StepWord::new(at, text, name.map(Branch::RunScene)))
}

fn emit(host: &Host, at: Position, step: Dynamic) -> Raised<()> {
    let kind = kind_of(&step);
    match step.try_cast::<StepWord>() {
        Some(StepWord(Some(tree))) => {
            let step = emitted(host, tree).map_err(|mistake| raise(at, mistake.in_one_line()))?;
            host.emit(at, step)
        }
        Some(StepWord(None)) => Ok(()),
        None => Err(raise(at, format!("`emit` needs a step, this is {kind} (write `emit(set(..))`)"))),
    }
}

/// A step out of a closure: one that is done at once, or a delay.
fn emitted(host: &Host, tree: Tree) -> Result<Step, Mistake> {
    let doing = match tree.what {
        Branch::Act(act) => Doing::Act(act),
        Branch::Delay(duration) => Doing::Delay(duration),
        Branch::RunScene(name) => Doing::RunScene(host.scene(&name)?),
        Branch::WaitFor { .. }
        | Branch::Run(_)
        | Branch::If { .. }
        | Branch::Parallel(_)
        | Branch::Repeat { .. }
        | Branch::Transaction(_) => {
            return Err(Mistake::new("a closure cannot emit this step").help(
                "emit `set`, `invoke`, `notify`, `emit(device, event)`, `delay` or `run_scene`; \
                       write the others in `.then([..])`",
            ));
        }
    };
    let line = tree.at.line().and_then(|line| u32::try_from(line).ok()).unwrap_or(0);
    Ok(Step { doing, text: tree.text, line, column: column(tree.at) })
}
