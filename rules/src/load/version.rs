//! The version of a scene: the same for the same words, in any process and on any day, so that a run of before knows
//! whether it may go on.

use super::draft::{Branch, Draft, SceneDraft, Tree};
use crate::plan::How;
use crate::scripts::Closure;
use std::sync::Arc;

/// FNV-1a, which is fixed for ever, as Rust's own hasher is not.
struct Fixed(u64);

impl Fixed {
    fn text(&mut self, text: &str) {
        for byte in text.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// What counts is what a scene says: its texts, how steps are done, its options. What a closure does can hang on all of
/// its script, so of a scene with closures all of the script counts.
pub(super) fn version(draft: &Draft, scene: &SceneDraft) -> u64 {
    let mut words = Words { hash: Fixed(0xcbf2_9ce4_8422_2325), asks_script: false };
    scene.triggers.iter().for_each(|(_, text)| words.hash.text(text));
    words.hash.text("only if");
    for clause in &scene.conditions {
        words.hash.text(&clause.text);
        words.asks_script |= clause.condition.has_script();
    }
    for steps in [&scene.then, &scene.otherwise] {
        words.list(steps);
    }
    words.hash.text(&format!("{:?} {:?} {}", scene.mode, scene.cooldown, scene.per_device));
    if words.asks_script {
        words.hash.text(draft.text_of(&scene.file));
    }
    words.hash.0
}

struct Words {
    hash: Fixed,
    asks_script: bool,
}

impl Words {
    fn list(&mut self, steps: &[Tree]) {
        self.hash.text("[");
        steps.iter().for_each(|step| self.step(step));
        self.hash.text("]");
    }

    fn step(&mut self, Tree { what, text, .. }: &Tree) {
        self.hash.text(text);
        match what {
            Branch::Act(act) => {
                let How { waits, within, retries, pause, may_fail, undo } = &act.how;
                self.hash.text(&format!("{waits} {within:?} {retries} {pause:?} {may_fail} {}", undo.is_some()));
                act.deed.closure().into_iter().for_each(|closure| self.closure(closure));
            }
            Branch::WaitFor { within, may_fail, .. } => self.hash.text(&format!("{within:?} {may_fail}")),
            Branch::Delay(duration) => self.hash.text(&format!("{duration:?}")),
            Branch::RunScene(_) => {}
            Branch::Run(closure) => self.closure(closure),
            Branch::If { condition, then, otherwise } => {
                self.asks_script |= condition.condition.has_script();
                self.list(then);
                self.list(otherwise);
            }
            Branch::Parallel(branches) => branches.iter().for_each(|branch| self.list(branch)),
            Branch::Repeat { body, .. } | Branch::Transaction(body) => self.list(body),
        }
    }

    /// Its text is part of the script; what it has captured may come from the site.
    fn closure(&mut self, closure: &Arc<Closure>) {
        self.asks_script = true;
        for value in closure.call.curry().iter().filter(|value| !value.is_fnptr()) {
            self.hash.text(&value.to_string());
        }
    }
}
