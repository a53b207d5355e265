//! From a register to the cloud and back.

use super::plant::{OUTPUT, Plant, SOON, TEMPERATURE, value};
use std::collections::BTreeMap;
use std::time::Duration;

const WINDOW_MS: i64 = 10_000;

#[test]
fn a_register_arrives_as_a_typed_value_with_unit_source_time_and_quality() {
    let mut plant = Plant::start();
    plant.modbus.set_f32(1, TEMPERATURE, 21.5);
    plant.modbus.set_f32(2, TEMPERATURE, -3.25);
    for (device, expected) in [("probe-1", 21.5), ("probe-2", -3.25)] {
        let wanted =
            |message: &harness::Message| value(message, device, "temperature").is_some_and(|v| v["value"] == expected);
        let message = plant.cloud.wait_for("the value in the cloud", SOON, wanted);
        let seen = value(&message, device, "temperature").expect("just found");
        assert_eq!(message.topic, format!("edgeway/property/probe/{device}"));
        assert_eq!(message.json["subject"], format!("property/probe/{device}"));
        assert_eq!((&seen["unit"], &seen["quality"]), (&"°C".into(), &"good".into()));
        let times = [&seen["time"], &message.json["time"]].map(|time| time.as_str().expect("a time").to_owned());
        assert!(
            times[0].starts_with("20") && times[0].ends_with('Z') && times[0] <= times[1],
            "measured, then received: {times:?}"
        );
    }
    assert_eq!(plant.gateway.stop(), 0);
}

#[test]
fn every_kind_of_register_means_what_the_site_says() {
    let mut plant = Plant::start();
    // -123.4 kW in tenths, low word first; bit 3 set; "wt-07" padded with zeros.
    let power = (-1234_i32) as u32;
    plant.modbus.set(1, 102, &[power as u16, (power >> 16) as u16]);
    plant.modbus.set(1, 104, &[0b1000]);
    plant.modbus.set(1, 110, &[0x7774, 0x2d30, 0x3700, 0]);
    let expected = [("power", serde_json::json!(-123.4)), ("running", true.into()), ("label", "wt-07".into())];
    for (property, expected) in expected {
        let wanted =
            |message: &harness::Message| value(message, "probe-1", property).is_some_and(|v| v["value"] == expected);
        let message = plant.cloud.wait_for(&format!("{property} in the cloud"), SOON, wanted);
        assert_eq!(value(&message, "probe-1", property).expect("just found")["quality"], "good");
    }
}

#[test]
fn every_value_that_is_polled_arrives_and_in_its_order() {
    let mut plant = Plant::start();
    plant.cloud.wait_for("values", SOON, |message| value(message, "probe-1", "temperature").is_some());
    let written: Vec<f64> = (1..=12).map(f64::from).collect();
    for step in &written {
        plant.modbus.set_f32(1, TEMPERATURE, *step as f32);
        // Longer than two polls: each value is read at least once.
        plant.cloud.collect(Duration::from_millis(600));
    }
    plant.cloud.collect(Duration::from_secs(1));
    let mut arrived: Vec<f64> = vec![];
    for message in &plant.cloud.messages {
        let Some(seen) = value(message, "probe-1", "temperature") else { continue };
        assert_eq!(seen["quality"], "good");
        let [source, received] = [&seen["time"], &message.json["time"]].map(time);
        assert!(source <= received && (received - source).total(jiff::Unit::Second).expect("a span") < 1.0);
        let number = seen["value"].as_f64().expect("a number");
        if arrived.last() != Some(&number) {
            arrived.push(number);
        }
    }
    assert_eq!(arrived, [&[0.0], &written[..]].concat());
}

fn time(text: &serde_json::Value) -> jiff::Timestamp {
    text.as_str().and_then(|text| text.parse().ok()).expect("a time")
}

#[test]
fn a_scene_writes_a_register_back() {
    let mut plant = Plant::start();
    plant.modbus.set_f32(1, TEMPERATURE, 20.0);
    let cool =
        |message: &harness::Message| value(message, "probe-1", "temperature").is_some_and(|v| v["value"] == 20.0);
    plant.cloud.wait_for("the cool value", SOON, cool);
    assert_eq!(plant.modbus.get(1, OUTPUT), 0);

    plant.modbus.set_f32(1, TEMPERATURE, 35.0);
    harness::wait_for("the scene's write in pymodbus", SOON, || (plant.modbus.get(1, OUTPUT) == 50).then_some(()));
    let applied = |message: &harness::Message| {
        message.topic.starts_with("edgeway/command/") && message.json["state"] == "applied"
    };
    let command = plant.cloud.wait_for("the command's result", SOON, applied);
    assert_eq!(command.json["device"], "probe-1");
    plant.cloud.wait_for("the scene's firing", SOON, |message| message.topic == "edgeway/scene/probe-1.hot");
    plant.cloud.wait_for("the notice", SOON, |message| message.topic == "edgeway/notify/on-call");
    assert_eq!(plant.modbus.get(2, OUTPUT), 0, "the neighbour is left alone");
}

#[test]
fn a_windows_average_is_that_of_the_values_published() {
    let mut plant = Plant::start();
    let mut windows: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
    for step in 0..140_u16 {
        plant.modbus.set_f32(1, TEMPERATURE, f32::from(step % 17) * 1.25);
        plant.cloud.collect(Duration::from_millis(200));
    }
    plant.cloud.wait_for("a row of a later window", SOON * 2, |message| message.topic == "edgeway/stream/mean");
    plant.cloud.collect(Duration::from_secs(15));

    let mut published: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for message in &plant.cloud.messages {
        let Some(seen) = value(message, "probe-1", "temperature").filter(|seen| seen["quality"] == "good") else {
            continue;
        };
        let window = time(&seen["time"]).as_millisecond() / WINDOW_MS * WINDOW_MS;
        published.entry(window).or_default().push(seen["value"].as_f64().expect("a number"));
    }
    for message in plant.cloud.messages.iter().filter(|message| message.topic == "edgeway/stream/mean") {
        let row = &message.json["values"];
        if row["device"] == "probe-1" {
            let start = row["window_start"].as_i64().expect("milliseconds");
            let known =
                windows.insert(start, (row["mean"].as_f64().expect("a number"), row["n"].as_f64().expect("a number")));
            assert!(known.is_none(), "a window has come out twice");
        }
    }
    assert!(windows.len() >= 2, "28 s hold two whole windows: {windows:?}");
    for (start, (mean, n)) in &windows {
        let values = &published[start];
        assert_eq!(values.len() as f64, *n, "values in the window of {start}");
        let expected = values.iter().sum::<f64>() / values.len() as f64;
        assert!((mean - expected).abs() < 1e-9, "window of {start}: {mean}, published {expected}");
    }
}
