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

use super::period::{Period, Unit, floor, length};
use crate::answer::millis;
use crate::df::{Expr, ScalarValue};
use crate::marker;
use crate::rows::Timing;
use jiff::tz::TimeZone;
use std::fmt;

const NANOS_PER_MILLI: i64 = 1_000_000;
/// Some 36 years.
const WHOLE: i64 = 1 << 60;
const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// Windows `[start, end)` that are runs of panes; panes do not overlap, and each row is in one. In nanoseconds since 1970
/// (UTC).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    kind: Kind,
    /// What is taken off a row's time before it is put into a pane.
    shift: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// One after the other.
    Tumble(Period),
    Hop {
        pane: i64,
        step: i64,
        size: i64,
        offset: i64,
    },
    /// From the start of a stretch, longer by a step each; the last ends with the stretch.
    Cumulate {
        step: i64,
        stretch: Period,
    },
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

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Tumble(Period::Fixed { length: 1, .. }) => write!(f, "groups of rows of the same window"),
            Kind::Tumble(Period::Fixed { length, .. }) if *length == WHOLE => write!(f, "groups of all rows"),
            Kind::Tumble(period) => write!(f, "windows of {period}"),
            Kind::Hop { step, size, pane, .. } => {
                write!(f, "windows of {} every {}, in parts of {}", length(*size), length(*step), length(*pane))
            }
            Kind::Cumulate { step, stretch } => write!(f, "the {stretch} so far, every {}", length(*step)),
        }
    }
}

