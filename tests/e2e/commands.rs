//! Commands of people and of the cloud take the same way.

use super::plant::{OUTPUT, Plant, SOON, value};

#[test]
fn the_command_line_sets_a_property_and_reads_it_back() {
    let mut plant = Plant::start();
    plant.cloud.wait_for("values", SOON, |message| value(message, "probe-2", "output").is_some());
    let set = plant.gateway.json(&["device", "set", "probe-2", "output", "42"]);
    assert_eq!(set["state"], "applied");
    assert_eq!(plant.modbus.get(2, OUTPUT), 42);

    let refused = plant.gateway.cli(&["device", "set", "probe-2", "output", "101"]);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1));
    assert!(text.contains("100 %"), "the maximum is named: {text}");
    assert_eq!(plant.modbus.get(2, OUTPUT), 42, "nothing was written");

    let unknown = plant.gateway.cli(&["device", "set", "probe-2", "outptu", "1"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("did you mean `output`"));
}

#[test]
fn the_cloud_sets_a_property_once_and_gets_the_result() {
    let mut plant = Plant::start();
    plant.cloud.wait_for("values", SOON, |message| value(message, "probe-1", "output").is_some());
    let reply = |command: &'static str| {
        move |message: &harness::Message| {
            message.topic == "edgeway/replies/probe-1" && message.json["command"] == command
        }
    };

    plant.broker.publish("commands/probe-1", r#"{"id": "a", "set": {"output": 17}, "within": "5s"}"#);
    let answer = plant.cloud.wait_for("the result", SOON, reply("a"));
    assert_eq!((&answer.json["state"], &answer.json["result"]), (&"applied".into(), &17.into()));
    assert_eq!(plant.modbus.get(1, OUTPUT), 17);

    plant.modbus.set(1, OUTPUT, &[3]);
    plant.broker.publish("commands/probe-1", r#"{"id": "a", "set": {"output": 17}}"#);
    let again = plant.cloud.wait_for_new("the result of the repeat", SOON, reply("a"));
    assert_eq!(again.json["state"], "applied");
    assert_eq!(plant.modbus.get(1, OUTPUT), 3, "the same id is not applied twice");

    plant
        .broker
        .publish("commands/probe-1", r#"{"id": "late", "set": {"output": 9}, "deadline": "2020-01-01T00:00:00Z"}"#);
    let late = plant.cloud.wait_for("the result of the late one", SOON, reply("late"));
    assert_eq!(late.json["state"], "expired");
    assert_eq!(plant.modbus.get(1, OUTPUT), 3, "a late command is never applied");
}
