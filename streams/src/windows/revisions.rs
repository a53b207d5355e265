//! Windows that are told more than once: before they are over, and again when late rows change them.

use super::groups::{Groups, Partial};
use std::collections::{BTreeMap, BTreeSet};

/// How often windows are told. In nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Telling {
    /// How often a window is told before it is over.
    pub(crate) every: Option<i64>,
    /// For how long behind its end late rows still change a window.
    pub(crate) lateness: i64,
}

/// Windows that are over and may still change are told again at whole multiples of this at the earliest, so that many late
/// rows make one revision.
pub(super) const AGAIN: i64 = 1_000_000_000;

/// What has been told of windows, and the windows that may still change.
#[derive(Default)]
pub(super) struct Revisions {
    /// How often each window that is open has been told, by its end.
    pub(super) told: BTreeMap<i64, u32>,
    /// Windows that are over, by their end.
    pub(super) kept: BTreeMap<i64, Kept>,
    /// When open windows are told next.
    pub(super) early_at: Option<i64>,
    /// When windows that have changed are told again.
    pub(super) again_at: Option<i64>,
}

/// A window that is over and may still change.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) groups: Option<Groups>,
    /// How often it has been told.
    pub(super) told: u32,
    /// The groups that have changed since.
    pub(super) changed: BTreeSet<usize>,
}

impl Revisions {
    /// The first moment at which something is told that is not the end of a window.
    pub(super) fn due_at(&self) -> i64 {
        self.early_at.unwrap_or(i64::MAX).min(self.again_at.unwrap_or(i64::MAX))
    }

    /// How often a window has been told before, this time counted.
    pub(super) fn count(&mut self, end: i64) -> u32 {
        let told = self.told.entry(end).or_default();
        *told += 1;
        *told - 1
    }

    /// Lets go of windows that nothing changes any more.
    pub(super) fn forget(&mut self, watermark: i64, lateness: i64) {
        while let Some(first) = self.kept.first_entry()
            && first.key().saturating_add(lateness) <= watermark
        {
            first.remove();
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.kept.values().flat_map(|kept| &kept.groups).map(Groups::bytes).sum()
    }
}

/// The next whole multiple of a length behind a moment.
pub(super) fn next_multiple(moment: i64, length: i64) -> i64 {
    moment.div_euclid(length).saturating_add(1).saturating_mul(length)
}

/// What is written down of a window that may still change.
pub(super) struct Written {
    pub(super) end: i64,
    pub(super) told: i64,
    pub(super) changed: Vec<i64>,
    pub(super) groups: Partial,
}
