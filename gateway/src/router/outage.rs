//! How long a target may be away before something has to be dropped.

use super::desk::RouteState;
use crate::spine::MessageJournal;
use edgeway_journal::Class;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Over which time the present rate is taken.
const SPAN: Duration = Duration::from_secs(300);
/// A shorter time says nothing.
const SPAN_LEAST: Duration = Duration::from_secs(2);

/// How fast the journal grows.
#[derive(Default)]
pub(crate) struct Growth {
    /// The head of the journal at some moments, oldest first.
    heads: Mutex<VecDeque<(Instant, u64)>>,
}

impl Growth {
    /// Notes how far the journal has come.
    pub(super) fn note(&self, now: Instant, head: u64) {
        let mut heads = self.heads.lock();
        heads.push_back((now, head));
        while heads.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > SPAN) {
            heads.pop_front();
        }
    }

    fn messages_per_second(&self) -> Option<f64> {
        let heads = self.heads.lock();
        let ((from, first), (to, last)) = (heads.front()?, heads.back()?);
        let span = to.saturating_duration_since(*from);
        (span >= SPAN_LEAST).then(|| (last - first) as f64 / span.as_secs_f64())
    }

    /// For how long the journal can still keep everything for a route whose target takes nothing, at the present rate;
    /// `None` where nothing can be said: the gateway has just started, or nothing comes in.
    pub(crate) fn time_left(&self, route: &RouteState, journal: &MessageJournal, classes: &[Class]) -> Option<Duration> {
        let rate = self.messages_per_second().filter(|rate| *rate > 0.0)?;
        let left = classes.iter().filter_map(|class| {
            let usage = journal.usage(*class);
            let (head, first) = (journal.head(), journal.first_of(*class));
            let bytes_per_message = usage.bytes as f64 / head.saturating_sub(first).max(1) as f64;
            let waiting = head.saturating_sub(route.settled(*class)) as f64 * bytes_per_message;
            let room = (usage.bytes_max as f64 - waiting).max(0.0);
            (bytes_per_message > 0.0).then(|| room / (rate * bytes_per_message))
        });
        let seconds = left.min_by(f64::total_cmp)?;
        Duration::try_from_secs_f64(seconds).ok()
    }
}
