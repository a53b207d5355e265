//! Stretches of time that follow each other: of a fixed length, or days and months of a calendar.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use std::fmt;

/// Where stretches begin. Times are in nanoseconds since 1970 (UTC).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Period {
    /// All as long, counted from 1970 (UTC) plus the offset.
    Fixed { length: i64, offset: i64 },
    /// So many days or months of a zone, counted from 1970-01-01, each beginning `offset` after midnight by the clock there.
    /// On the days when clocks are set, they are longer or shorter.
    Calendar { unit: Unit, count: i64, offset: i64, zone: TimeZone },
}

/// Of what kind a stretch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Day,
    Month,
}

/// Days and months are looked for within these years.
const YEARS: std::ops::Range<i16> = 1900..2200;

impl Period {
    /// The start of the stretch that a moment is in; `None` if it is beyond what can be said.
    pub(crate) fn floor(&self, moment: i64) -> Option<i64> {
        match self {
            Period::Fixed { length, offset } => floor(moment, *length, *offset),
            Period::Calendar { unit, count, offset, zone } => {
                let local = Timestamp::from_nanosecond(moment.into()).ok()?.to_zoned(zone.clone()).datetime();
                let date = local.checked_sub(Span::new().nanoseconds(*offset)).ok()?.date();
                let number = number(*unit, date)?.div_euclid(*count) * count;
                let start = start(*unit, number, *offset, zone)?;
                // Where clocks are set back, the hour before midnight comes twice.
                if start <= moment { Some(start) } else { self.floor(start.checked_sub(1)?.min(moment)) }
            }
        }
    }

    /// The start of the stretch behind the one that a moment is in.
    pub(crate) fn next(&self, moment: i64) -> Option<i64> {
        match self {
            Period::Fixed { length, .. } => self.floor(moment)?.checked_add(*length),
            Period::Calendar { unit, count, offset, zone } => {
                let begin = self.floor(moment)?;
                let local = Timestamp::from_nanosecond(begin.into()).ok()?.to_zoned(zone.clone()).datetime();
                let date = local.checked_sub(Span::new().nanoseconds(*offset)).ok()?.date();
                let number = number(*unit, date)?.div_euclid(*count) * count;
                start(*unit, number + count, *offset, zone)
            }
        }
    }

    /// About how long a stretch is, at least.
    pub(crate) fn least(&self) -> i64 {
        const HOUR: i64 = 3_600_000_000_000;
        match self {
            Period::Fixed { length, .. } => *length,
            Period::Calendar { unit: Unit::Day, count, .. } => (count * 24 - 2) * HOUR,
            Period::Calendar { unit: Unit::Month, count, .. } => (count * 28 * 24 - 2) * HOUR,
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, count) = match self {
            Period::Fixed { length: nanos, .. } => return f.write_str(&length(*nanos)),
            Period::Calendar { unit: Unit::Day, count, .. } => ("day", count),
            Period::Calendar { unit: Unit::Month, count, .. } => ("month", count),
        };
        let many = if *count == 1 { "" } else { "s" };
        write!(f, "{count} {unit}{many}")
    }
}

/// A length of time as people write it: `90s` as `1m 30s`.
pub(super) fn length(nanos: i64) -> String {
    format!("{:#}", jiff::SignedDuration::from_nanos(nanos))
}

pub(super) fn floor(moment: i64, length: i64, offset: i64) -> Option<i64> {
    moment.checked_sub(offset)?.div_euclid(length).checked_mul(length)?.checked_add(offset)
}

/// Days or months since 1970-01-01.
fn number(unit: Unit, date: Date) -> Option<i64> {
    if !YEARS.contains(&date.year()) {
        return None;
    }
    Some(match unit {
        Unit::Day => i64::from(epoch().until((jiff::Unit::Day, date)).ok()?.get_days()),
        Unit::Month => i64::from(date.year() - 1970) * 12 + i64::from(date.month()) - 1,
    })
}

fn start(unit: Unit, number: i64, offset: i64, zone: &TimeZone) -> Option<i64> {
    let date = match unit {
        Unit::Day => epoch().checked_add(Span::new().try_days(number).ok()?).ok()?,
        Unit::Month => epoch().checked_add(Span::new().try_months(number).ok()?).ok()?,
    };
    let local: DateTime = date.to_datetime(jiff::civil::Time::midnight());
    let local = local.checked_add(Span::new().nanoseconds(offset)).ok()?;
    i64::try_from(zone.to_timestamp(local).ok()?.as_nanosecond()).ok()
}

fn epoch() -> Date {
    Date::constant(1970, 1, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        i64::try_from(text.parse::<Timestamp>().expect("a time").as_nanosecond()).expect("a near time")
    }

    fn berlin(unit: Unit, count: i64, offset_hours: i64) -> Period {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        Period::Calendar { unit, count, offset: offset_hours * 3_600_000_000_000, zone }
    }

    #[test]
    fn days_begin_at_midnight_there_also_when_clocks_are_set() {
        let day = berlin(Unit::Day, 1, 0);
        // Summer time began on 29 March 2026: that day had 23 hours.
        assert_eq!(day.floor(at("2026-03-29T12:00:00Z")), Some(at("2026-03-28T23:00:00Z")));
        assert_eq!(day.next(at("2026-03-29T12:00:00Z")), Some(at("2026-03-29T22:00:00Z")));
        // It ended on 25 October: 25 hours.
        assert_eq!(day.floor(at("2026-10-25T12:00:00Z")), Some(at("2026-10-24T22:00:00Z")));
        assert_eq!(day.next(at("2026-10-25T12:00:00Z")), Some(at("2026-10-25T23:00:00Z")));
    }

    #[test]
    fn months_have_the_length_that_they_have() {
        let month = berlin(Unit::Month, 1, 0);
        assert_eq!(month.floor(at("2026-02-10T00:00:00Z")), Some(at("2026-01-31T23:00:00Z")));
        assert_eq!(month.next(at("2026-02-10T00:00:00Z")), Some(at("2026-02-28T23:00:00Z")));
        let quarter = berlin(Unit::Month, 3, 0);
        assert_eq!(quarter.floor(at("2026-05-10T00:00:00Z")), Some(at("2026-03-31T22:00:00Z")));
    }

    #[test]
    fn a_day_can_begin_at_six_in_the_morning() {
        let day = berlin(Unit::Day, 1, 6);
        assert_eq!(day.floor(at("2026-07-10T03:59:59Z")), Some(at("2026-07-09T04:00:00Z")));
        assert_eq!(day.floor(at("2026-07-10T04:00:00Z")), Some(at("2026-07-10T04:00:00Z")));
    }

    #[test]
    fn every_moment_is_in_the_stretch_that_it_is_said_to_be_in() {
        for period in [berlin(Unit::Day, 1, 0), berlin(Unit::Day, 7, 2), berlin(Unit::Month, 1, 3)] {
            let mut moment = at("2026-01-01T00:00:00Z");
            while moment < at("2027-01-01T00:00:00Z") {
                let (start, next) = (period.floor(moment).expect("near"), period.next(moment).expect("near"));
                assert!(start <= moment && moment < next, "{moment} in {start} to {next}");
                assert_eq!((period.floor(start), period.floor(next)), (Some(start), Some(next)));
                moment += 1_700_000_000_000;
            }
        }
        assert_eq!(berlin(Unit::Day, 1, 0).floor(i64::MIN), None);
    }
}
