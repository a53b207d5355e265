//! A property's point: the gateway's own keys, and the rest for the driver.

use super::options;
use super::reporting::{self, Usual};
use crate::report::Report;
use crate::section::{Found, Section};
use crate::site::Reporting;
use crate::tree::Table;
use edgeway_sdk::{Access, Driver, Problem};
use edgeway_thing_models::{DataType, Property};
use std::ops::RangeInclusive;
use std::time::Duration;

/// How often points may be read.
pub(super) const POLL: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(24 * 3600);
/// A value is trusted for three polls, but never less than this.
pub(super) const STALE_AFTER_MIN: Duration = Duration::from_secs(2);

/// The gateway's keys in a point's table.
pub(super) const HOST: [&str; 9] =
    ["scale", "offset", "unit", "write", "poll", "stale_after", "report", "deadband", "report_every"];

/// What a point's table says.
pub(super) struct Point {
    pub(super) scale: f64,
    pub(super) offset: f64,
    pub(super) access: Access,
    pub(super) period: Duration,
    pub(super) stale_after: Duration,
    pub(super) stale_after_said: bool,
    pub(super) reporting: Reporting,
    /// The rest.
    pub(super) options: Table,
}

impl Point {
    /// `usual` is what the device says, for points that say nothing.
    pub(super) fn read(
        table: &Table,
        property: &Property,
        (poll, usual): (Duration, &Usual),
        report: &mut Report,
    ) -> Self {
        let mut section = Section::of(table);
        let (scale, offset) = scale(&mut section, property, report);
        check_unit(&mut section, property, report);
        let access = access(&mut section, property, report);
        let period = section.duration("poll", POLL, report).map_or(poll, |found| found.value);
        let said = stale_after(&mut section, period, report);
        let (stale_after, stale_after_said) = (said.unwrap_or((period * 3).max(STALE_AFTER_MIN)), said.is_some());
        let reporting = reporting::read(&mut section, property, period, usual, report);
        Point { scale, offset, access, period, stale_after, stale_after_said, reporting, options: section.rest() }
    }

    pub(super) fn check(&self, driver: &dyn Driver, report: &mut Report) {
        options::tell(driver.check_point(&self.options.to_json(), self.access), &self.options, &HOST, report);
    }
}

fn scale(section: &mut Section<'_>, property: &Property, report: &mut Report) -> (f64, f64) {
    let (scale, offset) = factors(section, report);
    if !is_number(&property.data_type) {
        for found in [&scale, &offset].into_iter().flatten() {
            let message = format!(
                "`scale` and `offset` are for numbers; `{}` is {}",
                property.identifier,
                property.data_type.name()
            );
            report.add(&found.mark, Problem::new(found.mark.say(message)));
        }
    }
    (scale.map_or(1.0, |found| found.value), offset.map_or(0.0, |found| found.value))
}

/// Bools and enums are numbers as well: a contact that is closed when all is well has scale -1 and offset 1.
pub(super) fn is_number(data_type: &DataType) -> bool {
    data_type.range().is_some() || matches!(data_type, DataType::Bool { .. } | DataType::Enum(_))
}

/// `scale` and `offset`, neither infinite, the first not 0.
pub(super) fn factors(section: &mut Section<'_>, report: &mut Report) -> (Option<Found<f64>>, Option<Found<f64>>) {
    let scale = section.number("scale", report).filter(|found| {
        if found.value == 0.0 {
            let problem = Problem::new(found.mark.say("`scale` cannot be 0"));
            report.add(&found.mark, problem.help("value = raw x scale + offset"));
        }
        found.value != 0.0
    });
    (scale, section.number("offset", report))
}

fn check_unit(section: &mut Section<'_>, property: &Property, report: &mut Report) {
    let Some(found) = section.text("unit", report) else { return };
    let unit = property.data_type.unit().map(|unit| &**unit).unwrap_or_default();
    if *found.value != *unit {
        let meant = if unit.is_empty() { "has no unit".to_owned() } else { format!("is in `{unit}`") };
        let message =
            format!("the unit is `{}` here, but the model says that `{}` {meant}", found.value, property.identifier);
        let help = format!("convert with `scale` and `offset` and write unit = \"{unit}\", or change the model");
        report.add(&found.mark, Problem::new(found.mark.say(message)).help(help));
    }
}

fn access(section: &mut Section<'_>, property: &Property, report: &mut Report) -> Access {
    let Some(found) = section.bool("write", report) else { return property.access };
    let message = match (found.value, property.access) {
        (true, Access::Read) => {
            format!("`{}` cannot be written: its model says that it is read-only", property.identifier)
        }
        (false, Access::Write) => {
            format!("`{}` can only be written, so `write = false` leaves nothing of it", property.identifier)
        }
        (false, Access::ReadWrite) => return Access::Read,
        (true, access) => return access,
        (false, Access::Read) => return Access::Read,
    };
    report.add(&found.mark, Problem::new(found.mark.say(message)));
    property.access
}

/// What the point says of it.
fn stale_after(section: &mut Section<'_>, period: Duration, report: &mut Report) -> Option<Duration> {
    let found = section.duration("stale_after", *POLL.start()..=*POLL.end() * 366, report)?;
    if found.value <= period {
        let message =
            format!("the value would be stale before it is read again, every {}", crate::quantity::show(period));
        report.add(&found.mark, Problem::new(found.mark.say(message)).help("`stale_after` must be longer than `poll`"));
    }
    Some(found.value)
}
