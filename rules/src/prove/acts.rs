//! When one of a scene's two lists of steps runs.

use super::conditions::{Case, Want, anything, cases, meet};
use crate::plan::{Block, Plan, Scene, Trigger, What};

/// How a trigger goes off.
pub(super) fn goes_off(plan: &Plan, trigger: &Trigger) -> Vec<Case> {
    match &trigger.what {
        What::Edge(condition) | What::Level(condition) => cases(plan, condition, Want::True),
        What::Changed(slot) => vec![Case::good(*slot)],
        What::Event(..) | What::Row(_) | What::Cron(_) | What::Start => anything(),
    }
}

/// How a scene that was set off so comes to run a list of steps.
pub(super) fn runs(plan: &Plan, scene: &Scene, block: Block, met: Vec<Case>) -> Vec<Case> {
    match block {
        Block::Then => {
            let holds = |met, clause: &crate::plan::Clause| meet(met, &cases(plan, &clause.condition, Want::True));
            scene.conditions.iter().fold(met, holds)
        }
        Block::Otherwise => meet(met, &fails(plan, scene)),
    }
}

/// How some condition of a scene can be not true.
fn fails(plan: &Plan, scene: &Scene) -> Vec<Case> {
    scene.conditions.iter().flat_map(|clause| cases(plan, &clause.condition, Want::NotTrue)).collect()
}
