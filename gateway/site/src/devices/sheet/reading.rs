//! A device's cells as the table that they stand for, twice: to be checked, and to be written.

use super::cells::Cell;
use super::columns::{Column, Kind, LABELS, item};
use super::keys::{self, Setting};
use super::listed::{Listed, ListedPoint};
use crate::devices::Sight;
use crate::devices::template::{POLL_DEFAULT, Template};
use crate::models::Models;
use crate::quantity;
use crate::report::{Mark, Report};
use crate::tree::csv::insert;
use crate::tree::{Entry, Item, Node, Table};
use crate::variable::{self, Variables};
use edgeway_sdk::{Driver, Problem, did_you_mean};
use edgeway_thing_models::{Model, ModelIx};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// What rows are read with.
pub(super) struct Reading<'a> {
    pub(super) drivers: &'a [Arc<dyn Driver>],
    pub(super) variables: Variables<'a>,
    pub(super) columns: &'a [Column],
    pub(super) decimal_comma: bool,
    pub(super) models: &'a Models,
    /// Each link's driver, if there is such a driver.
    pub(super) links: HashMap<Arc<str>, Option<usize>>,
    pub(super) templates: HashMap<Arc<str>, &'a Template>,
    pub(super) sight: Sight,
}

/// A device that has been read.
pub(super) struct Read {
    /// To be checked.
    pub(super) table: Table,
    /// To be written.
    pub(super) device: Device,
    /// The template that it is checked with, if the site has none for it.
    pub(super) bare: Option<Bare>,
}

/// The name and the model of a template that is written nowhere.
pub(super) type Bare = (Arc<str>, (ModelIx, Arc<Model>));

/// A device as it will be written.
pub(super) struct Device {
    pub(super) id: Arc<str>,
    pub(super) template: TemplateOf,
    /// Unless it is the template's.
    pub(super) link: Option<Arc<str>>,
    /// By driver.
    pub(super) options: Vec<(Arc<str>, Table)>,
    pub(super) labels: Vec<(Arc<str>, Arc<str>)>,
    /// In the order of the model.
    pub(super) points: Vec<Point>,
    /// How many points it has, the template's included.
    pub(super) points_in_all: usize,
}

/// Where a device's template comes from.
pub(super) enum TemplateOf {
    /// From another file of the site. `points` say what the device has differently.
    Site(Arc<str>),
    /// From this one. `points` are all it has.
    New { name: Arc<str>, model: Arc<str> },
}

/// A point as it will be written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    pub(super) property: Arc<str>,
    /// `None`: the device does not have the template's point.
    pub(super) settings: Option<Vec<Setting>>,
    /// How often it is read; `None` if that is among the settings, or the template's.
    pub(super) poll: Option<Duration>,
}

