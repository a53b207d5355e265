//! Reading a whole site: every file in turn, whatever is wrong with the others.

use crate::folder::Folder;
use crate::report::Report;
use crate::settings::Settings;
use crate::variable::Variables;
use crate::{DriverSite, Failed, Finding, Site, SourceFile, devices, models, routes, scenes, settings, tables};
use edgeway_sdk::{Driver, Problem};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A site that can run.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The site.
    pub site: Site,
    /// What is probably not meant that way.
    pub warnings: Vec<Finding>,
}

/// Reads and checks a site. `${VAR}` comes from the process's environment.
///
/// # Errors
/// All mistakes found, with as much of the site as could be read.
pub fn load(root: &Path, drivers: &[Arc<dyn Driver>]) -> Result<Loaded, Failed> {
    load_with_variables(root, drivers, &|name| std::env::var(name).ok())
}

/// Like [`load`], with `${VAR}` from somewhere else.
///
/// # Errors
/// As [`load`].
pub fn load_with_variables(
    root: &Path,
    drivers: &[Arc<dyn Driver>],
    variables: &dyn Fn(&str) -> Option<String>,
) -> Result<Loaded, Failed> {
    let folder = Folder::open(root).map_err(|error| no_folder(root, &error))?;
    let mut report = Report::default();
    let site = read(&folder, root, drivers, variables, &mut report);
    let findings = report.into_findings();
    if findings.iter().any(Finding::is_error) {
        return Err(Failed { findings, partial: Some(Box::new(site)) });
    }
    Ok(Loaded { site, warnings: findings })
}

/// The drivers that `edgeway.toml` names, and the data folder: whoever loads the site has to ask the drivers first what
/// their options look like. What is wrong with the file, [`load`] tells.
pub fn drivers(root: &Path) -> (Vec<DriverSite>, PathBuf) {
    let Ok(folder) = Folder::open(root) else { return (vec![], root.join("data")) };
    let settings = settings::read(&folder, &|name| std::env::var(name).ok(), &mut Report::default());
    (settings.drivers, settings.data)
}

fn read(
    folder: &Folder,
    root: &Path,
    drivers: &[Arc<dyn Driver>],
    variables: Variables<'_>,
    report: &mut Report,
) -> Site {
    let Settings {
        name,
        time_zone,
        position,
        data,
        api,
        broker,
        journal,
        ledger_every,
        queries_memory,
        scenes: scene_options,
        drivers: processes,
        drivers_listen,
    } = settings::read(folder, variables, report);
    let models = models::read(folder, report);
    let devices = devices::read(folder, models, drivers, variables, report);
    let routes = routes::read(folder, routes::Names { site: &name, data: &data }, variables, report);
    let scenes = scenes::read(folder, variables, report);
    let queries = sources(folder, "queries", "sql", report);
    let tables = tables::read(folder, report);
    folder.check_names(report);
    Site {
        root: root.to_owned(),
        name,
        time_zone,
        position,
        data,
        api,
        broker,
        journal,
        ledger_every,
        queries_memory,
        scene_options,
        drivers: processes,
        drivers_listen,
        things: devices.things,
        templates: devices.templates,
        links: devices.links,
        points: devices.points,
        services: devices.services,
        events: devices.events,
        targets: routes.targets,
        routes: routes.routes,
        scenes: scenes.scripts,
        scene_tests: scenes.tests,
        scene_uses: scenes.uses,
        queries,
        tables,
    }
}

fn sources(folder: &Folder, name: &str, extension: &str, report: &mut Report) -> Vec<SourceFile> {
    folder.sources(name, extension, report).into_iter().map(|(_, source)| source).collect()
}

pub(crate) fn no_folder(root: &Path, error: &std::io::Error) -> Failed {
    let problem =
        Problem::new(format!("this is not a site's folder: {}", error.kind())).help("`edgeway init` makes a new site");
    Failed { findings: vec![Finding::of(root, problem)], partial: None }
}
