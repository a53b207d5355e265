//! The way from a reading to the cloud, measured whole.

use super::figure::Figure;
use super::workload;
use crate::app::{Gateway, Overrides, State};
use crate::cli::PathOptions;
use crate::{broker, program, usage};
use edgeway_sdk::{Batch, DeviceIx, DeviceSpec, Driver, Json, PointIx, PointSpec, Split};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The rate at which the goals are judged, in values per second.
const GOAL_RATE: u64 = 100_000;
/// Time until all is in its stride.
const WARM_UP: Duration = Duration::from_secs(3);
/// A part lags if it is behind by more than this much of the traffic.
const LAG: Duration = Duration::from_secs(1);
/// The search for the highest rate ends when it is known this well.
const SEARCH_RATIO: f64 = 1.15;
/// No machine that runs this is faster, in values per second.
const RATE_MOST: u64 = 20_000_000;

/// What holding one rate showed.
struct Held {
    values_per_second: f64,
    /// Part of one core.
    cpu: f64,
    resident_bytes: u64,
    latency: Option<(f64, f64)>,
    lag: Option<String>,
}

pub(super) async fn run(options: &PathOptions) -> Result<Vec<Figure>, String> {
    let bare = bare_rate().await?;
    let rate = options.rate.unwrap_or(GOAL_RATE);
    progress(options, &format!("holding {rate} values/s for {:?}", options.time));
    let held = hold(rate, options.time).await?;
    if let Some(lag) = &held.lag {
        progress(options, &format!("that lags: {lag}"));
    }
    let mut figures = at_rate(rate, &held, bare);
    if options.rate.is_none() {
        let most = if held.lag.is_none() { highest(options).await? } else { 0.0 };
        figures.push(Figure::new(
            "highest rate sustained without lag",
            most,
            "values/s",
            ("decode and count alone, values/s", bare),
        ));
    }
    Ok(figures)
}

fn progress(options: &PathOptions, text: &str) {
    if !options.json {
        eprintln!("{text} ...");
    }
}

fn at_rate(rate: u64, held: &Held, bare: f64) -> Vec<Figure> {
    let judged = rate == GOAL_RATE;
    let goal = |figure: Figure, words, met| if judged { figure.goal(words, met) } else { figure };
    let mib = held.resident_bytes as f64 / f64::from(1 << 20);
    let bare_cpu = held.values_per_second / bare;
    let held_rate = Figure::new(
        format!("rate held, {rate} asked"),
        held.values_per_second,
        "values/s",
        ("decode and count alone, values/s", bare),
    );
    let mut figures = vec![
        goal(held_rate, "100,000 values/s without lag", held.lag.is_none()),
        goal(
            Figure::new(
                format!("processor at {rate} values/s"),
                held.cpu * 100.0,
                "% of a core",
                ("decode and count alone, % of a core", bare_cpu * 100.0),
            ),
            "under 25 % of one core",
            held.cpu < 0.25,
        ),
        goal(
            Figure::new(
                "processor time per value",
                held.cpu / held.values_per_second * 1e9,
                "ns",
                ("decode and count alone, ns", 1e9 / bare),
            ),
            "under 2,500 ns, a quarter of a core at 100,000 values/s",
            held.cpu / held.values_per_second < 2.5e-6,
        ),
        goal(
            Figure::new(format!("memory at {rate} values/s"), mib, "MiB", ("goal, MiB", 80.0)),
            "under 80 MiB",
            mib < 80.0,
        ),
    ];
    if let Some((p50, p99)) = held.latency {
        let p50_figure = Figure::new("reading to command, p50", p50 * 1e3, "ms", ("goal of p99, ms", 1.0));
        figures.push(goal(p50_figure, "p50 under 1 ms", p50 < 1e-3));
        let p99_figure = Figure::new("reading to command, p99", p99 * 1e3, "ms", ("goal of p99, ms", 1.0));
        figures.push(goal(p99_figure, "p99 under 1 ms", p99 < 1e-3));
    }
    figures
}

/// Doubles the rate until something lags, then halves the gap until it is small.
async fn highest(options: &PathOptions) -> Result<f64, String> {
    let (mut good, mut bad) = (GOAL_RATE, None::<u64>);
    loop {
        let next = match bad {
            None => good * 2,
            Some(bad) if bad as f64 / good as f64 <= SEARCH_RATIO => return Ok(good as f64),
            Some(bad) => (good + bad) / 2,
        };
        if next > RATE_MOST {
            return Ok(good as f64);
        }
        progress(options, &format!("trying {next} values/s"));
        match hold(next, options.time).await?.lag {
            None => good = next,
            Some(_) => bad = Some(next),
        }
    }
}

