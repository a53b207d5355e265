//! A sheet: a CSV file with a row for each point, for spreadsheets and engineering tools. It is no part of a site: it
//! becomes a file in `devices/`, and comes out of a site again.
//!
//! A row is checked as if it stood in `devices.toml`, by the same code and the same drivers, so that every mistake is told
//! at its cell. Devices whose points are the same share a template.

mod cells;
mod columns;
mod export;
mod groups;
mod keys;
mod listed;
mod natural;
mod reading;
mod words;

pub use export::{Export, export};

use super::Parts;
use super::assembly::Assembly;
use super::template::Template;
use crate::folder::{FILE_BYTES_MAX, Folder};
use crate::load::no_folder;
use crate::models;
use crate::report::{Mark, Report};
use crate::variable::Variables;
use crate::{Failed, Finding};
use edgeway_sdk::{Driver, Problem};
use reading::{Read, Reading};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// A sheet that is to become a file of a site.
#[derive(Debug, Clone, Copy)]
pub struct Sheet<'a> {
    /// What to call it in findings.
    pub name: &'a Path,
    /// Its text.
    pub text: &'a str,
    /// The file of the site, `devices/points.toml`. What it says now does not count: it will be replaced.
    pub into: &'a Path,
}

/// What a sheet becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The text of the file.
    pub text: String,
    /// How many templates it defines.
    pub templates: usize,
    /// How many devices.
    pub devices: usize,
    /// How many points these have.
    pub points: usize,
}

/// Turns a sheet into a file of the site. Writes nothing. `${VAR}` comes from the process's environment, and stays in the
/// text as it is.
///
/// # Errors
/// All mistakes found, in the sheet and in what the site says of devices.
pub fn import(root: &Path, drivers: &[Arc<dyn Driver>], sheet: &Sheet<'_>) -> Result<Imported, Failed> {
    let folder = Folder::open(root).map_err(|error| no_folder(root, &error))?;
    let mut report = Report::default();
    let imported = read(&folder, drivers, sheet, &|name| std::env::var(name).ok(), &mut report);
    let findings: Vec<Finding> = report.into_findings().into_iter().filter(Finding::is_error).collect();
    match imported {
        Some(imported) if findings.is_empty() => Ok(imported),
        _ => Err(Failed { findings, partial: None }),
    }
}

fn read(
    folder: &Folder,
    drivers: &[Arc<dyn Driver>],
    sheet: &Sheet<'_>,
    variables: Variables<'_>,
    report: &mut Report,
) -> Option<Imported> {
    let models = models::read(folder, report);
    let written = super::written(folder, Some(sheet.into), variables, report);
    let sight = written.sight(report);
    let Parts { links, mut templates, devices: others } = written.parts(&models, drivers, report);
    let file = report.file(sheet.name);
    let grid = cells::read(file, sheet.text, report);
    let columns = columns::columns(&grid, drivers, report);
    let listed = listed::gather(&grid, &columns, report);
    let reading = Reading {
        drivers,
        variables,
        columns: &columns,
        decimal_comma: grid.decimal_comma,
        models: &models,
        links: links.iter().map(|link| (link.name.clone(), link.driver)).collect(),
        templates: templates.iter().map(|template| (template.name.clone(), template)).collect(),
        sight,
    };
    let devices: Vec<Read> = listed.iter().filter_map(|one| reading.device(one, report)).collect();
    let taken = templates.iter().map(|template| template.name.clone()).collect();
    templates.extend(bare_templates(&devices, file));
    let mut assembly = Assembly::new(models.things, drivers, links, &templates, sight);
    others.into_iter().chain(devices.iter().map(|read| &read.table)).for_each(|table| assembly.add(table, report));
    if report.has_errors() {
        return None;
    }
    let imported =
        words::file(sheet.name, &groups::group(devices.into_iter().map(|read| read.device).collect(), taken));
    if imported.text.len() as u64 > FILE_BYTES_MAX {
        let problem = Problem::new("a file of the site with all of this would be larger than 16 MiB");
        report.add(&Mark::file(file), problem.help("divide it among several"));
    }
    Some(imported)
}

/// What devices are checked with that name no template of the site: one without points for each model.
fn bare_templates(devices: &[Read], file: crate::report::FileIx) -> Vec<Template> {
    let models: BTreeMap<Arc<str>, _> = devices.iter().filter_map(|read| read.bare.clone()).collect();
    models.into_iter().map(|(name, model)| Template::bare(name, model, Mark::file(file))).collect()
}
