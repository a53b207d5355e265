//! What has been reached of the scenes: for tests.

use super::{SceneState, Scenes};
use crate::plan::{Block, Doing, Program, Scene};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What tests have reached of a scene, or of all the scenes that one place of a script has made in a loop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SceneCoverage {
    /// The first scene.
    pub scene: Arc<str>,
    /// How many scenes.
    pub scenes: usize,
    /// The script.
    pub file: Arc<str>,
    /// The line in the script, from 1.
    pub line: usize,
    /// How many steps each has.
    pub steps: usize,
    /// Those that no test has reached in any of the scenes: their lines and what they do.
    pub unreached: Vec<(u32, Arc<str>)>,
}

impl Scenes {
    /// The same scenes as just loaded; only what has been reached of them is remembered.
    pub(crate) fn anew(self) -> Scenes {
        let reached: Vec<_> = self.scenes.into_iter().map(|state| state.reached).collect();
        let mut anew = Scenes::new(self.plan, self.scripts);
        anew.scenes.iter_mut().zip(reached).for_each(|(state, reached)| state.reached = reached);
        anew
    }

    /// What has been reached, by file and line.
    pub(crate) fn coverage(&self) -> Vec<SceneCoverage> {
        // Scenes of one line may differ in their steps: each shape counts by itself.
        let mut places: BTreeMap<_, Vec<(&Scene, &SceneState)>> = BTreeMap::new();
        for (scene, state) in self.plan.scenes.iter().zip(&self.scenes) {
            let shape = (scene.then.steps.len(), scene.otherwise.steps.len());
            places.entry((scene.file.clone(), scene.line, shape)).or_default().push((scene, state));
        }
        places.into_values().filter_map(|scenes| coverage(&scenes)).collect()
    }
}

fn coverage(scenes: &[(&Scene, &SceneState)]) -> Option<SceneCoverage> {
    let (first, _) = scenes.first()?;
    let blocks = [(Block::Then, &first.then), (Block::Otherwise, &first.otherwise)];
    let mut unreached = vec![];
    for (block, program) in blocks {
        for at in (0..program.steps.len() as u32).filter(|at| is_step(program, *at)) {
            if !scenes.iter().any(|(_, state)| state.reached.has(block, at)) {
                let step = &program.steps[at as usize];
                unreached.push((step.line, step.text.clone()));
            }
        }
    }
    let steps = blocks.iter().map(|(_, program)| steps(program)).sum();
    let (scene, file, line) = (first.name.clone(), first.file.clone(), first.line);
    Some(SceneCoverage { scene, scenes: scenes.len(), file, line, steps, unreached })
}

fn steps(program: &Program) -> usize {
    (0..program.steps.len() as u32).filter(|at| is_step(program, *at)).count()
}

/// Whether the author wrote it as a step: jumps and ends are the engine's.
fn is_step(program: &Program, at: u32) -> bool {
    let doing = &program.steps[at as usize].doing;
    !matches!(doing, Doing::Jump(_) | Doing::Again { .. } | Doing::End | Doing::Commit)
}