/// Runs a whole gateway at a rate.
async fn hold(rate: u64, time: Duration) -> Result<Held, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let broker = broker::open(([127, 0, 0, 1], 0).into()).await?;
    workload::write(folder.path(), rate, broker.address).map_err(|error| error.to_string())?;
    let program = program::load(folder.path()).map_err(|findings| program::listed(&findings))?;
    let overrides = Overrides { broker: Some(broker), ..Overrides::default() };
    let gateway = Gateway::start(program, overrides).await.map_err(|error| error.to_string())?;
    sleep(WARM_UP).await;
    let held = measure(&gateway.state, rate, time).await;
    gateway.stop().await;
    Ok(held)
}

async fn measure(state: &State, rate: u64, time: Duration) -> Held {
    latency(state);
    let (start, cpu, values) = (Instant::now(), usage::cpu(), values(state));
    sleep(time).await;
    let seconds = start.elapsed().as_secs_f64();
    let values_per_second = (self::values(state) - values) as f64 / seconds;
    let lag = if values_per_second < rate as f64 * 0.98 {
        Some(format!("{values_per_second:.0} values/s were read"))
    } else {
        lag(state, values_per_second)
    };
    Held {
        values_per_second,
        cpu: (usage::cpu() - cpu).as_secs_f64() / seconds,
        resident_bytes: usage::resident_bytes(),
        latency: latency(state),
        lag,
    }
}

fn values(state: &State) -> u64 {
    state.links.iter().map(|link| link.status.values.load(Relaxed)).sum()
}

/// The median and the 99th percentile of the way from a reading to its command since this was last asked, in seconds.
fn latency(state: &State) -> Option<(f64, f64)> {
    let mut ways: Vec<Duration> = state.links.iter().flat_map(|link| link.status.reactions.take()).collect();
    ways.sort();
    let at = |part: f64| ways.get(((ways.len().checked_sub(1)?) as f64 * part) as usize).map(Duration::as_secs_f64);
    at(0.5).zip(at(0.99))
}

/// Who is behind, if anybody is.
fn lag(state: &State, values_per_second: f64) -> Option<String> {
    let messages_per_second = values_per_second / workload::PROPERTIES as f64;
    let allowed = (messages_per_second * LAG.as_secs_f64()) as u64;
    let head = state.journal.head();
    let behind = |name: &str, position: u64| {
        let behind = head.saturating_sub(position);
        (behind > allowed).then(|| format!("{name} is {behind} messages behind"))
    };
    // A route takes only a part of the messages; what it has taken and not delivered is its lag.
    let routes = state.routes.iter().map(|route| (&*route.name, head.saturating_sub(route.state.total().queued())));
    let readers = [
        ("the disk", state.journal.durable_head()),
        ("the scenes", state.scenes.position()),
        ("the queries", state.queries.position()),
        ("the twins", state.twins.position()),
    ];
    readers.into_iter().chain(routes).find_map(|(name, position)| behind(name, position))
}

/// The rate of the bare loop: the same driver, decoded and counted, nothing else. Values per second on one core.
async fn bare_rate() -> Result<f64, String> {
    let driver = edgeway_driver_simulator::Simulator;
    let link = driver.open(serde_json::json!({"world": "waves", "seed": 1})).map_err(|fault| fault.to_string())?;
    let device = DeviceSpec { ix: DeviceIx(0), options: Json::Object(Default::default()) };
    let point = |at| PointSpec {
        ix: PointIx(at),
        device: DeviceIx(0),
        options: Arc::new(serde_json::json!({"at": "sine", "cycle": "4s", "amplitude": 10.0})),
        access: edgeway_sdk::Access::Read,
        period: Duration::from_millis(100),
    };
    let points: Vec<PointSpec> = (0..workload::PROPERTIES as u32).map(point).collect();
    let plan = link.plan(&[device], &points, Split::Nothing).await.map_err(|fault| fault.to_string())?;
    link.connect(Instant::now() + Duration::from_secs(1)).await.map_err(|fault| fault.to_string())?;
    let (mut batch, mut values) = (Batch::default(), 0_u64);
    let (start, cpu) = (Instant::now(), usage::cpu());
    while start.elapsed() < Duration::from_secs(2) {
        for step in &plan.steps {
            batch.clear();
            link.exec(step.id, &mut batch, start + Duration::from_secs(10)).await.map_err(|fault| fault.to_string())?;
            values += batch.qualities.iter().filter(|quality| quality.is_good()).count() as u64;
        }
    }
    Ok(values as f64 / (usage::cpu() - cpu).as_secs_f64())
}
