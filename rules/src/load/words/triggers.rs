//! What sets a scene off.

use super::super::host::{Host, Raised};
use super::conditions::{condition_of, property_of, stale, sun_of};
use super::{ConditionWord, Mistake, PropertyWord, TriggerWord, find_device, kind_of, text_of, value_of};
use crate::plan::{Condition, Leaf, RowOf, Schedule, What};
use edgeway_sdk::{DeviceIx, did_you_mean};
use edgeway_thing_models::EventIx;
use rhai::{Dynamic, Engine, Map, NativeCallContext, Position};
use std::sync::Arc;

pub(super) fn register(engine: &mut Engine, host: &Host) {
    let h = host.clone();
    engine.register_fn("changed", move |ctx: NativeCallContext, property: Dynamic| {
        let at = ctx.call_position();
        let point = property_of(&h, at, &property)?;
        let things = h.things();
        trigger(&h, at, "changed", point.map(|p| (What::Changed(p.slot), format!("{} changed", p.name(&things)))))
    });
    let h = host.clone();
    engine.register_fn("level", move |ctx: NativeCallContext, condition: Dynamic| {
        level(&h, ctx.call_position(), &condition)
    });
    let h = host.clone();
    engine.register_fn("event", move |ctx: NativeCallContext, device: Dynamic, name: Dynamic| {
        let at = ctx.call_position();
        let found = h.check(at, find_event(&h, &device, &name))?;
        let what = found.map(|(device_ix, event)| (What::Event(device_ix, event), format!("event {name} of {device}")));
        trigger(&h, at, "event", what)
    });
    let h = host.clone();
    engine.register_fn("row", move |ctx: NativeCallContext, query: Dynamic| {
        row(&h, ctx.call_position(), &query, &Map::new())
    });
    let h = host.clone();
    engine.register_fn("row", move |ctx: NativeCallContext, query: Dynamic, columns: Map| {
        row(&h, ctx.call_position(), &query, &columns)
    });
    let h = host.clone();
    engine.register_fn("cron", move |ctx: NativeCallContext, pattern: Dynamic| {
        let at = ctx.call_position();
        let schedule = h.check(at, schedule_of(&pattern))?;
        trigger(&h, at, "cron", schedule.map(|schedule| (What::Cron(schedule), format!("cron {pattern}"))))
    });
    for (word, rises) in [("sunrise", true), ("sunset", false)] {
        let h = host.clone();
        engine.register_fn(word, move |ctx: NativeCallContext| sun(&h, ctx.call_position(), word, rises, &"".into()));
        let h = host.clone();
        engine.register_fn(word, move |ctx: NativeCallContext, offset: Dynamic| {
            sun(&h, ctx.call_position(), word, rises, &offset)
        });
    }
    let h = host.clone();
    engine.register_fn("site_starts", move |ctx: NativeCallContext| {
        trigger(&h, ctx.call_position(), "site_starts", Some((What::Start, "the site starts".into())))
    });
    let h = host.clone();
    engine.register_fn("goes_stale", move |ctx: NativeCallContext, of: Dynamic| {
        let at = ctx.call_position();
        let found = stale(&h, at, &of)?.parts();
        trigger(&h, at, "goes_stale", found.map(|(condition, text)| (What::Edge(condition), text.to_string())))
    });
    let h = host.clone();
    engine.register_fn("goes_online", move |ctx: NativeCallContext, device: Dynamic| {
        turns(&h, ctx.call_position(), "goes_online", &device, Condition::Online)
    });
    let h = host.clone();
    engine.register_fn("goes_offline", move |ctx: NativeCallContext, device: Dynamic| {
        let offline = |device| Condition::Not(Box::new(Condition::Online(device)));
        turns(&h, ctx.call_position(), "goes_offline", &device, offline)
    });
}

fn trigger(host: &Host, at: Position, word: &str, what: Option<(What, String)>) -> Raised<TriggerWord> {
    host.declare(word, at, |_| ())?;
    Ok(TriggerWord(what.map(|(what, text)| (what, Arc::from(text)))))
}

fn turns(
    host: &Host,
    at: Position,
    word: &'static str,
    device: &Dynamic,
    condition: impl Fn(DeviceIx) -> Condition,
) -> Raised<TriggerWord> {
    let found = host.check(at, find_device(&host.things(), device))?;
    let text = format!("{device} {}", word.replace('_', " "));
    trigger(host, at, word, found.map(|device| (What::Edge(condition(device)), text)))
}

