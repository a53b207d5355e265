//! What the driver counts.

use crate::session::Failure;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Sessions that were opened.
    pub(super) sessions: AtomicU64,
    /// Questions without an answer in time.
    pub(super) timeouts: AtomicU64,
    /// Messages of the subscription that held something.
    pub(super) notifications: AtomicU64,
    /// Messages of the subscription that cannot be read.
    pub(super) unreadable: AtomicU64,
    /// Values and events with which the server says that it had to leave some out.
    pub(super) overflows: AtomicU64,
    /// Points and events that the server does not watch, now.
    pub(super) refused: AtomicU64,
    /// Sessions given up because a message of the subscription was missing.
    pub(super) gaps: AtomicU64,
}

impl Counters {
    pub(super) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// The same failure, counted.
    pub(super) fn seen(&self, failure: Failure) -> Failure {
        if matches!(failure, Failure::Late(_)) {
            Counters::count(&self.timeouts);
        }
        failure
    }

    pub(super) fn list(&self) -> Vec<(&'static str, u64)> {
        let Counters { sessions, timeouts, notifications, unreadable, overflows, refused, gaps } = self;
        let all = [
            ("sessions", sessions),
            ("timeouts", timeouts),
            ("notifications", notifications),
            ("unreadable_notifications", unreadable),
            ("overflows", overflows),
            ("refused_items", refused),
            ("missing_notifications", gaps),
        ];
        all.map(|(name, counter)| (name, counter.load(Ordering::Relaxed))).into()
    }
}
