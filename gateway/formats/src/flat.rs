//! What is nested in a message, as text: for formats that have cells, not trees.

use crate::value_text::{json, json_of};
use edgeway_sdk::{DeviceIx, Value};
use edgeway_thing_models::{
    Account, Action, Balance, CommandRecord, CommandState, DataType, Event, EventModel, Field, Property, Service,
    Things,
};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The model of an event.
pub(crate) fn event_model<'a>(event: &Event, things: &'a Things) -> &'a EventModel {
    &things.model_of(event.device).events[usize::from(event.event.0)]
}

/// What an event carries, as a JSON object.
pub(crate) fn output(event: &Event, things: &Things) -> String {
    object(&event.output, &event_model(event, things).output)
}

/// What a command does.
pub(crate) struct Doing<'a> {
    /// `set` or `invoke`.
    pub(crate) action: &'static str,
    /// The property or the service.
    pub(crate) name: &'a str,
    /// The value or the input, as JSON.
    pub(crate) input: String,
}

impl<'a> Doing<'a> {
    pub(crate) fn of(record: &CommandRecord, things: &'a Things) -> Self {
        let device = record.command.device;
        match &record.command.action {
            Action::Set { property, value } => {
                let Property { identifier, data_type, .. } = things.property(device, *property);
                Doing { action: "set", name: identifier, input: json(value, Some(data_type)) }
            }
            Action::Invoke { service, input } => {
                let service: &Service = &things.model_of(device).services[usize::from(service.0)];
                Doing { action: "invoke", name: &service.identifier, input: object(input, &service.input) }
            }
        }
    }
}

/// The value read back, or a service's output, as JSON.
pub(crate) fn result(record: &CommandRecord, things: &Things) -> Option<String> {
    match &record.state {
        CommandState::Applied { result: Some(value) } => Some(json(value, set_type(record, things))),
        _ => None,
    }
}

/// The type of the property that a command sets.
pub(crate) fn set_type<'a>(record: &CommandRecord, things: &'a Things) -> Option<&'a DataType> {
    match record.command.action {
        Action::Set { property, .. } => Some(&things.property(record.command.device, property).data_type),
        Action::Invoke { .. } => None,
    }
}

/// The accounts of a balance by device, as a JSON object.
pub(crate) fn accounts(balance: &Balance) -> String {
    json_of(
        &balance.devices.iter().map(|(device, account)| (&**device, Counts::of(account))).collect::<BTreeMap<_, _>>(),
    )
}

/// The device's id and its model's name.
pub(crate) fn device_and_model(device: DeviceIx, things: &Things) -> (&str, &str) {
    (&things.device(device).id, &things.model_of(device).name)
}

#[derive(Serialize)]
struct Counts {
    taken: u64,
    delivered: u64,
    queued: u64,
    expired: u64,
    dropped: u64,
    dead: u64,
}

impl Counts {
    fn of(account: &Account) -> Self {
        let Account { taken, delivered, expired, dropped, dead } = *account;
        Counts { taken, delivered, queued: account.queued(), expired, dropped, dead }
    }
}

/// Named values as a JSON object, each in the form of its field's type.
fn object(values: &[(Arc<str>, Value)], fields: &[Field]) -> String {
    let entries: Vec<String> = values
        .iter()
        .map(|(name, value)| {
            let field = fields.iter().find(|field| field.identifier == *name);
            format!("{}:{}", json_of(name), json(value, field.map(|field| &field.data_type)))
        })
        .collect();
    format!("{{{}}}", entries.join(","))
}
