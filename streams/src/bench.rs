//! Measures the operators, each beside a reference of the same run: what DataFusion does with the same rows in one batch, or
//! a plain loop. The package reads no clock; it is given one.

mod lasting;
mod rows;
mod together;

use crate::queries::{Queries, Source};
use crate::source::Taken;
use edgeway_sdk::{Quality, Timestamp, Value};
use edgeway_thing_models::{Body, Message, Observation, PropertyIx, Report};
pub use lasting::Resident;
use rows::Stream;
use std::collections::HashMap;
use std::sync::Arc;

/// A clock that counts nanoseconds.
pub type Clock = fn() -> u64;

/// A measured figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What was done.
    pub work: String,
    /// How much came of it.
    pub value: f64,
    /// Of what.
    pub unit: &'static str,
    /// What it is compared with.
    pub reference: &'static str,
    /// How much came of that.
    pub reference_value: f64,
}

const TUMBLE: &str = "SELECT device, window_start, avg(wind_speed) AS a, max(wind_speed) AS m, count(*) AS n
                      FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')";

/// All figures. `scale` is 1 for the full run; less is quicker and rougher.
pub fn run(clock: Clock, resident: Resident, scale: f64) -> Vec<Figure> {
    let rows = |full: usize| ((full as f64 * scale) as usize).max(20_000);
    // First, while the process is small: in memory that others have used before, nothing would be seen to grow.
    let mut figures = lasting::ten_minutes(clock, resident, if scale < 1.0 { 3 } else { 10 });
    for batch in [8192, 256] {
        figures.push(tumbling(clock, rows(2_000_000), batch));
    }
    figures.push(hopping(clock, rows(300_000)));
    figures.push(hopping_far(clock, rows(1_000_000)));
    figures.push(sessions(clock, rows(1_000_000)));
    figures.push(one_row(clock, rows(200_000)));
    figures.push(many_queries(clock, 100));
    figures.push(many_queries(clock, 1_000));
    figures.push(planning(clock));
    figures.push(adding(clock));
    figures.extend(state(clock));
    figures.push(lasting::million_keys(clock));
    figures.push(from_messages(clock, rows(1_000_000)));
    figures
}

fn tumbling(clock: Clock, rows: usize, batch: usize) -> Figure {
    let stream = Stream::new(rows, 1_000, 1_000, batch);
    let ours = per_second(rows, best(3, || feed(clock, &stream, TUMBLE, "1s")));
    let reference = per_second(rows, best(3, || together::tumbling(clock, &stream)));
    figure(format!("tumble 10 s, 1,000 devices, batches of {batch}"), ours, "rows/s", BATCH, reference)
}

fn hopping(clock: Clock, rows: usize) -> Figure {
    let stream = Stream::new(rows, 1_000, 1_000, 8192);
    let text = TUMBLE.replace("TUMBLE(ts, ", "HOP(ts, INTERVAL '1 second', ");
    let ours = per_second(rows, best(3, || feed(clock, &stream, &text, "1s")));
    let reference = per_second(rows, best(2, || together::hopping(clock, &stream)));
    figure("hop 1 s / 10 s, 1,000 devices".into(), ours, "rows/s", "one batch, each row ten times", reference)
}

fn hopping_far(clock: Clock, rows: usize) -> Figure {
    let stream = Stream::new(rows, 1_000, 1_000, 8192);
    let text =
        TUMBLE.replace("TUMBLE(ts, INTERVAL '10 seconds')", "HOP(ts, INTERVAL '1 second', INTERVAL '10 minutes')");
    let nanos = |seconds: f64| seconds * 1e9 / rows as f64;
    let ours = nanos(best(2, || feed(clock, &stream, &text, "1s")));
    let tumbling = nanos(best(2, || feed(clock, &stream, TUMBLE, "1s")));
    figure("hop 1 s / 10 min, 1,000 devices, and a row out for each".into(), ours, "ns/row", "tumble 10 s", tumbling)
}

