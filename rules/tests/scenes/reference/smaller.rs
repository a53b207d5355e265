//! Makes a case that fails smaller, until nothing can be left out of it.

use super::Case;
use super::script::{Act, Condition, Mode, Scene, Step, Trigger};

/// The smallest case found that still fails.
pub(super) fn smallest(mut case: Case, fails: impl Fn(&Case) -> bool) -> Case {
    loop {
        let smaller = candidates(&case).find(&fails);
        let Some(smaller) = smaller else { return case };
        case = smaller;
    }
}

fn candidates(case: &Case) -> impl Iterator<Item = Case> {
    let fewer_events = shorter(&case.events).map(|events| Case { events, ..case.clone() });
    let fewer_scenes = (0..case.scenes.scenes.len()).rev().filter_map(|at| without_scene(case, at));
    let fewer_replies = shorter(&case.replies).filter(|replies| !replies.is_empty());
    let fewer_replies = fewer_replies.map(|replies| Case { replies, ..case.clone() });
    let smaller_scenes = (0..case.scenes.scenes.len()).flat_map(move |at| {
        scenes(&case.scenes.scenes[at]).into_iter().map(move |smaller| {
            let mut case = case.clone();
            case.scenes.scenes[at] = smaller;
            case
        })
    });
    fewer_events.chain(fewer_scenes).chain(fewer_replies).chain(smaller_scenes)
}

/// The list without a part of it, large parts first.
fn shorter<T: Clone>(list: &[T]) -> impl Iterator<Item = Vec<T>> {
    let sizes = std::iter::successors(Some(list.len().div_ceil(2)), |size| Some(size / 2)).take_while(|size| *size > 0);
    sizes.flat_map(move |size| {
        let starts = (0..list.len()).step_by(size);
        starts.map(move |start| [&list[..start], &list[(start + size).min(list.len())..]].concat())
    })
}

/// The case without a scene, unless another one runs it.
fn without_scene(case: &Case, gone: usize) -> Option<Case> {
    let mut case = case.clone();
    if case.scenes.scenes.len() == 1 {
        return None;
    }
    case.scenes.scenes.remove(gone);
    let mut is_run = false;
    for scene in &mut case.scenes.scenes {
        each_step(&mut scene.then, &mut |step| is_run |= close_gap(step, gone));
        each_step(&mut scene.otherwise, &mut |step| is_run |= close_gap(step, gone));
    }
    (!is_run).then_some(case)
}

/// Whether a step runs the scene that is gone; those behind it have moved.
fn close_gap(step: &mut Step, gone: usize) -> bool {
    let Step::RunScene(scene) = step else { return false };
    let is_run = *scene == gone;
    *scene -= usize::from(*scene > gone);
    is_run
}

fn each_step(steps: &mut [Step], visit: &mut impl FnMut(&mut Step)) {
    for step in steps {
        visit(step);
        match step {
            Step::If { then, otherwise, .. } => {
                each_step(then, visit);
                each_step(otherwise, visit);
            }
            Step::Parallel(branches) => branches.iter_mut().for_each(|branch| each_step(branch, visit)),
            Step::Repeat(_, body) | Step::Transaction(body) => each_step(body, visit),
            Step::Act(_) | Step::Delay(_) | Step::WaitFor { .. } | Step::RunScene(_) => {}
        }
    }
}

fn scenes(scene: &Scene) -> Vec<Scene> {
    let with = |change: &dyn Fn(&mut Scene)| {
        let mut scene = scene.clone();
        change(&mut scene);
        scene
    };
    let mut found = vec![];
    found.extend((scene.priority != 0).then(|| with(&|scene| scene.priority = 0)));
    found.extend((scene.mode != Mode::Single).then(|| with(&|scene| scene.mode = Mode::Single)));
    found.extend(scene.per_device.then(|| with(&|scene| scene.per_device = false)));
    found.extend(scene.cooldown_s.map(|_| with(&|scene| scene.cooldown_s = None)));
    found.extend(
        each_smaller(&scene.triggers, triggers).into_iter().map(|new| with(&|scene| scene.triggers = new.clone())),
    );
    let conditions = each_smaller(&scene.conditions, conditions);
    found.extend(conditions.into_iter().map(|new| with(&|scene| scene.conditions = new.clone())));
    found.extend(lists(&scene.then).into_iter().map(|new| with(&|scene| scene.then = new.clone())));
    found.extend(lists(&scene.otherwise).into_iter().map(|new| with(&|scene| scene.otherwise = new.clone())));
    found
}

