//! Scenes that never act, and comparisons that always come out the same.

use super::conditions::{Want, cases};
use super::findings::{Findings, Kind};
use super::parts::{Contradiction, Part, contradiction, parts_of};
use super::wording;
use crate::plan::{Clause, Condition, Doing, Op, Operand, Plan, Scene, SceneIx, Trigger, What};
use crate::values::Slot;
use edgeway_sdk::Value;
use std::collections::HashSet;

const ALWAYS: &str = "take it out, or compare with a value that decides something";

/// Which comparisons of a scene have been told of already.
pub(super) type Told = HashSet<String>;

/// Says what of a scene can never happen.
pub(super) fn dead(plan: &Plan, ix: SceneIx, is_called: bool, told: &mut Told, findings: &mut Findings<'_>) {
    let scene = plan.scene(ix);
    let mut conditions = vec![];
    scene.conditions.iter().for_each(|clause| parts_of(plan, &clause.condition, Want::True, &mut conditions));
    if let Some(found) = contradiction(plan, &conditions) {
        let subject = match scene.otherwise.is_empty() {
            true => format!("scene `{}` can never fire", scene.name),
            false => format!("only the `otherwise` of scene `{}` can ever run", scene.name),
        };
        return report(ix, &subject, &found, told, findings);
    }
    for at in scene.triggers.clone() {
        let trigger = &plan.triggers[at as usize];
        let subject = subject(scene, trigger, is_called);
        if let Some(found) = of_trigger(plan, trigger, &conditions) {
            report(ix, &subject, &found, told, findings);
        } else if let Some(text) = never_turns(plan, trigger) {
            let message =
                format!("{subject}: `{text}` is always true, and it fires only when that turns from false to true");
            findings.warn(ix, Kind::Dead, message, "wait for something that can change: `.when(changed(prop(..)))`");
            told.insert(text);
        }
    }
}

fn subject(scene: &Scene, trigger: &Trigger, is_called: bool) -> String {
    match scene.triggers.len() {
        1 if !is_called && scene.otherwise.is_empty() => format!("scene `{}` can never fire", scene.name),
        1 => format!("the trigger of scene `{}` can never make it fire", scene.name),
        _ => format!("`{}` can never make scene `{}` fire", trigger.text, scene.name),
    }
}

fn report(ix: SceneIx, subject: &str, found: &Contradiction, told: &mut Told, findings: &mut Findings<'_>) {
    findings.warn(ix, Kind::Dead, format!("{subject}: {}", found.text()), found.help());
    told.extend(found.parts.iter().map(|part| part.trim_start_matches("not ").to_owned()));
}

fn of_trigger(plan: &Plan, trigger: &Trigger, conditions: &[Part<'_>]) -> Option<Contradiction> {
    let mut parts = vec![];
    match &trigger.what {
        What::Edge(condition) | What::Level(condition) => parts_of(plan, condition, Want::True, &mut parts),
        What::Changed(_) | What::Event(..) | What::Row(_) | What::Cron(_) | What::Start => return None,
    }
    parts.extend_from_slice(conditions);
    contradiction(plan, &parts)
}

/// The condition of a trigger that would have to turn true and never is anything else.
fn never_turns(plan: &Plan, trigger: &Trigger) -> Option<String> {
    let What::Edge(condition) = &trigger.what else { return None };
    cases(plan, condition, Want::False).is_empty().then(|| wording::part(plan, condition, Want::True))
}

/// Says which comparisons of a scene always come out the same.
pub(super) fn comparisons(plan: &Plan, ix: SceneIx, told: &mut Told, findings: &mut Findings<'_>) {
    let scene = plan.scene(ix);
    for trigger in &plan.triggers[scene.triggers.start as usize..scene.triggers.end as usize] {
        match &trigger.what {
            // `level(x >= 0)` is how a script says: with each report.
            What::Level(Condition::Compare { .. }) => {}
            What::Edge(condition) | What::Level(condition) => within(plan, ix, condition, told, findings),
            What::Changed(_) | What::Event(..) | What::Row(_) | What::Cron(_) | What::Start => {}
        }
    }
    let steps = scene.then.steps.iter().chain(&scene.otherwise.steps);
    let in_steps = steps.filter_map(|step| clause_of(plan, &step.doing));
    for clause in scene.conditions.iter().chain(in_steps) {
        within(plan, ix, &clause.condition, told, findings);
    }
}

/// The condition that a step asks for.
pub(super) fn clause_of<'a>(plan: &'a Plan, doing: &'a Doing) -> Option<&'a Clause> {
    match doing {
        Doing::If { condition, .. } => Some(condition),
        Doing::WaitFor { wait, .. } => Some(&plan.waits[wait.0 as usize]),
        _ => None,
    }
}

fn within(plan: &Plan, ix: SceneIx, condition: &Condition, told: &mut Told, findings: &mut Findings<'_>) {
    match condition {
        Condition::Compare { left, op, right } => {
            if let Some(result) = result(plan, condition) {
                comparison(plan, ix, (*left, *op, right, result), told, findings);
            }
        }
        Condition::Held(held) => within(plan, ix, &plan.helds[held.0 as usize].inner, told, findings),
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().for_each(|part| within(plan, ix, part, told, findings));
        }
        Condition::Not(inner) | Condition::OrUnknown(inner) => within(plan, ix, inner, told, findings),
        _ => {}
    }
}

/// What a comparison always comes to, if its values are known at all.
fn result(plan: &Plan, condition: &Condition) -> Option<bool> {
    if cases(plan, condition, Want::False).is_empty() {
        return Some(true);
    }
    cases(plan, condition, Want::True).is_empty().then_some(false)
}

fn comparison(
    plan: &Plan,
    ix: SceneIx,
    (left, op, right, result): (Slot, Op, &Operand, bool),
    told: &mut Told,
    findings: &mut Findings<'_>,
) {
    let condition = Condition::Compare { left, op, right: right.clone() };
    let text = wording::part(plan, &condition, Want::True);
    if !told.insert(text.clone()) {
        return;
    }
    let why = match right {
        Operand::Property(_) => "it compares a property with itself".to_owned(),
        Operand::Value(Value::Bool(_)) => return,
        Operand::Value(_) => wording::values(plan, left),
    };
    let always = if result { "always" } else { "never" };
    let message = format!("in scene `{}` `{text}` is {always} true: {why}", plan.scene(ix).name);
    findings.warn(ix, Kind::Comparison, message, ALWAYS);
}
