//! `[template.NAME.services]`: services made of writes.

use super::point::factors;
use crate::report::Report;
use crate::section::{Found, Section, refuse};
use crate::site::WriteFrom;
use crate::tree::{Entry, Item, Table};
use edgeway_sdk::{Problem, Value, did_you_mean};
use edgeway_thing_models::{DataType, Field, Model, Service as ServiceModel, ServiceIx};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A service and its writes, in order.
pub(super) struct Service {
    pub(super) ix: ServiceIx,
    pub(super) writes: Vec<Write>,
}

/// One write.
pub(super) struct Write {
    pub(super) from: WriteFrom,
    pub(super) scale: f64,
    pub(super) offset: f64,
    /// Where, for the driver.
    pub(super) options: Table,
}

pub(super) fn read(group: &Table, model: &Model, report: &mut Report) -> Vec<Service> {
    group.entries.iter().filter_map(|entry| service(entry, model, report)).collect()
}

fn service(entry: &Entry, model: &Model, report: &mut Report) -> Option<Service> {
    let Some((ix, service)) = model.service(&entry.name) else {
        let problem = Problem::new(format!("model `{}` has no service `{}`", model.name, entry.name));
        let names = model.services.iter().map(|service| &*service.identifier);
        report.add(&entry.mark, problem.maybe_help(did_you_mean(&entry.name, names)));
        return None;
    };
    let tables: Option<Vec<&Table>> = match &entry.node.item {
        Item::List(nodes) if !nodes.is_empty() => nodes.iter().map(|node| node.item.table()).collect(),
        _ => None,
    };
    let Some(tables) = tables else {
        refuse(entry, "a list of writes, [{ at = .., value = .. }]", report);
        return None;
    };
    let writes: Vec<Write> = tables.iter().filter_map(|table| write(table, service, report)).collect();
    if writes.len() == tables.len() {
        check_inputs(entry, service, &writes, report);
    }
    Some(Service { ix, writes })
}

fn write(table: &Table, service: &ServiceModel, report: &mut Report) -> Option<Write> {
    let mut section = Section::of(table);
    let (scale, offset) = factors(&mut section, report);
    let from = from(&mut section, service, report);
    let (scale, offset) = (scale.map_or(1.0, |found| found.value), offset.map_or(0.0, |found| found.value));
    Some(Write { from: from?, scale, offset, options: section.rest() })
}

fn from(section: &mut Section<'_>, service: &ServiceModel, report: &mut Report) -> Option<WriteFrom> {
    let value = section.entry("value");
    let input = section.text("input", report);
    let map = section.table("map", report);
    match (value, input, map) {
        (Some(value), None, None) => scalar(value, report).map(WriteFrom::Constant),
        (None, Some(input), None) => Some(WriteFrom::Input(field(&input, service, report)?.identifier.clone())),
        (None, Some(input), Some(map)) => {
            let field = field(&input, service, report)?;
            Some(WriteFrom::Mapped { input: field.identifier.clone(), map: mapped(map, field, report)? })
        }
        _ => {
            let mark = section.mark();
            report.add(
                mark,
                Problem::new(mark.say("a write needs either `value` or `input`")).help("`map` goes with `input`"),
            );
            None
        }
    }
}

fn field<'m>(input: &Found<Arc<str>>, service: &'m ServiceModel, report: &mut Report) -> Option<&'m Field> {
    let field = service.input.iter().find(|field| *field.identifier == *input.value);
    if field.is_none() {
        let problem = Problem::new(format!("service `{}` has no input `{}`", service.identifier, input.value));
        let names = service.input.iter().map(|field| &*field.identifier);
        report.add(&input.mark, problem.maybe_help(did_you_mean(&input.value, names)));
    }
    field
}

fn scalar(entry: &Entry, report: &mut Report) -> Option<Value> {
    Some(match &entry.node.item {
        Item::Text(text) => Value::Text(text.clone()),
        Item::Int(int) => Value::Int(*int),
        Item::Float(float) => Value::Float(*float),
        Item::Bool(bool) => Value::Bool(*bool),
        Item::List(_) | Item::Table(_) | Item::Time | Item::Reported => {
            refuse(entry, "a number, a text, `true` or `false`", report);
            return None;
        }
    })
}

/// Reads `{ normal = 2, emergency = 3 }`: an enum's words or numbers, whole numbers, or `false` and `true`.
fn mapped(table: &Table, field: &Field, report: &mut Report) -> Option<BTreeMap<i64, Value>> {
    let mut map = BTreeMap::new();
    for entry in &table.entries {
        let Some(from) = number(&entry.name, &field.data_type) else {
            let problem = Problem::new(format!("`{}` is not a value of input `{}`", entry.name, field.identifier));
            report.add(&entry.mark, problem.maybe_help(choices(&field.data_type)));
            return None;
        };
        let to = scalar(entry, report)?;
        map.insert(from, to);
    }
    if let DataType::Enum(words) = &field.data_type {
        for (_, word) in words.iter().filter(|(number, _)| !map.contains_key(number)) {
            report.add(
                &table.mark,
                Problem::new(format!("the map of input `{}` has no entry for `{word}`", field.identifier)),
            );
        }
    }
    Some(map)
}

fn number(key: &str, data_type: &DataType) -> Option<i64> {
    match data_type {
        DataType::Enum(words) => {
            let by_word = words.iter().find(|(_, word)| *word == key).map(|(number, _)| *number);
            by_word.or_else(|| key.parse().ok().filter(|number| words.contains_key(number)))
        }
        DataType::Bool { .. } => ["false", "true"].iter().position(|word| *word == key).map(|at| at as i64),
        DataType::Int(_) => key.parse().ok(),
        _ => None,
    }
}

fn choices(data_type: &DataType) -> Option<String> {
    match data_type {
        DataType::Enum(words) => {
            Some(format!("one of {}", words.values().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")))
        }
        DataType::Bool { .. } => Some("`false` or `true`".into()),
        DataType::Int(_) => Some("a whole number".into()),
        _ => Some("only inputs of type int, bool and enum can be mapped".into()),
    }
}

/// An input that nothing is made of would be swallowed.
fn check_inputs(entry: &Entry, service: &ServiceModel, writes: &[Write], report: &mut Report) {
    let used = |name: &Arc<str>| {
        writes.iter().any(|write| match &write.from {
            WriteFrom::Input(input) | WriteFrom::Mapped { input, .. } => input == name,
            WriteFrom::Constant(_) => false,
        })
    };
    for field in service.input.iter().filter(|field| !used(&field.identifier)) {
        let message = format!("input `{}` of service `{}` is written nowhere", field.identifier, service.identifier);
        report
            .add(&entry.mark, Problem::new(message).help(format!("add a write with input = \"{}\"", field.identifier)));
    }
}
