//! Conditions that have to hold for a while.

use crate::clock::Steady;
use crate::plan::Truth;
use edgeway_sdk::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a condition has been seen to be true.
///
/// A known false starts over. While the condition is unknown the count stands still: a device that blinks neither loses
/// the minutes that were seen nor gains minutes that nobody saw.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    dwell: Duration,
    inner: Truth,
    counted: Duration,
    since: Steady,
}

/// What of it survives a restart.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct HeldMemory {
    /// Seconds.
    counted: f64,
    /// Since when it counts, if it does.
    counts_since: Option<Timestamp>,
    /// Whether it has counted all of its span.
    #[serde(default)]
    is_full: bool,
}

impl HeldMemory {
    /// Whether it was counting when it was last kept, and not full.
    pub(crate) fn is_counting(&self) -> bool {
        self.counts_since.is_some() && !self.is_full
    }
}

impl Held {
    pub(crate) fn new(dwell: Duration) -> Self {
        Held { dwell, inner: Truth::Unknown, counted: Duration::ZERO, since: Steady::default() }
    }

    /// Takes what the inner condition came to. True if that is another thing than before.
    pub(crate) fn update(&mut self, inner: Truth, now: Steady) -> bool {
        self.counted = match inner {
            Truth::False => Duration::ZERO,
            Truth::True | Truth::Unknown => self.so_far(now),
        };
        self.since = now;
        std::mem::replace(&mut self.inner, inner) != inner
    }

    /// What has to survive a restart.
    pub(crate) fn memory(&self, now: Steady, wall: Timestamp) -> HeldMemory {
        let counts_since = (self.inner == Truth::True).then_some(wall);
        let counted = self.so_far(now);
        HeldMemory { counted: counted.as_secs_f64(), counts_since, is_full: counted >= self.dwell }
    }

    /// Goes on with what is remembered, up to when the scenes were last known to run.
    pub(crate) fn restore(&mut self, memory: &HeldMemory, alive: Timestamp) {
        let counted = Duration::try_from_secs_f64(memory.counted).unwrap_or_default();
        let seen = memory.counts_since.map_or(Duration::ZERO, |since| alive.since(since));
        self.counted = counted.saturating_add(seen).min(self.dwell);
    }

    pub(crate) fn dwell(&self) -> Duration {
        self.dwell
    }

    /// How long it has been seen to be true.
    pub(crate) fn counted(&self, now: Steady) -> Duration {
        self.so_far(now)
    }

    /// Whether it has held long enough. Unknown while the inner condition is.
    pub(crate) fn truth(&self, now: Steady) -> Truth {
        match self.inner {
            Truth::True if self.so_far(now) >= self.dwell => Truth::True,
            Truth::True | Truth::False => Truth::False,
            Truth::Unknown => Truth::Unknown,
        }
    }

    /// When it will have held long enough, if nothing changes; `None` if it has, or is not counting.
    pub(crate) fn due(&self) -> Option<Steady> {
        (self.inner == Truth::True && self.counted < self.dwell).then(|| self.since + (self.dwell - self.counted))
    }

    fn so_far(&self, now: Steady) -> Duration {
        match self.inner {
            Truth::True => self.counted.saturating_add(now.since(self.since)).min(self.dwell),
            Truth::False | Truth::Unknown => self.counted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Steady {
        Steady::default() + Duration::from_secs(secs)
    }

    #[test]
    fn a_blink_stops_the_count_and_false_starts_it_over() {
        let mut held = Held::new(Duration::from_secs(60));
        held.update(Truth::True, at(0));
        held.update(Truth::Unknown, at(30));
        assert_eq!(held.truth(at(200)), Truth::Unknown);
        assert_eq!(held.due(), None);
        held.update(Truth::True, at(200));
        assert_eq!(held.due(), Some(at(230)));
        assert_eq!((held.truth(at(229)), held.truth(at(230))), (Truth::False, Truth::True));
        held.update(Truth::False, at(240));
        held.update(Truth::True, at(250));
        assert_eq!(held.due(), Some(at(310)));
    }
}