fn sessions(clock: Clock, rows: usize) -> Figure {
    let stream = Stream::new(rows, 10_000, 1_000, 8192);
    let text = TUMBLE.replace("TUMBLE(ts, INTERVAL '10 seconds')", "SESSION(ts, INTERVAL '20 seconds')");
    let ours = per_second(rows, best(2, || feed(clock, &stream, &text, "1s")));
    let reference = per_second(rows, best(2, || together::tumbling(clock, &stream)));
    figure("sessions, gap 20 s, 10,000 keys, put in order first".into(), ours, "rows/s", BATCH, reference)
}

fn one_row(clock: Clock, rows: usize) -> Figure {
    let stream = Stream::new(rows, 1_000, 1_000, 1);
    let micros = |seconds: f64| seconds * 1e6 / rows as f64;
    let ours = micros(best(3, || feed(clock, &stream, TUMBLE, "1s")));
    let plain = micros(best(3, || plain(clock, &stream)));
    figure("a batch of one row".into(), ours, "us", "a hash map of sums", plain)
}

fn many_queries(clock: Clock, count: usize) -> Figure {
    // Ten seconds of 10,000 rows, in batches as they come every 20 ms.
    let stream = Stream::new(100_000, 1_000, 10_000, 200);
    let text = |number: usize| {
        TUMBLE.replace("FROM wind_turbine", &format!("FROM wind_turbine WHERE wind_speed > {}", number % 200 / 10))
    };
    let run = |count: usize| {
        let sources: Vec<Source> = (0..count).map(|number| source(&format!("q{number}"), &text(number))).collect();
        let mut queries = Queries::load(&stream.site, &sources).expect("no mistakes in them");
        pushed(clock, &stream, &mut queries)
    };
    let share = |seconds: f64| seconds / 10.0 * 100.0;
    let (all, one) = (share(best(2, || run(count))), share(best(2, || run(1))));
    figure(format!("{count} queries on one stream of 10,000 rows/s"), all, "% of a core", "one query", one)
}

/// Ten queries of 1,000 keys each run; how long it takes until there are eleven, and how long the ten wait in that time.
fn adding(clock: Clock) -> Figure {
    let stream = Stream::new(100_000, 1_000, 10_000, 1024);
    let sources = |count: usize| -> Vec<Source> { (0..count).map(|at| source(&format!("q{at}"), TUMBLE)).collect() };
    let load = |count: usize| Queries::load(&stream.site, &sources(count)).expect("no mistakes in them");
    let mut running = load(10);
    pushed(clock, &stream, &mut running);
    let (mut all, mut waiting) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..5 {
        let begun = clock();
        let mut queries = load(11);
        let planned = clock();
        queries.take_over(Timestamp::from_secs(0), &mut running, None).expect("their state fits");
        (all, waiting) = (all.min(since(clock, begun) * 1e3), waiting.min(since(clock, planned) * 1e3));
    }
    figure("add a query beside 10 with 1,000 keys each".into(), all, "ms", "of it, while the others wait", waiting)
}

fn planning(clock: Clock) -> Figure {
    let stream = Stream::new(1, 1, 1, 1);
    let seconds = |text: &str| {
        best(5, || {
            let begun = clock();
            Queries::load(&stream.site, &[source("q", text)]).expect("no mistakes in it");
            since(clock, begun)
        })
    };
    let plain = seconds("SELECT device FROM wind_turbine") * 1e3;
    figure("plan a query".into(), seconds(TUMBLE) * 1e3, "ms", "SELECT device", plain)
}

fn state(clock: Clock) -> Vec<Figure> {
    let stream = Stream::new(100_000, 10_000, 100_000, 8192);
    let mut queries = load(&stream, TUMBLE, "1s");
    pushed(clock, &stream, &mut queries);
    let begun = clock();
    let bytes = queries.save().expect("every function can say its state");
    let saving = since(clock, begun) * 1e3;
    let begun = clock();
    load(&stream, TUMBLE, "1s").restore(Timestamp::from_secs(0), u64::MAX, &bytes).expect("a state");
    let restoring = since(clock, begun) * 1e3;
    let held = queries.held();
    let per_key = held.bytes as f64 / held.groups as f64;
    vec![
        figure("checkpoint of 10,000 keys".into(), saving, "ms", "taking it up", restoring),
        figure(
            "state of a key in a window".into(),
            per_key,
            "bytes",
            "written down",
            bytes.len() as f64 / held.groups as f64,
        ),
    ]
}

