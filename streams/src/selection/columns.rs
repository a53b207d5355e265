//! The columns of every kind of message, and where their values come from.

use super::shape::{RowTypes, Shape};
use crate::catalog::{column_type, part_of};
use crate::df::{DataType, TIME};
use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_thing_models::{
    Account, Action, Body, CommandRecord, DataType as ModelType, EventKind, Firing, Ledger, Message, Notice,
    PropertyIx, Status, Things,
};
use std::sync::Arc;

/// The first level of the subject.
pub(super) const KIND: &str = "kind";
/// The model of the device.
pub(super) const MODEL: &str = "model";
/// What labels are qualified with: `labels.row`.
pub(super) const LABELS: &str = "labels";

/// A column of a shape.
pub(super) struct Column {
    pub(super) name: Arc<str>,
    pub(super) data_type: DataType,
    pub(super) source: Source,
}

/// Where a value comes from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Made(fn(&Message, &Things) -> Value),
    Time(fn(&Message) -> Timestamp),
    /// A label of the message's device.
    Label(Arc<str>),
    /// A property of a report.
    Property(PropertyIx),
    /// A field of one that is a struct.
    Part(PropertyIx, Arc<str>),
    /// An output of an event.
    Output(Arc<str>),
    /// A field of one that is a struct.
    OutputPart(Arc<str>, Arc<str>),
    /// A column of a row.
    Column(usize),
}

/// A column that is always the same.
type Fixed = (&'static str, DataType, Source);

const COMMON: [Fixed; 6] = [
    ("subject", DataType::Utf8, Source::Made(|message, things| Value::from(message.subject(things).as_str()))),
    ("device", DataType::Utf8, Source::Made(|message, things| text(device(message).map(|ix| &things.device(ix).id)))),
    (MODEL, DataType::Utf8, Source::Made(|message, things| text(device(message).map(|ix| &things.model_of(ix).name)))),
    ("quality", DataType::Utf8, Source::Made(|message, _| quality(message))),
    ("time", TIME, Source::Time(|message| message.time)),
    ("ts", TIME, Source::Time(source_time)),
];

const STATUS: [Fixed; 2] = [
    ("state", DataType::Utf8, Source::Made(|m, _| of_status(m, |status| Value::from(status.online.as_str())))),
    ("reason", DataType::Utf8, Source::Made(|m, _| of_status(m, |status| Value::Text(status.reason.clone())))),
];

const FIRING: [Fixed; 2] = [
    ("scene", DataType::Utf8, Source::Made(|m, _| of_firing(m, |firing| Value::Text(firing.scene.clone())))),
    ("cause", DataType::Utf8, Source::Made(|m, _| of_firing(m, |firing| Value::Text(firing.cause.clone())))),
];

const NOTICE: [Fixed; 3] = [
    ("channel", DataType::Utf8, Source::Made(|m, _| of_notice(m, |notice| &notice.channel))),
    ("text", DataType::Utf8, Source::Made(|m, _| of_notice(m, |notice| &notice.text))),
    ("scene", DataType::Utf8, Source::Made(|m, _| of_notice(m, |notice| &notice.scene))),
];

const LEDGER: [Fixed; 3] = [
    ("consumer", DataType::Utf8, Source::Made(|m, _| of_ledger(m, |ledger| Value::Text(ledger.consumer.clone())))),
    ("reason", DataType::Utf8, Source::Made(|m, _| of_ledger(m, |ledger| Value::Text(ledger.reason.clone())))),
    ("count", DataType::Int64, Source::Made(|m, _| of_ledger(m, |ledger| count(ledger.count)))),
];

const BALANCE: [Fixed; 7] = [
    ("route", DataType::Utf8, Source::Made(|m, _| route(m))),
    ("taken", DataType::Int64, Source::Made(|m, _| of_account(m, |account| account.taken))),
    ("delivered", DataType::Int64, Source::Made(|m, _| of_account(m, |account| account.delivered))),
    ("queued", DataType::Int64, Source::Made(|m, _| of_account(m, Account::queued))),
    ("expired", DataType::Int64, Source::Made(|m, _| of_account(m, |account| account.expired))),
    ("dropped", DataType::Int64, Source::Made(|m, _| of_account(m, |account| account.dropped))),
    ("dead", DataType::Int64, Source::Made(|m, _| of_account(m, |account| account.dead))),
];

const COMMAND: [Fixed; 8] = [
    ("command", DataType::Utf8, Source::Made(|m, _| of_command(m, |record| Value::Text(record.command.id.clone())))),
    ("state", DataType::Utf8, Source::Made(|m, _| of_command(m, |record| Value::from(record.state.as_str())))),
    (
        "reason",
        DataType::Utf8,
        Source::Made(|m, _| of_command(m, |record| record.state.reason().map_or(Value::Null, Value::from))),
    ),
    (
        "origin",
        DataType::Utf8,
        Source::Made(|m, _| of_command(m, |record| Value::from(record.command.origin.to_string().as_str()))),
    ),
    ("property", DataType::Utf8, Source::Made(|m, things| of_command(m, |record| property(record, things)))),
    ("service", DataType::Utf8, Source::Made(|m, things| of_command(m, |record| service(record, things)))),
    ("issued", TIME, Source::Made(|m, _| of_command(m, |record| Value::Int(record.command.issued.as_millis())))),
    ("deadline", TIME, Source::Made(|m, _| of_command(m, |record| Value::Int(record.command.deadline.as_millis())))),
];

const EVENT: [Fixed; 2] = [
    ("event", DataType::Utf8, Source::Made(|m, things| event(m, things, |event| &event.identifier))),
    ("event_kind", DataType::Utf8, Source::Made(event_kind)),
];

/// Whether every message has a column of this name, if only without a value.
pub(super) fn is_common(name: &str) -> bool {
    name == KIND || common(name).is_some()
}

/// A column that every message has.
pub(super) fn common(name: &str) -> Option<Column> {
    if let Some(label) = name.strip_prefix(LABELS).and_then(|rest| rest.strip_prefix('.')) {
        return Some(Column { name: name.into(), data_type: DataType::Utf8, source: Source::Label(label.into()) });
    }
    COMMON.iter().find(|(known, ..)| *known == name).map(column)
}

/// The names that every message has, without labels.
pub(super) fn common_names() -> impl Iterator<Item = &'static str> {
    COMMON.iter().map(|(name, ..)| *name).chain([KIND])
}

