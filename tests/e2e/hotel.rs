//! The hotel's site as it is, with things that speak Zigbee2MQTT's MQTT, HTTP and CoAP.

use harness::{Gateway, HotelSite, HotelThings, wait_for};
use serde_json::Value as Json;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

/// Waits until a property has this value, and is good.
fn expect(gateway: &Gateway, device: &str, property: &str, value: impl Into<Json>) {
    let value = value.into();
    wait_for(&format!("{device}.{property} to be {value}"), SOON, || {
        let read = gateway.property(device, property);
        let same = match (read["value"].as_f64(), value.as_f64()) {
            (Some(read), Some(wanted)) => (read - wanted).abs() < 1e-3,
            _ => read["value"] == value,
        };
        (same && read["quality"] == "good").then_some(())
    });
}

#[test]
fn things_of_three_protocols_are_read_told_and_set() {
    let site = HotelSite::new();
    let gateway = Gateway::run(&site.path);
    let mut things = HotelThings::start(&site);
    expect(&gateway, "balcony-301", "contact", true);
    expect(&gateway, "balcony-301", "link_quality", 124);
    expect(&gateway, "meter-kitchen", "active_power", 2760.0);
    expect(&gateway, "meter-kitchen", "voltage_l2", 231.0);
    expect(&gateway, "meter-kitchen", "energy_import", 123_456.789);
    expect(&gateway, "thermostat-lobby", "temperature", 21.5);
    expect(&gateway, "thermostat-lobby", "valve", 40.0);

    things.say("contact balcony-301 open");
    expect(&gateway, "balcony-301", "contact", false);
    things.say("temperature 23.25");
    expect(&gateway, "thermostat-lobby", "temperature", 23.25);
    let set = gateway.cli(&["device", "set", "thermostat-lobby", "setpoint", "19.5"]);
    assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
    assert_eq!(things.setpoint(), 19.5);
    expect(&gateway, "thermostat-lobby", "setpoint", 19.5);
}

#[test]
fn things_that_go_are_offline_and_come_back_by_themselves() {
    let site = HotelSite::new();
    // A thermostat that has gone is missed when it is asked.
    site.edit("devices/field.toml", "poll = \"1m\"", "poll = \"1s\"");
    let gateway = Gateway::run(&site.path);
    for round in 0..3 {
        let things = HotelThings::start(&site);
        for device in ["balcony-301", "meter-kitchen", "thermostat-lobby"] {
            online(&gateway, device, "online");
        }
        expect(&gateway, "thermostat-lobby", "temperature", 21.5);
        drop(things);
        for device in ["balcony-301", "meter-kitchen", "thermostat-lobby"] {
            online(&gateway, device, "offline");
        }
        assert_eq!(gateway.property("balcony-301", "contact")["value"], true, "round {round}: it keeps its last value");
    }
}

/// Waits until a device is in this state.
fn online(gateway: &Gateway, device: &str, state: &str) {
    wait_for(&format!("{device} to be {state}"), 3 * SOON, || {
        let read = gateway.json(&["device", "get", device]);
        (read["state"] == state).then_some(())
    });
}
