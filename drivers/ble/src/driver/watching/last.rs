//! When somebody was heard.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Cheap enough for every advertisement of every stranger.
pub(super) struct Last {
    since: Instant,
    /// Milliseconds, from 1; 0 is never.
    heard: AtomicU64,
}

impl Default for Last {
    fn default() -> Self {
        Last { since: Instant::now(), heard: AtomicU64::new(0) }
    }
}

impl Last {
    pub(super) fn note(&self) {
        let passed = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.heard.store(passed + 1, Ordering::Relaxed);
    }

    /// `None` if nobody ever was.
    pub(super) fn heard(&self) -> Option<Instant> {
        let passed = self.heard.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.since + Duration::from_millis(passed))
    }
}
