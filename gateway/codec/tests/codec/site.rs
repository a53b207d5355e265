//! A site with two pumps, and messages of every kind about them.

use edgeway_codec::MessageCodec;
use edgeway_journal::{Class, Placement};
use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_thing_models::{
    Account, Action, Balance, Body, Command, CommandRecord, CommandState, Device, Event, EventIx, Firing, Ledger,
    Message, Model, Notice, Observation, Online, Origin, PropertyIx, Report, Row, ServiceIx, Status, Things,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const AT: Timestamp = Timestamp::from_millis(1_800_000_000_123);

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

pub(crate) fn codec() -> MessageCodec {
    codec_of(&["pump-1", "pump-2"])
}

/// The devices of a site in another order have other numbers.
pub(crate) fn codec_of(devices: &[&str]) -> MessageCodec {
    let source = std::fs::read_to_string(fixture("pump.json")).expect("the model is there");
    let mut things = Things::default();
    let model = things.add_model(Arc::new(Model::parse("pump", &source).expect("the model is sound")));
    for id in devices {
        things.add_device(Device { id: (*id).into(), model, labels: Default::default() });
    }
    MessageCodec::new(Arc::new(things), Box::new(|_| Placement::Disk(Class::Normal)))
}

pub(crate) fn report(device: u32, later: Duration, pressure: f64) -> Message {
    let time = AT + later;
    let source_time = time - Duration::from_millis(4);
    let good =
        |property, value| Observation { property: PropertyIx(property), value, quality: Quality::Good, source_time };
    let values = vec![
        good(0, Value::Float(pressure)),
        good(1, Value::Bool(true)),
        good(2, Value::Int(7)),
        good(3, Value::Text("running".into())),
    ];
    Message { time, body: Body::Report(Report { device: DeviceIx(device), values }) }
}

/// One message of every kind that version 1 knew, and three reports more.
pub(crate) fn messages() -> Vec<Message> {
    let mut stale = report(1, Duration::from_millis(20), 7.1);
    if let Body::Report(report) = &mut stale.body {
        report.values[0].quality = Quality::Stale;
        report.values[0].source_time = AT - Duration::from_secs(5);
        report.values[2].quality = Quality::BadTimeout;
        report.values[2].value = Value::Null;
    }
    let mut messages = vec![
        report(0, Duration::ZERO, 7.25),
        report(1, Duration::from_nanos(12_345), f64::from(7.1_f32)),
        stale,
        report(0, Duration::from_secs(1), 7.5),
    ];
    messages.extend(others().map(|body| Message { time: AT, body }));
    messages
}

fn others() -> [Body; 8] {
    let device = DeviceIx(1);
    let command = |action| Command {
        id: "c-1".into(),
        device,
        action,
        origin: Origin::Scene { scene: "night".into() },
        issued: AT,
        deadline: AT + Duration::from_secs(30),
    };
    let set = Action::Set { property: PropertyIx(1), value: Value::Bool(true) };
    let prime = Action::Invoke { service: ServiceIx(0), input: vec![("seconds".into(), Value::Int(5))] };
    let output = vec![("pressure".into(), Value::Float(0.2))];
    [
        Body::Event(Event { device, event: EventIx(0), output, source_time: AT }),
        Body::Status(Status { device, online: Online::Offline, reason: "timed out".into() }),
        Body::Row(Row {
            query: "mean".into(),
            id: "mean/1".into(),
            columns: ["device".into(), "mean".into()].into(),
            values: vec![Value::Text("pump-1".into()), Value::Float(7.2)],
            source_time: AT,
        }),
        Body::Firing(Firing { scene: "night".into(), cause: "hour == 22".into(), chain: vec!["dusk".into()] }),
        Body::Command(CommandRecord { command: command(set), state: CommandState::Accepted }),
        Body::Command(CommandRecord {
            command: command(prime),
            state: CommandState::Failed { reason: "no water".into() },
        }),
        Body::Notice(Notice { channel: "on-call".into(), text: "Pump 2 runs dry".into(), scene: "night".into() }),
        Body::Ledger(Ledger { consumer: "cloud".into(), reason: "retention".into(), from: 5, to: 9, count: 5 }),
    ]
}

/// A kind that version 1 did not know.
pub(crate) fn balance() -> Message {
    let account = Account { taken: 9, delivered: 5, expired: 1, dropped: 1, dead: 1 };
    let devices = vec![("pump-1".into(), account), ("-".into(), Account::default())];
    Message { time: AT, body: Body::Balance(Balance { route: "cloud".into(), total: account, devices }) }
}
