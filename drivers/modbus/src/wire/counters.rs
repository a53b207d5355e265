//! What happens on a wire beside questions and answers.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A number that grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// All counters of a wire.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Questions that nobody answered in time.
    pub(super) timeouts: Counter,
    /// Answers that came after their time; none of them was taken for another.
    pub(super) late_answers: Counter,
    /// Answers that belonged to no question, and bytes that made no sense.
    pub(super) strange_answers: Counter,
    /// Exceptions of any kind.
    pub(super) exceptions: Counter,
    /// Connections that were opened.
    pub(super) connections: Counter,
}

impl Counters {
    /// Each with its name.
    pub(crate) fn list(&self) -> Vec<(&'static str, u64)> {
        let Counters { timeouts, late_answers, strange_answers, exceptions, connections } = self;
        let all = [
            ("connections", connections),
            ("exceptions", exceptions),
            ("late_answers", late_answers),
            ("strange_answers", strange_answers),
            ("timeouts", timeouts),
        ];
        all.map(|(name, counter)| (name, counter.0.load(Relaxed))).into()
    }
}
