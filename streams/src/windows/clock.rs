//! The watermark: up to which time a query takes its rows to be complete.

/// Follows the times of rows, a fixed delay behind the newest; when none come, follows the gateway's clock.
///
/// In nanoseconds. Everything that judges a row depends on the row and those before it, not on when it is
/// processed: messages that are pushed again after a restart are judged as they were the first time.
#[derive(Debug)]
pub(crate) struct Clock {
    delay: i64,
    skew: i64,
    idle: i64,
    watermark: Option<i64>,
    /// When the gateway got the last row.
    heard: Option<i64>,
    /// What the gateway's clock showed when the last row was pushed.
    pushed: Option<i64>,
}

/// What a row's time is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Too far ahead of the gateway's clock: the device's clock is wrong.
    Future,
    /// It counts.
    Counts,
}

impl Clock {
    pub(crate) fn new(delay: i64, skew: i64, idle: i64) -> Self {
        Clock { delay, skew, idle, watermark: None, heard: None, pushed: None }
    }

    pub(crate) fn watermark(&self) -> Option<i64> {
        self.watermark
    }

    /// Takes note of a row with the time `ts` that the gateway got at `heard`.
    pub(crate) fn judge(&mut self, ts: i64, heard: i64) -> Verdict {
        if self.heard.is_some_and(|before| heard.saturating_sub(before) >= self.idle) {
            self.advance(heard.saturating_sub(self.idle));
        }
        self.heard = Some(self.heard.map_or(heard, |before| before.max(heard)));
        if ts > heard.saturating_add(self.skew) {
            return Verdict::Future;
        }
        self.advance(ts);
        Verdict::Counts
    }

    /// Rows have been pushed at this time of the gateway's clock.
    pub(crate) fn note_push(&mut self, now: i64) {
        self.pushed = Some(self.pushed.map_or(now, |before| before.max(now)));
    }

    /// The gateway's clock shows `now`. If nothing has come for long, time goes on without rows.
    pub(crate) fn tick(&mut self, now: i64) {
        if self.pushed.is_some_and(|last| now.saturating_sub(last) >= self.idle) {
            self.advance(now.saturating_sub(self.idle));
        }
    }

    fn advance(&mut self, newest: i64) {
        let watermark = newest.saturating_sub(self.delay);
        self.watermark = Some(self.watermark.map_or(watermark, |before| before.max(watermark)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watermark_is_the_newest_time_less_the_delay_and_never_goes_back() {
        let mut clock = Clock::new(2, 60, 10);
        assert_eq!(clock.watermark(), None);
        assert_eq!(clock.judge(100, 101), Verdict::Counts);
        assert_eq!(clock.judge(95, 102), Verdict::Counts);
        assert_eq!(clock.watermark(), Some(98));
    }

    #[test]
    fn a_time_in_the_future_moves_nothing() {
        let mut clock = Clock::new(2, 60, 10);
        clock.judge(100, 100);
        assert_eq!(clock.judge(161, 100), Verdict::Future);
        assert_eq!(clock.judge(160, 100), Verdict::Counts);
        assert_eq!(clock.watermark(), Some(158));
    }

    #[test]
    fn in_silence_the_watermark_follows_the_gateways_clock() {
        let mut clock = Clock::new(2, 60, 10);
        clock.tick(1000);
        assert_eq!(clock.watermark(), None, "nothing has ever come");
        clock.judge(100, 100);
        clock.note_push(100);
        clock.tick(109);
        assert_eq!(clock.watermark(), Some(98));
        clock.tick(130);
        assert_eq!(clock.watermark(), Some(118));
    }

    #[test]
    fn silence_between_two_rows_counts_the_same_when_they_are_pushed_again() {
        let mut live = Clock::new(2, 60, 10);
        live.judge(100, 100);
        live.note_push(100);
        (101..130).for_each(|now| live.tick(now));
        live.judge(105, 130);
        let mut again = Clock::new(2, 60, 10);
        again.judge(100, 100);
        again.judge(105, 130);
        assert_eq!(again.watermark(), Some(118));
        assert!(live.watermark() <= again.watermark());
    }
}
