//! `[[device]]`, or a row of `devices.csv`.

use super::point::POLL;
use super::reporting::Usual;
use super::template::driver_tables;
use crate::quantity;
use crate::report::{Mark, Report};
use crate::section::{Found, Section, refuse};
use crate::tree::Table;
use edgeway_sdk::{Driver, Problem};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What is said of one device.
pub(super) struct Device {
    pub(super) id: Option<Found<Arc<str>>>,
    pub(super) template: Option<Found<Arc<str>>>,
    pub(super) link: Option<Found<Arc<str>>>,
    pub(super) poll: Option<Duration>,
    pub(super) reporting: Usual,
    pub(super) labels: BTreeMap<String, String>,
    /// Its options, by driver.
    pub(super) drivers: Table,
    /// What it has differently from its template, by property; a table or `false`.
    pub(super) points: Table,
    pub(super) mark: Mark,
}

impl Device {
    pub(super) fn read(table: &Table, drivers: &[Arc<dyn Driver>], report: &mut Report) -> Self {
        let mut section = Section::of(table);
        let device = Device {
            id: id(&mut section, report),
            template: section.required("template", report),
            link: section.text("link", report),
            poll: section.duration("poll", POLL, report).map(|found| found.value),
            reporting: Usual::read(&mut section, report),
            labels: section.table("labels", report).map(|table| labels(table, report)).unwrap_or_default(),
            drivers: driver_tables(&mut section, drivers, report),
            points: section.table("points", report).cloned().unwrap_or_else(|| Table::empty(table.mark.clone())),
            mark: table.mark.clone(),
        };
        section.finish(&[], report);
        device
    }
}

fn id(section: &mut Section<'_>, report: &mut Report) -> Option<Found<Arc<str>>> {
    let found = section.required("id", report)?;
    if quantity::is_name(&found.value) {
        return Some(found);
    }
    let problem = Problem::new(format!("`{}` cannot be a device's id", found.value));
    report.add(&found.mark, problem.help("letters, digits, `-`, `_` and `.`, at most 64"));
    None
}

fn labels(table: &Table, report: &mut Report) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    for entry in &table.entries {
        match entry.node.item.text() {
            Some(text) => drop(labels.insert(entry.name.to_string(), text.to_string())),
            None => refuse(entry, "a text", report),
        }
    }
    labels
}
