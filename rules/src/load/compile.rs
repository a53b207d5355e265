//! From steps as declared to a program: blocks become jumps.

use super::draft::{Branch, Tree, column};
use super::link::Names;
use crate::plan::{Clause, Doing, Program, Step, WaitIx};
use std::sync::Arc;

/// Lays steps flat. Names that no scene has are left out: a plan with such mistakes never runs.
pub(super) fn compile(steps: &[Tree], names: &Names, waits: &mut Vec<Clause>) -> Arc<Program> {
    let mut layout = Layout { names, waits, steps: vec![], in_transaction: false };
    layout.list(steps);
    Arc::new(Program { steps: layout.steps })
}

struct Layout<'a> {
    names: &'a Names,
    waits: &'a mut Vec<Clause>,
    steps: Vec<Step>,
    in_transaction: bool,
}

impl Layout<'_> {
    fn list(&mut self, steps: &[Tree]) {
        steps.iter().for_each(|step| self.step(step));
    }

    fn step(&mut self, tree: &Tree) {
        match &tree.what {
            Branch::Act(act) => {
                let mut act = act.clone();
                // What may have to be undone has to be known to be done.
                act.how.waits |= self.in_transaction && act.deed.writes();
                self.push(tree, Doing::Act(act));
            }
            Branch::Delay(duration) => self.push(tree, Doing::Delay(*duration)),
            Branch::WaitFor { condition, within, may_fail } => {
                self.waits.push(condition.clone());
                let wait = WaitIx(self.waits.len() as u32 - 1);
                self.push(tree, Doing::WaitFor { wait, within: *within, may_fail: *may_fail });
            }
            Branch::RunScene(name) => {
                if let Some(scene) = self.names.get(name) {
                    self.push(tree, Doing::RunScene(*scene));
                }
            }
            Branch::Run(closure) => self.push(tree, Doing::Run(closure.clone())),
            Branch::If { condition, then, otherwise } => self.branch(tree, condition, then, otherwise),
            Branch::Parallel(branches) => self.fork(tree, branches),
            Branch::Repeat { times, body } => self.repeat(tree, *times, body),
            Branch::Transaction(body) => self.transaction(tree, body),
        }
    }

    fn branch(&mut self, tree: &Tree, condition: &Clause, then: &[Tree], otherwise: &[Tree]) {
        let fork = self.here();
        self.push(tree, Doing::Jump(0));
        self.list(then);
        let end_of_then = self.here();
        if !otherwise.is_empty() {
            self.push(tree, Doing::Jump(0));
        }
        let doing = Doing::If { condition: condition.clone(), otherwise: self.here() };
        self.steps[fork as usize].doing = doing;
        if !otherwise.is_empty() {
            self.list(otherwise);
            self.steps[end_of_then as usize].doing = Doing::Jump(self.here());
        }
    }

    fn fork(&mut self, tree: &Tree, branches: &[Vec<Tree>]) {
        let fork = self.here();
        self.push(tree, Doing::Jump(0));
        let mut starts = vec![];
        for branch in branches {
            starts.push(self.here());
            self.list(branch);
            self.push(tree, Doing::End);
        }
        self.steps[fork as usize].doing = Doing::Fork { branches: starts, end: self.here() };
    }

    fn repeat(&mut self, tree: &Tree, times: u32, body: &[Tree]) {
        let start = self.here();
        self.push(tree, Doing::Repeat { times });
        self.list(body);
        self.push(tree, Doing::Again { start });
    }

    fn transaction(&mut self, tree: &Tree, body: &[Tree]) {
        self.push(tree, Doing::Begin);
        self.in_transaction = true;
        self.list(body);
        self.in_transaction = false;
        self.push(tree, Doing::Commit);
    }

    fn here(&self) -> u32 {
        self.steps.len() as u32
    }

    fn push(&mut self, tree: &Tree, doing: Doing) {
        let line = tree.at.line().and_then(|line| u32::try_from(line).ok()).unwrap_or(0);
        self.steps.push(Step { doing, text: tree.text.clone(), line, column: column(tree.at) });
    }
}
