//! `scene` and the words after it.

use super::super::draft::{Draft, SceneDraft};
use super::super::host::{Host, Raised};
use super::conditions::condition_of;
use super::triggers::trigger_of;
use super::{Mistake, SceneWord, StepWord, duration_of, kind_of, text_of};
use crate::plan::{Clause, Condition, Mode};
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
        let mode = host.check(at, mode_of(value))?;
        change(host, "mode", at, scene, |draft| draft.mode = mode.unwrap_or_default())
    });
    method(engine, host, "priority", |host, at, scene, value| {
        let priority = value
            .as_int()
            .map_err(|_| Mistake::new(format!("a priority is a whole number, this is {}", kind_of(value))));
        let priority = host.check(at, priority)?;
        change(host, "priority", at, scene, |draft| draft.priority = priority.unwrap_or_default())
    });
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

fn steps_of(host: &Host, at: Position, value: &Dynamic) -> Raised<Vec<StepWord>> {
    let items = match value.clone().try_cast::<Array>() {
        Some(items) => items,
        None => vec![value.clone()],
    };
    host.grow("then", at, items.len(), 0)?;
    let mut steps = vec![];
    for item in items {
        let step = item.clone().try_cast::<StepWord>().ok_or_else(|| not_a_step(&item));
        steps.extend(host.check(at, step)?);
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

fn mode_of(value: &Dynamic) -> Result<Mode, Mistake> {
    match &*text_of(value, "a mode")? {
        "single" => Ok(Mode::Single),
        "restart" => Ok(Mode::Restart),
        other => {
            Err(Mistake::new(format!("there is no mode `{other}`"))
                .maybe_help(did_you_mean(other, ["single", "restart"])))
        }
    }
}
