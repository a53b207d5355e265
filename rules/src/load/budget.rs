//! How long a script may run: operations, which are counted, and time, for which the caller lends a stopwatch.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// For one call of a closure. The operations take about 2 ms of plain arithmetic; those on texts and arrays take longer.
pub(crate) const CALL: Allowance = Allowance { operations: 20_000, time: Duration::from_millis(5) };
/// For a script while it declares its scenes, about 20 ms of plain arithmetic.
pub(crate) const LOAD: Allowance = Allowance { operations: 200_000, time: Duration::from_millis(500) };

/// For a test of scenes, and for a script with tests while it declares them.
pub(crate) const TEST: Allowance = Allowance { operations: 2_000_000, time: Duration::from_secs(10) };

/// Every so many operations the stopwatch is read. The slowest single one takes about half a millisecond.
const STOPWATCH_OPERATIONS: u64 = 4;

/// Tells how much time has passed since some moment, always the same one.
///
/// The scene engine reads no clock by itself. With a stopwatch, it also stops scripts that take long though they take
/// few operations: after 5 ms in a closure, after 500 ms while a script loads.
///
/// ```
/// let began = std::time::Instant::now();
/// let options = edgeway_rules::Options {
///     stopwatch: Some(edgeway_rules::Stopwatch::new(move || began.elapsed())),
///     ..Default::default()
/// };
/// ```
#[derive(Clone)]
pub struct Stopwatch(Arc<dyn Fn() -> Duration + Send + Sync>);

/// What a script may use up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    operations: u64,
    time: Duration,
}

/// The operations that are left, and the time.
///
/// Rhai's own limit starts anew for every closure that a script hands to a function such as `map`, so loops nested
/// that way could multiply it. This count is one for the whole call. Once it is used up it stays so, whatever the
/// script catches.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    left: Arc<Left>,
    stopwatch: Option<Stopwatch>,
}

#[derive(Debug, Default)]
struct Left {
    operations: AtomicU64,
    until_nanos: AtomicU64,
}

impl Stopwatch {
    /// Wraps what tells the time that has passed.
    pub fn new(elapsed: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Stopwatch(Arc::new(elapsed))
    }

    fn nanos(&self) -> u64 {
        u64::try_from((self.0)().as_nanos()).unwrap_or(u64::MAX)
    }
}

impl fmt::Debug for Stopwatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stopwatch").finish_non_exhaustive()
    }
}

impl Budget {
    pub(crate) fn new(stopwatch: Option<Stopwatch>) -> Self {
        Budget { left: Arc::default(), stopwatch }
    }

    pub(crate) fn fill(&self, allowance: Allowance) {
        let now = self.stopwatch.as_ref().map_or(0, Stopwatch::nanos);
        let time = u64::try_from(allowance.time.as_nanos()).unwrap_or(u64::MAX);
        self.left.until_nanos.store(now.saturating_add(time), Ordering::Relaxed);
        self.left.operations.store(allowance.operations, Ordering::Relaxed);
    }

    /// Takes one operation; false when none is left.
    pub(super) fn take(&self) -> bool {
        let left = self.left.operations.load(Ordering::Relaxed);
        if left == 0 {
            return false;
        }
        let late = left.is_multiple_of(STOPWATCH_OPERATIONS) && self.is_late();
        self.left.operations.store(if late { 0 } else { left - 1 }, Ordering::Relaxed);
        !late
    }

    /// Takes operations for work that Rhai counts as one.
    pub(super) fn charge(&self, operations: u64) {
        let left = self.left.operations.load(Ordering::Relaxed);
        self.left.operations.store(left.saturating_sub(operations), Ordering::Relaxed);
    }

    fn is_late(&self) -> bool {
        self.stopwatch.as_ref().is_some_and(|watch| watch.nanos() > self.left.until_nanos.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operations(budget: &Budget) -> u64 {
        (0..).take_while(|_| budget.take()).count() as u64
    }

    #[test]
    fn without_a_stopwatch_operations_count() {
        let budget = Budget::new(None);
        budget.fill(CALL);
        budget.charge(5_000);
        assert_eq!(operations(&budget), 15_000);
        assert!(!budget.take());
    }

    #[test]
    fn with_a_stopwatch_the_first_of_both_limits_ends_it_for_good() {
        let readings = Arc::new(AtomicU64::new(0));
        let read = readings.clone();
        let slow = Stopwatch::new(move || Duration::from_millis(read.fetch_add(1, Ordering::Relaxed)));
        let budget = Budget::new(Some(slow));
        budget.fill(CALL);
        assert_eq!(operations(&budget), 5 * STOPWATCH_OPERATIONS);
        assert!(!budget.take());
        let still = Budget::new(Some(Stopwatch::new(|| Duration::from_secs(7))));
        still.fill(CALL);
        assert_eq!(operations(&still), CALL.operations);
    }
}
