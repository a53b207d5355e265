//! What each kind of message says.

use super::value::{Named, Typed};
use super::{Rfc3339, Selected, Shown};
use crate::message::{
    Account, Action, Balance, Body, Command, CommandRecord, CommandState, Event, Firing, Ledger, Notice, Observation,
    Report, Row, Status,
};
use crate::model::{DataType, Model};
use crate::things::Things;
use edgeway_sdk::{DeviceIx, Value};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::sync::Arc;

/// Adds what a body says to the object of its message.
pub(super) fn entries<M: SerializeMap>(body: &Body, things: &Things, map: &mut M) -> Result<(), M::Error> {
    match body {
        Body::Report(report) => report_entries(report, things, map),
        Body::Event(event) => event_entries(event, things, map),
        Body::Status(status) => status_entries(status, things, map),
        Body::Command(record) => command_entries(record, things, map),
        Body::Row(row) => row_entries(row, map),
        Body::Firing(firing) => firing_entries(firing, map),
        Body::Notice(notice) => notice_entries(notice, map),
        Body::Ledger(ledger) => ledger_entries(ledger, map),
        Body::Balance(balance) => balance_entries(balance, map),
    }
}

fn device_entries<M: SerializeMap>(device: DeviceIx, things: &Things, map: &mut M) -> Result<(), M::Error> {
    map.serialize_entry("device", &things.device(device).id)?;
    map.serialize_entry("model", &things.model_of(device).name)
}

fn report_entries<M: SerializeMap>(report: &Report, things: &Things, map: &mut M) -> Result<(), M::Error> {
    device_entries(report.device, things, map)?;
    map.serialize_entry("values", &Observations { model: things.model_of(report.device), values: &report.values })
}

/// The values of a report by property.
struct Observations<'a> {
    model: &'a Model,
    values: &'a [Observation],
}

impl Serialize for Observations<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.values.len()))?;
        for observation in self.values {
            let property = &self.model.properties[usize::from(observation.property.0)];
            map.serialize_entry(&property.identifier, &Observed { observation, data_type: &property.data_type })?;
        }
        map.end()
    }
}

struct Observed<'a> {
    observation: &'a Observation,
    data_type: &'a DataType,
}

impl Serialize for Observed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let value = &self.observation.value;
        map.serialize_entry("value", &Typed { value, data_type: Some(self.data_type) })?;
        if let (DataType::Enum(choices), Value::Int(number)) = (self.data_type, value)
            && let Some(label) = choices.get(number)
        {
            map.serialize_entry("label", label)?;
        }
        if let Some(unit) = self.data_type.unit() {
            map.serialize_entry("unit", unit)?;
        }
        map.serialize_entry("quality", self.observation.quality.as_str())?;
        map.serialize_entry("time", &Rfc3339::new(self.observation.source_time))?;
        map.end()
    }
}

fn event_entries<M: SerializeMap>(event: &Event, things: &Things, map: &mut M) -> Result<(), M::Error> {
    let model = &things.model_of(event.device).events[usize::from(event.event.0)];
    device_entries(event.device, things, map)?;
    map.serialize_entry("event", &model.identifier)?;
    map.serialize_entry("kind", model.kind.as_str())?;
    map.serialize_entry("output", &Named { values: &event.output, fields: &model.output })?;
    map.serialize_entry("source_time", &Rfc3339::new(event.source_time))
}

fn status_entries<M: SerializeMap>(status: &Status, things: &Things, map: &mut M) -> Result<(), M::Error> {
    device_entries(status.device, things, map)?;
    map.serialize_entry("state", status.online.as_str())?;
    map.serialize_entry("reason", &status.reason)
}

fn command_entries<M: SerializeMap>(record: &CommandRecord, things: &Things, map: &mut M) -> Result<(), M::Error> {
    let command = &record.command;
    let model = things.model_of(command.device);
    device_entries(command.device, things, map)?;
    map.serialize_entry("command", &command.id)?;
    map.serialize_entry("state", record.state.as_str())?;
    if let Some(reason) = record.state.reason() {
        map.serialize_entry("reason", reason)?;
    }
    if let CommandState::Applied { result: Some(value) } = &record.state {
        map.serialize_entry("result", &Typed { value, data_type: set_type(command, model) })?;
    }
    map.serialize_entry("action", &Doing { command, model })?;
    map.serialize_entry("origin", &Shown(&command.origin))?;
    map.serialize_entry("issued", &Rfc3339::new(command.issued))?;
    map.serialize_entry("deadline", &Rfc3339::new(command.deadline))
}