/// The list with one item left out, or with one made smaller.
fn each_smaller<T: Clone>(list: &[T], smaller: impl Fn(&T) -> Vec<T>) -> Vec<Vec<T>> {
    let mut found: Vec<Vec<T>> = (0..list.len()).map(|at| [&list[..at], &list[at + 1..]].concat()).collect();
    for (at, item) in list.iter().enumerate() {
        found.extend(smaller(item).into_iter().map(|item| [&list[..at], &[item], &list[at + 1..]].concat()));
    }
    found
}

fn triggers(trigger: &Trigger) -> Vec<Trigger> {
    match trigger {
        Trigger::Edge(condition) => conditions(condition).into_iter().map(Trigger::Edge).collect(),
        // What remains has to read a property.
        Trigger::Level(Condition::All(parts)) => parts.last().cloned().map(Trigger::Level).into_iter().collect(),
        _ => vec![],
    }
}

fn conditions(condition: &Condition) -> Vec<Condition> {
    let mut found: Vec<Condition> = condition.parts().into_iter().cloned().collect();
    match condition {
        Condition::All(parts) if parts.len() > 1 => {
            let fewer = each_smaller(parts, conditions).into_iter();
            found.extend(fewer.map(Condition::All));
        }
        Condition::Any(parts) if parts.len() > 1 => {
            let fewer = each_smaller(parts, conditions).into_iter();
            found.extend(fewer.map(Condition::Any));
        }
        Condition::Not(inner) => found.extend(conditions(inner).into_iter().map(|inner| Condition::Not(inner.into()))),
        Condition::Held { id, inner, dwell_s } => {
            let smaller = conditions(inner).into_iter();
            found.extend(smaller.map(|inner| Condition::Held { id: *id, inner: inner.into(), dwell_s: *dwell_s }));
        }
        _ => {}
    }
    found
}

/// The list with one step less, with what is in a step instead of it, or with a smaller step.
fn lists(steps: &[Step]) -> Vec<Vec<Step>> {
    let mut found = each_smaller(steps, smaller_steps);
    for (at, step) in steps.iter().enumerate() {
        let bodies: Vec<&[Step]> = match step {
            Step::If { then, otherwise, .. } => vec![then, otherwise],
            Step::Parallel(branches) => branches.iter().map(|branch| &branch[..]).collect(),
            Step::Repeat(_, body) | Step::Transaction(body) => vec![body],
            _ => vec![],
        };
        found.extend(bodies.into_iter().map(|body| [&steps[..at], body, &steps[at + 1..]].concat()));
    }
    found
}

fn smaller_steps(step: &Step) -> Vec<Step> {
    match step {
        Step::Act(act) => acts(act).into_iter().map(Step::Act).collect(),
        Step::WaitFor { id, condition, within_s, may_fail } => {
            let smaller = conditions(condition).into_iter();
            let with = |condition| Step::WaitFor { id: *id, condition, within_s: *within_s, may_fail: *may_fail };
            smaller.map(with).collect()
        }
        Step::If { condition, then, otherwise } => {
            let step = |condition: &Condition, then: &[Step], otherwise: &[Step]| Step::If {
                condition: condition.clone(),
                then: then.to_vec(),
                otherwise: otherwise.to_vec(),
            };
            let by_condition = conditions(condition).into_iter().map(|condition| step(&condition, then, otherwise));
            let by_then = lists(then).into_iter().map(|then| step(condition, &then, otherwise));
            let by_otherwise = lists(otherwise).into_iter().map(|otherwise| step(condition, then, &otherwise));
            by_condition.chain(by_then).chain(by_otherwise).collect()
        }
        Step::Parallel(branches) => {
            let fewer = each_smaller(branches, |branch| lists(branch)).into_iter();
            fewer.filter(|branches| branches.len() > 1).map(Step::Parallel).collect()
        }
        Step::Repeat(times, body) => lists(body).into_iter().map(|body| Step::Repeat(*times, body)).collect(),
        Step::Transaction(body) => lists(body).into_iter().map(Step::Transaction).collect(),
        Step::Delay(_) | Step::RunScene(_) => vec![],
    }
}

fn acts(act: &Act) -> Vec<Act> {
    let mut found = vec![];
    found.extend(act.confirmed.then(|| Act { confirmed: false, ..act.clone() }));
    found.extend(act.retry.map(|_| Act { retry: None, ..act.clone() }));
    found.extend(act.within_s.map(|_| Act { within_s: None, ..act.clone() }));
    found.extend(act.may_fail.then(|| Act { may_fail: false, ..act.clone() }));
    found.extend(act.undo.as_ref().map(|_| Act { undo: None, ..act.clone() }));
    found
}
