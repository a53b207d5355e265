//! How much a block may hold.
//!
//! What is predicted costs next to nothing, so a few bytes of a stranger could stand for millions of values. A block
//! therefore has at least so many bytes for what is in it, if need be zeros at its end.

use super::report;
use edgeway_thing_models::Message;
use std::sync::Arc;

/// Values for which a block has at least one byte.
const VALUES_PER_BYTE: usize = 16;
/// A message takes as much memory as so many values.
const MESSAGE_VALUES: usize = 8;

/// The length that a block of these messages has at least.
pub(super) fn length_min(messages: &[Arc<Message>]) -> usize {
    let values: usize = messages.iter().filter_map(|message| report(message)).map(|report| report.values.len()).sum();
    (values + MESSAGE_VALUES * messages.len()).div_ceil(VALUES_PER_BYTE)
}

/// What may still come out of a block.
pub(super) struct Budget {
    left: usize,
    spent: usize,
}

impl Budget {
    pub(super) fn of(block_bytes: usize) -> Self {
        Budget { left: block_bytes.saturating_mul(VALUES_PER_BYTE), spent: 0 }
    }

    /// `None` if it is too much.
    pub(super) fn messages(&mut self, count: usize) -> Option<()> {
        self.values(count.checked_mul(MESSAGE_VALUES)?)
    }

    /// `None` if it is too much.
    pub(super) fn values(&mut self, count: usize) -> Option<()> {
        self.left = self.left.checked_sub(count)?;
        self.spent += count;
        Some(())
    }

    /// Whether these are just the zeros that a block of this length ends with.
    pub(super) fn is_padding(&self, end: &[u8], block_bytes: usize) -> bool {
        let needed = block_bytes == self.spent.div_ceil(VALUES_PER_BYTE);
        (end.is_empty() || needed) && end.iter().all(|byte| *byte == 0)
    }
}
