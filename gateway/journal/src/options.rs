//! The limits of a journal.

use crate::{Error, slot::FILE_BYTES};
use std::{fmt, sync::Arc, time::Duration, time::SystemTime};

/// The limits of a journal. Every queue and file in it is bounded by one of these.
#[derive(Debug, Clone)]
pub struct Options {
    /// Size of a segment in bytes, 16 KiB to 1 GiB. Default 8 MiB.
    pub segment_bytes: u64,
    /// Most bytes on disk, counted in real blocks, quarantine and spare segment included. At least four segments
    /// and 520 KiB. Default 1 GiB.
    pub total_bytes_max: u64,
    /// A segment whose items are all older than this is removed. Default 7 days.
    pub age_max: Duration,
    /// A group is written once it has this many items. Default 1,024.
    pub group_items: usize,
    /// A group is written once its first item has waited this long. Default 5 ms; zero writes at once.
    pub group_delay: Duration,
    /// Most items kept in memory for live readers; what is not durable yet is kept beyond it. Default 65,536.
    pub tail_items: usize,
    /// Most encoded bytes of the items kept in memory, like `tail_items`. Default 16 MiB.
    pub tail_bytes: u64,
    /// Appends wait while this many bytes (estimated) are not durable yet. Default 32 MiB.
    pub pending_bytes_max: u64,
    /// The wall clock: stamps segments and frames and ages segments.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            segment_bytes: 8 << 20,
            total_bytes_max: 1 << 30,
            age_max: Duration::from_secs(7 * 86_400),
            group_items: 1024,
            group_delay: Duration::from_millis(5),
            tail_items: 65_536,
            tail_bytes: 16 << 20,
            pending_bytes_max: 32 << 20,
            clock: Clock::default(),
        }
    }
}

impl Options {
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refuse = |text: String| Err(Error::Options(text));
        if !(16 << 10..=1 << 30).contains(&self.segment_bytes) {
            return refuse(format!("segment_bytes is {}, it can be 16 KiB to 1 GiB", self.segment_bytes));
        }
        let least = 4 * self.segment_bytes + FILE_BYTES;
        if self.total_bytes_max < least {
            let found = self.total_bytes_max;
            return refuse(format!("total_bytes_max is {found}, four segments and the cursors need {least}"));
        }
        if self.group_items == 0 || self.tail_items == 0 || self.pending_bytes_max == 0 {
            return refuse("group_items, tail_items and pending_bytes_max must be more than zero".into());
        }
        Ok(())
    }

    /// Most encoded bytes in one write: bounds what a crash in the middle of a write can tear.
    pub(crate) fn group_bytes(&self) -> usize {
        (self.segment_bytes / 4).clamp(4 << 10, 1 << 20) as usize
    }
}

/// A wall clock.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// A clock that asks `now`.
    pub fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Clock(Arc::new(now))
    }

    /// Nanoseconds since 1970.
    pub(crate) fn nanos(&self) -> i64 {
        let since = (self.0)().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Clock::new(SystemTime::now)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
