//! `scene` and the words after it.

use super::super::draft::{Draft, SceneDraft, Tree};
use super::super::host::{Host, Raised};
use super::conditions::condition_of;
use super::triggers::trigger_of;
use super::{Mistake, SceneWord, StepWord, duration_of, kind_of, text_of};
use crate::plan::{Clause, Condition, Finding, Mode, OnUpdate, Rate};
use edgeway_sdk::did_you_mean;
use rhai::{Array, Dynamic, Engine, NativeCallContext, Position};
use std::sync::Arc;

pub(super) fn register(engine: &mut Engine, host: &Host) {
    let h = host.clone();
    engine.register_fn("scene", move |ctx: NativeCallContext, name: Dynamic| scene(&h, ctx.call_position(), &name));
    method(engine, host, "title", |host, at, scene, title| {
        let title = host.check(at, text_of(title, "a title"))?;
        host.grow("title", at, 1, title.as_ref().map_or(0, |title| title.len()))?;
        change(host, "title", at, scene, |draft| draft.title = title.unwrap_or_default().to_string())
    });
    method(engine, host, "when", |host, at, scene, value| {
        let trigger = trigger_of(host, at, value)?;
        host.grow("when", at, 1, trigger.as_ref().map_or(0, |(_, text)| text.len()))?;
        change(host, "when", at, scene, |draft| {
            draft.has_when = true;
            draft.triggers.extend(trigger);
        })
    });
    method(engine, host, "only_if", |host, at, scene, value| {
        let condition = condition_of(host, at, value)?.parts();
        host.grow("only_if", at, 1, condition.as_ref().map_or(0, |(_, text)| text.len()))?;
        change(host, "only_if", at, scene, |draft| draft.conditions.extend(condition.map(clause)))
    });
    method(engine, host, "then", |host, at, scene, value| {
        let steps = steps_of(host, at, value)?;
        change(host, "then", at, scene, |draft| {
            draft.has_then = true;
            draft.then.extend(steps);
        })
    });
    method(engine, host, "otherwise", |host, at, scene, value| {
        let steps = steps_of(host, at, value)?;
        change(host, "otherwise", at, scene, |draft| draft.otherwise.extend(steps))
    });
    method(engine, host, "cooldown", |host, at, scene, value| {
        let cooldown = host.check(at, duration_of(value))?;
        change(host, "cooldown", at, scene, |draft| draft.cooldown = cooldown.unwrap_or_default())
    });
    method(engine, host, "mode", |host, at, scene, value| {
        let mode = host.check(at, one_of(value, "a mode", &MODES))?;
        change(host, "mode", at, scene, |draft| draft.mode = mode.unwrap_or_default())
    });
    method(engine, host, "priority", |host, at, scene, value| {
        let priority = value
            .as_int()
            .map_err(|_| Mistake::new(format!("a priority is a whole number, this is {}", kind_of(value))));
        let priority = host.check(at, priority)?;
        change(host, "priority", at, scene, |draft| draft.priority = priority.unwrap_or_default())
    });
    method(engine, host, "resume_within", |host, at, scene, value| {
        let within = host.check(at, duration_of(value))?;
        change(host, "resume_within", at, scene, |draft| draft.resume_within = within)
    });
    method(engine, host, "on_update", |host, at, scene, value| {
        let then = host.check(at, one_of(value, "a policy", &UPDATES))?;
        change(host, "on_update", at, scene, |draft| draft.on_update = then.unwrap_or_default())
    });
    method(engine, host, "allow", |host, at, scene, value| {
        let finding = host.check(at, one_of(value, "a finding", &FINDINGS))?;
        change(host, "allow", at, scene, |draft| draft.allows.extend(finding))
    });
    let h = host.clone();
    engine.register_fn("at_most", move |ctx: NativeCallContext, scene: SceneWord, count: Dynamic, per: Dynamic| {
        let at = ctx.call_position();
        let rate = h.check(at, rate_of(&count, &per))?;
        change(&h, "at_most", at, scene, |draft| draft.at_most = rate).map(|()| scene)
    });
    flag(engine, host, "per_device", |draft| draft.per_device = true);
    flag(engine, host, "shadow", |draft| draft.shadow = true);
}

/// Registers a word without arguments.
fn flag(engine: &mut Engine, host: &Host, word: &'static str, act: fn(&mut SceneDraft)) {
    let h = host.clone();
    engine.register_fn(word, move |ctx: NativeCallContext, scene: SceneWord| -> Raised<SceneWord> {
        change(&h, word, ctx.call_position(), scene, act)?;
        Ok(scene)
    });
}