/// The columns that only this shape has. A property whose name is taken by a common column is hidden by it.
pub(super) fn own(shape: &Shape, things: &Things) -> Vec<Column> {
    match shape {
        Shape::Report(model) => {
            let properties = things.model(*model).properties.iter().enumerate();
            let columns = |(at, property): (usize, &edgeway_thing_models::Property)| {
                let ix = PropertyIx(at as u16);
                let part = |field| Source::Part(ix, field);
                of_value(&property.identifier, &property.data_type, Source::Property(ix), part)
            };
            properties.flat_map(columns).filter(is_free).collect()
        }
        Shape::Event(model, event) => {
            let outputs = things.model(*model).events[usize::from(event.0)].output.iter();
            let output = |field: &edgeway_thing_models::Field| {
                let name = &field.identifier;
                let part = |part| Source::OutputPart(name.clone(), part);
                of_value(name, &field.data_type, Source::Output(name.clone()), part)
            };
            let fixed = EVENT.iter().map(column);
            fixed.chain(outputs.flat_map(output).filter(|output| is_free(output) && !is_event(output))).collect()
        }
        Shape::Status => STATUS.iter().map(column).collect(),
        Shape::Firing => FIRING.iter().map(column).collect(),
        Shape::Command => COMMAND.iter().map(column).collect(),
        Shape::Notice => NOTICE.iter().map(column).collect(),
        Shape::Ledger => LEDGER.iter().map(column).collect(),
        Shape::Balance => BALANCE.iter().map(column).collect(),
        Shape::Row(..) => vec![],
    }
}

/// The column of a value, or those of a struct's fields.
fn of_value(name: &Arc<str>, model_type: &ModelType, whole: Source, part: impl Fn(Arc<str>) -> Source) -> Vec<Column> {
    let column = |name: Arc<str>, model_type: &ModelType, source: Source| {
        Some(Column { name, data_type: column_type(model_type)?, source })
    };
    match model_type {
        ModelType::Struct(fields) => {
            let field = |field: &edgeway_thing_models::Field| {
                let name = part_of(name, &field.identifier).into();
                column(name, &field.data_type, part(field.identifier.clone()))
            };
            fields.iter().filter_map(field).collect()
        }
        one => column(name.clone(), one, whole).into_iter().collect(),
    }
}

/// The columns of a row whose types are known. Its own `device`, `model` and `quality` mean more than the common ones,
/// which a row does not have.
pub(super) fn of_row(names: &[Arc<str>], types: &RowTypes) -> Vec<Column> {
    const HIDDEN: [&str; 4] = ["subject", KIND, "time", "ts"];
    let column = |(at, name): (usize, &Arc<str>)| {
        let data_type = types.get(name)?.clone();
        Some(Column { name: name.clone(), data_type, source: Source::Column(at) })
    };
    let names = names.iter().enumerate().filter(|(_, name)| !HIDDEN.contains(&&***name));
    names.filter_map(column).collect()
}

