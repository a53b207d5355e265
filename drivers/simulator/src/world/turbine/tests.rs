use super::*;

const STOPPED: f64 = 0.0;

fn air(wind_mps: f64) -> Air {
    Air { wind_mps, direction_deg: 240.0, temperature_c: 12.0 }
}

/// A turbine without bad luck in a steady wind.
fn after(mut turbine: Turbine, wind_mps: f64, seconds: u32) -> Turbine {
    for _ in 0..seconds * 5 {
        turbine.step(0.2, air(wind_mps));
        turbine.spare();
    }
    turbine
}

fn running(wind_mps: f64) -> Turbine {
    let turbine = after(Turbine::new(1, 1), wind_mps, 600);
    assert_eq!(turbine.state, State::Production);
    turbine
}

#[test]
fn it_starts_in_wind_and_not_in_a_calm_or_a_storm() {
    assert_eq!(after(Turbine::new(1, 1), 2.0, 600).state, State::Stopped);
    assert_eq!(after(Turbine::new(1, 1), 5.0, 600).state, State::Production);
    let stormy = Turbine { steady_mps: 27.0, ..Turbine::new(1, 1) };
    assert_eq!(after(stormy, 27.0, 600).state, State::Stopped);
}

#[test]
fn after_a_storm_it_waits_for_less_wind() {
    let cut_out = after(running(20.0), 27.0, 300);
    assert_eq!(cut_out.state, State::Stopped);
    let waiting = after(cut_out, 23.5, 300);
    assert_eq!(waiting.state, State::Stopped);
    assert_eq!(after(waiting, 18.0, 300).state, State::Production);
}

#[test]
fn a_limit_is_obeyed_at_once_and_shown_as_derated() {
    let mut turbine = running(14.0);
    turbine.set_limit(1200.0);
    assert!(turbine.active_power_kw() <= 1200.0);
    for _ in 0..600 {
        turbine.step(0.2, air(14.0));
        assert!(turbine.active_power_kw() <= 1200.0);
    }
    assert_eq!(turbine.state, State::Derated);
    assert_eq!(after(Turbine { limit_kw: RATED_KW, ..turbine }, 14.0, 60).state, State::Production);
}

#[test]
fn it_stops_and_starts_on_command() {
    let mut turbine = running(9.0);
    turbine.command(2);
    assert_eq!(turbine.state, State::Stopped);
    turbine = after(turbine, 9.0, 120);
    assert_eq!((f64::from(turbine.state as u8), turbine.active_power_kw()), (STOPPED, -OWN_USE_KW));
    turbine.command(1);
    assert_eq!(after(turbine, 9.0, 300).state, State::Production);
}

#[test]
fn an_emergency_stop_leaves_the_grid_at_once() {
    let mut turbine = running(13.0);
    turbine.command(3);
    turbine.step(0.2, air(13.0));
    assert_eq!((turbine.rotor.connected, turbine.active_power_kw()), (false, -OWN_USE_KW));
}

#[test]
fn hot_oil_warns_and_then_stops_the_turbine_until_it_is_cool_and_reset() {
    let mut turbine = running(14.0);
    turbine.gearbox.block();
    let mut alarms = vec![];
    for _ in 0..2 * 18_000 {
        turbine.step(0.2, air(14.0));
        if alarms.last() != Some(&turbine.alarm) {
            alarms.push(turbine.alarm);
        }
        if turbine.state == State::Fault {
            break;
        }
    }
    assert_eq!(alarms, [0, OIL_WARM, OIL_TOO_HOT]);
    turbine.command(4);
    assert_eq!(turbine.state, State::Fault, "the oil is still hot");
    turbine.gearbox.oil_c = 60.0;
    turbine.command(4);
    assert_eq!((turbine.state, turbine.alarm), (State::Stopped, 0));
    assert_eq!(after(turbine, 14.0, 300).state, State::Production);
}

#[test]
fn a_fault_nobody_resets_is_repaired_in_the_end() {
    let mut turbine = running(9.0);
    turbine.fail(CONVERTER_TRIPPED);
    turbine.step(0.2, air(9.0));
    assert_eq!((turbine.state, turbine.alarm, turbine.rotor.connected), (State::Fault, CONVERTER_TRIPPED, false));
    let mut states = vec![];
    for _ in 0..5 * 1800 {
        turbine.step(0.2, air(9.0));
        if states.last() != Some(&turbine.state) {
            states.push(turbine.state);
        }
        if turbine.state == State::Production {
            break;
        }
    }
    use State::{Fault, Maintenance, Production, Starting, Stopped};
    assert_eq!(states, [Fault, Maintenance, Stopped, Starting, Production]);
    assert_eq!(turbine.alarm, 0);
}

#[test]
fn bad_luck_comes_a_few_times_a_day() {
    let mut turbine = Turbine::new(1, 1);
    let mut faults = 0;
    for _ in 0..10 * 86_400 {
        let before = turbine.state;
        turbine.step(1.0, air(11.0));
        faults += u32::from(before != State::Fault && turbine.state == State::Fault);
    }
    assert!((15..100).contains(&faults), "{faults} in ten days");
}
