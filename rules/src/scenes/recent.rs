//! The last decisions of all scenes, by number.

use crate::plan::SceneIx;
use std::collections::VecDeque;

/// How many are remembered.
const RECENT_MAX: usize = 4_096;

/// The last decisions of all scenes: which scene each was of. The decisions themselves are with their scenes.
#[derive(Debug, Default)]
pub(crate) struct Recent(VecDeque<(u64, SceneIx)>);

impl Recent {
    pub(super) fn push(&mut self, number: u64, scene: SceneIx) {
        if self.0.len() == RECENT_MAX {
            self.0.pop_front();
        }
        self.0.push_back((number, scene));
    }

    /// The number of the last one; 0 if there is none.
    pub(crate) fn last(&self) -> u64 {
        self.0.back().map_or(0, |(number, _)| *number)
    }

    /// Those behind a number, in order.
    pub(crate) fn after(&self, number: u64) -> impl Iterator<Item = (u64, SceneIx)> + '_ {
        let from = self.0.partition_point(|(other, _)| *other <= number);
        self.0.range(from..).copied()
    }
}
