//! When a scene is set off by the clock alone.

use super::moment::{Locale, Moment, Sun, timestamp, zoned};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use edgeway_sdk::Timestamp;

/// A cron pattern of five fields in the site's time zone, or the sun.
///
/// When the clocks go forward, a fixed time that does not exist that day runs right after the gap; when they go back, a
/// fixed time that comes twice runs the first time only. Patterns with `*` or steps in the hour or the minute run
/// through both hours.
#[derive(Debug, Clone)]
pub(crate) enum Schedule {
    Cron(Box<Cron>),
    Sun(Sun),
}

impl Schedule {
    /// Reads a cron pattern.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(text).map_err(|error| error.to_string())?;
        match next_of(&cron, Timestamp::EPOCH, &jiff::tz::TimeZone::UTC) {
            Some(_) => Ok(Schedule::Cron(Box::new(cron))),
            None => Err("it never comes".into()),
        }
    }

    /// The first time after `now`.
    pub(crate) fn next_after(&self, now: Timestamp, locale: &Locale) -> Option<Timestamp> {
        match self {
            Schedule::Cron(cron) => next_of(cron, now, &locale.zone),
            Schedule::Sun(sun) => Moment::Sun(*sun).next(&zoned(now, &locale.zone)?, locale),
        }
    }
}

fn next_of(cron: &Cron, now: Timestamp, zone: &jiff::tz::TimeZone) -> Option<Timestamp> {
    timestamp(&cron.find_next_occurrence(&zoned(now, zone)?, false).ok()?)
}
