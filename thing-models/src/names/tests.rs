use super::*;
use crate::message::{
    Action, Body, Command, CommandRecord, CommandState, Message, Observation, Online, Origin, Report, Status,
};
use crate::things::{Device, PropertyIx, ServiceIx};
use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};

/// A model with properties `name:unit` and one service.
fn model(name: &str, properties: &[&str]) -> Model {
    let property = |text: &&str| {
        let (identifier, unit) = text.split_once(':').expect("name:unit");
        format!(
            r#"{{"identifier":"{identifier}","name":"x","accessMode":"rw","dataType":{{"type":"int","specs":{{"unit":"{unit}"}}}}}}"#
        )
    };
    let properties: Vec<String> = properties.iter().map(property).collect();
    let text = format!(
        r#"{{"properties":[{}],"services":[{{"identifier":"reset","name":"x","callType":"sync","inputData":[],"outputData":[]}}]}}"#,
        properties.join(",")
    );
    Model::parse(name, &text).expect("valid")
}

fn site(model: Model, devices: &[&str]) -> Things {
    let mut things = Things::default();
    add(&mut things, model, devices);
    things
}

fn add(things: &mut Things, model: Model, devices: &[&str]) {
    let model = things.add_model(Arc::new(model));
    for id in devices {
        things.add_device(Device { id: (*id).into(), model, labels: Default::default() }).expect("a new id");
    }
}

fn report(device: u32, property: u16) -> Message {
    let value = Observation {
        property: PropertyIx(property),
        value: Value::Int(7),
        quality: Quality::Good,
        source_time: Timestamp::EPOCH,
    };
    Message { time: Timestamp::EPOCH, body: Body::Report(Report { device: DeviceIx(device), values: vec![value] }) }
}

/// What a report is about, in names: subject, property and unit.
fn meaning(message: &Message, things: &Things) -> (String, String, Option<String>) {
    let Body::Report(report) = &message.body else { panic!("a report") };
    let property = things.property(report.device, report.values[0].property);
    (message.subject(things), property.identifier.to_string(), property.data_type.unit().map(|unit| unit.to_string()))
}

/// Loads a new site that remembers an old one, and reads an old message there.
fn read(old: &Things, new: &mut Things, message: Message) -> Option<Message> {
    let names = Names::of(old);
    new.remember(&names);
    Translator::new(&names, new).translate(message)
}

fn ids(things: &Things) -> Vec<(&str, bool)> {
    things.devices().map(|(ix, device)| (&*device.id, things.is_retired(ix))).collect()
}

#[test]
fn nothing_changes_where_nothing_has_moved() {
    let old = site(model("pump", &["a:V", "b:A"]), &["p1", "p2"]);
    let mut new = site(model("pump", &["a:V", "b:A", "c:W"]), &["p1", "p2", "p3"]);
    assert_eq!(read(&old, &mut new, report(1, 1)), Some(report(1, 1)));
    assert_eq!(ids(&new), [("p1", false), ("p2", false), ("p3", false)]);
}

#[test]
fn what_has_moved_is_renumbered() {
    let old = site(model("pump", &["a:V", "b:A"]), &["p1", "p2"]);
    let mut new = site(model("pump", &["b:A", "x:W", "a:V"]), &["p2", "p0", "p1"]);
    assert_eq!(read(&old, &mut new, report(0, 0)), Some(report(2, 2)));
    assert_eq!(read(&old, &mut new, report(1, 1)), Some(report(0, 0)));
}

#[test]
fn a_device_that_is_gone_keeps_its_subject() {
    let old = site(model("pump", &["a:V"]), &["p1", "p2"]);
    let mut new = site(model("pump", &["a:V"]), &["p1"]);
    let message = read(&old, &mut new, report(1, 0)).expect("remembered");
    assert_eq!(meaning(&message, &new), ("property/pump/p2".into(), "a".into(), Some("V".into())));
    assert_eq!(ids(&new), [("p1", false), ("p2", true)]);
    assert_eq!(new.device_ix("p2"), None);
    assert_eq!(new.models().len(), 1, "the model is still there and is used");
    assert_eq!(new.current_devices().count(), 1);
}

