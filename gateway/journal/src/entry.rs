//! What readers get.

use crate::{Class, Placement, Stamp};
use std::sync::Arc;

/// One item and its place.
#[derive(Debug)]
pub struct Entry<T> {
    /// Its number in the journal, counted from 0 over all classes.
    pub offset: u64,
    /// The item, shared by all readers.
    pub item: Arc<T>,
    /// Where it is kept.
    pub placement: Placement,
    /// When it was appended.
    pub stamp: Stamp,
}

impl<T> Clone for Entry<T> {
    fn clone(&self) -> Self {
        Entry { item: self.item.clone(), ..*self }
    }
}

/// What one read gave: entries, or a report that some are lost, never both and never neither.
#[derive(Debug)]
pub struct Fetched<T> {
    /// In order of their offsets. Empty if `lost` is there.
    pub entries: Vec<Entry<T>>,
    /// Items that the reader will never get.
    pub lost: Option<LostRange>,
}

impl<T> Fetched<T> {
    pub(crate) fn entries(entries: Vec<Entry<T>>) -> Self {
        Fetched { entries, lost: None }
    }

    pub(crate) fn lost(lost: LostRange) -> Self {
        Fetched { entries: vec![], lost: Some(lost) }
    }
}

/// Items that cannot be read any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostRange {
    /// The lowest offset that can be among them.
    pub from: u64,
    /// The highest offset that can be among them. The offsets between are not all lost where other classes have some.
    pub to: u64,
    /// How many items are lost; at least one.
    pub count: u64,
    /// Whose items they are; `None` for offsets that no class holds.
    pub class: Option<Class>,
    /// Why.
    pub reason: LossReason,
}

impl LostRange {
    /// `count` items of `class` between the offsets `from..end`; `None` if there cannot be any.
    pub(crate) fn of(class: Class, from: u64, end: u64, count: u64, reason: LossReason) -> Option<Self> {
        let count = count.min(end.saturating_sub(from));
        (count > 0).then(|| LostRange { from, to: end - 1, count, class: Some(class), reason })
    }
}

/// Why items cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LossReason {
    /// Removed for space or age before the reader came.
    Retention,
    /// The bytes on disk are damaged, or a crash tore them while they were being written.
    Damaged,
    /// The bytes are as they were written, but the codec does not understand them.
    Unreadable,
    /// The item was longer than 1 MiB and was never written.
    TooLarge,
    /// It was in memory alone, or a crash came before it was written.
    NotKept,
}

impl LossReason {
    /// In one or two words, as ledgers and metrics show it.
    pub fn as_str(self) -> &'static str {
        match self {
            LossReason::Retention => "retention",
            LossReason::Damaged => "damaged",
            LossReason::Unreadable => "unreadable",
            LossReason::TooLarge => "too large",
            LossReason::NotKept => "not kept",
        }
    }
}

/// What a reader may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Items as soon as they are appended. A crash may take back what was seen.
    Appended,
    /// Items once they are durable.
    Durable,
}

/// One thing that a reader meets.
pub(crate) enum Event<T> {
    Entry(Entry<T>),
    Lost(LostRange),
}

impl<T> Event<T> {
    /// Its place in the order of all classes: a loss comes before an item that has the last offset it may stand for, or
    /// the reader would be done with that offset before it is told.
    pub(crate) fn place(&self) -> (u64, bool) {
        (self.offset(), matches!(self, Event::Entry(_)))
    }

    /// The offset behind which a reader goes on with the next one.
    pub(crate) fn offset(&self) -> u64 {
        match self {
            Event::Entry(entry) => entry.offset,
            Event::Lost(lost) => lost.to,
        }
    }
}