fn column((name, data_type, source): &Fixed) -> Column {
    Column { name: (*name).into(), data_type: data_type.clone(), source: source.clone() }
}

fn is_free(column: &Column) -> bool {
    !is_common(&column.name)
}

fn is_event(column: &Column) -> bool {
    EVENT.iter().any(|(name, ..)| *name == &*column.name)
}

/// The device that a message is about.
pub(super) fn device(message: &Message) -> Option<DeviceIx> {
    match &message.body {
        Body::Report(report) => Some(report.device),
        Body::Event(event) => Some(event.device),
        Body::Status(status) => Some(status.device),
        Body::Command(record) => Some(record.command.device),
        Body::Row(_) | Body::Firing(_) | Body::Notice(_) | Body::Ledger(_) | Body::Balance(_) => None,
    }
}

fn text(text: Option<&Arc<str>>) -> Value {
    text.map_or(Value::Null, |text| Value::Text(text.clone()))
}

fn count(count: u64) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

/// The worst class of a report's values.
fn quality(message: &Message) -> Value {
    match &message.body {
        Body::Report(report) => {
            let worst = report.values.iter().map(|value| value.quality).max().unwrap_or(Quality::Good);
            Value::from(worst.class())
        }
        _ => Value::Null,
    }
}

/// When it was measured or happened; when the gateway made it, for what is of its own making.
pub(crate) fn source_time(message: &Message) -> Timestamp {
    match &message.body {
        Body::Report(report) => report.values.iter().map(|value| value.source_time).max().unwrap_or(message.time),
        Body::Event(event) => event.source_time,
        Body::Row(row) => row.source_time,
        _ => message.time,
    }
}

fn of_status(message: &Message, value: fn(&Status) -> Value) -> Value {
    match &message.body {
        Body::Status(status) => value(status),
        _ => Value::Null,
    }
}

fn of_firing(message: &Message, value: fn(&Firing) -> Value) -> Value {
    match &message.body {
        Body::Firing(firing) => value(firing),
        _ => Value::Null,
    }
}

fn of_notice(message: &Message, value: fn(&Notice) -> &Arc<str>) -> Value {
    match &message.body {
        Body::Notice(notice) => Value::Text(value(notice).clone()),
        _ => Value::Null,
    }
}

fn of_ledger(message: &Message, value: fn(&Ledger) -> Value) -> Value {
    match &message.body {
        Body::Ledger(ledger) => value(ledger),
        _ => Value::Null,
    }
}

fn of_account(message: &Message, value: fn(&Account) -> u64) -> Value {
    match &message.body {
        Body::Balance(balance) => count(value(&balance.total)),
        _ => Value::Null,
    }
}

fn route(message: &Message) -> Value {
    match &message.body {
        Body::Balance(balance) => Value::Text(balance.route.clone()),
        _ => Value::Null,
    }
}

fn of_command(message: &Message, value: impl Fn(&CommandRecord) -> Value) -> Value {
    match &message.body {
        Body::Command(record) => value(record),
        _ => Value::Null,
    }
}

fn property(record: &CommandRecord, things: &Things) -> Value {
    match &record.command.action {
        Action::Set { property, .. } => {
            Value::Text(things.property(record.command.device, *property).identifier.clone())
        }
        Action::Invoke { .. } => Value::Null,
    }
}

fn service(record: &CommandRecord, things: &Things) -> Value {
    match &record.command.action {
        Action::Invoke { service, .. } => {
            Value::Text(things.model_of(record.command.device).services[usize::from(service.0)].identifier.clone())
        }
        Action::Set { .. } => Value::Null,
    }
}

fn event(message: &Message, things: &Things, value: fn(&edgeway_thing_models::EventModel) -> &Arc<str>) -> Value {
    match &message.body {
        Body::Event(event) => {
            Value::Text(value(&things.model_of(event.device).events[usize::from(event.event.0)]).clone())
        }
        _ => Value::Null,
    }
}

fn event_kind(message: &Message, things: &Things) -> Value {
    let Body::Event(event) = &message.body else { return Value::Null };
    Value::from(match things.model_of(event.device).events[usize::from(event.event.0)].kind {
        EventKind::Info => "info",
        EventKind::Alert => "alert",
        EventKind::Error => "error",
    })
}
