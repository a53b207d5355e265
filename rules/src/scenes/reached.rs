//! Which steps of a scene have ever been done: what tests have not reached.

use crate::plan::{Block, Scene};

/// A bit for each step, `then` before `otherwise`.
#[derive(Debug, Default)]
pub(super) struct Reached {
    bits: Box<[u64]>,
    otherwise: u32,
}

impl Reached {
    pub(super) fn new(scene: &Scene) -> Self {
        let (then, otherwise) = (scene.then.steps.len(), scene.otherwise.steps.len());
        Reached { bits: vec![0; (then + otherwise).div_ceil(64)].into(), otherwise: then as u32 }
    }

    pub(super) fn mark(&mut self, block: Block, at: u32) {
        let at = self.place(block, at);
        self.bits[at / 64] |= 1 << (at % 64);
    }

    pub(super) fn has(&self, block: Block, at: u32) -> bool {
        let at = self.place(block, at);
        self.bits[at / 64] & 1 << (at % 64) != 0
    }

    fn place(&self, block: Block, at: u32) -> usize {
        match block {
            Block::Then => at as usize,
            Block::Otherwise => (self.otherwise + at) as usize,
        }
    }
}
