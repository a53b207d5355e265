//! The example scripts do what their titles say.

use super::site::Site;
use edgeway_sdk::Quality;
use edgeway_thing_models::Online;

fn example(name: &str) -> Site {
    example_at(super::site::NOON, name)
}

fn example_at(time: &str, name: &str) -> Site {
    let path = format!("{}/examples/{name}.rhai", env!("CARGO_MANIFEST_DIR"));
    let site = Site::starting_at(time, &std::fs::read_to_string(path).expect("the example exists"));
    assert_eq!(site.warnings, vec![]);
    site
}

#[test]
fn a_key_card_makes_the_room_ready_step_by_step() {
    let mut site = example("hotel-welcome");
    site.report("room-301", "key_card", false);
    site.report("room-301", "temperature", 28.0);
    site.report("room-301", "key_card", true);
    let ready = [
        "room-301.main_power = true",
        "room-301.light_scene = 1",
        "room-301.ac_power = true",
        "room-301.setpoint = 24",
    ];
    assert_eq!(site.done(), ready);
    site.advance("3s");
    assert_eq!(site.done(), ["room-301.curtain = 100"]);
    site.advance("10m");
    assert_eq!(site.done(), ["room-301.light_scene = 2"]);
}

#[test]
fn each_room_has_its_own_closure() {
    let mut site = example("hotel-welcome");
    for (room, temperature) in [("room-301", 20.0), ("room-302", 30.0)] {
        site.report(room, "key_card", false);
        site.report(room, "temperature", temperature);
    }
    site.report("room-301", "key_card", true);
    assert_eq!(site.done()[3], "room-301.setpoint = 22");
    site.report("room-302", "key_card", true);
    assert_eq!(site.done()[3], "room-302.setpoint = 24");
}

#[test]
fn a_card_that_is_back_within_30_seconds_changes_nothing() {
    let mut site = example("hotel-welcome");
    site.report("room-301", "main_power", true);
    site.report("room-301", "key_card", true);
    site.report("room-301", "key_card", false);
    site.advance("29s");
    site.report("room-301", "key_card", true);
    site.done();
    site.advance("1m");
    assert_eq!(site.done(), ["room-301.curtain = 100"]);
    site.report("room-301", "key_card", false);
    site.advance("30s");
    let off = [
        "room-301.light_scene = 0",
        "room-301.ac_power = false",
        "room-301.curtain = 0",
        "room-301.main_power = false",
    ];
    assert_eq!(site.done(), off);
    site.advance("20m");
    assert_eq!(site.done(), [""; 0]);
}

#[test]
fn an_open_window_pauses_the_air_conditioning() {
    let mut site = example("hotel-window");
    site.report("room-301", "key_card", true);
    site.report("room-301", "ac_power", true);
    site.report("room-301", "window_open", false);
    site.report("room-301", "window_open", true);
    site.advance("59s");
    assert_eq!(site.done(), [""; 0]);
    site.advance("1s");
    assert_eq!(
        site.done(),
        ["room-301.ac_power = false", "room-panel: room-301: window open, air conditioning paused"]
    );
    site.report("room-301", "ac_power", false);
    site.report("room-301", "window_open", false);
    assert_eq!(site.done(), ["room-301.ac_power = true"]);
}

#[test]
fn an_empty_room_is_cooler_at_night() {
    let mut site = example_at("2026-01-10T22:00:00+01:00", "hotel-night");
    for (room, present) in [("room-301", false), ("room-302", true)] {
        site.report(room, "presence", present);
        site.report(room, "setpoint", 21.0);
    }
    site.advance("59m");
    assert_eq!(site.done(), [""; 0]);
    site.advance("1m");
    assert_eq!(site.done(), ["room-301.setpoint = 18"]);
    site.report("room-301", "setpoint", 18.0);
    site.report("room-302", "presence", false);
    site.advance("30m");
    assert_eq!(site.done(), ["room-302.setpoint = 18"]);
    site.report("room-302", "setpoint", 18.0);
    site.report("room-302", "presence", true);
    assert_eq!(site.done(), ["room-302.setpoint = 21"]);
    site.report("room-302", "setpoint", 21.0);
    site.advance("7h");
    assert_eq!(site.done(), ["room-301.setpoint = 21"]);
}

