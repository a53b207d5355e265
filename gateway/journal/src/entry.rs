//! What readers get.

use std::sync::Arc;

/// One item and its place.
#[derive(Debug)]
pub struct Entry<T> {
    /// Its number in the journal, counted from 0.
    pub offset: u64,
    /// The item, shared by all readers.
    pub item: Arc<T>,
}

impl<T> Clone for Entry<T> {
    fn clone(&self) -> Self {
        Entry { offset: self.offset, item: self.item.clone() }
    }
}

/// What one read gave: entries, or a report that some are lost, never both and never neither.
#[derive(Debug)]
pub struct Fetched<T> {
    /// In order, without gaps. Empty if `lost` is there.
    pub entries: Vec<Entry<T>>,
    /// The offsets from the reader's position on that it will never get.
    pub lost: Option<LostRange>,
}

impl<T> Fetched<T> {
    pub(crate) fn entries(entries: Vec<Entry<T>>) -> Self {
        Fetched { entries, lost: None }
    }

    pub(crate) fn lost(lost: LostRange) -> Self {
        Fetched { entries: vec![], lost: Some(lost) }
    }

    /// The position behind it, if it moves at all.
    pub(crate) fn end(&self) -> Option<u64> {
        self.lost.map(|lost| lost.to + 1).or(self.entries.last().map(|entry| entry.offset + 1))
    }
}

/// Offsets that cannot be read any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostRange {
    /// The first offset lost.
    pub from: u64,
    /// The last offset lost.
    pub to: u64,
    /// Why.
    pub reason: LossReason,
}

impl LostRange {
    /// The offsets `from..end`, which may not be empty.
    pub(crate) fn until(from: u64, end: u64, reason: LossReason) -> Self {
        debug_assert!(from < end);
        LostRange { from, to: end - 1, reason }
    }

    /// How many offsets; at least one.
    pub fn count(&self) -> u64 {
        self.to - self.from + 1
    }
}

/// Why offsets cannot be read.
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
}

impl LossReason {
    /// In one or two words, as ledgers and metrics show it.
    pub fn as_str(self) -> &'static str {
        match self {
            LossReason::Retention => "retention",
            LossReason::Damaged => "damaged",
            LossReason::Unreadable => "unreadable",
            LossReason::TooLarge => "too large",
        }
    }
}

/// What a reader may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Items as soon as they are appended. A crash may take back what was seen.
    Appended,
    /// Items once they are on disk.
    Durable,
}
