//! Steps that contain steps, and how steps are done.

use super::super::draft::{Branch, Tree};
use super::super::host::{Host, Raised, raise};
use super::conditions::condition_of;
use super::scene::steps_of;
use super::triggers::waits_for_something;
use super::{Mistake, StepWord, duration_of, kind_of};
use crate::plan::{Act, Clause, Deed};
use rhai::{Array, Dynamic, Engine, NativeCallContext, Position};

/// The most times a block is repeated, and the most tries of a step.
const REPEATS_MAX: i64 = 1_000;
/// The most branches that run at once.
const BRANCHES_MAX: usize = 64;
/// The most steps in one block, and how deep blocks stand inside each other.
const STEPS_MAX: usize = 4_096;
const DEPTH_MAX: usize = 16;

pub(super) fn register(engine: &mut Engine, host: &Host) {
    let h = host.clone();
    engine.register_fn("wait_for", move |ctx: NativeCallContext, condition: Dynamic, within: Dynamic| {
        wait_for(&h, ctx.call_position(), &condition, &within)
    });
    let h = host.clone();
    engine.register_fn("if_true", move |ctx: NativeCallContext, condition: Dynamic, then: Dynamic| {
        if_true(&h, ctx.call_position(), &condition, &then)
    });
    let h = host.clone();
    engine.register_fn("otherwise", move |ctx: NativeCallContext, step: StepWord, otherwise: Dynamic| {
        if_otherwise(&h, ctx.call_position(), step, &otherwise)
    });
    let h = host.clone();
    engine.register_fn("parallel", move |ctx: NativeCallContext, branches: Array| {
        parallel(&h, ctx.call_position(), branches)
    });
    let h = host.clone();
    engine.register_fn("repeat", move |ctx: NativeCallContext, times: Dynamic, body: Dynamic| {
        repeat(&h, ctx.call_position(), &times, &body)
    });
    let h = host.clone();
    engine.register_fn("transaction", move |ctx: NativeCallContext, body: Dynamic| {
        transaction(&h, ctx.call_position(), &body)
    });
    register_manners(engine, host);
}

fn register_manners(engine: &mut Engine, host: &Host) {
    let h = host.clone();
    engine.register_fn("within", move |ctx: NativeCallContext, step: StepWord, within: Dynamic| {
        let at = ctx.call_position();
        let within = h.check(at, duration_of(&within))?;
        manner(&h, at, step, "within", |act| act.how.within = within)
    });
    let h = host.clone();
    engine.register_fn("retry", move |ctx: NativeCallContext, step: StepWord, times: Dynamic, pause: Dynamic| {
        let at = ctx.call_position();
        let (times, pause) = (h.check(at, times_of(&times))?, h.check(at, duration_of(&pause))?);
        manner(&h, at, step, "retry", |act| {
            act.how.retries = times.unwrap_or_default();
            act.how.pause = pause.unwrap_or_default();
            act.how.waits = true;
        })
    });
    let h = host.clone();
    engine.register_fn("confirmed", move |ctx: NativeCallContext, step: StepWord| {
        manner(&h, ctx.call_position(), step, "confirmed", |act| act.how.waits = true)
    });
    let h = host.clone();
    engine.register_fn("undo", move |ctx: NativeCallContext, step: StepWord, undo: Dynamic| {
        let at = ctx.call_position();
        let steps = steps_of(&h, at, &undo)?;
        let undo = h.check(at, steps.into_iter().map(undoing).collect::<Result<Vec<Deed>, Mistake>>())?;
        manner(&h, at, step, "undo", |act| act.how.undo = undo)
    });
    let h = host.clone();
    engine
        .register_fn("may_fail", move |ctx: NativeCallContext, step: StepWord| may_fail(&h, ctx.call_position(), step));
}

/// Says how a step that asks a device for something is done.
fn manner(host: &Host, at: Position, step: StepWord, word: &str, change: impl FnOnce(&mut Act)) -> Raised<StepWord> {
    let Some(mut tree) = step.tree() else { return Ok(StepWord(None)) };
    match &mut tree.what {
        Branch::Act(act) if act.deed.writes() => {
            change(act);
            Ok(StepWord(Some(tree)))
        }
        _ => {
            let mistake = Mistake::new(format!("`.{word}` says how a device is asked, and this step asks none"));
            host.check::<()>(at, Err(mistake.help("it stands behind `set(..)` and `invoke(..)`")))?;
            Ok(StepWord(None))
        }
    }
}

fn may_fail(host: &Host, at: Position, step: StepWord) -> Raised<StepWord> {
    let Some(mut tree) = step.tree() else { return Ok(StepWord(None)) };
    match &mut tree.what {
        Branch::Act(act) if act.deed.writes() => act.how.may_fail = true,
        Branch::WaitFor { may_fail, .. } => *may_fail = true,
        _ => {
            let mistake = Mistake::new("this step cannot fail by itself");
            host.check::<()>(
                at,
                Err(mistake.help("`.may_fail()` stands behind `set(..)`, `invoke(..)` and `wait_for(..)`")),
            )?;
            return Ok(StepWord(None));
        }
    }
    Ok(StepWord(Some(tree)))
}

