//! What the wire counts.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A number that grows.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// What is counted of questions.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) requests: Counter,
    pub(crate) timeouts: Counter,
    /// Answers that say that nothing has changed.
    pub(crate) unchanged: Counter,
    /// Answers that are no payload of the format that was expected.
    pub(crate) unreadable: Counter,
    pub(crate) tokens_refused: Counter,
}

impl Counters {
    pub(crate) fn list(&self) -> [(&'static str, u64); 5] {
        [
            ("requests", self.requests.get()),
            ("timeouts", self.timeouts.get()),
            ("unchanged_answers", self.unchanged.get()),
            ("unreadable_answers", self.unreadable.get()),
            ("refused_tokens", self.tokens_refused.get()),
        ]
    }
}