/// What is wrong with a window's arguments, and what would be right.
pub(super) type Wrong = (String, &'static str);

impl Frame {
    /// Reads the arguments of a window function behind the time: `size`, or `step, size`, then perhaps an offset. Days and
    /// months are those of the zone.
    ///
    /// A row that is itself the result of a window counts into the window that covers it: its time is that window's end,
    /// which is the start of the next, so a nanosecond is taken off.
    ///
    /// # Errors
    /// What is wrong with them, and what would be right.
    pub(super) fn new(function: &str, args: &[Expr], timing: Timing, zone: &TimeZone) -> Result<Frame, Wrong> {
        let is_tumble = function == marker::TUMBLE;
        let (lengths, offset) = args.split_at(if is_tumble { 1 } else { 2 }.min(args.len()));
        let offset = offset.first().map_or(Ok(0), |offset| whole_millis("offset", offset))?;
        let kind = match (function, lengths) {
            (marker::HOP, [step, size]) => hop(length_of("step", step)?, length_of("size", size)?, offset),
            (marker::CUMULATE, [step, size]) => cumulate(length_of("step", step)?, period(size, offset, zone)?)?,
            _ => Kind::Tumble(period(&lengths[0], offset, zone)?),
        };
        Ok(Frame { kind, shift: i64::from(timing == Timing::WindowEnd) })
    }

    /// Whose days and months they are, if they are of days or months.
    pub(super) fn zone(&self) -> Option<&TimeZone> {
        match &self.kind {
            Kind::Tumble(Period::Calendar { zone, .. }) => Some(zone),
            Kind::Cumulate { stretch: Period::Calendar { zone, .. }, .. } => Some(zone),
            _ => None,
        }
    }

    /// Every moment is a window: what comes of the same window belongs together.
    pub(super) fn instant() -> Frame {
        Frame { kind: Kind::Tumble(Period::Fixed { length: 1, offset: 0 }), shift: 1 }
    }

    /// One window for all rows: from 2006 to 2043.
    pub(super) fn whole() -> Frame {
        Frame { kind: Kind::Tumble(Period::Fixed { length: WHOLE, offset: 0 }), shift: 0 }
    }

    /// Whether each window is one pane.
    pub(crate) fn is_tumbling(&self) -> bool {
        matches!(self.kind, Kind::Tumble(_))
    }

    /// Whether windows may begin within a block, see [`block_of`](Frame::block_of).
    pub(crate) fn crosses_blocks(&self) -> bool {
        matches!(self.kind, Kind::Hop { step, size, .. } if step % size != 0)
    }

    /// Whether rows may belong into no window.
    pub(crate) fn has_gaps(&self) -> bool {
        matches!(self.kind, Kind::Hop { step, size, .. } if step > size)
    }

    /// What a window is called in the ids of its rows.
    pub(crate) fn name(&self, start: i64, end: i64) -> String {
        match &self.kind {
            // Several windows start at the same time, so that only their ends tell them apart.
            Kind::Cumulate { .. } => format!("{}/{}", millis(start), millis(end)),
            Kind::Tumble(Period::Fixed { length: 1, .. }) => millis(end).to_string(),
            _ => millis(start).to_string(),
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
        let pane = self.pane_of(ts.checked_sub(self.shift)?)?;
        // All windows of the pane can be told too.
        let far = self.longest().checked_mul(2)?;
        pane.checked_add(far)?;
        pane.checked_sub(far)?;
        Some(pane)
    }

    fn pane_of(&self, moment: i64) -> Option<i64> {
        match &self.kind {
            Kind::Tumble(period) => period.floor(moment),
            Kind::Hop { pane, offset, .. } => floor(moment, *pane, *offset),
            Kind::Cumulate { step, stretch } => {
                let start = stretch.floor(moment)?;
                floor(moment, *step, start)
            }
        }
    }

    /// The longest that a window, or the distance between two, can be.
    fn longest(&self) -> i64 {
        match &self.kind {
            Kind::Hop { step, size, .. } => *step.max(size),
            Kind::Tumble(period) | Kind::Cumulate { stretch: period, .. } => period.least().saturating_mul(2),
        }
    }

    /// The times of a pane's rows, `[from, until)`.
    pub(crate) fn times_of(&self, pane: i64) -> (i64, i64) {
        (pane.saturating_add(self.shift), self.pane_end(pane).saturating_add(self.shift))
    }

    /// The end of a pane, which is the start of the next.
    pub(crate) fn pane_end(&self, pane: i64) -> i64 {
        let end = match &self.kind {
            Kind::Tumble(period) => period.next(pane),
            Kind::Hop { pane: length, .. } => pane.checked_add(*length),
            Kind::Cumulate { step, stretch } => stretch.next(pane).map(|next| pane.saturating_add(*step).min(next)),
        };
        end.unwrap_or(i64::MAX)
    }

    /// The end of the last window that begins at or before a pane; the pane is in it if it is not over by then.
    pub(crate) fn last_end(&self, pane: i64) -> i64 {
        match &self.kind {
            Kind::Tumble(period) | Kind::Cumulate { stretch: period, .. } => period.next(pane).unwrap_or(i64::MAX),
            Kind::Hop { step, size, offset, .. } => {
                floor(pane, *step, *offset).unwrap_or(i64::MIN).saturating_add(*size)
            }
        }
    }

    /// The first end of a window behind a moment.
    pub(crate) fn next_end(&self, moment: i64) -> i64 {
        match &self.kind {
            Kind::Tumble(period) => period.next(moment).unwrap_or(i64::MAX),
            Kind::Hop { step, size, offset, .. } => {
                let ends = offset.wrapping_add(*size).rem_euclid(*step);
                floor(moment, *step, ends).map_or(i64::MAX, |before| before.saturating_add(*step))
            }
            Kind::Cumulate { .. } => self.pane_of(moment).map_or(i64::MAX, |pane| self.pane_end(pane)),
        }
    }

    /// The start of the window with this end.
    pub(crate) fn start_of(&self, end: i64) -> i64 {
        match &self.kind {
            Kind::Tumble(period) | Kind::Cumulate { stretch: period, .. } => period.floor(end - 1).unwrap_or(i64::MIN),
            Kind::Hop { size, .. } => end.saturating_sub(*size),
        }
    }

    /// The start of the block that a pane is in. Blocks are as long as the longest window, so that a window lies in one
    /// block or in two that follow each other.
    pub(crate) fn block_of(&self, pane: i64) -> i64 {
        let block = match &self.kind {
            Kind::Tumble(period) | Kind::Cumulate { stretch: period, .. } => period.floor(pane),
            Kind::Hop { size, offset, .. } => floor(pane, *size, *offset),
        };
        block.unwrap_or(i64::MIN)
    }

    /// All windows that a pane is part of, oldest first.
    pub(crate) fn windows_of(&self, pane: i64) -> Vec<(i64, i64)> {
        let (mut windows, mut end) = (vec![], self.next_end(pane));
        while end <= self.last_end(pane) {
            windows.push((self.start_of(end), end));
            end = self.next_end(end);
        }
        windows
    }

    /// How many panes can be open at once if rows come from a span of this length.
    pub(crate) fn panes_in(&self, span: i64) -> i64 {
        let (pane, size) = match &self.kind {
            Kind::Tumble(period) => (period.least(), period.least()),
            Kind::Hop { pane, size, .. } => (*pane, *size),
            Kind::Cumulate { step, stretch } => (*step, stretch.least()),
        };
        span.saturating_add(size - pane.min(size)) / pane + 2
    }
}

fn hop(step: i64, size: i64, offset: i64) -> Kind {
    Kind::Hop { pane: gcd(step, size), step, size, offset: offset.rem_euclid(step) }
}

/// A stretch of a fixed length, or of whole days or months.
fn period(size: &Expr, offset: i64, zone: &TimeZone) -> Result<Period, Wrong> {
    let calendar = |unit, count: i64| match count > 0 && offset.abs() < NANOS_PER_DAY {
        true => Ok(Period::Calendar { unit, count, offset, zone: zone.clone() }),
        false => Err((
            "days and months are counted from one on, and begin less than a day after midnight".to_owned(),
            "TUMBLE(ts, INTERVAL '1 day', INTERVAL '6 hours')",
        )),
    };
    match unalias(size) {
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(i)), _) if i.nanoseconds == 0 => {
            match (i.months, i.days) {
                (0, days) if days != 0 => calendar(Unit::Day, days.into()),
                (months, 0) if months != 0 => calendar(Unit::Month, months.into()),
                _ => fixed(size, offset),
            }
        }
        Expr::Literal(ScalarValue::IntervalYearMonth(Some(months)), _) => calendar(Unit::Month, (*months).into()),
        _ => fixed(size, offset),
    }
}

