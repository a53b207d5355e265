//! From a draft to a plan: resolves the names of scenes and puts everything in order.

use super::draft::{Draft, Mistake, SceneDraft};
use super::host::unknown_scene;
use super::words::StepWord;
use super::{FileProblem, Options};
use crate::plan::{Index, Plan, Scene, SceneIx, Step, Trigger};
use crate::values::Slots;
use edgeway_thing_models::Things;
use rhai::Position;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

type Names = HashMap<Arc<str>, SceneIx>;

/// Makes the plan and hands back all problems, also those of the scripts' run.
pub(super) fn link(mut draft: Draft, things: Arc<Things>, slots: Slots, options: Options) -> (Plan, Vec<FileProblem>) {
    let mut scenes = std::mem::take(&mut draft.scenes);
    refuse_duplicates(&mut draft, &mut scenes);
    scenes.sort_by(|a, b| (Reverse(a.priority), &a.name).cmp(&(Reverse(b.priority), &b.name)));
    let names = scenes.iter().enumerate().map(|(at, scene)| (scene.name.clone(), SceneIx(at as u32))).collect();
    judge(&mut draft, &scenes, &names);
    let mut triggers = vec![];
    let scenes: Vec<Scene> = scenes.into_iter().map(|scene| finish(scene, &names, &mut triggers)).collect();
    let index = Index::new(&slots, things.devices().len(), &draft.helds, &triggers);
    let Options { zone, echo, queries: _, stopwatch: _ } = options;
    let plan = Plan { things, slots, zone, echo, scenes, names, triggers, helds: draft.helds, index };
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
        if !scene.has_when && !called.contains(&scene.name) {
            let mistake = Mistake::new(format!("nothing sets off scene `{}`", scene.name));
            draft.warn_in(scene, scene.at, mistake.help("add `.when(..)`, or run it from another scene or by hand"));
        }
    }
}

fn calls(scene: &SceneDraft) -> impl Iterator<Item = (&Arc<str>, Position)> {
    scene.then.iter().chain(&scene.otherwise).filter_map(|step| match step {
        StepWord::RunScene { name, at } => Some((name, *at)),
        StepWord::Step(_) | StepWord::Hollow => None,
    })
}

fn finish(draft: SceneDraft, names: &Names, triggers: &mut Vec<Trigger>) -> Scene {
    let scene = names[&draft.name];
    let start = triggers.len() as u32;
    triggers.extend(draft.triggers.into_iter().map(|(what, text)| Trigger { scene, text, what }));
    Scene {
        name: draft.name,
        title: draft.title,
        file: draft.file,
        line: draft.at.line().unwrap_or(1),
        triggers: start..triggers.len() as u32,
        conditions: draft.conditions,
        then: steps(draft.then, names),
        otherwise: steps(draft.otherwise, names),
        cooldown: draft.cooldown,
        mode: draft.mode,
        priority: draft.priority,
    }
}

/// Steps that are not hollow; a plan with hollow ones is never run.
fn steps(words: Vec<StepWord>, names: &Names) -> Arc<[Step]> {
    let step = |word| match word {
        StepWord::Step(step) => Some(step),
        StepWord::RunScene { name, .. } => names.get(&name).copied().map(Step::RunScene),
        StepWord::Hollow => None,
    };
    words.into_iter().filter_map(step).collect()
}
