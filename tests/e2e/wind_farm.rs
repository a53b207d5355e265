//! The wind farm's site as it is, with turbines that speak OPC UA.

use super::seen::{expect, online};
use harness::{Gateway, Turbines, WindFarm};

#[test]
fn turbines_over_opc_ua_tell_take_orders_and_come_back() {
    let farm = WindFarm::new();
    let gateway = Gateway::run(&farm.copy.path);
    let mut turbines = Turbines::start(farm.opcua);
    for turbine in ["wt-11", "wt-12"] {
        online(&gateway, turbine, "online");
        expect(&gateway, turbine, "active_power", 1500.0);
        expect(&gateway, turbine, "energy_total", 123_456.5);
        expect(&gateway, turbine, "state", 2);
    }
    turbines.set("WTG12.WindSpeed", 11.5);
    expect(&gateway, "wt-12", "wind_speed", 11.5);
    expect(&gateway, "wt-11", "wind_speed", 8.0);

    let set = gateway.cli(&["device", "set", "wt-11", "power_limit", "1800"]);
    assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
    expect(&gateway, "wt-11", "power_limit", 1800.0);
    let called = gateway.cli(&["device", "call", "wt-12", "stop", "mode=emergency"]);
    assert!(called.status.success(), "{}", String::from_utf8_lossy(&called.stderr));
    assert_eq!(turbines.calls(), "WTG12.Stop(1)");

    for _ in 0..3 {
        drop(turbines);
        online(&gateway, "wt-11", "offline");
        turbines = Turbines::start(farm.opcua);
        online(&gateway, "wt-11", "online");
        turbines.set("WTG11.WindSpeed", 9.25);
        expect(&gateway, "wt-11", "wind_speed", 9.25);
    }
}
