//! What the demo shows, as text in columns: no terminal here.

use super::Demo;
use super::recent::Line;
use crate::app::State;
use crate::twins::Twin;
use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_thing_models::{DataType, Online};
use std::sync::atomic::Ordering::Relaxed;

/// One picture.
pub(super) struct View {
    pub(super) heading: Vec<String>,
    pub(super) farm: Table,
    pub(super) hotel: Table,
    pub(super) scenes: Vec<Line>,
    pub(super) rows: Vec<Line>,
    pub(super) routes: Vec<String>,
}

/// A row for each device.
pub(super) struct Table {
    pub(super) heads: Vec<String>,
    pub(super) rows: Vec<(Vec<String>, Trust)>,
}

/// How a row is painted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    Good,
    Doubtful,
    Bad,
}

const TURBINE: [&str; 5] = ["wind_speed", "active_power", "pitch_angle", "power_limit", "state"];
/// The last column is the meter's.
const ROOM: [&str; 6] = ["key_card", "temperature", "setpoint", "ac_power", "light_scene", "active_power"];

impl View {
    pub(super) fn of(demo: &Demo) -> View {
        let state = demo.state();
        View {
            heading: where_to_look(demo).lines().map(str::to_owned).collect(),
            farm: table(state, &["wind-turbine", "met-mast"], &TURBINE),
            hotel: table(state, &["hotel-room", "energy-meter"], &ROOM),
            scenes: demo.recent.scenes(),
            rows: demo.recent.rows(),
            routes: routes(state),
        }
    }
}

/// Which URLs and topics to look at.
pub(super) fn where_to_look(demo: &Demo) -> String {
    let (api, data) = (demo.gateway.api, demo.folder.path().display());
    let broker = demo.cloud.broker;
    format!(
        "Edgeway demo: 8 turbines, a met mast and 12 hotel rooms over Modbus TCP. wt-05 falls silent now and then. Ctrl-C ends it.\n\
         API     http://{api}/api/v1/devices   (token in {data}/data/token; http://{api}/healthz needs none)\n\
         Cloud   mosquitto_sub -p {} -t 'edgeway/#' -v\n\
         CLI     edgeway device list --site {data}   |   edgeway tap 'scene/#' --site {data}",
        broker.port()
    )
}

/// How it goes, in one line.
pub(super) fn line(demo: &Demo) -> String {
    let state = demo.state();
    let values: u64 = state.links.iter().map(|link| link.status.values.load(Relaxed)).sum();
    let firings = state.scenes.with(|scenes| scenes.counters().firings);
    let rows: u64 = state.queries.with(|queries| queries.list().iter().map(|query| query.rows_out).sum());
    let last = demo.recent.scenes().into_iter().next().map_or_else(|| "no scene yet".to_owned(), |line| line.text);
    let seconds = demo.started.elapsed().as_secs();
    let routes = routes(state).join("; ");
    format!("{seconds:>4} s  {values} values, {firings} firings, {rows} rows | {routes} | last: {}", last.trim())
}

fn routes(state: &State) -> Vec<String> {
    let one = |route: &crate::app::NamedRoute| {
        let account = route.state.total();
        format!("{}: {} delivered, {} queued", route.name, account.delivered, account.queued())
    };
    state.routes.iter().map(one).collect()
}

fn table(state: &State, models: &[&str], properties: &[&str]) -> Table {
    let devices = state.things.current_devices().filter(|(ix, _)| models.contains(&&*state.things.model_of(*ix).name));
    let now = Timestamp::now();
    let heads = ["device"].into_iter().chain(properties.iter().copied()).chain(["quality", "age"]).map(str::to_owned);
    let rows =
        devices.map(|(ix, device)| state.twins.with(ix, |twin| row(state, ix, &device.id, twin, properties, now)));
    Table { heads: heads.collect(), rows: rows.collect() }
}

fn row(
    state: &State,
    ix: DeviceIx,
    id: &str,
    twin: &Twin,
    properties: &[&str],
    now: Timestamp,
) -> (Vec<String>, Trust) {
    let model = state.things.model_of(ix);
    let reported = |name: &str| twin.reported.get(&model.property(name)?.0);
    let mut cells = vec![id.to_owned()];
    for name in properties {
        let text = reported(name)
            .zip(model.property(name))
            .map(|(seen, (_, property))| cell(&seen.value, &property.data_type));
        cells.push(text.unwrap_or_else(|| "-".to_owned()));
    }
    let seen: Vec<_> = properties.iter().filter_map(|name| reported(name)).collect();
    let worst = seen.iter().map(|seen| seen.quality).max();
    let oldest = seen.iter().map(|seen| seen.source_time).min();
    cells.push(match twin.online {
        Online::Offline => "offline".to_owned(),
        _ => worst.map_or("-", Quality::class).to_owned(),
    });
    cells.push(oldest.map_or_else(|| "-".to_owned(), |time| format!("{:.1} s", now.since(time).as_secs_f64())));
    let trust = match worst {
        _ if twin.online == Online::Offline => Trust::Bad,
        Some(Quality::Good) => Trust::Good,
        Some(quality) if quality.is_bad() => Trust::Bad,
        _ => Trust::Doubtful,
    };
    (cells, trust)
}

pub(super) fn cell(value: &Value, data_type: &DataType) -> String {
    let unit = data_type.unit().map(|unit| format!(" {unit}")).unwrap_or_default();
    match (value, data_type) {
        (Value::Float(x), _) => format!("{x:.1}{unit}"),
        (Value::Int(n), DataType::Enum(labels)) => labels.get(n).cloned().unwrap_or_else(|| n.to_string()),
        (Value::Bool(on), DataType::Bool { .. }) => if *on { "yes" } else { "no" }.to_owned(),
        (Value::Null, _) => "-".to_owned(),
        (other, _) => format!("{other}{unit}"),
    }
}
