//! What is counted.

use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// What is counted, beside what the gateway counts.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Connections that were opened.
    pub(crate) connections: Counter,
    /// Questions without an answer in time.
    pub(crate) timeouts: Counter,
    /// Messages that were sent again.
    pub(crate) repetitions: Counter,
    /// Messages that came again.
    pub(crate) duplicates: Counter,
    /// Answers to no question, or no longer to one.
    pub(crate) strange_answers: Counter,
    /// Datagrams that are no message.
    pub(crate) malformed: Counter,
    pub(crate) notifications: Counter,
    /// Notifications that came after newer ones.
    pub(crate) old_notifications: Counter,
    /// Notifications that came faster than they were taken.
    pub(crate) dropped_notifications: Counter,
    /// Payloads that are not what they should be.
    pub(crate) unreadable_payloads: Counter,
    /// What was pushed and taken.
    pub(crate) pushes: Counter,
    /// What was pushed to where nothing is.
    pub(crate) unknown_pushes: Counter,
}

impl Counters {
    pub(crate) fn list(&self) -> [(&'static str, u64); 12] {
        let all = [
            ("connections", &self.connections),
            ("timeouts", &self.timeouts),
            ("repetitions", &self.repetitions),
            ("duplicates", &self.duplicates),
            ("strange_answers", &self.strange_answers),
            ("malformed", &self.malformed),
            ("notifications", &self.notifications),
            ("old_notifications", &self.old_notifications),
            ("dropped_notifications", &self.dropped_notifications),
            ("unreadable_payloads", &self.unreadable_payloads),
            ("pushes", &self.pushes),
            ("unknown_pushes", &self.unknown_pushes),
        ];
        all.map(|(name, counter)| (name, counter.0.load(Ordering::Relaxed)))
    }
}
