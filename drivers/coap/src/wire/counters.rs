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
    /// What was pushed with DTLS for a device that has another identity.
    pub(crate) refused_pushes: Counter,
    /// Sessions that devices have begun.
    pub(crate) handshakes: Counter,
    /// Handshakes with a key that is not the one of its name.
    pub(crate) wrong_secrets: Counter,
    /// Handshakes with a key of a name that no device has.
    pub(crate) unknown_identities: Counter,
    /// Handshakes that were given up, or refused for want of a common cipher or of room.
    pub(crate) unfinished_handshakes: Counter,
    /// Records that were not made with the keys of a session, or have come before.
    pub(crate) unreadable_records: Counter,
    /// Sessions that had to give way.
    pub(crate) dropped_sessions: Counter,
}

impl Counters {
    pub(crate) fn list(&self) -> [(&'static str, u64); 19] {
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
            ("refused_pushes", &self.refused_pushes),
            ("handshakes", &self.handshakes),
            ("wrong_secrets", &self.wrong_secrets),
            ("unknown_identities", &self.unknown_identities),
            ("unfinished_handshakes", &self.unfinished_handshakes),
            ("unreadable_records", &self.unreadable_records),
            ("dropped_sessions", &self.dropped_sessions),
        ];
        all.map(|(name, counter)| (name, counter.0.load(Ordering::Relaxed)))
    }
}