fn fixed(size: &Expr, offset: i64) -> Result<Period, Wrong> {
    let length = length_of("size", size)?;
    Ok(Period::Fixed { length, offset: offset.rem_euclid(length) })
}

fn cumulate(step: i64, stretch: Period) -> Result<Kind, Wrong> {
    let fits = match &stretch {
        Period::Fixed { length, .. } => length % step == 0,
        Period::Calendar { .. } => step <= NANOS_PER_DAY && NANOS_PER_DAY % step == 0,
    };
    if !fits {
        let right = "CUMULATE(ts, INTERVAL '10 minutes', INTERVAL '1 hour')";
        return Err(("the size of a cumulating window is a multiple of its step".into(), right));
    }
    Ok(Kind::Cumulate { step, stretch })
}

/// A length of time that is more than nothing.
///
/// # Errors
/// What it is instead.
pub(super) fn length_of(what: &str, expr: &Expr) -> Result<i64, Wrong> {
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

    fn frame(kind: Kind) -> Frame {
        Frame { kind, shift: 0 }
    }

    fn tumble(length: i64, offset: i64) -> Frame {
        frame(Kind::Tumble(Period::Fixed { length, offset }))
    }

    fn cumulating(step: i64, length: i64) -> Frame {
        frame(Kind::Cumulate { step, stretch: Period::Fixed { length, offset: 0 } })
    }

    /// All windows that hold a row with this time, by looking at every end near it.
    fn windows(frame: &Frame, ts: i64) -> Vec<(i64, i64)> {
        let Place::Pane(pane) = frame.place(ts) else { return vec![] };
        frame.windows_of(pane)
    }

    #[test]
    fn a_window_holds_its_start_and_not_its_end() {
        let ten = tumble(10, 0);
        assert_eq!(windows(&ten, 20), [(20, 30)]);
        assert_eq!(windows(&ten, 19), [(10, 20)]);
        assert_eq!(windows(&ten, -1), [(-10, 0)]);
    }

    #[test]
    fn hopping_windows_hold_a_row_as_often_as_they_overlap() {
        let halves = frame(hop(5, 10, 0));
        assert_eq!(windows(&halves, 12), [(5, 15), (10, 20)]);
        let odd = frame(hop(4, 10, 1));
        assert_eq!(windows(&odd, 12), [(5, 15), (9, 19)]);
        assert_eq!(windows(&odd, 13), [(5, 15), (9, 19), (13, 23)]);
        assert_eq!(windows(&odd, -1), [(-7, 3), (-3, 7)]);
    }

    #[test]
    fn between_hopping_windows_that_are_shorter_than_their_step_rows_are_in_none() {
        let gaps = frame(hop(15, 10, 0));
        assert_eq!(windows(&gaps, 9), [(0, 10)]);
        assert_eq!(windows(&gaps, 10), []);
        assert_eq!(windows(&gaps, 15), [(15, 25)]);
        assert_eq!(windows(&gaps, 31), [(30, 40)]);
    }

    #[test]
    fn cumulating_windows_grow_from_one_start() {
        let quarters = cumulating(5, 20);
        assert_eq!(windows(&quarters, 12), [(0, 15), (0, 20)]);
        assert_eq!(windows(&quarters, 20), [(20, 25), (20, 30), (20, 35), (20, 40)]);
    }

    #[test]
    fn every_window_is_in_one_block_or_in_two_that_follow_each_other() {
        let odd = frame(hop(6, 10, 1));
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
        let minute = Frame { shift: 1, ..tumble(60, 0) };
        assert_eq!(minute.place(60), Place::Pane(0));
        assert_eq!(minute.place(70), Place::Pane(60));
    }

    #[test]
    fn an_offset_moves_all_windows() {
        assert_eq!(windows(&tumble(24, 6), 5), [(-18, 6)]);
    }

    #[test]
    fn times_at_the_edge_of_what_can_be_said_have_no_window() {
        for frame in [tumble(10, 3), frame(hop(10, 30, 3)), cumulating(10, 30)] {
            assert_eq!(frame.place(i64::MIN), Place::Beyond);
            assert_eq!(frame.place(i64::MAX), Place::Beyond);
        }
    }
}
