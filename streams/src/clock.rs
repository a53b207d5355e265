//! The watermark: up to which time a query takes its rows to be complete.

use crate::rows::NEVER;
use serde::{Deserialize, Serialize};

/// Follows the times of rows, a fixed delay behind the newest; when none come, follows the gateway's clock.
///
/// In nanoseconds. Everything that judges a row depends on the row and those before it, not on when it is
/// processed: messages that are pushed again after a restart are judged as they were the first time.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    patience: Patience,
    hands: Hands,
    /// What the gateway's clock showed when the last row was pushed.
    pushed: Option<i64>,
}

/// What the author of a query has chosen, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Patience {
    /// How long a window waits for rows that are older than the newest one.
    pub(crate) delay: i64,
    /// How far a row's time may be ahead of when the gateway got it.
    pub(crate) skew: i64,
    /// After how long without rows time goes on without them.
    pub(crate) idle: i64,
}

/// What a clock has to remember.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hands {
    watermark: i64,
    /// When the gateway got the last row.
    heard: Option<i64>,
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
    pub(crate) fn new(patience: Patience) -> Self {
        Clock { patience, hands: Hands { watermark: NEVER, heard: None }, pushed: None }
    }

    pub(crate) fn watermark(&self) -> i64 {
        self.hands.watermark
    }

    /// Takes note of a row with the time `ts` that the gateway got at `heard`.
    pub(crate) fn judge(&mut self, ts: i64, heard: i64) -> Verdict {
        self.hear(heard);
        self.hands.heard = Some(self.hands.heard.map_or(heard, |before| before.max(heard)));
        if ts > heard.saturating_add(self.patience.skew) {
            return Verdict::Future;
        }
        self.advance(ts);
        Verdict::Counts
    }

    /// The gateway has got something of another stream at this time. If nothing has come of this one for long, its time goes
    /// on.
    pub(crate) fn hear(&mut self, heard: i64) {
        // Before the first row too: a table of which nothing ever comes holds nobody up.
        let before = *self.hands.heard.get_or_insert(heard);
        if heard.saturating_sub(before) >= self.patience.idle {
            self.advance(heard.saturating_sub(self.patience.idle));
        }
    }

    /// Rows have been pushed at this time of the gateway's clock.
    pub(crate) fn note_push(&mut self, now: i64) {
        self.pushed = Some(self.pushed.map_or(now, |before| before.max(now)));
    }

    /// The gateway's clock shows `now`. If nothing has come for long, time goes on without rows.
    pub(crate) fn tick(&mut self, now: i64) {
        let last = *self.pushed.get_or_insert(now);
        if now.saturating_sub(last) >= self.patience.idle {
            self.advance(now.saturating_sub(self.patience.idle));
        }
    }

    /// Time has come this far, whatever rows say.
    pub(crate) fn reach(&mut self, watermark: i64) {
        self.hands.watermark = self.hands.watermark.max(watermark);
    }

    /// To be kept over a restart.
    pub(crate) fn hands(&self) -> Hands {
        self.hands
    }

    /// Goes on from where an earlier clock stood, at a time of the gateway's clock.
    pub(crate) fn set(&mut self, hands: Hands, now: i64) {
        self.hands = hands;
        if hands.heard.is_some() {
            self.note_push(now);
        }
    }

    fn advance(&mut self, newest: i64) {
        self.hands.watermark = self.hands.watermark.max(newest.saturating_sub(self.patience.delay));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watermark_is_the_newest_time_less_the_delay_and_never_goes_back() {
        let mut clock = Clock::new(Patience { delay: 2, skew: 60, idle: 10 });
        assert_eq!(clock.watermark(), NEVER);
        assert_eq!(clock.judge(100, 101), Verdict::Counts);
        assert_eq!(clock.judge(95, 102), Verdict::Counts);
        assert_eq!(clock.watermark(), 98);
    }

    #[test]
    fn a_time_in_the_future_moves_nothing() {
        let mut clock = Clock::new(Patience { delay: 2, skew: 60, idle: 10 });
        clock.judge(100, 100);
        assert_eq!(clock.judge(161, 100), Verdict::Future);
        assert_eq!(clock.judge(160, 100), Verdict::Counts);
        assert_eq!(clock.watermark(), 158);
    }

    #[test]
    fn in_silence_the_watermark_follows_the_gateways_clock() {
        let mut clock = Clock::new(Patience { delay: 2, skew: 60, idle: 10 });
        clock.tick(95);
        assert_eq!(clock.watermark(), NEVER, "nothing has come yet");
        clock.judge(100, 100);
        clock.note_push(100);
        clock.tick(109);
        assert_eq!(clock.watermark(), 98);
        clock.tick(130);
        assert_eq!(clock.watermark(), 118);
    }

    #[test]
    fn a_table_of_which_nothing_ever_comes_is_idle_like_any_other() {
        let mut clock = Clock::new(Patience { delay: 2, skew: 60, idle: 10 });
        clock.hear(100);
        clock.hear(109);
        assert_eq!(clock.watermark(), NEVER);
        clock.hear(110);
        assert_eq!(clock.watermark(), 98);
        let mut clock = Clock::new(Patience { delay: 2, skew: 60, idle: 10 });
        (100..=110).for_each(|now| clock.tick(now));
        assert_eq!(clock.watermark(), 98);
    }

    #[test]
    fn silence_between_two_rows_counts_the_same_when_they_are_pushed_again() {
        let mut live = Clock::new(Patience { delay: 2, skew: 60, idle: 10 });
        live.judge(100, 100);
        live.note_push(100);
        (101..130).for_each(|now| live.tick(now));
        live.judge(105, 130);
        let mut again = Clock::new(Patience { delay: 2, skew: 60, idle: 10 });
        again.judge(100, 100);
        again.judge(105, 130);
        assert_eq!(again.watermark(), 118);
        assert!(live.watermark() <= again.watermark());
    }
}
