//! What happens on a connection beside values.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A number that grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, count: u64) {
        self.0.fetch_add(count, Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// All counters of a link.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Connections that were opened.
    pub(super) connections: Counter,
    /// Messages that came.
    pub(super) messages: Counter,
    /// Messages of topics that nobody reads.
    pub(super) unknown_topics: Counter,
    /// Payloads that are not what they should be.
    pub(super) unreadable: Counter,
    /// Filters that the broker has refused.
    pub(super) refused_filters: Counter,
    /// Edge nodes that were told to say everything anew.
    pub(super) rebirths: Counter,
    /// Values of the past, which are not told.
    pub(super) historical: Counter,
    /// Answers to services that nobody waited for any more.
    pub(super) late_answers: Counter,
}

impl Counters {
    /// Each with its name.
    pub(crate) fn list(&self) -> Vec<(&'static str, u64)> {
        let all = [
            ("connections", &self.connections),
            ("messages", &self.messages),
            ("unknown_topics", &self.unknown_topics),
            ("unreadable_payloads", &self.unreadable),
            ("refused_filters", &self.refused_filters),
            ("rebirth_requests", &self.rebirths),
            ("historical_values", &self.historical),
            ("late_answers", &self.late_answers),
        ];
        all.map(|(name, counter)| (name, counter.get())).into()
    }
}
