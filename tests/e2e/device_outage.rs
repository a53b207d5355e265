//! A device that goes away and comes back.

use super::plant::{Plant, SOON, TEMPERATURE, value};

#[test]
fn a_device_goes_offline_its_values_turn_stale_and_both_recover() {
    let mut plant = Plant::start();
    plant.modbus.set_f32(1, TEMPERATURE, 12.5);
    let good =
        |message: &harness::Message| value(message, "probe-1", "temperature").is_some_and(|v| v["value"] == 12.5);
    let before = plant.cloud.wait_for("the value", SOON, good);
    assert_eq!(plant.quality("probe-1"), "good");

    plant.modbus.kill();
    let status = |word: &'static str| {
        move |message: &harness::Message| {
            message.topic == "edgeway/status/probe/probe-1" && message.json["state"] == word
        }
    };
    plant.cloud.wait_for_new("the device to go offline", SOON, status("offline"));
    let stale =
        |message: &harness::Message| value(message, "probe-1", "temperature").is_some_and(|v| v["quality"] == "stale");
    let stale = plant.cloud.wait_for_new("the value to turn stale", SOON, stale);
    let seen = value(&stale, "probe-1", "temperature").expect("just found");
    assert_eq!(seen["value"], 12.5, "a stale value is still there");
    assert!(seen["time"].as_str() >= value(&before, "probe-1", "temperature").expect("found")["time"].as_str());
    assert!(seen["time"].as_str() < stale.json["time"].as_str(), "it keeps the time when it was measured");
    assert_eq!(plant.quality("probe-1"), "stale");
    let refused = plant.gateway.cli(&["device", "set", "probe-1", "output", "7"]);
    assert_eq!(refused.status.code(), Some(1), "a command for a device that is away fails");

    plant.modbus.restart();
    plant.modbus.set_f32(1, TEMPERATURE, 13.5);
    plant.cloud.wait_for_new("the device to come back", SOON, status("online"));
    harness::wait_for("the value to be good again", SOON, || (plant.quality("probe-1") == "good").then_some(()));
}
