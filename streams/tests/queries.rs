//! What the package promises, from outside.

#[path = "queries/differential.rs"]
mod differential;
#[path = "queries/differential_keys.rs"]
mod differential_keys;
#[path = "queries/errors.rs"]
mod errors;
#[path = "queries/golden.rs"]
mod golden;
#[path = "queries/history.rs"]
mod history;
#[path = "queries/kinds.rs"]
mod kinds;
#[path = "queries/limits.rs"]
mod limits;
#[path = "queries/reads.rs"]
mod reads;
#[path = "queries/restart.rs"]
mod restart;
#[path = "queries/selection.rs"]
mod selection;
#[path = "queries/time.rs"]
mod time;

use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_streams::{LookupFile, Queries, QueryInfo, Site, Source};
use edgeway_thing_models::{Body, Device, Message, Model, Observation, Report, Row, Things, ready_made};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// 2026-01-01T00:00:00Z; the tests count seconds from here.
const START: Timestamp = Timestamp::from_secs(1_767_225_600);

/// The ready-made models and one with every type; three devices of each.
static THINGS: LazyLock<Arc<Things>> = LazyLock::new(|| {
    let mut things = Things::default();
    let probe = Model::parse("probe", include_str!("queries/probe.json")).expect("a valid model");
    for model in ready_made().into_iter().chain([probe]) {
        let name = model.name.clone();
        let model = things.add_model(Arc::new(model));
        for number in 1..=3 {
            let labels = [("row", if number == 3 { "b" } else { "a" }), ("mast", "met-mast-1"), ("rank", "7")];
            let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let device = Device { id: format!("{name}-{number}").into(), model, labels: BTreeMap::from(labels) };
            things.add_device(device).expect("a new id");
        }
    }
    Arc::new(things)
});

/// The models and devices above, in Berlin, with one CSV file.
fn site() -> Site {
    let rows = [["wind-turbine-1", "2000", "north"], ["wind-turbine-2", "2000.5", ""]];
    let table = LookupFile {
        file: "tables/turbine.csv".into(),
        name: "turbine".into(),
        columns: ["device", "rated_kw", "field"].map(str::to_owned).to_vec(),
        rows: rows.map(|row| row.map(str::to_owned).to_vec()).to_vec(),
    };
    Site {
        things: things(),
        zone: TimeZone::get("Europe/Berlin").expect("a zone"),
        tables: vec![table],
        memory: usize::MAX,
    }
}

fn things() -> Arc<Things> {
    THINGS.clone()
}

fn at(seconds: f64) -> Timestamp {
    Timestamp::from_nanos(START.as_nanos() + (seconds * 1e9).round() as i64)
}

fn source(name: &str, text: &str) -> Source {
    Source { file: format!("queries/{name}.sql").into(), name: name.into(), text: text.into() }
}

fn load(sources: &[(&str, &str)]) -> Queries {
    let sources: Vec<_> = sources.iter().map(|(name, text)| source(name, text)).collect();
    Queries::load(&site(), &sources).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// The wind turbine's wind speed, as a report that the gateway got when it was measured.
fn wind(device: &str, ts: f64, value: f64) -> Message {
    wind_heard(device, ts, ts, value)
}

fn wind_heard(device: &str, heard: f64, ts: f64, value: f64) -> Message {
    report(&things(), device, at(heard), &[("wind_speed", Value::Float(value), Quality::Good, at(ts))])
}

fn report(things: &Things, device: &str, time: Timestamp, values: &[(&str, Value, Quality, Timestamp)]) -> Message {
    let device = things.device_ix(device).expect("a device of the test");
    let observation = |(name, value, quality, source_time): &(&str, Value, Quality, Timestamp)| {
        let property = things.model_of(device).property(name).unwrap_or_else(|| panic!("no property {name}")).0;
        Observation { property, value: value.clone(), quality: *quality, source_time: *source_time }
    };
    let values = values.iter().map(observation).collect();
    Message { time, body: Body::Report(Report { device, values }) }
}

/// Messages with offsets, beginning at `from`.
fn entries(from: u64, messages: impl IntoIterator<Item = Message>) -> Vec<(u64, Arc<Message>)> {
    (from..).zip(messages.into_iter().map(Arc::new)).collect()
}

fn push(queries: &mut Queries, now: f64, entries: &[(u64, Arc<Message>)]) -> Vec<Row> {
    let mut out = vec![];
    queries.push(at(now), entries, &mut out);
    rows(out)
}

fn advance(queries: &mut Queries, now: f64) -> Vec<Row> {
    let mut out = vec![];
    queries.advance(at(now), &mut out);
    rows(out)
}

/// The rows of queries, without those that they have left out.
fn rows(messages: Vec<Message>) -> Vec<Row> {
    all_rows(messages).into_iter().filter(|row| !row.query.contains('.')).collect()
}

fn all_rows(messages: Vec<Message>) -> Vec<Row> {
    let row = |message: Message| match message.body {
        Body::Row(row) => row,
        other => panic!("{other:?} is not a row"),
    };
    messages.into_iter().map(row).collect()
}

fn info(queries: &Queries, name: &str) -> QueryInfo {
    queries.list().into_iter().find(|info| &*info.name == name).expect("a query of the test")
}

fn ids(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| &*row.id).collect()
}

fn device_ix(id: &str) -> DeviceIx {
    things().device_ix(id).expect("a device of the test")
}
