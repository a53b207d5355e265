use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn number(world: &World, unit: u8, property: &str) -> f64 {
    world.get(unit, property).and_then(|value| value.as_f64()).expect("a property of this unit")
}

/// Every value of every unit, bit by bit.
fn bits(world: &World) -> Vec<u64> {
    let values = world.units().flat_map(|(unit, _)| world.properties(unit));
    values.map(|(_, value)| value.as_f64().expect("all properties are numbers").to_bits()).collect()
}

fn after(mut world: World, duration: Duration) -> World {
    world.step(duration);
    world
}

#[test]
fn the_same_seed_gives_the_same_values_bit_by_bit() {
    let minutes = Duration::from_secs(300);
    assert_eq!(bits(&after(World::wind_farm(1, 3), minutes)), bits(&after(World::wind_farm(1, 3), minutes)));
    assert_eq!(bits(&after(World::hotel(1, 3), minutes)), bits(&after(World::hotel(1, 3), minutes)));
    assert_ne!(bits(&after(World::wind_farm(1, 3), minutes)), bits(&after(World::wind_farm(2, 3), minutes)));
    assert_ne!(bits(&after(World::hotel(1, 3), minutes)), bits(&after(World::hotel(2, 3), minutes)));
}

#[test]
fn it_makes_no_difference_how_time_is_cut() {
    let mut world = World::wind_farm(1, 2);
    (0..1000).for_each(|_| world.step(Duration::from_millis(30)));
    assert_eq!(bits(&world), bits(&after(World::wind_farm(1, 2), 30 * SECOND)));
    assert_eq!(bits(&world), bits(&after(World::wind_farm(1, 2).speed(10.0), 3 * SECOND)));
    assert_eq!(world.time(), 30 * SECOND);
}

#[test]
fn one_more_turbine_does_not_change_the_weather() {
    let pressure = |turbines| number(&World::wind_farm(1, turbines), 20, "air_pressure");
    assert_eq!(pressure(2), pressure(5));
}

#[test]
fn units_are_numbered_as_the_register_map_says() {
    let units: Vec<_> = World::wind_farm(1, 8).units().collect();
    assert_eq!((units.len(), units[0], units[8]), (9, (1, Kind::Turbine), (20, Kind::Mast)));
    let units: Vec<_> = World::hotel(1, 12).units().collect();
    assert_eq!((units.len(), units[11], units[12]), (13, (12, Kind::Room), (50, Kind::Meter)));
    assert_eq!(World::wind_farm(1, 255).units().count(), usize::from(TURBINES_MAX) + 1);
}

#[test]
fn every_value_stays_within_its_model_for_a_day() {
    let mut world = World::wind_farm(4, 2);
    for _ in 0..24 * 360 {
        world.step(10 * SECOND);
        within(&world, 1, &[("wind_speed", 0.0, 60.0), ("active_power", -100.0, 3000.0), ("rotor_speed", 0.0, 25.0)]);
        within(&world, 1, &[("generator_speed", 0.0, 2200.0), ("pitch_angle", -5.0, 95.0), ("state", 0.0, 5.0)]);
        within(&world, 1, &[("gear_oil_temperature", -40.0, 100.0), ("nacelle_direction", 0.0, 360.0)]);
        within(
            &world,
            20,
            &[("humidity", 0.0, 100.0), ("air_pressure", 900.0, 1100.0), ("wind_direction", 0.0, 360.0)],
        );
    }
    let mut world = World::hotel(4, 3);
    for _ in 0..24 * 360 {
        world.step(10 * SECOND);
        within(&world, 1, &[("temperature", 0.0, 40.0), ("humidity", 0.0, 100.0), ("power", 0.0, 2000.0)]);
        within(&world, 50, &[("voltage_l1", 210.0, 250.0), ("current_l1", 0.0, 200.0), ("frequency", 49.5, 50.5)]);
    }
}

fn within(world: &World, unit: u8, ranges: &[(&str, f64, f64)]) {
    for (property, low, high) in ranges {
        let found = number(world, unit, property);
        assert!((*low..=*high).contains(&found), "{property} of unit {unit} is {found} at {:?}", world.time());
    }
}

#[test]
fn over_a_day_power_follows_the_cube_of_the_wind() {
    let mut world = World::wind_farm(7, 4);
    let (mut power, mut ideal, mut seconds) = (0.0, 0.0, 0);
    for _ in 0..24 * 3600 {
        world.step(SECOND);
        for unit in 1..=4 {
            let wind = number(&world, unit, "wind_speed");
            if number(&world, unit, "state") == 2.0 && (4.0..11.0).contains(&wind) {
                power += number(&world, unit, "active_power");
                ideal += 3000.0 * (wind / 12.0_f64).powi(3);
                seconds += 1;
            }
        }
    }
    assert!(seconds > 24 * 3600, "the farm ran for {seconds} turbine seconds only");
    assert!((0.88..1.08).contains(&(power / ideal)), "{}", power / ideal);
}