fn from_messages(clock: Clock, rows: usize) -> Figure {
    let stream = Stream::new(rows, 1_000, 1_000, 1024);
    let property = stream.wind_speed();
    let entries: Vec<Vec<(u64, Arc<Message>)>> = stream.batches.iter().map(|batch| messages(batch, property)).collect();
    let ours = best(2, || {
        let mut queries = load(&stream, TUMBLE, "1s");
        let begun = clock();
        let mut out = vec![];
        for entries in &entries {
            queries.push(entries[0].1.time, entries, &mut out);
            out.clear();
        }
        since(clock, begun)
    });
    let bare = best(2, || {
        let begun = clock();
        let sum: f64 = entries.iter().flatten().map(|(_, message)| value(message)).sum();
        assert!(sum.is_finite());
        since(clock, begun)
    });
    figure(
        "from messages to messages, tumble 10 s".into(),
        per_second(rows, ours),
        "rows/s",
        "a sum over them",
        per_second(rows, bare),
    )
}

const BATCH: &str = "DataFusion, all rows as one batch query";

fn messages(batch: &Taken, property: PropertyIx) -> Vec<(u64, Arc<Message>)> {
    let values = crate::df::AsArray::as_primitive::<crate::df::Float64Type>(batch.batch.column(1));
    let crate::rows::Ids::Devices(devices, _) = &batch.ids else { return vec![] };
    let message = |at: usize| {
        let source_time = Timestamp::from_nanos(batch.ts[at]);
        let seen = Observation { property, value: Value::Float(values.value(at)), quality: Quality::Good, source_time };
        let body = Body::Report(Report { device: devices[at], values: vec![seen] });
        (batch.offsets[at], Arc::new(Message { time: Timestamp::from_nanos(batch.heard[at]), body }))
    };
    (0..batch.ts.len()).map(message).collect()
}

fn value(message: &Message) -> f64 {
    match &message.body {
        Body::Report(report) => match report.values[0].value {
            Value::Float(value) => value,
            _ => 0.0,
        },
        _ => 0.0,
    }
}

fn plain(clock: Clock, stream: &Stream) -> f64 {
    let begun = clock();
    let mut sums: HashMap<&str, (f64, f64, u64)> = HashMap::new();
    for batch in &stream.named {
        let names = crate::df::AsArray::as_string::<i32>(batch.column(0));
        let values = crate::df::AsArray::as_primitive::<crate::df::Float64Type>(batch.column(2));
        for (name, value) in names.iter().zip(values).filter_map(|(name, value)| Some((name?, value?))) {
            let (sum, most, count) = sums.entry(name).or_default();
            (*sum, *most, *count) = (*sum + value, most.max(value), *count + 1);
        }
    }
    assert!(!sums.is_empty());
    since(clock, begun)
}

/// How long the rows take through one query, in seconds. The rows that it makes are not made into messages, since those of the
/// reference are not either.
fn feed(clock: Clock, stream: &Stream, text: &str, delay: &str) -> f64 {
    pushed(clock, stream, &mut load(stream, text, delay))
}

fn load(stream: &Stream, text: &str, delay: &str) -> Queries {
    let text = format!("CREATE QUERY q WITH (watermark_delay = '{delay}') AS {text}");
    Queries::load(&stream.site, &[source("q", &text)]).expect("no mistakes in it")
}

fn pushed(clock: Clock, stream: &Stream, queries: &mut Queries) -> f64 {
    let begun = clock();
    stream.batches.iter().for_each(|batch| queries.push_taken(batch));
    since(clock, begun)
}

fn source(name: &str, text: &str) -> Source {
    Source { file: "bench".into(), name: name.into(), text: text.into() }
}

fn best(times: usize, mut run: impl FnMut() -> f64) -> f64 {
    (0..times).map(|_| run()).fold(f64::INFINITY, f64::min)
}

fn since(clock: Clock, begun: u64) -> f64 {
    clock().saturating_sub(begun) as f64 / 1e9
}

fn per_second(rows: usize, seconds: f64) -> f64 {
    rows as f64 / seconds
}

fn figure(work: String, value: f64, unit: &'static str, reference: &'static str, reference_value: f64) -> Figure {
    Figure { work, value, unit, reference, reference_value }
}