/// A block, if it is not too large: a script can put one list into another as often as it likes.
fn block(host: &Host, at: Position, text: String, what: Option<Branch>) -> Raised<StepWord> {
    let word = StepWord::new(at, text, what);
    let Some(tree) = &word.0 else { return Ok(word) };
    if tree.size > STEPS_MAX || tree.depth > DEPTH_MAX {
        let limits = format!("{STEPS_MAX} steps, {DEPTH_MAX} levels");
        return Err(raise(at, format!("the block is too large ({limits})")));
    }
    host.grow("steps", at, tree.size, 0)?;
    Ok(word)
}

fn undoing(tree: Tree) -> Result<Deed, Mistake> {
    match tree.what {
        Branch::Act(act) if !act.how.is_plain(&act.deed) => Err(Mistake::new("how something is undone cannot be said")
            .help("`.undo(..)` takes steps without `.retry`, `.within` and the like")),
        Branch::Act(act) => Ok(act.deed),
        _ => Err(Mistake::new("this step undoes nothing")
            .help("`.undo(..)` takes `set`, `invoke`, `notify` or `emit`, or a list of these")),
    }
}

fn times_of(times: &Dynamic) -> Result<u32, Mistake> {
    let found = times.as_int().ok().filter(|times| (1..=REPEATS_MAX).contains(times));
    found.and_then(|times| u32::try_from(times).ok()).ok_or_else(|| {
        Mistake::new(format!("how often is a whole number from 1 to {REPEATS_MAX}, this is {}", kind_of(times)))
    })
}

fn wait_for(host: &Host, at: Position, condition: &Dynamic, within: &Dynamic) -> Raised<StepWord> {
    let within = host.check(at, duration_of(within))?;
    let parts = condition_of(host, at, condition)?.parts();
    let (Some(within), Some((condition, text))) = (within, parts) else { return Ok(StepWord(None)) };
    if host.check(at, waits_for_something(&condition))?.is_none() {
        return Ok(StepWord(None));
    }
    let step = format!("wait for {text}");
    let what = Branch::WaitFor { condition: Clause { condition, text }, within, may_fail: false };
    Ok(StepWord::new(at, step, Some(what)))
}

fn if_true(host: &Host, at: Position, condition: &Dynamic, then: &Dynamic) -> Raised<StepWord> {
    let parts = condition_of(host, at, condition)?.parts();
    let then = steps_of(host, at, then)?;
    let Some((condition, text)) = parts else { return Ok(StepWord(None)) };
    let step = format!("if {text}");
    let what = Branch::If { condition: Clause { condition, text }, then, otherwise: vec![] };
    block(host, at, step, Some(what))
}

fn if_otherwise(host: &Host, at: Position, step: StepWord, steps: &Dynamic) -> Raised<StepWord> {
    let steps = steps_of(host, at, steps)?;
    let Some(mut tree) = step.tree() else { return Ok(StepWord(None)) };
    match &mut tree.what {
        Branch::If { otherwise, .. } => {
            otherwise.extend(steps);
            block(host, tree.at, tree.text.to_string(), Some(tree.what))
        }
        _ => {
            let mistake = Mistake::new("`.otherwise` stands behind a scene or behind `if_true(..)`");
            host.check::<()>(at, Err(mistake))?;
            Ok(StepWord(None))
        }
    }
}

fn parallel(host: &Host, at: Position, branches: Array) -> Raised<StepWord> {
    let count = branches.len();
    let branches = branches.iter().map(|branch| steps_of(host, at, branch)).collect::<Raised<Vec<_>>>()?;
    let fits = match count {
        0 | 1 => Err(Mistake::new("`parallel` needs two branches at least")),
        count if count > BRANCHES_MAX => Err(Mistake::new(format!("more than {BRANCHES_MAX} branches at once"))),
        _ => Ok(()),
    };
    let fits = host.check(at, fits)?;
    block(host, at, format!("parallel, {count} branches"), fits.map(|()| Branch::Parallel(branches)))
}

fn repeat(host: &Host, at: Position, times: &Dynamic, body: &Dynamic) -> Raised<StepWord> {
    let times = host.check(at, times_of(times))?;
    let body = steps_of(host, at, body)?;
    let what = times.map(|times| Branch::Repeat { times, body });
    block(host, at, format!("repeat {} times", times.unwrap_or_default()), what)
}

fn transaction(host: &Host, at: Position, body: &Dynamic) -> Raised<StepWord> {
    let body = steps_of(host, at, body)?;
    let mut wrong = None;
    for step in &body {
        step.each(&mut |step| {
            let fits =
                matches!(step.what, Branch::Act(_) | Branch::Delay(_) | Branch::WaitFor { .. } | Branch::If { .. });
            if !fits && wrong.is_none() {
                wrong = Some(step.text.clone());
            }
        });
    }
    let fits = match wrong {
        None => Ok(()),
        Some(text) => Err(Mistake::new(format!("`{text}` cannot be undone, so it cannot stand in a transaction"))
            .help("a transaction takes `set`, `invoke`, `notify`, `emit`, `delay`, `wait_for` and `if_true`")),
    };
    let fits = host.check(at, fits)?;
    block(host, at, "transaction".into(), fits.map(|()| Branch::Transaction(body)))
}
