//! Proofs before anything runs: what can never happen, what goes round in circles, what nobody has decided.
//!
//! All of it is read off the plan. What is not known is taken to be possible, so that a warning is worth reading: scripts,
//! the sun and comparisons of two properties can come to anything, and what `run` closures do is left out.

mod acts;
mod components;
mod conditions;
mod dead;
mod domain;
mod findings;
mod graph;
mod links;
mod loops;
mod parts;
mod periods;
mod resets;
mod steps;
mod wording;
mod writers;
mod writes;

pub(crate) use graph::Reads;
pub(crate) use periods::Periods;

use crate::load::FileProblem;
use crate::plan::{Doing, Plan, SceneIx};
use findings::Findings;
use rhai::AST;
use std::collections::HashSet;

/// What proofs look at.
pub(crate) struct Evidence<'a> {
    pub(crate) plan: &'a Plan,
    /// The scripts as compiled.
    pub(crate) asts: &'a [AST],
    pub(crate) reads: &'a Reads,
    pub(crate) periods: &'a Periods,
}

/// Everything that is worth a warning.
pub(crate) fn prove(evidence: &Evidence<'_>) -> Vec<FileProblem> {
    let plan = evidence.plan;
    let mut findings = Findings::new(plan);
    let called = called(plan);
    let mut closures = steps::Closures::new(evidence.asts);
    for ix in (0..plan.scenes.len() as u32).map(SceneIx) {
        let mut told = HashSet::new();
        dead::dead(plan, ix, called.contains(&ix), &mut told, &mut findings);
        steps::steps(plan, &mut closures, ix, &mut told, &mut findings);
        dead::comparisons(plan, ix, &mut told, &mut findings);
        periods::periods(plan, evidence.periods, ix, &mut findings);
    }
    loops::loops(plan, evidence.reads, &mut findings);
    writers::writers(plan, &mut findings);
    findings.finish()
}

/// Scenes that others run.
fn called(plan: &Plan) -> HashSet<SceneIx> {
    let steps = plan.scenes.iter().flat_map(|scene| scene.then.steps.iter().chain(&scene.otherwise.steps));
    let run = steps.filter_map(|step| match step.doing {
        Doing::RunScene(scene) => Some(scene),
        _ => None,
    });
    run.collect()
}