fn rate_of(count: &Dynamic, per: &Dynamic) -> Result<Rate, Mistake> {
    let per = duration_of(per)?;
    let count = count.as_int().ok().and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0);
    let count = count.ok_or_else(|| {
        Mistake::new("how often a scene may fire is a whole number from 1 on").help("write `.at_most(100, \"10s\")`")
    })?;
    Ok(Rate { count, per })
}

/// Words for a choice.
type Choice<T, const N: usize> = [(&'static str, T); N];

const MODES: Choice<Mode, 4> =
    [("single", Mode::Single), ("restart", Mode::Restart), ("queue", Mode::Queue), ("parallel", Mode::Parallel)];
const UPDATES: Choice<OnUpdate, 2> = [("abandon", OnUpdate::Abandon), ("restart", OnUpdate::Restart)];
const FINDINGS: Choice<Finding, 3> =
    [("loop", Finding::Loop), ("conflict", Finding::Conflict), ("idle", Finding::Idle)];

fn one_of<T: Copy, const N: usize>(value: &Dynamic, what: &str, choice: &Choice<T, N>) -> Result<T, Mistake> {
    let text = text_of(value, what)?;
    choice.iter().find(|(word, _)| **word == *text).map(|(_, found)| *found).ok_or_else(|| {
        let help = did_you_mean(&text, choice.iter().map(|(word, _)| *word));
        let kind = what.split(' ').next_back().unwrap_or(what);
        Mistake::new(format!("there is no {kind} `{text}`")).maybe_help(help)
    })
}

/// Registers a word that takes one argument and can be followed by the next.
fn method(
    engine: &mut Engine,
    host: &Host,
    word: &'static str,
    act: impl Fn(&Host, Position, SceneWord, &Dynamic) -> Raised<()> + Send + Sync + 'static,
) {
    let host = host.clone();
    engine.register_fn(word, move |ctx: NativeCallContext, scene: SceneWord, value: Dynamic| -> Raised<SceneWord> {
        act(&host, ctx.call_position(), scene, &value)?;
        Ok(scene)
    });
}

fn change(host: &Host, word: &str, at: Position, scene: SceneWord, act: impl FnOnce(&mut SceneDraft)) -> Raised<()> {
    host.declare(word, at, |draft| act(draft.scene(scene)))
}

fn scene(host: &Host, at: Position, name: &Dynamic) -> Raised<SceneWord> {
    let name = host.check(at, name_of(name))?;
    host.grow("scene", at, 1, name.as_ref().map_or(0, |name| name.len()))?;
    host.declare("scene", at, |draft: &mut Draft| {
        let name = name.unwrap_or_default();
        draft.scenes.push(SceneDraft { name, file: draft.file.clone(), at, ..SceneDraft::default() });
        SceneWord(draft.scenes.len() - 1)
    })
}

/// A scene's name is one level of a subject, `scene/<name>`.
fn name_of(name: &Dynamic) -> Result<Arc<str>, Mistake> {
    let name = text_of(name, "a scene's name")?;
    let fits = !name.is_empty()
        && !name.contains(|c: char| matches!(c, '/' | '+' | '#') || c.is_whitespace() || c.is_control());
    if fits {
        Ok(name)
    } else {
        Err(Mistake::new(format!("`{name}` is no name for a scene"))
            .help("without spaces, `/`, `+` and `#`: \"room-301.welcome\""))
    }
}

fn clause((condition, text): (Condition, Arc<str>)) -> Clause {
    Clause { condition, text }
}

/// One step, or a list of them.
pub(super) fn steps_of(host: &Host, at: Position, value: &Dynamic) -> Raised<Vec<Tree>> {
    let items = match value.clone().try_cast::<Array>() {
        Some(items) => items,
        None => vec![value.clone()],
    };
    let mut steps = vec![];
    for item in items {
        let step = item.clone().try_cast::<StepWord>().ok_or_else(|| not_a_step(&item));
        steps.extend(host.check(at, step)?.and_then(StepWord::tree));
        let size: usize = steps.last().map_or(1, |step: &Tree| step.size);
        host.grow("then", at, size, 0)?;
    }
    Ok(steps)
}

fn not_a_step(value: &Dynamic) -> Mistake {
    let help = match value.is_fnptr() {
        true => "put the closure into `run(|| ..)`",
        false => "write `set(..)`, `invoke(..)`, `notify(..)`, `delay(..)`, `run_scene(..)` or `run(..)`",
    };
    Mistake::new(format!("a step is needed here, this is {}", kind_of(value))).help(help)
}
