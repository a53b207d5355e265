//! Properties, events, services and their fields.

use super::data_type::{Place, data_type};
use super::identifier::{self, Allowed, Taken};
use super::reader::{Reader, Table};
use crate::model::{CallType, DataType, EventKind, EventModel, Field, Property, Service};
use edgeway_sdk::Access;
use jsonc_parser::ast::Value as Node;

const PROPERTY_KEYS: [&str; 9] = [
    "identifier",
    "name",
    "desc",
    "accessMode",
    "required",
    "dataType",
    "custom",
    "functionBlockId",
    "functionBlockName",
];
const EVENT_KEYS: [&str; 10] = [
    "identifier",
    "name",
    "desc",
    "type",
    "required",
    "outputData",
    "method",
    "custom",
    "functionBlockId",
    "functionBlockName",
];
const SERVICE_KEYS: [&str; 11] = [
    "identifier",
    "name",
    "desc",
    "callType",
    "required",
    "inputData",
    "outputData",
    "method",
    "custom",
    "functionBlockId",
    "functionBlockName",
];
const FIELD_KEYS: [&str; 6] = ["identifier", "name", "desc", "dataType", "required", "custom"];

const ACCESS: [(&str, Access); 3] = [("r", Access::Read), ("rw", Access::ReadWrite), ("w", Access::Write)];
const EVENT_KINDS: [(&str, EventKind); 3] =
    [("info", EventKind::Info), ("alert", EventKind::Alert), ("error", EventKind::Error)];
const CALL_TYPES: [(&str, CallType); 2] = [("sync", CallType::Sync), ("async", CallType::Async)];

/// What Alibaba adds to every export: the report of all properties, and setting and getting them.
const IMPLICIT: [(&str, &str); 3] = [
    ("post", "thing.event.property.post"),
    ("set", "thing.service.property.set"),
    ("get", "thing.service.property.get"),
];

/// The numbers of properties, events and services have 16 bits.
const ITEMS_MAX: usize = 65_535;

pub(super) fn properties(reader: &mut Reader<'_>, model: &Table<'_>) -> Vec<Property> {
    let mut taken = Taken::default();
    items(reader, model, "properties", |reader, node| property(reader, node, &mut taken))
}

pub(super) fn events(reader: &mut Reader<'_>, model: &Table<'_>) -> Vec<EventModel> {
    let mut taken = Taken::default();
    items(reader, model, "events", |reader, node| if implicit(node) { None } else { event(reader, node, &mut taken) })
}

pub(super) fn services(reader: &mut Reader<'_>, model: &Table<'_>) -> Vec<Service> {
    let mut taken = Taken::default();
    items(
        reader,
        model,
        "services",
        |reader, node| if implicit(node) { None } else { service(reader, node, &mut taken) },
    )
}

/// The items of a list that can be read; a missing list is an empty one.
fn items<T>(
    reader: &mut Reader<'_>,
    model: &Table<'_>,
    key: &str,
    mut read: impl FnMut(&mut Reader<'_>, &Node<'_>) -> Option<T>,
) -> Vec<T> {
    let Some(node) = model.get(key) else { return vec![] };
    let nodes = reader.list(node, key);
    if nodes.len() > ITEMS_MAX {
        reader.report(node, format!("{} {key} are too many", nodes.len()), Some(format!("at most {ITEMS_MAX}")));
    }
    nodes.iter().filter_map(|node| read(reader, node)).collect()
}

fn property(reader: &mut Reader<'_>, node: &Node<'_>, taken: &mut Taken) -> Option<Property> {
    let table = reader.table(node, "a property", &PROPERTY_KEYS)?;
    let identifier = identifier::read(reader, &table, taken, Allowed::Columns);
    let name = table.need_text(reader, "name");
    let access = table.need(reader, "accessMode").and_then(|node| reader.choice(node, "accessMode", &ACCESS));
    let required = table.flag(reader, "required");
    let data_type = typed(reader, &table, Place::Alone);
    let description = table.text(reader, "desc").unwrap_or_default();
    Some(Property {
        identifier: identifier?,
        name: name?,
        access: access?,
        required,
        data_type: data_type?,
        description,
    })
}

fn event(reader: &mut Reader<'_>, node: &Node<'_>, taken: &mut Taken) -> Option<EventModel> {
    let table = reader.table(node, "an event", &EVENT_KEYS)?;
    let identifier = identifier::read(reader, &table, taken, Allowed::All);
    let name = table.need_text(reader, "name");
    let kind = table.need(reader, "type").and_then(|node| reader.choice(node, "type", &EVENT_KINDS));
    let output = listed(reader, &table, "outputData", Allowed::Columns);
    ignored(reader, &table);
    Some(EventModel { identifier: identifier?, name: name?, kind: kind?, output })
}

fn service(reader: &mut Reader<'_>, node: &Node<'_>, taken: &mut Taken) -> Option<Service> {
    let table = reader.table(node, "a service", &SERVICE_KEYS)?;
    let identifier = identifier::read(reader, &table, taken, Allowed::All);
    let name = table.need_text(reader, "name");
    let call_type = table.need(reader, "callType").and_then(|node| reader.choice(node, "callType", &CALL_TYPES));
    let input = listed(reader, &table, "inputData", Allowed::All);
    let output = listed(reader, &table, "outputData", Allowed::All);
    ignored(reader, &table);
    Some(Service { identifier: identifier?, name: name?, call_type: call_type?, input, output })
}

/// Fields below a key; a missing list is an empty one.
fn listed(reader: &mut Reader<'_>, table: &Table<'_>, key: &str, allowed: Allowed) -> Vec<Field> {
    table.get(key).map(|node| fields(reader, node, key, Place::Alone, allowed)).unwrap_or_default()
}

/// A list of fields.
pub(super) fn fields(
    reader: &mut Reader<'_>,
    node: &Node<'_>,
    key: &str,
    place: Place,
    allowed: Allowed,
) -> Vec<Field> {
    let mut taken = Taken::default();
    let nodes = reader.list(node, key);
    nodes.iter().filter_map(|node| field(reader, node, &mut taken, place, allowed)).collect()
}

fn field(reader: &mut Reader<'_>, node: &Node<'_>, taken: &mut Taken, place: Place, allowed: Allowed) -> Option<Field> {
    let table = reader.table(node, "a field", &FIELD_KEYS)?;
    let identifier = identifier::read(reader, &table, taken, allowed);
    let name = table.need_text(reader, "name");
    let data_type = typed(reader, &table, place);
    Some(Field { identifier: identifier?, name: name?, data_type: data_type? })
}

fn typed(reader: &mut Reader<'_>, table: &Table<'_>, place: Place) -> Option<DataType> {
    table.need(reader, "dataType").and_then(|node| data_type(reader, node, place))
}

/// Checks what the gateway has no use for, so that a mistake in it is not carried on.
fn ignored(reader: &mut Reader<'_>, table: &Table<'_>) {
    table.flag(reader, "required");
    table.text(reader, "desc");
    table.text(reader, "method");
}

/// Whether this is one of the items that Alibaba adds.
fn implicit(node: &Node<'_>) -> bool {
    let Node::Object(object) = node else { return false };
    let text = |key| object.get_string(key).map(|text| &*text.value);
    IMPLICIT.iter().any(|(identifier, method)| {
        text("method") == Some(method) || (text("identifier") == Some(identifier) && text("method").is_none())
    })
}