#[test]
fn a_lost_property_or_a_changed_unit_gets_the_device_a_retired_twin() {
    let old = site(model("pump", &["a:V", "b:A", "c:W"]), &["p1"]);
    let mut new = site(model("pump", &["c:kW", "a:V"]), &["p1"]);
    let seen: Vec<_> =
        (0..3).map(|property| meaning(&read(&old, &mut new, report(0, property)).expect("kept"), &new)).collect();
    let expected = [("a", "V"), ("b", "A"), ("c", "W")];
    assert_eq!(
        seen,
        expected.map(|(name, unit)| ("property/pump/p1".to_owned(), name.to_owned(), Some(unit.to_owned())))
    );
    assert_eq!(new.device_ix("p1"), Some(DeviceIx(0)), "the current one wins");
    assert_eq!(new.model_ix("pump"), Some(ModelIx(0)));
    assert_eq!(ids(&new), [("p1", false), ("p1", true)], "one twin for all");
    assert_eq!(new.current_models().count(), 1);
}

#[test]
fn a_device_of_another_model_now_gets_a_retired_twin() {
    let old = site(model("pump", &["a:V"]), &["d"]);
    let mut new = site(model("fan", &["a:V"]), &["d"]);
    let message = read(&old, &mut new, report(0, 0)).expect("remembered");
    assert_eq!(meaning(&message, &new).0, "property/pump/d");
}

#[test]
fn a_retired_device_vanishes_with_the_last_record_that_was_made_before_it_retired() {
    let first = site(model("pump", &["a:V"]), &["p1", "p2"]);
    let mut second = site(model("pump", &["a:V"]), &["p1"]);
    second.remember(&Names::of(&first));
    let mut third = site(model("pump", &["a:V"]), &["p1"]);
    third.remember(&Names::of(&second));
    assert_eq!(ids(&third), [("p1", false)]);
    third.remember(&Names::of(&first));
    assert_eq!(ids(&third), [("p1", false), ("p2", true)]);
    let message = Translator::new(&Names::of(&second), &third).translate(report(1, 0)).expect("known again");
    assert_eq!(message.subject(&third), "property/pump/p2");
}

#[test]
fn other_kinds_of_messages_are_renumbered_too() {
    let old = site(model("pump", &["a:V"]), &["p1", "p2"]);
    let mut new = site(model("pump", &["x:V", "a:V"]), &["p2", "p1"]);
    let status = |device| Message {
        time: Timestamp::EPOCH,
        body: Body::Status(Status { device: DeviceIx(device), online: Online::Online, reason: "".into() }),
    };
    let command = |device, action| Message {
        time: Timestamp::EPOCH,
        body: Body::Command(CommandRecord {
            command: Command {
                id: "c".into(),
                device: DeviceIx(device),
                action,
                origin: Origin::Api,
                issued: Timestamp::EPOCH,
                deadline: Timestamp::EPOCH,
            },
            state: CommandState::Accepted,
        }),
    };
    let set = |property| Action::Set { property: PropertyIx(property), value: Value::Int(1) };
    let invoke = |service| Action::Invoke { service: ServiceIx(service), input: vec![] };
    assert_eq!(read(&old, &mut new, status(0)), Some(status(1)));
    assert_eq!(read(&old, &mut new, command(0, set(0))), Some(command(1, set(1))));
    assert_eq!(read(&old, &mut new, command(1, invoke(0))), Some(command(0, invoke(0))));
    assert_eq!(read(&old, &mut new, command(1, invoke(1))), None);
}

#[test]
fn numbers_that_the_names_do_not_have_are_refused() {
    let old = site(model("pump", &["a:V"]), &["p1"]);
    let mut new = site(model("pump", &["a:V"]), &["p1"]);
    assert_eq!(read(&old, &mut new, report(0, 1)), None);
    assert_eq!(read(&old, &mut new, report(1, 0)), None);
    let mut damaged = Names::of(&old);
    damaged.devices[0].model = ModelIx(9);
    damaged.devices[0].id = "elsewhere".into();
    new.remember(&damaged);
    assert_eq!(Translator::new(&damaged, &new).translate(report(0, 0)), None);
}

#[test]
fn names_survive_being_stored() {
    let mut things = site(model("pump", &["a:V", "b:A"]), &["p1"]);
    add(&mut things, model("fan", &["c:W"]), &["f1"]);
    let names = Names::of(&things);
    let stored = serde_json::to_string(&names).expect("names serialise");
    assert_eq!(serde_json::from_str::<Names>(&stored).expect("own form"), names);
}
