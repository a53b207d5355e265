//! Times of day: by the clock, or by the sun.

use edgeway_sdk::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Zoned};
use std::fmt;
use sunrise::{Coordinates, SolarDay, SolarEvent};

/// Where the site is.
#[derive(Debug, Clone)]
pub(crate) struct Locale {
    pub(crate) zone: TimeZone,
    /// Latitude and longitude in degrees, north and east positive.
    pub(crate) position: Option<(f64, f64)>,
}

/// A time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Clock(Time),
    Sun(Sun),
}

/// A time of day by the sun: so long after it rises or sets, its upper edge at the horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sun {
    pub(crate) rises: bool,
    pub(crate) offset: SignedDuration,
}

impl Moment {
    /// When it comes on a day. `None` without a position, or where the sun does not rise or set that day.
    pub(crate) fn on(self, date: Date, locale: &Locale) -> Option<Zoned> {
        match self {
            // A time that a change of clocks leaves out comes as late as the clocks went forward.
            Moment::Clock(time) => date.to_datetime(time).to_zoned(locale.zone.clone()).ok(),
            Moment::Sun(sun) => sun.on(date, locale),
        }
    }

    /// The first after `now`.
    pub(crate) fn next(self, now: &Zoned, locale: &Locale) -> Option<Timestamp> {
        /// Where the sun stays up for half a year it comes again after that.
        const DAYS_MAX: usize = 200;
        // An offset may bring the sun of yesterday or of tomorrow to today.
        let first = now.date().yesterday().ok()?;
        let days = first.series(jiff::Span::new().days(1)).take(DAYS_MAX);
        let next = days.filter_map(|day| self.on(day, locale)).find(|at| at > now)?;
        timestamp(&next)
    }
}

impl Sun {
    fn on(self, date: Date, locale: &Locale) -> Option<Zoned> {
        let (latitude, longitude) = locale.position?;
        let day = chrono::NaiveDate::from_ymd_opt(date.year().into(), date.month() as u32, date.day() as u32)?;
        let day = SolarDay::new(Coordinates::new(latitude, longitude)?, day);
        let event = if self.rises { SolarEvent::Sunrise } else { SolarEvent::Sunset };
        let at = jiff::Timestamp::from_second(day.event_time(event)?.timestamp()).ok()?;
        at.to_zoned(locale.zone.clone()).checked_add(self.offset).ok()
    }
}

/// `sunset - 30m`.
impl fmt::Display for Sun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.rises { "sunrise" } else { "sunset" })?;
        match self.offset.signum() {
            0 => Ok(()),
            -1 => write!(f, " - {:#}", self.offset.abs()),
            _ => write!(f, " + {:#}", self.offset),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Moment::Clock(time) if time.second() == 0 => write!(f, "{}", time.strftime("%H:%M")),
            Moment::Clock(time) => write!(f, "{}", time.strftime("%H:%M:%S")),
            Moment::Sun(sun) => sun.fmt(f),
        }
    }
}

/// The time as clocks in the zone show it; `None` only outside of years that matter.
pub(crate) fn zoned(time: Timestamp, zone: &TimeZone) -> Option<Zoned> {
    let time = jiff::Timestamp::from_nanosecond(i128::from(time.as_nanos())).ok()?;
    Some(time.to_zoned(zone.clone()))
}

pub(super) fn timestamp(time: &Zoned) -> Option<Timestamp> {
    i64::try_from(time.timestamp().as_nanosecond()).ok().map(Timestamp::from_nanos)
}
