use super::*;
use crate::id::GatewayId;
use crate::message::{
    Account, Action, Balance, Body, Command, CommandRecord, CommandState, Event, Firing, Ledger, Notice, Observation,
    Online, Origin, Report, Row, Status,
};
use crate::ready_made;
use crate::things::{Device, EventIx, PropertyIx, ServiceIx};
use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use std::sync::Arc;

const AT: Timestamp = Timestamp::from_millis(1_795_424_400_500);

fn things() -> Things {
    let mut things = Things::default();
    let turbine = ready_made().into_iter().find(|model| &*model.name == "wind-turbine").expect("shipped");
    let model = things.add_model(Arc::new(turbine));
    things.add_device(Device { id: "wt-07".into(), model, labels: Default::default() });
    things
}

/// What follows the head that all kinds share.
fn rendered(subject: &str, body: Body) -> String {
    let (message, things) = (Message { time: AT, body }, things());
    let id = MessageId { gateway: GatewayId::of("farm"), epoch: 7, offset: 4711 };
    let text = serde_json::to_string(&Rendered::new(&message, &things, Some(id))).expect("JSON");
    let head = format!(r#"{{"subject":"{subject}","id":"{id}","time":"2026-11-23T09:00:00.500Z","#);
    text.strip_prefix(&head).unwrap_or_else(|| panic!("{text} does not begin with {head}")).to_owned()
}

fn observation(property: u16, value: Value, quality: Quality) -> Observation {
    Observation {
        property: PropertyIx(property),
        value,
        quality,
        source_time: Timestamp::from_millis(AT.as_millis() - 20),
    }
}

#[test]
fn a_report_shows_each_value_with_unit_label_quality_and_source_time() {
    let values = vec![
        observation(0, Value::Float(f64::from(7.1_f32)), Quality::Good),
        observation(3, Value::Null, Quality::BadTimeout),
        observation(9, Value::Int(2), Quality::Stale),
        observation(11, Value::Float(f64::from(7.1_f32)), Quality::Good),
    ];
    let time = r#""time":"2026-11-23T09:00:00.480Z""#;
    let expected = [
        r#""device":"wt-07","model":"wind-turbine","values":{"#.to_owned(),
        format!(r#""wind_speed":{{"value":7.1,"unit":"m/s","quality":"good",{time}}},"#),
        format!(r#""active_power":{{"value":null,"unit":"kW","quality":"bad:timeout",{time}}},"#),
        format!(r#""state":{{"value":2,"label":"production","quality":"stale",{time}}},"#),
        format!(r#""energy_total":{{"value":7.099999904632568,"unit":"kWh","quality":"good",{time}}}}}}}"#),
    ];
    assert_eq!(
        rendered("property/wind-turbine/wt-07", Body::Report(Report { device: DeviceIx(0), values })),
        expected.concat()
    );
}

#[test]
fn an_event_and_a_status_name_their_device() {
    let output = vec![("code".into(), Value::Int(309))];
    let event = Body::Event(Event { device: DeviceIx(0), event: EventIx(0), output, source_time: AT });
    assert_eq!(
        rendered("event/wind-turbine/wt-07/alarm", event),
        r#""device":"wt-07","model":"wind-turbine","event":"alarm","kind":"alert","output":{"code":309},"source_time":"2026-11-23T09:00:00.500Z"}"#
    );
    let status = Body::Status(Status { device: DeviceIx(0), online: Online::Offline, reason: "no answer".into() });
    assert_eq!(
        rendered("status/wind-turbine/wt-07", status),
        r#""device":"wt-07","model":"wind-turbine","state":"offline","reason":"no answer"}"#
    );
}

fn command(action: Action, origin: Origin, state: CommandState) -> Body {
    let deadline = Timestamp::from_millis(AT.as_millis() + 5000);
    let command = Command { id: "c-1".into(), device: DeviceIx(0), action, origin, issued: AT, deadline };
    Body::Command(CommandRecord { command, state })
}

#[test]
fn a_command_shows_what_it_does_and_what_became_of_it() {
    let set = Action::Set { property: PropertyIx(12), value: Value::Int(1500) };
    let applied = CommandState::Applied { result: Some(Value::Int(1500)) };
    assert_eq!(
        rendered("command/wind-turbine/wt-07", command(set, Origin::Scene { scene: "night".into() }, applied)),
        r#""device":"wt-07","model":"wind-turbine","command":"c-1","state":"applied","result":1500,"action":{"set":{"power_limit":1500}},"origin":"scene/night","issued":"2026-11-23T09:00:00.500Z","deadline":"2026-11-23T09:00:05.500Z"}"#
    );
    let invoke = Action::Invoke { service: ServiceIx(1), input: vec![("mode".into(), Value::Int(1))] };
    assert_eq!(
        rendered(
            "command/wind-turbine/wt-07",
            command(invoke, Origin::Cloud { target: "hub".into() }, CommandState::Failed { reason: "locked".into() })
        ),
        r#""device":"wt-07","model":"wind-turbine","command":"c-1","state":"failed","reason":"locked","action":{"invoke":"stop","input":{"mode":1}},"origin":"cloud/hub","issued":"2026-11-23T09:00:00.500Z","deadline":"2026-11-23T09:00:05.500Z"}"#
    );
}

#[test]
fn what_is_derived_keeps_its_names() {
    let row = Row {
        query: "mean_power".into(),
        id: "r-1".into(),
        columns: ["device", "mean"].map(Arc::from).into(),
        values: vec!["wt-07".into(), Value::Float(1234.5)],
        source_time: AT,
    };
    assert_eq!(
        rendered("stream/mean_power", Body::Row(row)),
        r#""query":"mean_power","row_id":"r-1","values":{"device":"wt-07","mean":1234.5},"source_time":"2026-11-23T09:00:00.500Z"}"#
    );
    let firing = Firing { scene: "night".into(), cause: "wind_speed > 25".into(), chain: vec!["storm".into()] };
    assert_eq!(
        rendered("scene/night", Body::Firing(firing)),
        r#""scene":"night","cause":"wind_speed > 25","chain":["storm"]}"#
    );
    let notice = Notice { channel: "on-call".into(), text: "a \"storm\"".into(), scene: "night".into() };
    assert_eq!(
        rendered("notify/on-call", Body::Notice(notice)),
        r#""channel":"on-call","text":"a \"storm\"","scene":"night"}"#
    );
    let ledger = Ledger { consumer: "hub".into(), reason: "retention".into(), from: 3, to: 9, count: 7 };
    assert_eq!(
        rendered("ledger/hub", Body::Ledger(ledger)),
        r#""consumer":"hub","reason":"retention","from":3,"to":9,"count":7}"#
    );
    let total = Account { taken: 9, delivered: 4, expired: 1, dropped: 1, dead: 1 };
    let balance = Balance {
        route: "hub".into(),
        total,
        devices: vec![("wt-07".into(), Account { taken: 1, ..Account::default() })],
    };
    assert_eq!(
        rendered("ledger/hub", Body::Balance(balance)),
        r#""route":"hub","taken":9,"delivered":4,"queued":2,"expired":1,"dropped":1,"dead":1,"devices":{"wt-07":{"taken":1,"delivered":0,"queued":1,"expired":0,"dropped":0,"dead":0}}}"#
    );
}

#[test]
fn a_message_without_an_id_goes_without() {
    let notice = Notice { channel: "c".into(), text: "t".into(), scene: "s".into() };
    let message = Message { time: AT, body: Body::Notice(notice) };
    let text = serde_json::to_string(&Rendered::new(&message, &things(), None)).expect("JSON");
    assert!(text.starts_with(r#"{"subject":"notify/c","time":"#), "{text}");
}

#[test]
fn nested_values_are_plain_json() {
    let nested = Value::Struct([("list".into(), Value::Array([Value::Int(1), Value::Null].into()))].into());
    let output = vec![("code".into(), nested), ("raw".into(), Value::Bytes([1, 0xab].into()))];
    let event = Body::Event(Event { device: DeviceIx(0), event: EventIx(0), output, source_time: AT });
    assert!(
        rendered("event/wind-turbine/wt-07/alarm", event)
            .contains(r#""output":{"code":{"list":[1,null]},"raw":"01ab"}"#)
    );
}

#[test]
fn selected_columns_stand_in_for_the_body_and_a_doubtful_clock_is_named() {
    let (message, things) =
        (Message { time: AT, body: Body::Report(Report { device: DeviceIx(0), values: vec![] }) }, things());
    let selected =
        Selected { columns: ["speed".into(), "n".into()].into(), values: vec![Value::Float(7.5), Value::Null] };
    let rendered =
        Rendered { selected: Some(&selected), clock: ClockState::Unset, ..Rendered::new(&message, &things, None) };
    let expected = r#"{"subject":"property/wind-turbine/wt-07","time":"2026-11-23T09:00:00.500Z","clock":"unset","values":{"speed":7.5,"n":null}}"#;
    assert_eq!(serde_json::to_string(&rendered).expect("JSON"), expected);
}
