//! `devices.toml` and `devices.csv`: links, templates and devices, put together.

mod assembly;
mod device;
mod event;
mod link;
mod options;
mod point;
mod reporting;
mod service;
mod template;

use crate::folder::Folder;
use crate::models::Models;
use crate::report::{FileIx, Mark, Report};
use crate::section::Section;
use crate::site::{EventSite, LinkSite, PointSite, ServiceWrite};
use crate::tree::{Table, csv, toml};
use crate::variable::Variables;
use assembly::Assembly;
use edgeway_sdk::{DeviceIx, Driver, Problem};
use edgeway_thing_models::{ServiceIx, Things};
use std::collections::HashMap;
use std::sync::Arc;

const TOML: &str = "devices.toml";
const CSV: &str = "devices.csv";

/// The devices of a site and how they are reached.
pub(crate) struct Devices {
    pub(crate) things: Things,
    pub(crate) links: Vec<LinkSite>,
    pub(crate) points: Vec<PointSite>,
    pub(crate) services: HashMap<(DeviceIx, ServiceIx), Vec<ServiceWrite>>,
    pub(crate) events: Vec<EventSite>,
}

/// Whether every name that the site defines has been seen; if not, an unknown one is no mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    Complete,
    Partial,
}

pub(crate) fn read(
    folder: &Folder,
    models: Models,
    drivers: &[Arc<dyn Driver>],
    variables: Variables<'_>,
    report: &mut Report,
) -> Devices {
    let (file, root) = tables(folder, variables, report);
    let rows = rows(folder, variables, report);
    let mut section = Section::of(&root);
    let links = link::read(&section.group("link", report), drivers, report);
    let templates = template::read(&section.group("template", report), &models, drivers, report);
    let devices = section.list("device", report);
    section.finish(&[], report);
    let sight = if report.gave_up(file) { Sight::Partial } else { Sight::Complete };
    if devices.is_empty() && rows.is_empty() && sight == Sight::Complete {
        report.add(&Mark::file(file), Problem::new("this site has no devices").warning());
    }
    let mut assembly = Assembly::new(models.things, drivers, links, &templates, sight);
    for table in devices.into_iter().chain(&rows) {
        assembly.add(table, report);
    }
    assembly.finish(report)
}

fn tables(folder: &Folder, variables: Variables<'_>, report: &mut Report) -> (FileIx, Table) {
    if let Some((file, text)) = folder.read(TOML, report) {
        return (file, toml::read(file, &text, variables, report));
    }
    let file = report.file(TOML);
    if folder.path(TOML).exists() {
        report.give_up(file);
    }
    (file, Table::empty(Mark::file(file)))
}

fn rows(folder: &Folder, variables: Variables<'_>, report: &mut Report) -> Vec<Table> {
    let found = folder.read(CSV, report);
    found.map(|(file, text)| csv::read(file, &text, variables, report)).unwrap_or_default()
}
