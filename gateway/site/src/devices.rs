//! `devices.toml`, `devices/*.toml` and `devices.csv`: links, templates and devices, put together.

mod assembly;
mod device;
mod event;
mod link;
mod names;
mod options;
mod paths;
mod point;
mod reporting;
mod service;
pub(crate) mod sheet;
mod template;

use crate::folder::Folder;
use crate::models::Models;
use crate::report::{FileIx, Mark, Report};
use crate::section::Section;
use crate::site::{EventSite, LinkSite, PointSite, ServiceWrite};
use crate::tree::{Entry, Table, csv, toml};
use crate::variable::Variables;
use assembly::Assembly;
use edgeway_sdk::{DeviceIx, Driver, Problem};
use edgeway_thing_models::{ServiceIx, Things};
use link::Link;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use template::Template;

const TOML: &str = "devices.toml";
const FOLDER: &str = "devices";
const CSV: &str = "devices.csv";

/// The devices of a site and how they are reached.
pub(crate) struct Devices {
    pub(crate) things: Things,
    /// The template of each device.
    pub(crate) templates: Vec<Arc<str>>,
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

/// What the files say, before any of it is put together.
pub(crate) struct Written {
    /// Where paths among a link's options begin.
    root: PathBuf,
    files: Vec<(FileIx, Table)>,
    rows: Vec<Table>,
}

/// Reads the files; `except` is one that is about to be replaced.
pub(crate) fn written(
    folder: &Folder,
    except: Option<&Path>,
    variables: Variables<'_>,
    report: &mut Report,
) -> Written {
    let mut files = vec![top(folder, variables, report)];
    for (file, source) in folder.sources(FOLDER, "toml", report) {
        if except != Some(&*source.path) {
            files.push((file, toml::read(file, &source.text, variables, report)));
        }
    }
    Written { root: folder.real().to_owned(), files, rows: rows(folder, variables, report) }
}

pub(crate) fn read(
    folder: &Folder,
    models: Models,
    drivers: &[Arc<dyn Driver>],
    variables: Variables<'_>,
    report: &mut Report,
) -> Devices {
    let written = written(folder, None, variables, report);
    let Parts { links, templates, devices } = written.parts(&models, drivers, report);
    let sight = written.sight(report);
    if devices.is_empty() && sight == Sight::Complete {
        report.add(&Mark::file(written.files[0].0), Problem::new("this site has no devices").warning());
    }
    let mut assembly = Assembly::new(models.things, drivers, links, &templates, sight);
    for table in devices {
        assembly.add(table, report);
    }
    assembly.finish(report)
}

/// Links and templates, read; devices, not read yet.
struct Parts<'t> {
    links: Vec<Link>,
    templates: Vec<Template>,
    devices: Vec<&'t Table>,
}

impl Written {
    fn parts(&self, models: &Models, drivers: &[Arc<dyn Driver>], report: &mut Report) -> Parts<'_> {
        let (mut links, mut templates, mut devices) = (vec![], vec![], vec![]);
        for (_, root) in &self.files {
            let mut section = Section::of(root);
            links.extend(section.group("link", report));
            templates.extend(section.group("template", report));
            devices.extend(section.list("device", report));
            section.finish(&[], report);
        }
        devices.extend(&self.rows);
        let links = link::read(&firsts("link", links, report), drivers, &self.root, report);
        let templates = template::read(&firsts("template", templates, report), models, drivers, report);
        Parts { links, templates, devices }
    }

    fn sight(&self, report: &Report) -> Sight {
        if self.files.iter().any(|(file, _)| report.gave_up(*file)) { Sight::Partial } else { Sight::Complete }
    }
}

/// The first of each name; TOML itself sees to it within a file.
fn firsts<'t>(what: &str, mut group: Vec<(&'t Entry, &'t Table)>, report: &mut Report) -> Vec<(&'t Entry, &'t Table)> {
    let mut seen: HashMap<Arc<str>, Mark> = HashMap::new();
    group.retain(|(entry, _)| {
        let Some(first) = seen.get(&entry.name) else {
            seen.insert(entry.name.clone(), entry.mark.clone());
            return true;
        };
        let problem = Problem::new(format!("a second {what} `{}`", entry.name));
        let help = format!("the first is at {}", report.spot(first));
        report.add(&entry.mark, problem.help(help));
        false
    });
    group
}

fn top(folder: &Folder, variables: Variables<'_>, report: &mut Report) -> (FileIx, Table) {
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