#[test]
fn the_wind_of_a_turbine_reaches_the_one_behind_it_later() {
    let mut world = World::wind_farm(3, 8);
    let mut winds = [vec![], vec![]];
    for _ in 0..7200 {
        world.step(SECOND);
        winds[0].push(number(&world, 1, "wind_speed"));
        winds[1].push(number(&world, 7, "wind_speed"));
    }
    let alike = |lag: usize| correlation(&winds[0][..7200 - lag], &winds[1][lag..]);
    let lag = (0..400).max_by(|a, b| alike(*a).total_cmp(&alike(*b))).expect("there are lags");
    assert!((60..300).contains(&lag), "1350 m at about 9 m/s take {lag} s");
    assert!((0.4..0.98).contains(&alike(lag)) && alike(lag) > alike(0) + 0.1, "{} {}", alike(lag), alike(0));
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |numbers: &[f64]| numbers.iter().sum::<f64>() / numbers.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let product = |x: &[f64], mean_x: f64, y: &[f64], mean_y: f64| -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - mean_x) * (y - mean_y)).sum()
    };
    product(a, mean_a, b, mean_b) / (product(a, mean_a, a, mean_a) * product(b, mean_b, b, mean_b)).sqrt()
}

#[test]
fn energy_counters_never_run_backwards() {
    let mut farm = World::wind_farm(2, 2);
    let mut hotel = World::hotel(2, 2);
    let read = |farm: &World, hotel: &World| {
        [(farm, 1, "energy_total"), (farm, 2, "energy_total"), (hotel, 1, "energy_total"), (hotel, 50, "energy_import")]
            .map(|(world, unit, property)| number(world, unit, property))
    };
    let first = read(&farm, &hotel);
    let mut before = first;
    for _ in 0..3600 {
        farm.step(SECOND);
        hotel.step(SECOND);
        let now = read(&farm, &hotel);
        assert!(now.iter().zip(before).all(|(now, before)| *now >= before), "{before:?} then {now:?}");
        before = now;
    }
    assert!(before.iter().zip(first).all(|(now, first)| *now > first + 0.05), "{first:?} then {before:?}");
}

#[test]
fn the_meter_shows_what_the_rooms_draw() {
    let world = after(World::hotel(5, 12), 60 * SECOND);
    let rooms: f64 = (1..=12).map(|unit| number(&world, unit, "power")).sum();
    assert!((number(&world, 50, "active_power") - rooms).abs() < 1e-6);
    let apparent: f64 = ["1", "2", "3"]
        .map(|phase| {
            number(&world, 50, &format!("voltage_l{phase}")) * number(&world, 50, &format!("current_l{phase}"))
        })
        .iter()
        .sum();
    let ratio = rooms / apparent;
    assert!((ratio - number(&world, 50, "power_factor")).abs() < 0.01, "{ratio}");
}

#[test]
fn in_half_a_minute_something_happens_in_a_hotel() {
    let mut quiet = 0;
    for seed in 0..20 {
        let mut world = World::hotel(seed, 12);
        let seen = |world: &World| -> Vec<Option<Value>> {
            (1..=12)
                .flat_map(|unit| ["key_card", "window_open", "presence"].map(|what| world.get(unit, what)))
                .collect()
        };
        let before = seen(&world);
        world.step(30 * SECOND);
        quiet += u32::from(seen(&world) == before);
    }
    assert!(quiet <= 4, "nothing happened in {quiet} of 20 hotels");
}

#[test]
fn faster_guests_do_not_warm_the_walls_faster() {
    let doors = |pace: f64| {
        let mut world = World::hotel(1, 4).guest_pace(pace);
        let (mut changes, mut before) = (0, vec![]);
        for _ in 0..600 {
            world.step(SECOND);
            let now: Vec<_> = (1..=4).map(|unit| world.get(unit, "key_card")).collect();
            changes += u32::from(now != before);
            before = now;
        }
        changes
    };
    assert!(doors(0.0) == 1 && doors(600.0) > 4 * doors(30.0), "{} {}", doors(30.0), doors(600.0));
}

#[test]
fn what_cannot_be_set_is_refused_with_the_reason() {
    let mut world = World::wind_farm(1, 1);
    let mut refusal = |unit, property: &str, value: Value| {
        world.set(unit, property, value).expect_err("it must be refused").to_string()
    };
    assert_eq!(refusal(9, "power_limit", 1.0.into()), "there is no unit 9");
    assert_eq!(refusal(1, "setpoint", 20.0.into()), "a turbine has no property `setpoint`");
    assert_eq!(refusal(1, "wind_speed", 5.0.into()), "`wind_speed` cannot be set");
    assert_eq!(refusal(1, "power_limit", 3001.0.into()), "`power_limit` takes 0 to 3000, not 3001");
    assert_eq!(refusal(1, "power_limit", 10.5.into()), "`power_limit` takes a whole number, not 10.5");
    assert_eq!(refusal(1, "power_limit", "low".into()), "`power_limit` takes a number, not `low`");
    assert_eq!(refusal(1, "power_limit", f64::NAN.into()), "`power_limit` takes 0 to 3000, not NaN");
}
