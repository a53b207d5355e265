//! Tumbling windows: where they start and end.

use crate::df::{Expr, ScalarValue};
use crate::rows::Timing;

const NANOS_PER_MILLI: i64 = 1_000_000;
const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// Windows of one size, one after the other, `[start, end)`. In nanoseconds, counted from 1970 (UTC) plus the offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tumble {
    size: i64,
    offset: i64,
    /// What is taken off a row's time before it is put into a window.
    shift: i64,
}

impl Tumble {
    /// Reads the arguments behind the time. A row that is itself the result of a window counts into the window that
    /// covers it: its time is that window's end, which is the start of the next, so a nanosecond is taken off.
    ///
    /// # Errors
    /// What is wrong with them, and what would be right.
    pub(super) fn new(size: &Expr, offset: Option<&Expr>, timing: Timing) -> Result<Tumble, (String, &'static str)> {
        let size = nanos(size)
            .map_err(|found| (format!("the size of a window cannot be {found}"), "INTERVAL '10 seconds'"))?;
        if size < NANOS_PER_MILLI || size % NANOS_PER_MILLI != 0 {
            return Err(("the size of a window is in whole milliseconds".into(), "INTERVAL '10 seconds'"));
        }
        let offset = offset.map_or(Ok(0), nanos);
        let offset =
            offset.map_err(|found| (format!("the offset of a window cannot be {found}"), "INTERVAL '1 hour'"))?;
        if offset % NANOS_PER_MILLI != 0 {
            return Err(("the offset of a window is in whole milliseconds".into(), "INTERVAL '1 hour'"));
        }
        let shift = i64::from(timing == Timing::WindowEnd);
        Ok(Tumble { size, offset: offset.rem_euclid(size), shift })
    }

    /// The start of the window that a row belongs to; `None` if that is beyond what a time can say.
    pub(crate) fn start_for(&self, ts: i64) -> Option<i64> {
        self.start_at(ts.checked_sub(self.shift)?)
    }

    /// The start of the window that a moment is in.
    pub(crate) fn start_at(&self, moment: i64) -> Option<i64> {
        let window = moment.checked_sub(self.offset)?.div_euclid(self.size);
        let start = window.checked_mul(self.size)?.checked_add(self.offset)?;
        start.checked_add(self.size).map(|_| start)
    }

    /// The end of the window that starts then.
    pub(crate) fn end(&self, start: i64) -> i64 {
        start.saturating_add(self.size)
    }

    /// How many windows can be open at once if rows come from a span of this length.
    pub(crate) fn windows_in(&self, span: i64) -> i64 {
        span / self.size + 2
    }
}

fn nanos(interval: &Expr) -> Result<i64, String> {
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

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn a_window_holds_its_start_and_not_its_end() {
        let ten = Tumble { size: 10 * SECOND, offset: 0, shift: 0 };
        assert_eq!(ten.start_for(20 * SECOND), Some(20 * SECOND));
        assert_eq!(ten.start_for(20 * SECOND - 1), Some(10 * SECOND));
        assert_eq!(ten.start_for(-1), Some(-10 * SECOND));
        assert_eq!(ten.end(20 * SECOND), 30 * SECOND);
    }

    #[test]
    fn the_result_of_a_window_belongs_to_the_window_that_covers_it() {
        let minute = Tumble { size: 60 * SECOND, offset: 0, shift: 1 };
        assert_eq!(minute.start_for(60 * SECOND), Some(0));
        assert_eq!(minute.start_for(70 * SECOND), Some(60 * SECOND));
    }

    #[test]
    fn an_offset_moves_all_windows() {
        let day = Tumble { size: 24 * 3600 * SECOND, offset: 6 * 3600 * SECOND, shift: 0 };
        assert_eq!(day.start_for(5 * 3600 * SECOND), Some(-18 * 3600 * SECOND));
    }

    #[test]
    fn times_at_the_edge_of_what_can_be_said_have_no_window() {
        let ten = Tumble { size: 10 * SECOND, offset: 3, shift: 0 };
        assert_eq!(ten.start_for(i64::MIN), None);
        assert_eq!(ten.start_for(i64::MAX), None);
    }
}
