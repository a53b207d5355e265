//! The hotel's site as it is, with things that speak Zigbee2MQTT's MQTT, HTTP and CoAP.

use super::seen::{expect, online};
use harness::{Gateway, HotelSite, HotelThings};

#[test]
fn things_of_three_protocols_are_read_told_and_set() {
    let site = HotelSite::new();
    let gateway = Gateway::run(&site.copy.path);
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
    site.copy.edit("devices/field.toml", "poll = \"1m\"", "poll = \"1s\"");
    let gateway = Gateway::run(&site.copy.path);
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