fn find_event(host: &Host, device: &Dynamic, name: &Dynamic) -> Result<(DeviceIx, EventIx), Mistake> {
    let things = host.things();
    let device = find_device(&things, device)?;
    let name = text_of(name, "an event's name")?;
    let model = things.model_of(device);
    let (event, _) = model.event(&name).ok_or_else(|| {
        let known = model.events.iter().map(|event| &*event.identifier);
        Mistake::new(format!("`{}` has no event `{name}`", model.name)).maybe_help(did_you_mean(&name, known))
    })?;
    Ok((device, event))
}

fn row(host: &Host, at: Position, query: &Dynamic, columns: &Map) -> Raised<TriggerWord> {
    let found = host.check(at, find_rows(host, query, columns))?;
    let what = found.map(|of| {
        let columns = of.columns.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>();
        let with = if columns.is_empty() { String::new() } else { format!(" with {}", columns.join(", ")) };
        let text = format!("row of {}{with}", of.query);
        (What::Row(Arc::new(of)), text)
    });
    trigger(host, at, "row", what)
}

fn find_rows(host: &Host, query: &Dynamic, columns: &Map) -> Result<RowOf, Mistake> {
    let query = text_of(query, "a query's name")?;
    let column = |(name, value): (&rhai::Identifier, &Dynamic)| Ok((Arc::from(name.as_str()), value_of(value)?));
    let columns = columns.iter().map(column).collect::<Result<Vec<_>, Mistake>>()?;
    host.check_row(&query, &columns)?;
    Ok(RowOf { query, columns })
}

fn sun(host: &Host, at: Position, word: &'static str, rises: bool, offset: &Dynamic) -> Raised<TriggerWord> {
    let sun = text_of(offset, "an offset from the sun").and_then(|offset| sun_of(host, rises, &offset));
    let sun = host.check(at, sun)?;
    trigger(host, at, word, sun.map(|sun| (What::Cron(Schedule::Sun(sun)), sun.to_string())))
}

fn schedule_of(pattern: &Dynamic) -> Result<Schedule, Mistake> {
    let text = text_of(pattern, "a cron pattern")?;
    Schedule::parse(&text).map_err(|reason| {
        Mistake::new(format!("`{text}` is not a cron pattern: {reason}"))
            .help("minute, hour, day of month, month, day of week: \"0 7 * * 1-5\" is 07:00 from Monday to Friday")
    })
}

fn level(host: &Host, at: Position, condition: &Dynamic) -> Raised<TriggerWord> {
    let word = condition_of(host, at, condition)?;
    let Some((condition, text)) = word.parts() else { return trigger(host, at, "level", None) };
    let waits = host.check(at, waits_for_something(&condition))?;
    let mut reports = false;
    condition.each_leaf(&mut |leaf| reports |= matches!(leaf, Leaf::Slot(_) | Leaf::Held(_)));
    if waits.is_some() && !reports {
        let mistake = Mistake::new("`level` fires with every report, and this condition reads no property");
        host.check::<()>(at, Err(mistake.help("without `level` it fires when it becomes true")))?;
    }
    trigger(host, at, "level", waits.map(|()| (What::Level(condition), format!("each report with {text}"))))
}

/// What `.when(..)` takes: a trigger, or a condition that fires when it becomes true.
pub(super) fn trigger_of(host: &Host, at: Position, value: &Dynamic) -> Raised<Option<(What, Arc<str>)>> {
    if let Some(TriggerWord(trigger)) = value.clone().try_cast::<TriggerWord>() {
        return Ok(trigger);
    }
    if !value.is::<ConditionWord>() && !value.is::<PropertyWord>() {
        let mistake = Mistake::new(format!("a trigger is needed here, this is {}", kind_of(value)));
        return host.check(
            at,
            Err(mistake
                .help("write `prop(device, property) > 28`, `changed(..)`, `event(..)`, `row(..)` or `cron(..)`")),
        );
    }
    let Some((condition, text)) = condition_of(host, at, value)?.parts() else { return Ok(None) };
    let waits = host.check(at, waits_for_something(&condition))?;
    Ok(waits.map(|()| (What::Edge(condition), text)))
}

/// A check has no moment of its own.
pub(super) fn waits_for_something(condition: &Condition) -> Result<(), Mistake> {
    if condition.has_script() {
        return Err(Mistake::new("a `check` cannot be waited for: nothing says when to ask it")
            .help("put it into `.only_if(..)` and a property into `.when(..)`"));
    }
    Ok(())
}
