//! Reports per second through conditions and a list: `cargo run --release -p edgeway-streams --example selection_throughput`.

use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_streams::{Selection, Verdict};
use edgeway_thing_models::{Body, Device, Message, Observation, PropertyIx, Report, Things, ready_made};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

const DEVICES: u32 = 1_000;
const VALUES: u16 = 10;
/// Messages that come at once.
const BATCH: usize = 1_024;
const BATCHES: u64 = 2_000;

const TEXTS: [(&str, Option<&str>); 4] = [
    ("active_power > 1000", None),
    ("kind = 'event'", None),
    ("device LIKE 'wind-turbine-01%' AND wind_speed > 3", None),
    ("active_power > 1000", Some("device, ts, active_power / 1000 AS power_mw")),
];

fn main() {
    let mut things = Things::default();
    let turbine = ready_made().into_iter().find(|model| &*model.name == "wind-turbine").expect("it ships");
    let power = turbine.property("active_power").expect("a turbine has it").0;
    let model = things.add_model(Arc::new(turbine));
    for number in 0..DEVICES {
        let device = Device { id: format!("wind-turbine-{number:04}").into(), model, labels: BTreeMap::new() };
        things.add_device(device).expect("a new id");
    }
    let things = Arc::new(things);
    let messages: Vec<Message> = (0..BATCH as u64).map(|number| report(number, power)).collect();
    let messages: Vec<&Message> = messages.iter().collect();
    for (filter, select) in TEXTS {
        let mut selection = Selection::compile(Some(filter), select, &things).expect("no mistakes in it");
        let (begin, mut passed) = (Instant::now(), 0);
        for _ in 0..BATCHES {
            let verdicts = selection.apply(&messages);
            passed += verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Pass(_))).count();
        }
        let reports = BATCHES * BATCH as u64;
        let rate = reports as f64 / begin.elapsed().as_secs_f64();
        println!("{rate:>12.0} reports/s, {passed:>8} of {reports} taken: {filter} {}", select.unwrap_or_default());
    }
}

fn report(number: u64, power: PropertyIx) -> Message {
    let time = Timestamp::from_millis(1_767_225_600_000 + number as i64);
    let value = |property: u16| match PropertyIx(property) == power {
        true => (number.wrapping_mul(2_654_435_761) % 2_000) as f64,
        false => (number.wrapping_mul(u64::from(property) + 7) % 25) as f64,
    };
    let observation = |property| Observation {
        property: PropertyIx(property),
        value: Value::Float(value(property)),
        quality: Quality::Good,
        source_time: time,
    };
    let report = Report { device: DeviceIx(number as u32 % DEVICES), values: (0..VALUES).map(observation).collect() };
    Message { time, body: Body::Report(report) }
}