impl Reading<'_> {
    pub(super) fn device(&self, listed: &Listed, report: &mut Report) -> Option<Read> {
        let named = listed.cell(self.columns, "template");
        let template = named.and_then(|cell| self.templates.get(&cell.text).copied());
        let model = self.model(listed, template, report)?;
        let link = listed.cell(self.columns, "link").map(|cell| cell.text.clone());
        let template_link = template.and_then(|template| Some(&template.link.as_ref()?.value));
        let driver = link.as_ref().or(template_link).and_then(|link| *self.links.get(link)?);
        let bare: Option<Bare> =
            template.is_none().then(|| (format!("of model {}", model.1.name).into(), model.clone()));
        let name = bare.as_ref().map(|(name, _)| name).or(template.map(|template| &template.name))?;
        let own = self.own(listed);
        let points: Vec<(&ListedPoint, Table)> =
            listed.points.iter().map(|point| (point, self.point(listed, point, driver))).collect();
        let lacking: Vec<&Entry> = match template {
            // A device that lists no point takes those of its template as they are.
            Some(template) if !points.is_empty() => {
                let listed = |entry: &&Entry| points.iter().any(|(point, _)| point.property.text == entry.name);
                template.points.entries.iter().filter(|entry| !listed(entry)).collect()
            }
            _ => vec![],
        };
        let table = self.to_check(listed, name, &own, &points, &lacking, report);
        let template_of = match (template, named) {
            (Some(template), _) => TemplateOf::Site(template.name.clone()),
            (None, named) => {
                let model = model.1.name.clone();
                TemplateOf::New { name: named.map_or_else(|| model.clone(), |cell| cell.text.clone()), model }
            }
        };
        let points_in_all = if listed.points.is_empty() {
            template.map_or(0, |template| template.points.entries.len())
        } else {
            points.len()
        };
        let device = Device {
            id: listed.id.text.clone(),
            template: template_of,
            link: link.filter(|link| template_link != Some(link)),
            options: sorted(own.iter().filter(|entry| &*entry.name != LABELS).filter_map(named_table)),
            labels: sorted(own.iter().filter(|entry| &*entry.name == LABELS).flat_map(texts)),
            points: self.to_write(template, &model.1, driver, points, &lacking),
            points_in_all,
        };
        Some(Read { table, device, bare })
    }

    /// The model that a device is of, by its own word or its template's.
    fn model(
        &self,
        listed: &Listed,
        template: Option<&Template>,
        report: &mut Report,
    ) -> Option<(ModelIx, Arc<Model>)> {
        let cell = listed.cell(self.columns, "model");
        if let Some(template) = template {
            let (ix, model) = template.model.as_ref()?;
            if let Some(cell) = cell.filter(|cell| cell.text != model.name) {
                let message = format!("template {} is of model `{}`, not `{}`", template.name, model.name, cell.text);
                report.add(&cell.mark, Problem::new(cell.mark.say(message)));
            }
            return Some((*ix, model.clone()));
        }
        let named = listed.cell(self.columns, "template");
        let Some(cell) = cell else {
            match named {
                Some(cell) if self.sight == Sight::Complete => {
                    let problem = Problem::new(cell.mark.say(format!("the site has no template `{}`", cell.text)));
                    let close = did_you_mean(&cell.text, self.templates.keys().map(|name| &**name));
                    let help = close.filter(|help| help.starts_with("did you mean"));
                    let help = help.unwrap_or_else(|| "a new one needs a `model`".into());
                    report.add(&cell.mark, problem.help(help));
                }
                // It may be in a file whose syntax is broken.
                Some(_) => {}
                None => {
                    let message = format!("device {} has no `model` and no `template`", listed.id.text);
                    report.add(&listed.id.mark, Problem::new(message));
                }
            }
            return None;
        };
        if let Some(name) = named.filter(|name| !quantity::is_name(&name.text)) {
            let problem = Problem::new(name.mark.say(format!("`{}` cannot be a name", name.text)));
            report.add(&name.mark, problem.help("letters, digits, `-`, `_` and `.`, at most 64"));
        }
        let things = &self.models.things;
        let ix = things.model_ix(&cell.text);
        if ix.is_none() && !self.models.broken.contains(&cell.text) {
            let problem = Problem::new(cell.mark.say(format!("unknown model `{}`", cell.text)));
            let names = things.models().map(|(_, model)| &*model.name);
            report.add(&cell.mark, problem.maybe_help(did_you_mean(&cell.text, names)));
        }
        ix.map(|ix| (ix, things.model(ix).clone()))
    }

    /// Options and labels of a device, as tables by their names.
    fn own(&self, listed: &Listed) -> Vec<Entry> {
        let mut table = Table::empty(listed.mark.clone());
        for (at, cell) in &listed.own {
            let (path, kind) = match &self.columns[*at] {
                Column::Label(name) => (format!("{LABELS}.{name}"), Kind::Text),
                column @ Column::DeviceOption { driver, path } => {
                    let driver = &*self.drivers[*driver];
                    (format!("{}.{path}", driver.manifest().name), column.kind(Some(driver)))
                }
                _ => continue,
            };
            insert(&mut table, &path, self.node(cell, kind));
        }
        for entry in &mut table.entries {
            if let Item::Table(below) = &mut entry.node.item {
                below.mark =
                    Mark { within: format!("{}, {}", listed.mark.within, entry.name).into(), ..listed.mark.clone() };
            }
        }
        table.entries
    }

    fn point(&self, listed: &Listed, point: &ListedPoint, driver: Option<usize>) -> Table {
        let mut table = Table::empty(listed.point_mark(point));
        let driver = driver.map(|at| &*self.drivers[at]);
        for (at, cell) in &point.cells {
            let column = &self.columns[*at];
            let node = self.node(cell, column.kind(driver));
            match column {
                Column::Host(key) => insert(&mut table, key, node),
                Column::PointOption(path) => insert(&mut table, path, node),
                _ => {}
            }
        }
        table
    }

    fn node(&self, cell: &Cell, kind: Kind) -> Node {
        Node::bare(cell.mark.clone(), item(cell, kind, self.decimal_comma))
    }

    /// As a `[[device]]` would be read.
    fn to_check(
        &self,
        listed: &Listed,
        template: &Arc<str>,
        own: &[Entry],
        points: &[(&ListedPoint, Table)],
        lacking: &[&Entry],
        report: &mut Report,
    ) -> Table {
        let mut table = Table::empty(listed.mark.clone());
        let mut put = |name: &str, mark: &Mark, item: Item| {
            table.entries.push(Entry { name: name.into(), mark: mark.clone(), node: Node::bare(mark.clone(), item) });
        };
        put("id", &listed.id.mark, Item::Text(listed.id.text.clone()));
        put("template", &listed.mark, Item::Text(template.clone()));
        if let Some(link) = listed.cell(self.columns, "link") {
            put("link", &link.mark, Item::Text(link.text.clone()));
        }
        let mut all = Table::empty(listed.mark.clone());
        for (point, table) in points {
            let mark = &point.property.mark;
            let node = Node::bare(mark.clone(), Item::Table(table.clone()));
            all.entries.push(Entry { name: point.property.text.clone(), mark: mark.clone(), node });
        }
        for entry in lacking {
            let node = Node::bare(listed.mark.clone(), Item::Bool(false));
            all.entries.push(Entry { name: entry.name.clone(), mark: listed.mark.clone(), node });
        }
        put("points", &listed.mark, Item::Table(all));
        table.entries.extend(own.iter().cloned());
        self.substitute(&mut table, report);
        table
    }

    /// Replaces variables. What will be written keeps them.
    fn substitute(&self, table: &mut Table, report: &mut Report) {
        for Entry { node, .. } in &mut table.entries {
            match &mut node.item {
                Item::Table(below) => self.substitute(below, report),
                Item::Text(text) => match variable::substitute(text, self.variables) {
                    Ok(None) => {}
                    Ok(Some(replaced)) => *text = replaced.into(),
                    Err(message) => {
                        report.add(&node.mark, Problem::new(node.mark.say(message)));
                        node.item = Item::Reported;
                    }
                },
                _ => {}
            }
        }
    }

    fn to_write(
        &self,
        template: Option<&Template>,
        model: &Model,
        driver: Option<usize>,
        points: Vec<(&ListedPoint, Table)>,
        lacking: &[&Entry],
    ) -> Vec<Point> {
        let schema = driver.map(|at| &self.drivers[at].manifest().options.point);
        let mut all = Vec::with_capacity(points.len());
        for (listed, table) in points {
            let Some((ix, property)) = model.property(&listed.property.text) else { continue };
            let below = template.and_then(|template| template.points.get(&property.identifier)?.node.item.table());
            let poll = keys::duration(table.get("poll")).map_or(POLL_DEFAULT, |found| found);
            let around = keys::Around {
                property,
                poll,
                usual: template.map(|template| &template.reporting),
                template_poll: template.map(|template| template.poll.unwrap_or(POLL_DEFAULT)),
                below,
            };
            let (settings, poll) = around.settings(&table, schema);
            let point = Point { property: property.identifier.clone(), settings: Some(settings), poll };
            if template.is_none() || point.settings.as_ref().is_some_and(|settings| !settings.is_empty()) {
                all.push((ix, point));
            }
        }
        for entry in lacking {
            if let Some((ix, property)) = model.property(&entry.name) {
                all.push((ix, Point { property: property.identifier.clone(), settings: None, poll: None }));
            }
        }
        all.sort_by_key(|(ix, _)| *ix);
        all.into_iter().map(|(_, point)| point).collect()
    }
}

/// By name, whatever the order of the columns.
fn sorted<T>(entries: impl Iterator<Item = (Arc<str>, T)>) -> Vec<(Arc<str>, T)> {
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    entries
}

fn named_table(entry: &Entry) -> Option<(Arc<str>, Table)> {
    Some((entry.name.clone(), entry.node.item.table()?.clone()))
}

fn texts(entry: &Entry) -> Vec<(Arc<str>, Arc<str>)> {
    let table = entry.node.item.table();
    let entries = table.into_iter().flat_map(|table| &table.entries);
    entries.filter_map(|entry| Some((entry.name.clone(), entry.node.item.text()?.clone()))).collect()
}
