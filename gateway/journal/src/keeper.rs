//! Consumers that have a say in what goes.

use crate::{Class, Entry, LostRange};
use std::ops::Range;

/// Knows who still wants what. Asked on the writer threads, one call at a time for each class; while it answers, the class
/// writes nothing.
pub trait Keeper<T>: Send + Sync {
    /// Whether the segment that holds items of `class` between these offsets may be removed. While it may not, and no other
    /// one may, the log of the class is full.
    fn may_remove(&self, class: Class, offsets: Range<u64>) -> bool;

    /// The segment that holds items of `class` between these offsets is removed when this returns. Iterating reads it from
    /// disk: each of its items comes once, or as lost if it cannot be read.
    ///
    /// A place that is put behind these items should be [committed now](crate::Cursor::commit_now): after a crash this may
    /// be called again for the same segment.
    fn removing(
        &self,
        class: Class,
        offsets: Range<u64>,
        entries: &mut dyn Iterator<Item = Result<Entry<T>, LostRange>>,
    );
}
