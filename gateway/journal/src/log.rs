//! The files of one class, as its readers and its writer share them.

use crate::{
    Class, Error,
    catalogue::{Catalogue, Segment},
    quarantine, segment,
};
use parking_lot::Mutex;
use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

/// One class on disk.
pub(crate) struct Log {
    pub(crate) class: Class,
    pub(crate) dir: PathBuf,
    /// Locked alone, or behind the tail.
    pub(crate) catalogue: Mutex<Catalogue>,
    pub(crate) quarantine_bytes_max: u64,
    pub(crate) counters: Counters,
    /// All space is taken and nothing may go.
    pub(crate) full: AtomicBool,
    /// What is damaged stays as it is, and no copy is made.
    pub(crate) read_only: bool,
}

/// What only counts, since the journal was opened.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) appended: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) synced_groups: AtomicU64,
    pub(crate) sync_errors: AtomicU64,
    pub(crate) dropped_by_retention: AtomicU64,
    pub(crate) too_large: AtomicU64,
    pub(crate) damaged: AtomicU64,
    pub(crate) raw_bytes: AtomicU64,
    pub(crate) written_bytes: AtomicU64,
    pub(crate) last_error: Mutex<Option<String>>,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }

    /// Something could not be written.
    pub(crate) fn note(&self, error: &Error) {
        Counters::add(&self.sync_errors, 1);
        let text = match error {
            Error::Io { source, .. } => format!("{error}: {source}"),
            error => error.to_string(),
        };
        *self.last_error.lock() = Some(text);
    }
}

impl Log {
    /// The damage that a reader met is real, and not a segment that was removed while it was being read. A copy of its
    /// file is set aside, once.
    pub(crate) fn is_damaged(&self, segment: &Segment) -> bool {
        let first_time = {
            let mut catalogue = self.catalogue.lock();
            if catalogue.get(segment.first).is_none() {
                return false;
            }
            !self.read_only && catalogue.note_copied(segment.first)
        };
        if first_time {
            self.set_copy_aside(segment);
        }
        true
    }

    fn set_copy_aside(&self, segment: &Segment) {
        quarantine::shrink(&self.dir, self.quarantine_bytes_max.saturating_sub(segment.bytes_on_disk));
        match quarantine::copy_aside(&self.dir, &segment.path, &segment::copy_name(segment.first)) {
            Ok(to) => {
                tracing::warn!(path = %segment.path.display(), copy = %to.display(), "a segment is damaged; what is sound in it can still be read");
            }
            Err(error) => {
                tracing::warn!(path = %segment.path.display(), %error, "a segment is damaged, and no copy of it can be made");
            }
        }
    }
}
