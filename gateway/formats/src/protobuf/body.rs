//! What each kind of message says, in the schema's form.

use super::schema as pb;
use super::value::{columns, field, named, value};
use crate::flat::{device_and_model, event_model, set_type};
use edgeway_sdk::{DeviceIx, Quality};
use edgeway_thing_models::{
    Account, Action, Balance, Body, Command, CommandRecord, CommandState, DataType, Event, Firing, Ledger, Notice,
    Observation, Report, Row, Status, Things,
};

/// The schema's form of a body.
pub(super) fn of(body: &Body, things: &Things) -> pb::Body {
    match body {
        Body::Report(report) => pb::Body::Report(self::report(report, things)),
        Body::Event(event) => pb::Body::Event(self::event(event, things)),
        Body::Status(status) => pb::Body::Status(self::status(status, things)),
        Body::Row(row) => pb::Body::Row(self::row(row)),
        Body::Firing(firing) => pb::Body::Firing(self::firing(firing)),
        Body::Command(record) => pb::Body::Command(self::command(record, things)),
        Body::Notice(notice) => pb::Body::Notice(self::notice(notice)),
        Body::Ledger(ledger) => pb::Body::Ledger(self::ledger(ledger)),
        Body::Balance(balance) => pb::Body::Balance(self::balance(balance)),
    }
}

/// The device's id and its model's name.
fn names(device: DeviceIx, things: &Things) -> (String, String) {
    let (device, model) = device_and_model(device, things);
    (device.to_owned(), model.to_owned())
}

fn report(report: &Report, things: &Things) -> pb::Report {
    let (device, model) = names(report.device, things);
    let values = report.values.iter().map(|observation| self::observation(observation, report.device, things));
    pb::Report { device, model, values: values.collect() }
}

fn observation(observation: &Observation, device: DeviceIx, things: &Things) -> pb::Observation {
    let property = things.property(device, observation.property);
    pb::Observation {
        property: property.identifier.to_string(),
        value: Some(value(&observation.value, Some(&property.data_type))),
        label: label(&observation.value, &property.data_type),
        unit: property.data_type.unit().map(|unit| unit.to_string()),
        quality: quality(observation.quality).into(),
        source_time_ms: observation.source_time.as_millis(),
    }
}

fn label(value: &edgeway_sdk::Value, data_type: &DataType) -> Option<String> {
    match (value, data_type) {
        (edgeway_sdk::Value::Int(number), DataType::Enum(labels)) => labels.get(number).cloned(),
        _ => None,
    }
}

fn quality(quality: Quality) -> pb::Quality {
    match quality {
        Quality::Good => pb::Quality::Good,
        Quality::Uncertain => pb::Quality::Uncertain,
        Quality::Stale => pb::Quality::Stale,
        Quality::BadConfig => pb::Quality::BadConfig,
        Quality::BadNotConnected => pb::Quality::BadNotConnected,
        Quality::BadDevice => pb::Quality::BadDevice,
        Quality::BadTimeout => pb::Quality::BadTimeout,
        Quality::BadOutOfRange => pb::Quality::BadOutOfRange,
        _ => pb::Quality::Bad,
    }
}

fn event(event: &Event, things: &Things) -> pb::Event {
    let (device, model) = names(event.device, things);
    let of = event_model(event, things);
    pb::Event {
        device,
        model,
        event: of.identifier.to_string(),
        kind: of.kind.as_str().to_owned(),
        output: Some(named(&event.output, &of.output)),
        source_time_ms: event.source_time.as_millis(),
    }
}

fn status(status: &Status, things: &Things) -> pb::Status {
    let (device, model) = names(status.device, things);
    pb::Status { device, model, state: status.online.as_str().to_owned(), reason: status.reason.to_string() }
}

fn row(row: &Row) -> pb::Row {
    pb::Row {
        query: row.query.to_string(),
        row_id: row.id.to_string(),
        values: Some(columns(&row.columns, &row.values)),
        source_time_ms: row.source_time.as_millis(),
    }
}

fn firing(firing: &Firing) -> pb::Firing {
    let chain = firing.chain.iter().map(|scene| scene.to_string()).collect();
    pb::Firing { scene: firing.scene.to_string(), cause: firing.cause.to_string(), chain }
}

fn command(record: &CommandRecord, things: &Things) -> pb::Command {
    let command = &record.command;
    let (device, model) = names(command.device, things);
    let result = match &record.state {
        CommandState::Applied { result: Some(result) } => Some(value(result, set_type(record, things))),
        _ => None,
    };
    pb::Command {
        device,
        model,
        command: command.id.to_string(),
        state: record.state.as_str().to_owned(),
        reason: record.state.reason().map(str::to_owned),
        result,
        action: Some(action(command, things)),
        origin: command.origin.to_string(),
        issued_ms: command.issued.as_millis(),
        deadline_ms: command.deadline.as_millis(),
    }
}

fn action(command: &Command, things: &Things) -> pb::Action {
    match &command.action {
        Action::Set { property, value } => {
            let property = things.property(command.device, *property);
            pb::Action::Set(field(&property.identifier, value, Some(&property.data_type)))
        }
        Action::Invoke { service, input } => {
            let service = &things.model_of(command.device).services[usize::from(service.0)];
            let input = Some(named(input, &service.input));
            pb::Action::Invoke(pb::Invoke { service: service.identifier.to_string(), input })
        }
    }
}

fn notice(notice: &Notice) -> pb::Notice {
    let Notice { channel, text, scene } = notice;
    pb::Notice { channel: channel.to_string(), text: text.to_string(), scene: scene.to_string() }
}

fn ledger(ledger: &Ledger) -> pb::Ledger {
    let Ledger { from, to, count, .. } = *ledger;
    pb::Ledger { consumer: ledger.consumer.to_string(), reason: ledger.reason.to_string(), from, to, count }
}

fn balance(balance: &Balance) -> pb::Balance {
    let of_device = |(device, counts): &(std::sync::Arc<str>, Account)| pb::DeviceAccount {
        device: device.to_string(),
        account: Some(account(counts)),
    };
    pb::Balance {
        route: balance.route.to_string(),
        total: Some(account(&balance.total)),
        devices: balance.devices.iter().map(of_device).collect(),
    }
}

fn account(account: &Account) -> pb::Account {
    let Account { taken, delivered, expired, dropped, dead } = *account;
    pb::Account { taken, delivered, queued: account.queued(), expired, dropped, dead }
}