/// The type of the property that a command sets.
fn set_type<'a>(command: &Command, model: &'a Model) -> Option<&'a DataType> {
    match &command.action {
        Action::Set { property, .. } => Some(&model.properties[usize::from(property.0)].data_type),
        Action::Invoke { .. } => None,
    }
}

struct Doing<'a> {
    command: &'a Command,
    model: &'a Model,
}

impl Serialize for Doing<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.command.action {
            Action::Set { property, value } => {
                let name = &self.model.properties[usize::from(property.0)].identifier;
                map.serialize_entry(
                    "set",
                    &One { name, value: Typed { value, data_type: set_type(self.command, self.model) } },
                )?;
            }
            Action::Invoke { service, input } => {
                let service = &self.model.services[usize::from(service.0)];
                map.serialize_entry("invoke", &service.identifier)?;
                map.serialize_entry("input", &Named { values: input, fields: &service.input })?;
            }
        }
        map.end()
    }
}

/// An object of one entry.
struct One<'a> {
    name: &'a str,
    value: Typed<'a>,
}

impl Serialize for One<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.name, self.value)])
    }
}

fn row_entries<M: SerializeMap>(row: &Row, map: &mut M) -> Result<(), M::Error> {
    map.serialize_entry("query", &row.query)?;
    map.serialize_entry("row_id", &row.id)?;
    map.serialize_entry("values", &Columns { names: &row.columns, values: &row.values })?;
    map.serialize_entry("source_time", &Rfc3339::new(row.source_time))
}

/// Values by column.
pub(super) struct Columns<'a> {
    names: &'a [Arc<str>],
    values: &'a [Value],
}

impl<'a> Columns<'a> {
    pub(super) fn of(selected: &'a Selected) -> Self {
        Columns { names: &selected.columns, values: &selected.values }
    }
}

impl Serialize for Columns<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let values = self.values.iter().map(|value| Typed { value, data_type: None });
        serializer.collect_map(self.names.iter().zip(values))
    }
}

fn firing_entries<M: SerializeMap>(firing: &Firing, map: &mut M) -> Result<(), M::Error> {
    map.serialize_entry("scene", &firing.scene)?;
    map.serialize_entry("cause", &firing.cause)?;
    map.serialize_entry("chain", &firing.chain)
}

fn notice_entries<M: SerializeMap>(notice: &Notice, map: &mut M) -> Result<(), M::Error> {
    map.serialize_entry("channel", &notice.channel)?;
    map.serialize_entry("text", &notice.text)?;
    map.serialize_entry("scene", &notice.scene)
}

fn ledger_entries<M: SerializeMap>(ledger: &Ledger, map: &mut M) -> Result<(), M::Error> {
    map.serialize_entry("consumer", &ledger.consumer)?;
    map.serialize_entry("reason", &ledger.reason)?;
    map.serialize_entry("from", &ledger.from)?;
    map.serialize_entry("to", &ledger.to)?;
    map.serialize_entry("count", &ledger.count)
}

fn balance_entries<M: SerializeMap>(balance: &Balance, map: &mut M) -> Result<(), M::Error> {
    map.serialize_entry("route", &balance.route)?;
    account_entries(&balance.total, map)?;
    map.serialize_entry("devices", &Accounts(&balance.devices))
}

/// Accounts by device.
struct Accounts<'a>(&'a [(Arc<str>, Account)]);

impl Serialize for Accounts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(device, account)| (device, Counted(account))))
    }
}

struct Counted<'a>(&'a Account);

impl Serialize for Counted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        account_entries(self.0, &mut map)?;
        map.end()
    }
}

fn account_entries<M: SerializeMap>(account: &Account, map: &mut M) -> Result<(), M::Error> {
    map.serialize_entry("taken", &account.taken)?;
    map.serialize_entry("delivered", &account.delivered)?;
    map.serialize_entry("queued", &account.queued())?;
    map.serialize_entry("expired", &account.expired)?;
    map.serialize_entry("dropped", &account.dropped)?;
    map.serialize_entry("dead", &account.dead)
}
