//! From a draft to a plan: resolves the names of scenes and puts everything in order.

use super::draft::{Branch, Draft, Mistake, SceneDraft, Tree, column};
use super::host::unknown_scene;
use super::{FileProblem, Options, compile, version};
use crate::plan::{Clause, Finding, Index, Locale, Plan, RATE, Scene, SceneIx, Trigger};
use crate::values::Slots;
use edgeway_thing_models::Things;
use rhai::Position;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Where each scene stands.
pub(super) type Names = HashMap<Arc<str>, SceneIx>;

/// Makes the plan and hands back all problems, also those of the scripts' run.
pub(super) fn link(mut draft: Draft, things: Arc<Things>, slots: Slots, options: Options) -> (Plan, Vec<FileProblem>) {
    let mut scenes = std::mem::take(&mut draft.scenes);
    refuse_duplicates(&mut draft, &mut scenes);
    scenes.sort_by(|a, b| (Reverse(a.priority), &a.name).cmp(&(Reverse(b.priority), &b.name)));
    let names = scenes.iter().enumerate().map(|(at, scene)| (scene.name.clone(), SceneIx(at as u32))).collect();
    judge(&mut draft, &scenes, &names);
    let (mut triggers, mut waits) = (vec![], vec![]);
    let scenes: Vec<Scene> = scenes
        .into_iter()
        .map(|scene| (version::version(&draft, &scene), scene))
        .map(|(version, scene)| finish(scene, version, &names, &mut triggers, &mut waits))
        .collect();
    let index = Index::new(&slots, things.devices().len(), &draft.helds, &triggers, &waits);
    let Options { zone, position, echo, decisions, .. } = options;
    let locale = Locale { zone, position };
    let plan =
        Plan { things, slots, locale, echo, decisions, scenes, names, triggers, helds: draft.helds, waits, index };
    (plan, draft.problems)
}

fn refuse_duplicates(draft: &mut Draft, scenes: &mut Vec<SceneDraft>) {
    let mut first: HashMap<Arc<str>, (Arc<str>, Position)> = HashMap::new();
    scenes.retain(|scene| match first.get(&scene.name) {
        // A nameless one has been reported already.
        _ if scene.name.is_empty() => false,
        None => {
            first.insert(scene.name.clone(), (scene.file.clone(), scene.at));
            true
        }
        Some((file, at)) => {
            let mistake = Mistake::new(format!("there is already a scene `{}`", scene.name));
            let line = at.line().unwrap_or(1);
            draft.report_in(scene, scene.at, mistake.help(format!("the first is in {file}, line {line}")));
            false
        }
    });
}

/// What can only be seen once all scenes are known.
fn judge(draft: &mut Draft, scenes: &[SceneDraft], names: &Names) {
    let mut called: HashSet<Arc<str>> = HashSet::new();
    for scene in scenes {
        for (name, at) in calls(scene) {
            if !names.contains_key(name) && !draft.is_full() {
                draft.report_in(scene, at, unknown_scene(name, names.keys().map(|known| &**known)));
            }
            called.insert(name.clone());
        }
    }
    for scene in scenes {
        if !scene.has_then {
            let mistake = Mistake::new(format!("scene `{}` does nothing", scene.name));
            draft.report_in(scene, scene.at, mistake.help("add `.then([..])`"));
        }
        for at in undone_outside(&scene.then).chain(undone_outside(&scene.otherwise)) {
            let mistake = Mistake::new("`.undo(..)` counts in a transaction, and this step is in none");
            draft.warn_in(scene, at, mistake.help("write `transaction([..])` around the steps that belong together"));
        }
        let is_idle = !scene.has_when && !called.contains(&scene.name);
        if is_idle && !scene.allows.contains(&Finding::Idle) {
            let mistake = Mistake::new(format!("nothing sets off scene `{}`", scene.name));
            draft.warn_in(
                scene,
                scene.at,
                mistake.help(
                    "add `.when(..)`, or run it from another scene; if it is run by hand, write `.allow(\"idle\")`",
                ),
            );
        }
    }
}

/// Steps with an `undo` that are in no transaction.
fn undone_outside(steps: &[Tree]) -> impl Iterator<Item = Position> {
    fn visit(steps: &[Tree], found: &mut Vec<Position>) {
        for step in steps {
            match &step.what {
                Branch::Act(act) if act.how.undo.is_some() => found.push(step.at),
                Branch::Transaction(_) => {}
                Branch::Parallel(branches) => branches.iter().for_each(|branch| visit(branch, found)),
                Branch::If { then, otherwise, .. } => {
                    visit(then, found);
                    visit(otherwise, found);
                }
                Branch::Repeat { body, .. } => visit(body, found),
                _ => {}
            }
        }
    }
    let mut found = vec![];
    visit(steps, &mut found);
    found.into_iter()
}

fn calls(scene: &SceneDraft) -> Vec<(&Arc<str>, Position)> {
    let mut found = vec![];
    for step in scene.then.iter().chain(&scene.otherwise) {
        step.each(&mut |step: &Tree| {
            if let Branch::RunScene(name) = &step.what {
                found.push((name, step.at));
            }
        });
    }
    found
}

fn finish(
    draft: SceneDraft,
    version: u64,
    names: &Names,
    triggers: &mut Vec<Trigger>,
    waits: &mut Vec<Clause>,
) -> Scene {
    let scene = names[&draft.name];

    let start = triggers.len() as u32;
    triggers.extend(draft.triggers.into_iter().map(|(what, text)| Trigger { scene, text, what }));
    Scene {
        name: draft.name,
        title: draft.title,
        file: draft.file,
        line: draft.at.line().unwrap_or(1),
        column: column(draft.at),
        triggers: start..triggers.len() as u32,
        asks_scripts: draft.conditions.iter().any(|clause| clause.condition.has_script()),
        conditions: draft.conditions,
        then: compile::compile(&draft.then, names, waits),
        otherwise: compile::compile(&draft.otherwise, names, waits),
        cooldown: draft.cooldown,
        mode: draft.mode,
        per_device: draft.per_device,
        priority: draft.priority,
        resume_within: draft.resume_within,
        on_update: draft.on_update,
        at_most: draft.at_most.unwrap_or(RATE),
        shadow: draft.shadow,
        allows: draft.allows,
        version,
    }
}
