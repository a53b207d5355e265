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
const SPAN_LEAST: Duration = Duration::from_secs(10);

/// How fast the journal grows.
#[derive(Default)]
pub(crate) struct Growth {
    /// What was written of each class by some moments, oldest first.
    written: Mutex<VecDeque<(Instant, [u64; 3])>>,
}

impl Growth {
    /// Notes how much was written.
    pub(super) fn note(&self, now: Instant, written_bytes: [u64; 3]) {
        let mut written = self.written.lock();
        written.push_back((now, written_bytes));
        while written.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > SPAN) {
            written.pop_front();
        }
    }

    fn bytes_per_second(&self, class: Class) -> Option<f64> {
        let written = self.written.lock();
        let ((from, first), (to, last)) = (written.front()?, written.back()?);
        let span = to.saturating_duration_since(*from);
        let bytes = last[class.index()].saturating_sub(first[class.index()]);
        (span >= SPAN_LEAST && bytes > 0).then(|| bytes as f64 / span.as_secs_f64())
    }

    /// For how long the journal can still keep everything for a route whose target takes nothing, at the present rate;
    /// `None` where nothing can be said: the gateway has just started, or nothing comes in.
    pub(crate) fn time_left(
        &self,
        route: &RouteState,
        journal: &MessageJournal,
        classes: &[Class],
    ) -> Option<Duration> {
        let (stats, head) = (journal.stats(), journal.head());
        let left = classes.iter().filter_map(|class| {
            let rate = self.bytes_per_second(*class)?;
            let of_class = &stats.classes[class.index()];
            let item_bytes = of_class.written_bytes_total as f64 / of_class.appended_total.max(1) as f64;
            let waits =
                head.saturating_sub(route.settled(*class)) as f64 / head.saturating_sub(of_class.first).max(1) as f64;
            let waiting = of_class.items as f64 * waits.min(1.0) * item_bytes;
            Some((journal.usage(*class).bytes_max as f64 - waiting).max(0.0) / rate)
        });
        Duration::try_from_secs_f64(left.min_by(f64::total_cmp)?).ok()
    }
}
