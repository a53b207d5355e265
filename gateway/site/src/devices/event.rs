//! `[template.NAME.events]`: events that happen when a property changes.

use crate::report::{Mark, Report};
use crate::section::{Found, Section};
use crate::tree::{Entry, Table};
use edgeway_sdk::{Problem, did_you_mean};
use edgeway_thing_models::{EventIx, EventModel, Field, Model, Property, PropertyIx};
use std::sync::Arc;

/// An event of a template.
pub(super) struct Event {
    pub(super) ix: EventIx,
    pub(super) on: PropertyIx,
    pub(super) output: Vec<(Arc<str>, PropertyIx)>,
    pub(super) mark: Mark,
}

impl Event {
    /// The properties it is made of.
    pub(super) fn properties(&self) -> impl Iterator<Item = PropertyIx> {
        std::iter::once(self.on).chain(self.output.iter().map(|(_, property)| *property))
    }
}

pub(super) fn read(group: &[(&Entry, &Table)], model: &Model, report: &mut Report) -> Vec<Event> {
    group.iter().filter_map(|(entry, table)| event(entry, table, model, report)).collect()
}

fn event(entry: &Entry, table: &Table, model: &Model, report: &mut Report) -> Option<Event> {
    let found = model.event(&entry.name);
    if found.is_none() {
        let problem = Problem::new(format!("model `{}` has no event `{}`", model.name, entry.name));
        let names = model.events.iter().map(|event| &*event.identifier);
        report.add(&entry.mark, problem.maybe_help(did_you_mean(&entry.name, names)));
    }
    let (ix, event) = found?;
    let mut section = Section::of(table);
    let on = section.required("on", report);
    let on = on.and_then(|found| property(&found, model, report)).map(|(ix, _)| ix);
    let empty = Table::empty(table.mark.clone());
    let output = output(section.table("output", report).unwrap_or(&empty), event, model, report);
    section.finish(&[], report);
    Some(Event { ix, on: on?, output: output?, mark: table.mark.clone() })
}

/// Every field of the event with the property that fills it; `None` if one has none.
fn output(
    table: &Table,
    event: &EventModel,
    model: &Model,
    report: &mut Report,
) -> Option<Vec<(Arc<str>, PropertyIx)>> {
    for entry in &table.entries {
        if !event.output.iter().any(|field| field.identifier == entry.name) {
            let problem = Problem::new(format!("event `{}` carries no `{}`", event.identifier, entry.name));
            let names = event.output.iter().map(|field| &*field.identifier);
            report.add(&entry.mark, problem.maybe_help(did_you_mean(&entry.name, names)));
        }
    }
    let filled: Vec<_> = event.output.iter().map(|field| fill(field, table, model, report)).collect();
    filled.into_iter().collect()
}

fn fill(field: &Field, table: &Table, model: &Model, report: &mut Report) -> Option<(Arc<str>, PropertyIx)> {
    let Some(entry) = table.get(&field.identifier) else {
        report.add(
            &table.mark,
            Problem::new(table.mark.say(format!("nothing fills `{}`", field.identifier)))
                .help(format!("output = {{ {} = \"a property\" }}", field.identifier)),
        );
        return None;
    };
    let Some(name) = entry.node.item.text() else {
        crate::section::refuse(entry, "the name of a property", report);
        return None;
    };
    let mark = entry.node.mark.clone();
    let (ix, property) = property(&Found { value: name.clone(), mark: mark.clone() }, model, report)?;
    if property.data_type.name() != field.data_type.name() {
        let (is, wanted) = (property.data_type.name(), field.data_type.name());
        report.add(
            &mark,
            Problem::new(mark.say(format!("property `{name}` is {is}, but `{}` is {wanted}", field.identifier))),
        );
    }
    Some((field.identifier.clone(), ix))
}

fn property<'m>(found: &Found<Arc<str>>, model: &'m Model, report: &mut Report) -> Option<(PropertyIx, &'m Property)> {
    let property = model.property(&found.value);
    if property.is_none() {
        let problem = Problem::new(format!("model `{}` has no property `{}`", model.name, found.value));
        let names = model.properties.iter().map(|property| &*property.identifier);
        report.add(&found.mark, problem.maybe_help(did_you_mean(&found.value, names)));
    }
    property
}
