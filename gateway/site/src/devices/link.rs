//! `[link.NAME]`: a wire.

use super::{options, paths};
use crate::quantity;
use crate::report::{Mark, Report};
use crate::section::Section;
use crate::site::LinkSite;
use crate::tree::{Entry, Table};
use edgeway_sdk::{DeviceSpec, Driver, Json, PointSpec, Problem, did_you_mean};
use std::path::Path;
use std::sync::Arc;

/// A link while devices are being put on it.
pub(super) struct Link {
    pub(super) name: Arc<str>,
    /// `None` if there is no such driver, which has been reported.
    pub(super) driver: Option<usize>,
    pub(super) devices: Vec<DeviceSpec>,
    pub(super) points: Vec<PointSpec>,
    /// Devices that want to be here, right or wrong.
    pub(super) users: usize,
    key: String,
    options: Json,
    mark: Mark,
}

/// `root` is the site's folder, where relative paths begin.
pub(super) fn read(
    group: &[(&Entry, &Table)],
    drivers: &[Arc<dyn Driver>],
    root: &Path,
    report: &mut Report,
) -> Vec<Link> {
    let links: Vec<Link> = group.iter().map(|(entry, table)| link(entry, table, drivers, root, report)).collect();
    for (at, link) in links.iter().enumerate() {
        let same = links[..at]
            .iter()
            .find(|other| other.driver.is_some() && (other.driver, &other.key) == (link.driver, &link.key));
        if let Some(other) = same.filter(|_| !link.key.is_empty()) {
            let message = format!("links {} and {} are the same wire, `{}`", other.name, link.name, link.key);
            report.add(&link.mark, Problem::new(message).help("put the devices of both on one link"));
        }
    }
    links
}

fn link(entry: &Entry, table: &Table, drivers: &[Arc<dyn Driver>], root: &Path, report: &mut Report) -> Link {
    check_name(entry, report);
    let mut section = Section::of(table);
    let driver = driver(&mut section, drivers, report);
    let rest = section.rest();
    let mut options = rest.to_json();
    if let Some(at) = driver {
        paths::resolve(&mut options, &drivers[at].manifest().options.link, root);
    }
    let key = match driver.map(|at| drivers[at].check_link(&options)) {
        None => String::new(),
        Some(Ok(key)) => key,
        Some(Err(problems)) => {
            options::tell(problems, &rest, section.asked(), report);
            String::new()
        }
    };
    Link {
        name: entry.name.clone(),
        driver,
        devices: vec![],
        points: vec![],
        users: 0,
        key,
        options,
        mark: entry.mark.clone(),
    }
}

fn driver(section: &mut Section<'_>, drivers: &[Arc<dyn Driver>], report: &mut Report) -> Option<usize> {
    let known = || drivers.iter().map(|driver| driver.manifest().name.as_str());
    let found = section.required("driver", report)?;
    let at = known().position(|name| name == &*found.value);
    if at.is_none() {
        let problem = Problem::new(found.mark.say(format!("unknown driver `{}`", found.value)));
        report.add(&found.mark, problem.maybe_help(did_you_mean(&found.value, known())));
    }
    at
}

/// Reports a key that cannot be used as a name.
pub(super) fn check_name(entry: &Entry, report: &mut Report) {
    if !quantity::is_name(&entry.name) {
        let problem = Problem::new(format!("`{}` cannot be a name", entry.name));
        report.add(&entry.mark, problem.help("letters, digits, `-`, `_` and `.`, at most 64"));
    }
}

impl Link {
    pub(super) fn warn_idle(&self, report: &mut Report) {
        report.add(&self.mark, Problem::new(format!("link {} has no devices", self.name)).warning());
    }

    /// The link as the gateway gets it, if it can be opened at all.
    pub(super) fn finish(self) -> Option<LinkSite> {
        let Link { name, driver, key, options, devices, points, .. } = self;
        Some(LinkSite { name, driver: driver?, key, options, devices, points })
    }
}
