//! What proofs have found, so that a mistake in a loop over devices is told once.

use crate::load::FileProblem;
use crate::plan::{Plan, SceneIx};
use edgeway_sdk::Problem;
use std::collections::HashMap;
use std::sync::Arc;

/// The most loops that are told, and the most scenes that overrule each other: one mistake can make very many of them.
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
    found: HashMap<Like, usize>,
    list: Vec<Found>,
}

/// What findings that are like each other have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Like {
    kind: Kind,
    place: Place,
    /// Where other scenes that take part begin.
    others: Vec<Place>,
    number: u32,
}

/// A place in a file.
type Place = (Arc<str>, At);

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
        let number = *count;
        let place = (self.plan.scene(scene).file.clone(), at);
        self.add(Like { kind, place, others: vec![], number }, message, help);
    }

    /// A warning where the first of several scenes begins. It is like those about scenes that the same lines made, if the
    /// number is the same.
    pub(super) fn warn_together(&mut self, scenes: &[SceneIx], kind: Kind, number: u32, message: String, help: &str) {
        let place = |scene: &SceneIx| (self.plan.scene(*scene).file.clone(), place_of(self.plan, *scene));
        let Some((first, others)) = scenes.split_first() else { return };
        let like = Like { kind, place: place(first), others: others.iter().map(place).collect(), number };
        self.add(like, message, help);
    }

    fn add(&mut self, like: Like, message: String, help: &str) {
        if let Some(first) = self.found.get(&like) {
            self.list[*first].more += 1;
            return;
        }
        let (file, (line, column)) = like.place.clone();
        let problem = Problem::at(line as usize, column as usize, message).help(help).warning();
        self.list.push(Found { kind: like.kind, problem: FileProblem { file, problem }, more: 0 });
        self.found.insert(like, self.list.len() - 1);
    }

    /// All of them, with how many there are like each.
    pub(super) fn finish(self) -> Vec<FileProblem> {
        let mut told: HashMap<Kind, usize> = HashMap::new();
        let mut problems = vec![];
        for Found { kind, mut problem, more } in self.list {
            let told = told.entry(kind).or_default();
            *told += 1;
            if *told > TOLD_MAX && matches!(kind, Kind::Loop | Kind::Writers) {
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