fn hot_turbine() -> Site {
    let mut site = example("wind-gear-oil");
    site.report("wt-01", "state", 2);
    site.report("wt-01", "power_limit", 3000);
    site.report("wt-01", "gear_oil_temperature", 70.0);
    site.report("wt-01", "gear_oil_temperature", 76.0);
    site
}

#[test]
fn hot_oil_derates_after_ten_minutes_and_cool_oil_gives_the_power_back() {
    let mut site = hot_turbine();
    for _ in 0..9 {
        site.advance("1m");
        site.report("wt-01", "gear_oil_temperature", 77.5);
    }
    assert_eq!(site.done(), [""; 0]);
    site.advance("1m");
    assert_eq!(site.done(), ["wt-01.power_limit = 2000", "scada: wt-01: derated, gear oil 77.5 °C"]);
    site.report("wt-01", "power_limit", 2000);
    site.report("wt-01", "gear_oil_temperature", 64.0);
    site.advance("10m");
    assert_eq!(site.done(), ["wt-01.power_limit = 3000"]);
}

#[test]
fn data_that_stopped_coming_does_not_derate() {
    let mut site = hot_turbine();
    site.advance("15m");
    assert_eq!(site.done(), [""; 0]);
    assert_eq!(site.verdicts("wt-01.gear-oil-hot"), ["declined"]);
}

#[test]
fn ninety_degrees_stop_the_turbine_at_once() {
    let mut site = hot_turbine();
    site.turn("wt-01", Online::Online);
    site.report("wt-01", "gear_oil_temperature", 90.0);
    assert_eq!(site.done(), ["wt-01.stop(mode: 0)", "on-call: wt-01: stopped, gear oil at 90 °C"]);
}

#[test]
fn the_farm_limit_is_shared_among_those_that_produce() {
    let mut site = example_at("2026-08-01T10:59:00+02:00", "wind-curtailment");
    for turbine in ["wt-01", "wt-02", "wt-03", "wt-04"] {
        site.report(turbine, "state", 2);
        site.turn(turbine, Online::Online);
    }
    site.report("wt-05", "state", 4);
    site.advance("1m");
    let shares = [
        "wt-01.power_limit = 2000",
        "wt-02.power_limit = 2000",
        "wt-03.power_limit = 2000",
        "wt-04.power_limit = 2000",
    ];
    assert_eq!(site.done()[..4], shares);
    site.turn("wt-02", Online::Offline);
    site.report_quality("wt-02", "state", 2, Quality::Stale);
    site.advance("30s");
    let shares = [
        "on-call: wt-02: no contact",
        "wt-01.power_limit = 2666",
        "wt-03.power_limit = 2666",
        "wt-04.power_limit = 2666",
    ];
    assert_eq!(site.done()[..4], shares);
    site.advance("4h");
    assert_eq!(site.done().len(), 8);
}

#[test]
fn a_lost_turbine_outside_of_the_hours_is_only_told() {
    let mut site = example_at("2026-08-01T09:00:00+02:00", "wind-curtailment");
    site.turn("wt-02", Online::Online);
    site.turn("wt-02", Online::Offline);
    site.advance("1m");
    assert_eq!(site.done(), ["on-call: wt-02: no contact"]);
    assert_eq!(site.verdicts("farm.curtail"), ["declined"]);
}

#[test]
fn high_wind_and_a_silent_mast_are_told() {
    let mut site = example("wind-high-wind");
    site.report("mast-01", "wind_speed", 21.5);
    site.advance("1m");
    assert_eq!(site.done(), ["on-site: mast-01: 21.5 m/s, nobody climbs"]);
    site.advance("5m");
    assert_eq!(site.done(), ["on-site: mast-01: no wind data, nobody climbs"]);
}
