//! Rows per second of five queries over reports of ten values: `cargo run --release -p edgeway-streams --example query_throughput`.

use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_streams::{Queries, Source};
use edgeway_thing_models::{Body, Device, Message, Observation, PropertyIx, Report, Things, ready_made};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

const DEVICES: u32 = 1_000;
const VALUES: u16 = 10;
/// Reports that come at once.
const PUSH: usize = 256;
/// Reports in a second of event time.
const RATE: u64 = 10_000;
const REPORTS: u64 = 1_000_000;

const QUERIES: [(&str, &str); 5] = [
    (
        "ten_seconds",
        "SELECT device, window_start, avg(wind_speed) AS mean, max(active_power) AS peak, count(*) AS n
         FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')",
    ),
    (
        "minute",
        "SELECT device, avg(active_power) AS mean, stddev(wind_speed) AS gusts, min(rotor_speed) AS low
         FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '1 minute')",
    ),
    ("farm", "SELECT sum(active_power) AS power FROM wind_turbine GROUP BY TUMBLE(ts, INTERVAL '1 second')"),
    ("storm", "SELECT device, ts, wind_speed FROM wind_turbine WHERE wind_speed > 24.95"),
    ("calm", "SELECT device, mean FROM ten_seconds WHERE mean < 10"),
];

fn main() {
    let mut things = Things::default();
    let turbine = ready_made().into_iter().find(|model| &*model.name == "wind-turbine").expect("it ships");
    let model = things.add_model(Arc::new(turbine));
    for number in 0..DEVICES {
        let device = Device { id: format!("wind-turbine-{number:04}").into(), model, labels: BTreeMap::new() };
        things.add_device(device).expect("a new id");
    }
    let source =
        |(name, text): &(&str, &str)| Source { file: (*name).into(), name: (*name).into(), text: (*text).into() };
    let sources: Vec<Source> = QUERIES.iter().map(source).collect();
    let mut queries = Queries::load(&Arc::new(things).into(), &sources).expect("no mistakes in them");

    let (mut spent, mut told, mut out) = (std::time::Duration::ZERO, 0, vec![]);
    let mut offset = 0;
    while offset < REPORTS {
        let entries: Vec<_> = (offset..).take(PUSH).map(|offset| (offset, Arc::new(report(offset)))).collect();
        let now = entries[PUSH - 1].1.time;
        let begin = Instant::now();
        queries.push(now, &entries, &mut out);
        spent += begin.elapsed();
        told += out.len();
        out.clear();
        offset += PUSH as u64;
    }
    let per_report = spent.as_secs_f64() / offset as f64;
    println!("{told} rows told; {:.0} reports/s, {:.0} values/s", 1.0 / per_report, f64::from(VALUES) / per_report);
    println!("100,000 values/s take {:.2} % of a core", 100.0 * per_report * 100_000.0 / f64::from(VALUES));
}

fn report(offset: u64) -> Message {
    let jitter = offset.wrapping_mul(2_654_435_761) % 800;
    let millis = 1_767_225_600_000 + (offset * 1000 / RATE) as i64;
    let source_time = Timestamp::from_millis(millis - jitter as i64);
    let value = |property: u16| (offset.wrapping_mul(u64::from(property) + 7) % 25_000) as f64 / 1000.0;
    let observation = |property| Observation {
        property: PropertyIx(property),
        value: Value::Float(value(property)),
        quality: Quality::Good,
        source_time,
    };
    let device = DeviceIx((offset % u64::from(DEVICES)) as u32);
    Message {
        time: Timestamp::from_millis(millis),
        body: Body::Report(Report { device, values: (0..VALUES).map(observation).collect() }),
    }
}
