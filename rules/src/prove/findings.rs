//! What proofs have found, so that a mistake in a loop over devices is told once.

use crate::load::FileProblem;
use crate::plan::{Plan, SceneIx};
use edgeway_sdk::Problem;
use std::collections::HashMap;
use std::sync::Arc;

/// The most findings of one kind that are told.
const TOLD_MAX: usize = 20;

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Dead,
    Comparison,
    Branch,
    Wait,
    Nothing,
    Loop,
    Writers,
    Held,
    Fresh,
}

/// Line and column, from 1.
pub(super) type At = (u32, u32);

/// All findings, the like of each other counted.
pub(super) struct Findings<'a> {
    plan: &'a Plan,
    /// How many of a kind a scene has at a place.
    counts: HashMap<(SceneIx, At, Kind), u32>,
    found: HashMap<(Arc<str>, At, Kind, u32), usize>,
    list: Vec<Found>,
}

struct Found {
    kind: Kind,
    problem: FileProblem,
    more: usize,
}

impl<'a> Findings<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        Findings { plan, counts: HashMap::new(), found: HashMap::new(), list: vec![] }
    }

    /// A warning where the scene begins.
    pub(super) fn warn(&mut self, scene: SceneIx, kind: Kind, message: String, help: &str) {
        self.warn_at(scene, place_of(self.plan, scene), kind, message, help);
    }

    /// A warning at a step of the scene. The first of a scene is like the first of another that the same line made, the
    /// second like the second.
    pub(super) fn warn_at(&mut self, scene: SceneIx, at: At, kind: Kind, message: String, help: &str) {
        let count = self.counts.entry((scene, at, kind)).or_default();
        *count += 1;
        let file = self.plan.scene(scene).file.clone();
        match self.found.get(&(file.clone(), at, kind, *count)) {
            Some(first) => self.list[*first].more += 1,
            None => {
                self.found.insert((file.clone(), at, kind, *count), self.list.len());
                let problem = Problem::at(at.0 as usize, at.1 as usize, message).help(help).warning();
                self.list.push(Found { kind, problem: FileProblem { file, problem }, more: 0 });
            }
        }
    }

    /// All of them, but no more than anyone would read.
    pub(super) fn finish(self) -> Vec<FileProblem> {
        let mut told: HashMap<Kind, usize> = HashMap::new();
        let mut problems = vec![];
        for Found { kind, mut problem, more } in self.list {
            let told = told.entry(kind).or_default();
            *told += 1;
            if *told > TOLD_MAX {
                continue;
            }
            if more > 0 {
                problem.problem.message.push_str(&format!("; and {more} more like it"));
            }
            problems.push(problem);
        }
        problems
    }
}

/// Where a scene begins.
fn place_of(plan: &Plan, scene: SceneIx) -> At {
    let scene = plan.scene(scene);
    (u32::try_from(scene.line).unwrap_or(1), scene.column)
}
