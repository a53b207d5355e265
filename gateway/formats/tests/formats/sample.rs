//! A site with a pump that has a property of every type, and a message of every kind.

use edgeway_formats::{Item, Surroundings};
use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_thing_models::{
    Account, Action, Balance, Body, ClockState, Command, CommandRecord, CommandState, Device, Event, EventIx, Firing,
    GatewayId, Ledger, Message, MessageId, Model, Notice, Observation, Online, Origin, PropertyIx, Report, Row,
    Selected, ServiceIx, Status, Things, ready_made,
};
use std::sync::Arc;

pub(crate) const AT: Timestamp = Timestamp::from_millis(1_795_424_400_500);
pub(crate) const PUMP: DeviceIx = DeviceIx(0);
pub(crate) const TURBINE: DeviceIx = DeviceIx(1);

pub(crate) fn around() -> Surroundings {
    Surroundings { things: Arc::new(things()), site: "waterworks".into(), gateway: "waterworks-1a2b".into() }
}

pub(crate) fn things() -> Things {
    let mut things = Things::default();
    let pump = Model::parse("big-pump", include_str!("pump.json")).expect("a valid model");
    let turbine = ready_made().into_iter().find(|model| &*model.name == "wind-turbine").expect("shipped");
    for (id, model) in [("pump-1", pump), ("wt-07", turbine)] {
        let model = things.add_model(Arc::new(model));
        things.add_device(Device { id: id.into(), model, labels: Default::default() }).expect("a new id");
    }
    things
}

/// A message with the id of its offset.
pub(crate) fn item(offset: u64, body: Body) -> Item {
    let time = Timestamp::from_millis(AT.as_millis() + offset as i64);
    Item {
        message: Arc::new(Message { time, body }),
        id: MessageId { gateway: GatewayId::of("waterworks-1a2b"), epoch: 7, offset },
        clock: ClockState::Set,
        selected: None,
        late: false,
    }
}

pub(crate) fn late(item: Item) -> Item {
    Item { late: true, ..item }
}

pub(crate) fn seen(property: u16, value: impl Into<Value>, quality: Quality) -> Observation {
    let source_time = Timestamp::from_millis(AT.as_millis() - 20);
    Observation { property: PropertyIx(property), value: value.into(), quality, source_time }
}

pub(crate) fn report(device: DeviceIx, values: Vec<Observation>) -> Body {
    Body::Report(Report { device, values })
}

pub(crate) fn status(online: Online, reason: &str) -> Body {
    Body::Status(Status { device: PUMP, online, reason: reason.into() })
}

/// A report with a value of every type, and of every class of quality.
pub(crate) fn full_report() -> Body {
    let struct_value = Value::Struct(
        [
            ("lat".into(), Value::Float(52.5)),
            ("sheltered".into(), Value::Bool(true)),
            ("since".into(), Value::Int(1_700_000_000_000)),
        ]
        .into(),
    );
    let values = vec![
        seen(0, 4711_i64, Quality::Good),
        seen(1, f64::from(7.1_f32), Quality::Uncertain),
        seen(2, 1234.5, Quality::Stale),
        seen(3, true, Quality::Good),
        seen(4, 1_i64, Quality::Good),
        seen(5, "say \"hi\", <ö>\nagain", Quality::Good),
        seen(6, 1_690_000_000_000_i64, Quality::Good),
        seen(7, struct_value, Quality::Good),
        seen(8, Value::Array([Value::Float(1.0), Value::Float(0.1)].into()), Quality::Good),
        seen(9, Value::Null, Quality::BadTimeout),
        seen(10, "SN-1", Quality::Good),
    ];
    report(PUMP, values)
}

pub(crate) fn leak() -> Body {
    let output = vec![("liters".into(), Value::Float(2.0)), ("seen".into(), Value::Int(1_690_000_000_000))];
    let source_time = Timestamp::from_millis(AT.as_millis() - 5);
    Body::Event(Event { device: PUMP, event: EventIx(1), output, source_time })
}

pub(crate) fn row() -> Body {
    Body::Row(Row {
        query: "mean_flow".into(),
        id: "r-1".into(),
        columns: ["device", "Mean flow", "n", "nothing"].map(Arc::from).into(),
        values: vec!["pump-1".into(), Value::Float(7.25), Value::Int(60), Value::Null],
        source_time: AT,
    })
}

fn command(action: Action, origin: Origin, state: CommandState) -> Body {
    let deadline = Timestamp::from_millis(AT.as_millis() + 5000);
    let command = Command { id: "c-1".into(), device: PUMP, action, origin, issued: AT, deadline };
    Body::Command(CommandRecord { command, state })
}

pub(crate) fn set() -> Body {
    let action = Action::Set { property: PropertyIx(4), value: Value::Int(1) };
    command(action, Origin::Scene { scene: "night".into() }, CommandState::Applied { result: Some(Value::Int(1)) })
}

pub(crate) fn invoke() -> Body {
    let input = vec![("seconds".into(), Value::Float(f64::from(2.1_f32))), ("hard".into(), Value::Bool(false))];
    let failed = CommandState::Failed { reason: "locked".into() };
    command(Action::Invoke { service: ServiceIx(0), input }, Origin::Cloud { target: "hub".into() }, failed)
}

/// One or two messages of each kind, by the name of its golden file.
pub(crate) fn kinds() -> Vec<(&'static str, Vec<Item>)> {
    let account = |taken| Account { taken, delivered: 4, expired: 1, dropped: 1, dead: 1 };
    let balance = Balance { route: "hub".into(), total: account(9), devices: vec![("pump-1".into(), account(8))] };
    let firing = Firing { scene: "night".into(), cause: "flow > 25".into(), chain: vec!["storm".into()] };
    let notice = Notice { channel: "on-call".into(), text: "a \"leak\", again".into(), scene: "night".into() };
    let ledger = Ledger { consumer: "hub".into(), reason: "retention".into(), from: 3, to: 9, count: 7 };
    let selected = Selected {
        columns: ["flow", "device"].map(Arc::from).into(),
        values: vec![Value::Float(7.5), "pump-1".into()],
    };
    vec![
        ("report", vec![item(1, full_report()), item(2, report(PUMP, vec![seen(3, false, Quality::Good)]))]),
        ("event", vec![item(3, leak())]),
        ("status", vec![item(4, status(Online::Online, "")), item(5, status(Online::Offline, "no answer"))]),
        ("row", vec![item(6, row())]),
        ("firing", vec![item(7, Body::Firing(firing))]),
        ("command", vec![item(8, set()), item(9, invoke())]),
        ("notice", vec![item(10, Body::Notice(notice))]),
        ("ledger", vec![item(11, Body::Ledger(ledger))]),
        ("balance", vec![item(12, Body::Balance(balance))]),
        ("selected", vec![Item { selected: Some(Arc::new(selected)), clock: ClockState::Unset, ..item(13, leak()) }]),
    ]
}
