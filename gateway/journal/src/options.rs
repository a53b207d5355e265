//! The limits of a journal.

use crate::{Class, Clock, Error};
use std::time::Duration;

/// The limits of a journal. Every queue and file in it is bounded by one of these.
#[derive(Debug, Clone)]
pub struct Options {
    /// The limits of each class, in the order of [`Class::ALL`].
    pub classes: [ClassOptions; 3],
    /// Most items kept in memory for live readers, of all classes together. Default 65,536.
    pub tail_items: usize,
    /// Most bytes of the items kept in memory, by [`size_hint`](crate::Codec::size_hint). Default 16 MiB.
    pub tail_bytes: u64,
    /// Appends of a class wait while this many of its bytes (by `size_hint`) wait for the disk. Default 32 MiB.
    pub pending_bytes_max: u64,
    /// Stamps items and ages segments.
    pub clock: Clock,
}

/// The limits of one class.
#[derive(Debug, Clone)]
pub struct ClassOptions {
    /// Size of a segment in bytes, 16 KiB to 1 GiB. Default 8 MiB.
    pub segment_bytes: u64,
    /// Most bytes on disk, counted in real blocks, quarantine and spare segment included. At least four segments.
    /// Default 1 GiB, for critical and bulk 256 MiB.
    pub total_bytes_max: u64,
    /// A segment whose items are all older than this is removed. Default 7 days, for critical 30 days.
    pub age_max: Duration,
    /// A group is written once it has this many items. Default 1,024.
    pub group_items: usize,
    /// A group is written once its first item has waited this long. Default 5 ms; zero writes at once.
    pub group_delay: Duration,
    /// When an item counts as durable. Default [`SyncLevel::Group`].
    pub sync: SyncLevel,
}

/// What has to have happened before an item is called durable. What each level survives is in the crate docs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SyncLevel {
    /// Written and synced at once, with whatever has come meanwhile, without waiting for more.
    Disk,
    /// Written and synced with its group.
    Group,
    /// Written with its group; synced about every second, and when a segment is closed.
    Os,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            classes: Class::ALL.map(ClassOptions::of),
            tail_items: 65_536,
            tail_bytes: 16 << 20,
            pending_bytes_max: 32 << 20,
            clock: Clock::default(),
        }
    }
}

impl Options {
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.tail_items == 0 || self.pending_bytes_max == 0 {
            return Err(Error::Options("tail_items and pending_bytes_max must be more than zero".into()));
        }
        Class::ALL.into_iter().try_for_each(|class| self.classes[class.index()].check(class))
    }

    /// The least quarter of a segment: a preamble may take no more.
    pub(crate) fn preamble_bytes_max(&self) -> usize {
        self.classes.iter().map(|class| class.segment_bytes as usize / 4).min().unwrap_or(0)
    }
}

impl Default for ClassOptions {
    /// Those of [`Class::Normal`].
    fn default() -> Self {
        ClassOptions {
            segment_bytes: 8 << 20,
            total_bytes_max: 1 << 30,
            age_max: Duration::from_secs(7 * 86_400),
            group_items: 1024,
            group_delay: Duration::from_millis(5),
            sync: SyncLevel::Group,
        }
    }
}

impl ClassOptions {
    /// The defaults of a class.
    pub fn of(class: Class) -> Self {
        let small = ClassOptions { total_bytes_max: 256 << 20, ..ClassOptions::default() };
        match class {
            Class::Critical => ClassOptions { age_max: Duration::from_secs(30 * 86_400), ..small },
            Class::Normal => ClassOptions::default(),
            Class::Bulk => small,
        }
    }

    fn check(&self, class: Class) -> Result<(), Error> {
        let refuse = |text: String| Err(Error::Options(format!("class {}: {text}", class.as_str())));
        if !(16 << 10..=1 << 30).contains(&self.segment_bytes) {
            return refuse(format!("segment_bytes is {}, it can be 16 KiB to 1 GiB", self.segment_bytes));
        }
        let least = 4 * self.segment_bytes;
        if self.total_bytes_max < least {
            let found = self.total_bytes_max;
            return refuse(format!("total_bytes_max is {found}, four segments need {least}"));
        }
        if self.group_items == 0 {
            return refuse("group_items must be more than zero".into());
        }
        Ok(())
    }

    /// Most bytes in one write: bounds what a crash in the middle of a write can tear.
    pub(crate) fn group_bytes(&self) -> usize {
        (self.segment_bytes / 4).clamp(4 << 10, 1 << 20) as usize
    }

    /// Most bytes of files that were set aside.
    pub(crate) fn quarantine_bytes_max(&self) -> u64 {
        self.total_bytes_max / 8
    }

    /// How long a group may wait.
    pub(crate) fn delay(&self) -> Duration {
        if self.sync == SyncLevel::Disk { Duration::ZERO } else { self.group_delay }
    }
}
