//! Where windows lie.
//!
//! ```text
//! panes      |  0  |  1  |  2  |  3  |  4  |  5  |
//! TUMBLE     |-----|-----|-----|-----|-----|-----|      one pane each
//! HOP        |-----------------|                        a size, and a step from one start to the next
//!                  |-----------------|
//! CUMULATE   |-----|                                    from one start, longer by a step each, up to a size
//!            |-----------|
//!            |-----------------|-----|
//! ```

use crate::answer::millis;
use crate::df::{Expr, ScalarValue};
use crate::marker;
use crate::rows::Timing;

const NANOS_PER_MILLI: i64 = 1_000_000;
const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// Windows `[start, end)` that are runs of panes; panes do not overlap, and each row is in one. In nanoseconds, counted
/// from 1970 (UTC) plus the offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    kind: Kind,
    pane: i64,
    offset: i64,
    /// What is taken off a row's time before it is put into a pane.
    shift: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tumble,
    Hop { step: i64, size: i64 },
    Cumulate { step: i64, size: i64 },
}

/// Where a row belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The pane with this start.
    Pane(i64),
    /// Into no window, because they are shorter than their step.
    Between,
    /// Its windows lie beyond what a time can say.
    Beyond,
}

/// What is wrong with a window's arguments, and what would be right.
pub(super) type Wrong = (String, &'static str);

impl Frame {
    /// Reads the arguments of a window function behind the time: `size`, or `step, size`, then perhaps an offset.
    ///
    /// A row that is itself the result of a window counts into the window that covers it: its time is that window's end,
    /// which is the start of the next, so a nanosecond is taken off.
    ///
    /// # Errors
    /// What is wrong with them, and what would be right.
    pub(super) fn new(function: &str, args: &[Expr], timing: Timing) -> Result<Frame, Wrong> {
        let is_tumble = function == marker::TUMBLE;
        let (lengths, offset) = args.split_at(if is_tumble { 1 } else { 2 }.min(args.len()));
        let kind = match (function, lengths) {
            (marker::HOP, [step, size]) => Kind::Hop { step: length("step", step)?, size: length("size", size)? },
            (marker::CUMULATE, [step, size]) => cumulate(length("step", step)?, length("size", size)?)?,
            _ => Kind::Tumble,
        };
        let pane = match kind {
            Kind::Tumble => length("size", &lengths[0])?,
            Kind::Hop { step, size } => gcd(step, size),
            Kind::Cumulate { step, .. } => step,
        };
        let shift = i64::from(timing == Timing::WindowEnd);
        let frame = Frame { kind, pane, offset: 0, shift };
        let offset = offset.first().map_or(Ok(0), |offset| whole_millis("offset", offset))?;
        Ok(Frame { offset: offset.rem_euclid(frame.period()), ..frame })
    }

    /// Every moment is a window: what comes of the same window belongs together.
    pub(super) fn instant() -> Frame {
        Frame { kind: Kind::Tumble, pane: 1, offset: 0, shift: 1 }
    }

    /// Whether each window is one pane.
    pub(crate) fn is_tumbling(&self) -> bool {
        self.kind == Kind::Tumble
    }

    /// Whether windows may begin within a block, see [`block_of`](Frame::block_of).
    pub(crate) fn crosses_blocks(&self) -> bool {
        matches!(self.kind, Kind::Hop { step, size } if step % size != 0)
    }

    /// What a window is called in the ids of its rows.
    pub(crate) fn name(&self, start: i64, end: i64) -> String {
        match self.kind {
            // Several windows start at the same time, so that only their ends tell them apart.
            Kind::Cumulate { .. } => format!("{}/{}", millis(start), millis(end)),
            Kind::Tumble if self.pane == 1 => millis(end).to_string(),
            _ => millis(start).to_string(),
        }
    }

    /// After so long everything is the same again.
    fn period(&self) -> i64 {
        match self.kind {
            Kind::Tumble => self.pane,
            Kind::Hop { step, .. } => step,
            Kind::Cumulate { size, .. } => size,
        }
    }

    /// The longest window.
    fn size(&self) -> i64 {
        match self.kind {
            Kind::Tumble => self.pane,
            Kind::Hop { size, .. } | Kind::Cumulate { size, .. } => size,
        }
    }

    /// Where a row belongs.
    pub(crate) fn place(&self, ts: i64) -> Place {
        match self.pane_at(ts) {
            None => Place::Beyond,
            Some(pane) if pane < self.last_end(pane) => Place::Pane(pane),
            Some(_) => Place::Between,
        }
    }

    fn pane_at(&self, ts: i64) -> Option<i64> {
        let pane = self.floor(ts.checked_sub(self.shift)?, self.pane)?;
        // All windows of the pane can be told too.
        pane.checked_add(self.size())?.checked_add(self.period())?;
        pane.checked_sub(self.size())?.checked_sub(self.period())?;
        Some(pane)
    }

    /// The end of the last window that begins at or before a pane; the pane is in it if it is not over by then.
    pub(crate) fn last_end(&self, pane: i64) -> i64 {
        let start = self.floor(pane, self.period()).unwrap_or(i64::MIN);
        start.saturating_add(self.size())
    }

    /// The first end of a window behind a moment.
    pub(crate) fn next_end(&self, moment: i64) -> i64 {
        let (every, first) = match self.kind {
            Kind::Tumble => (self.pane, 0),
            Kind::Hop { step, size } => (step, size.rem_euclid(step)),
            Kind::Cumulate { step, .. } => (step, 0),
        };
        let before = moment.checked_sub(first).and_then(|moment| self.floor(moment, every));
        before.map_or(i64::MAX, |before| before.saturating_add(first).saturating_add(every))
    }

    /// The start of the window with this end.
    pub(crate) fn start_of(&self, end: i64) -> i64 {
        match self.kind {
            Kind::Tumble => end.saturating_sub(self.pane),
            Kind::Hop { size, .. } => end.saturating_sub(size),
            Kind::Cumulate { size, .. } => self.floor(end - 1, size).unwrap_or(i64::MIN),
        }
    }

    /// The start of the block that a pane is in. Blocks are as long as the longest window, so that a window lies in one
    /// block or in two that follow each other.
    pub(crate) fn block_of(&self, pane: i64) -> i64 {
        self.floor(pane, self.size()).unwrap_or(i64::MIN)
    }

    /// How many panes can be open at once if rows come from a span of this length.
    pub(crate) fn panes_in(&self, span: i64) -> i64 {
        span.saturating_add(self.size() - self.pane) / self.pane + 2
    }

    fn floor(&self, moment: i64, length: i64) -> Option<i64> {
        moment.checked_sub(self.offset)?.div_euclid(length).checked_mul(length)?.checked_add(self.offset)
    }
}

fn cumulate(step: i64, size: i64) -> Result<Kind, Wrong> {
    if size % step != 0 {
        let right = "CUMULATE(ts, INTERVAL '10 minutes', INTERVAL '1 hour')";
        return Err(("the size of a cumulating window is a multiple of its step".into(), right));
    }
    Ok(Kind::Cumulate { step, size })
}

/// A length of time that is more than nothing.
///
/// # Errors
/// What it is instead.
pub(super) fn length(what: &str, expr: &Expr) -> Result<i64, Wrong> {
    let length = whole_millis(what, expr)?;
    if length > 0 { Ok(length) } else { Err(in_millis(what)) }
}

fn whole_millis(what: &str, expr: &Expr) -> Result<i64, Wrong> {
    let nanos = nanos(expr).map_err(|found| (format!("the {what} of a window cannot be {found}"), example(what)))?;
    if nanos % NANOS_PER_MILLI == 0 { Ok(nanos) } else { Err(in_millis(what)) }
}

fn in_millis(what: &str) -> Wrong {
    (format!("the {what} of a window is in whole milliseconds"), example(what))
}

fn example(what: &str) -> &'static str {
    if what == "offset" { "INTERVAL '1 hour'" } else { "INTERVAL '10 seconds'" }
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The length of an interval that is the same at all times.
///
/// # Errors
/// What it is instead.
pub(super) fn nanos(interval: &Expr) -> Result<i64, String> {
    let Expr::Literal(value, _) = unalias(interval) else { return Err("computed from columns".into()) };
    match value {
        ScalarValue::IntervalMonthDayNano(Some(i)) if i.months == 0 => i64::from(i.days)
            .checked_mul(NANOS_PER_DAY)
            .and_then(|days| days.checked_add(i.nanoseconds))
            .ok_or("that long".into()),
        ScalarValue::IntervalDayTime(Some(i)) => {
            Ok(i64::from(i.days) * NANOS_PER_DAY + i64::from(i.milliseconds) * NANOS_PER_MILLI)
        }
        ScalarValue::IntervalMonthDayNano(Some(_)) | ScalarValue::IntervalYearMonth(_) => {
            Err("in months or years, which differ in length".into())
        }
        other => Err(format!("`{other}`, which is not an interval")),
    }
}

fn unalias(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => unalias(&alias.expr),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: Kind, pane: i64, offset: i64) -> Frame {
        Frame { kind, pane, offset, shift: 0 }
    }

    /// All windows that hold a row with this time, by looking at every end near it.
    fn windows(frame: &Frame, ts: i64) -> Vec<(i64, i64)> {
        let Place::Pane(pane) = frame.place(ts) else { return vec![] };
        let mut found = vec![];
        let mut end = frame.next_end(pane);
        while end <= frame.last_end(pane) {
            found.push((frame.start_of(end), end));
            end = frame.next_end(end);
        }
        found
    }

    #[test]
    fn a_window_holds_its_start_and_not_its_end() {
        let ten = frame(Kind::Tumble, 10, 0);
        assert_eq!(windows(&ten, 20), [(20, 30)]);
        assert_eq!(windows(&ten, 19), [(10, 20)]);
        assert_eq!(windows(&ten, -1), [(-10, 0)]);
    }

    #[test]
    fn hopping_windows_hold_a_row_as_often_as_they_overlap() {
        let halves = frame(Kind::Hop { step: 5, size: 10 }, 5, 0);
        assert_eq!(windows(&halves, 12), [(5, 15), (10, 20)]);
        let odd = frame(Kind::Hop { step: 4, size: 10 }, 2, 1);
        assert_eq!(windows(&odd, 12), [(5, 15), (9, 19)]);
        assert_eq!(windows(&odd, 13), [(5, 15), (9, 19), (13, 23)]);
        assert_eq!(windows(&odd, -1), [(-7, 3), (-3, 7)]);
    }

    #[test]
    fn between_hopping_windows_that_are_shorter_than_their_step_rows_are_in_none() {
        let gaps = frame(Kind::Hop { step: 15, size: 10 }, 5, 0);
        assert_eq!(windows(&gaps, 9), [(0, 10)]);
        assert_eq!(windows(&gaps, 10), []);
        assert_eq!(windows(&gaps, 15), [(15, 25)]);
        assert_eq!(windows(&gaps, 31), [(30, 40)]);
    }

    #[test]
    fn cumulating_windows_grow_from_one_start() {
        let quarters = frame(Kind::Cumulate { step: 5, size: 20 }, 5, 0);
        assert_eq!(windows(&quarters, 12), [(0, 15), (0, 20)]);
        assert_eq!(windows(&quarters, 20), [(20, 25), (20, 30), (20, 35), (20, 40)]);
    }

    #[test]
    fn every_window_is_in_one_block_or_in_two_that_follow_each_other() {
        let odd = frame(Kind::Hop { step: 6, size: 10 }, 2, 1);
        for ts in -100..100 {
            for (start, end) in windows(&odd, ts) {
                let (first, last) = (odd.block_of(start), odd.block_of(end - 1));
                assert!(last == first || last == first + 10, "{start} to {end}");
                assert!(start <= ts && ts < end, "{ts} in {start} to {end}");
            }
        }
    }

    #[test]
    fn the_result_of_a_window_belongs_to_the_window_that_covers_it() {
        let minute = Frame { shift: 1, ..frame(Kind::Tumble, 60, 0) };
        assert_eq!(minute.place(60), Place::Pane(0));
        assert_eq!(minute.place(70), Place::Pane(60));
    }

    #[test]
    fn an_offset_moves_all_windows() {
        assert_eq!(windows(&frame(Kind::Tumble, 24, 6), 5), [(-18, 6)]);
    }

    #[test]
    fn times_at_the_edge_of_what_can_be_said_have_no_window() {
        for kind in [Kind::Tumble, Kind::Hop { step: 10, size: 30 }, Kind::Cumulate { step: 10, size: 30 }] {
            assert_eq!(frame(kind, 10, 3).place(i64::MIN), Place::Beyond);
            assert_eq!(frame(kind, 10, 3).place(i64::MAX), Place::Beyond);
        }
    }
}
