//! `report`, `deadband` and `report_every`: which of the values that were read are reported.

use super::point::POLL;
use crate::quantity;
use crate::report::Report;
use crate::section::{Found, Section, refuse};
use crate::site::Reporting;
use crate::tree::{Entry, Item};
use edgeway_sdk::{Access, Problem};
use edgeway_thing_models::Property;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The words of `report`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Always,
    Change,
}

const WORDS: [(&str, When); 2] = [("always", When::Always), ("change", When::Change)];

/// How long a value may go without being told again.
const EVERY: RangeInclusive<Duration> = *POLL.start()..=Duration::from_secs(366 * 24 * 3600);

/// A deadband of all there is.
const PERCENT_MAX: f64 = 100.0;

/// What a template or a device says for points that say nothing themselves.
#[derive(Debug, Clone, Default)]
pub(super) struct Usual {
    pub(super) when: Option<When>,
    pub(super) every: Option<Duration>,
}

impl Usual {
    pub(super) fn read(section: &mut Section<'_>, report: &mut Report) -> Self {
        let when = section.choice("report", &WORDS, report).map(|found| found.value);
        let every = section.duration("report_every", EVERY, report).map(|found| found.value);
        Usual { when, every }
    }

    /// With what `above` says instead.
    pub(super) fn overlaid(&self, above: &Usual) -> Usual {
        Usual { when: above.when.or(self.when), every: above.every.or(self.every) }
    }
}

/// The keys of one point.
struct Keys<'t> {
    when: Option<Found<When>>,
    deadband: Option<&'t Entry>,
    every: Option<Found<Duration>>,
}

/// Reads the keys of a point that is read so often.
pub(super) fn read(
    section: &mut Section<'_>,
    property: &Property,
    period: Duration,
    usual: &Usual,
    report: &mut Report,
) -> Reporting {
    let keys = Keys {
        when: section.choice("report", &WORDS, report),
        deadband: section.entry("deadband"),
        every: section.duration("report_every", EVERY, report),
    };
    let when = keys.when.as_ref().map(|found| found.value);
    if property.access == Access::Write {
        keys.refuse_all("has no meaning: the property is only written", "leave it out", report);
        return Reporting::Always;
    }
    let changes = match when {
        Some(when) => when == When::Change,
        None => keys.deadband.is_some() || usual.when == Some(When::Change),
    };
    if !changes {
        let help = "write report = \"change\", or leave it out";
        keys.refuse("deadband", "has no meaning where every value is reported", help, report);
        keys.refuse("report_every", "has no meaning where every value is reported", help, report);
        return Reporting::Always;
    }
    if let Some(found) = keys.every.as_ref().filter(|found| found.value <= period) {
        let message = format!("every value would be reported: it is read every {}", quantity::show(period));
        let problem = Problem::new(found.mark.say(message));
        report.add(&found.mark, problem.help("`report_every` must be longer than `poll`"));
    }
    let deadband = keys.deadband.and_then(|entry| deadband(entry, property, report)).unwrap_or_default();
    Reporting::OnChange { deadband, every: keys.every.map(|found| found.value).or(usual.every) }
}

impl Keys<'_> {
    fn refuse_all(&self, why: &str, help: &str, report: &mut Report) {
        ["report", "deadband", "report_every"].iter().for_each(|key| self.refuse(key, why, help, report));
    }

    /// Refuses a key, if it is there.
    fn refuse(&self, key: &str, why: &str, help: &str, report: &mut Report) {
        let mark = match key {
            "report" => self.when.as_ref().map(|found| &found.mark),
            "deadband" => self.deadband.map(|entry| &entry.mark),
            _ => self.every.as_ref().map(|found| &found.mark),
        };
        if let Some(mark) = mark {
            report.add(mark, Problem::new(mark.say(format!("`{key}` {why}"))).help(help));
        }
    }
}

/// In the model's unit; `"2 %"` is a part of the property's range.
fn deadband(entry: &Entry, property: &Property, report: &mut Report) -> Option<f64> {
    let Some(range) = property.data_type.range() else {
        let message = format!("`deadband` is for numbers; `{}` is {}", property.identifier, property.data_type.name());
        let problem = Problem::new(entry.mark.say(message));
        report.add(&entry.mark, problem.help("report = \"change\" reports any change"));
        return None;
    };
    let (number, most) = match &entry.node.item {
        Item::Text(text) => (text.strip_suffix('%').and_then(|number| number.trim().parse().ok()), PERCENT_MAX),
        item => (item.number(), f64::MAX),
    };
    let Some(number) = number.filter(|number| (0.0..=most).contains(number)) else {
        refuse(entry, "a number from 0 in the model's unit, or a part of the property's range such as \"2 %\"", report);
        return None;
    };
    if most != PERCENT_MAX {
        return Some(number);
    }
    let (Some(min), Some(max)) = (range.min, range.max) else {
        let message = format!("the model gives `{}` no `min` and `max` to be a part of", property.identifier);
        let help = "write the deadband as a number in the model's unit";
        report.add(&entry.node.mark, Problem::new(entry.mark.say(message)).help(help));
        return None;
    };
    Some((max - min) * number / PERCENT_MAX)
}
