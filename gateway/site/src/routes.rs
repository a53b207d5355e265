//! `routes.toml`: targets and routes.

mod format;
mod limits;
mod route;
mod target;
mod topic;

use crate::folder::Folder;
use crate::report::Report;
use crate::section::Section;
use crate::site::{RouteSite, TargetSite};
use crate::tree::toml;
use crate::variable::Variables;
use std::path::Path;

const FILE: &str = "routes.toml";

/// What the rest of the site lends to its routes.
#[derive(Clone, Copy)]
pub(crate) struct Names<'s> {
    pub(crate) site: &'s str,
    pub(crate) data: &'s Path,
}

/// What `routes.toml` says.
#[derive(Default)]
pub(crate) struct Routes {
    pub(crate) targets: Vec<TargetSite>,
    pub(crate) routes: Vec<RouteSite>,
}

pub(crate) fn read(folder: &Folder, names: Names<'_>, variables: Variables<'_>, report: &mut Report) -> Routes {
    let Some((file, text)) = folder.read(FILE, report) else { return Routes::default() };
    let root = toml::read(file, &text, variables, report);
    let mut section = Section::of(&root);
    let targets = target::read(&section.group("target", report), folder, names, report);
    let around = route::Around { targets: &targets, folder, site: names.site };
    let routes = route::read(&section.list("route", report), around, report);
    section.finish(&[], report);
    for target in targets.iter().filter(|target| target.users.get() == 0 && target.site.is_some()) {
        target.warn_idle(report);
    }
    Routes { targets: targets.into_iter().filter_map(|target| target.site).collect(), routes }
}
