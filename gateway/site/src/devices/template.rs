//! `[template.NAME]`: what devices of one kind have in common.

use super::event::{self, Event};
use super::link::check_name;
use super::point::{POLL, Point};
use super::reporting::Usual;
use super::service::{self, Service};
use crate::models::Models;
use crate::report::{Mark, Report};
use crate::section::{Found, Section, tables_of};
use crate::tree::{Entry, Table};
use edgeway_sdk::{Driver, Problem, did_you_mean};
use edgeway_thing_models::{Model, ModelIx};
use std::sync::Arc;
use std::time::Duration;

/// How often a point is read if nobody says.
pub(super) const POLL_DEFAULT: Duration = Duration::from_secs(1);

/// What devices of one kind have in common.
pub(super) struct Template {
    pub(super) name: Arc<str>,
    /// `None` if there is no such model, which has been reported.
    pub(super) model: Option<(ModelIx, Arc<Model>)>,
    pub(super) poll: Option<Duration>,
    pub(super) reporting: Usual,
    pub(super) link: Option<Found<Arc<str>>>,
    /// Options of devices, by driver.
    pub(super) drivers: Table,
    /// By property; all known to the model.
    pub(super) points: Table,
    pub(super) services: Vec<Service>,
    pub(super) events: Vec<Event>,
    pub(super) mark: Mark,
}

pub(super) fn read(
    group: &[(&Entry, &Table)],
    models: &Models,
    drivers: &[Arc<dyn Driver>],
    report: &mut Report,
) -> Vec<Template> {
    group.iter().map(|(entry, table)| template(entry, table, models, drivers, report)).collect()
}

fn template(
    entry: &Entry,
    table: &Table,
    models: &Models,
    drivers: &[Arc<dyn Driver>],
    report: &mut Report,
) -> Template {
    check_name(entry, report);
    let mut section = Section::of(table);
    let model = model(&mut section, models, report);
    let poll = section.duration("poll", POLL, report).map(|found| found.value);
    let reporting = Usual::read(&mut section, report);
    let link = section.text("link", report);
    let options = driver_tables(&mut section, drivers, report);
    let points = section.table("points", report).cloned().unwrap_or_else(|| Table::empty(table.mark.clone()));
    let services = section.table("services", report);
    let events = section.group("events", report);
    let known: Vec<&str> = drivers.iter().map(|driver| driver.manifest().name.as_str()).collect();
    section.finish(&known, report);
    let mut template = Template {
        name: entry.name.clone(),
        model: None,
        poll,
        reporting,
        link,
        drivers: options,
        points,
        services: vec![],
        events: vec![],
        mark: entry.mark.clone(),
    };
    if let Some((ix, model)) = model {
        template.points = known_points(&template.points, &model, report);
        template.check_points(&model, report);
        template.services = services.map(|table| service::read(table, &model, report)).unwrap_or_default();
        template.events = event::read(&events, &model, report);
        template.model = Some((ix, model));
    }
    template
}

fn model(section: &mut Section<'_>, models: &Models, report: &mut Report) -> Option<(ModelIx, Arc<Model>)> {
    let found = section.required("model", report)?;
    let ix = models.things.model_ix(&found.value);
    if ix.is_none() && !models.broken.contains(&found.value) {
        let problem = Problem::new(found.mark.say(format!("unknown model `{}`", found.value)));
        report.add(
            &found.mark,
            problem.maybe_help(did_you_mean(&found.value, models.things.models().map(|(_, model)| &*model.name))),
        );
    }
    ix.map(|ix| (ix, models.things.model(ix).clone()))
}

/// The tables that are named after drivers.
pub(super) fn driver_tables<'t>(
    section: &mut Section<'t>,
    drivers: &'t [Arc<dyn Driver>],
    report: &mut Report,
) -> Table {
    let mut tables = Table::empty(section.mark().clone());
    for driver in drivers {
        let name = driver.manifest().name.as_str();
        if section.table(name, report).is_some() {
            tables.entries.extend(section.entry(name).cloned());
        }
    }
    tables
}

/// The entries whose property the model has; the others are reported.
pub(super) fn known_points(points: &Table, model: &Model, report: &mut Report) -> Table {
    let is_known = |entry: &&Entry| {
        let known = model.property(&entry.name).is_some();
        if !known {
            let problem = Problem::new(format!("model `{}` has no property `{}`", model.name, entry.name));
            let names = model.properties.iter().map(|property| &*property.identifier);
            report.add(&entry.mark, problem.maybe_help(did_you_mean(&entry.name, names)));
        }
        known
    };
    Table { mark: points.mark.clone(), entries: points.entries.iter().filter(is_known).cloned().collect() }
}

impl Template {
    /// A template that is written nowhere and has no points.
    pub(super) fn bare(name: Arc<str>, model: (ModelIx, Arc<Model>), mark: Mark) -> Self {
        Template {
            name,
            model: Some(model),
            poll: None,
            reporting: Usual::default(),
            link: None,
            drivers: Table::empty(mark.clone()),
            points: Table::empty(mark.clone()),
            services: vec![],
            events: vec![],
            mark,
        }
    }

    /// Where it is to blame that a point is missing: in a template that is written nowhere, at the device.
    pub(super) fn points_mark<'m>(&'m self, device: &'m Mark) -> &'m Mark {
        if self.points.mark.line == 0 { device } else { &self.points.mark }
    }

    /// Checks the gateway's keys also where no device uses the template.
    fn check_points(&mut self, model: &Model, report: &mut Report) {
        for (entry, table) in tables_of(&self.points, report) {
            if let Some((_, property)) = model.property(&entry.name) {
                Point::read(table, property, (self.poll.unwrap_or(POLL_DEFAULT), &self.reporting), report);
            }
        }
        self.points.entries.retain(|entry| entry.node.item.table().is_some());
    }
}
