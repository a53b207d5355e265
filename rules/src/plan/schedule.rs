//! Cron patterns in the site's time zone.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use edgeway_sdk::Timestamp;
use jiff::Zoned;
use jiff::tz::TimeZone;

/// A cron pattern of five fields.
///
/// When the clocks go forward, a fixed time that does not exist that day runs right after the gap; when they go back, a
/// fixed time that comes twice runs the first time only. Patterns with `*` or steps in the hour or the minute run
/// through both hours.
#[derive(Debug, Clone)]
pub(crate) struct Schedule(Cron);

impl Schedule {
    /// Reads a pattern.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(text).map_err(|error| error.to_string())?;
        let schedule = Schedule(cron);
        match schedule.next_after(Timestamp::EPOCH, &TimeZone::UTC) {
            Some(_) => Ok(schedule),
            None => Err("it never comes".into()),
        }
    }

    /// The first time after `now`.
    pub(crate) fn next_after(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let next = self.0.find_next_occurrence(&zoned(now, zone)?, false).ok()?;
        i64::try_from(next.timestamp().as_nanosecond()).ok().map(Timestamp::from_nanos)
    }
}

/// The time as clocks in the zone show it; `None` only outside of years that matter.
pub(crate) fn zoned(time: Timestamp, zone: &TimeZone) -> Option<Zoned> {
    let time = jiff::Timestamp::from_nanosecond(i128::from(time.as_nanos())).ok()?;
    Some(time.to_zoned(zone.clone()))
}
