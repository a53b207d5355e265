//! `edgeway bench queries`: the query engine, each figure beside a reference.

use super::figure::Figure;
use super::workload;
use crate::cli::EngineBenchOptions;
use crate::queries::{self, QueryHost};
use crate::{program, spine, usage};
use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_site::Finding;
use edgeway_streams::Source;
use edgeway_thing_models::{Body, Message, Observation, PropertyIx, Report};
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

pub(super) async fn run(options: &EngineBenchOptions) -> Result<Vec<Figure>, String> {
    let scale = if options.quick { 0.1 } else { 1.0 };
    let measured = edgeway_streams::bench::run(nanos, usage::resident_bytes, scale);
    let from_messages = measured.iter().find(|figure| figure.work.starts_with("from messages"));
    let reference = from_messages.map_or(0.0, |figure| figure.value);
    let whole = through_the_journal(if options.quick { 300_000 } else { 2_000_000 }, reference).await?;
    Ok(measured.into_iter().map(judged).chain([whole]).collect())
}

/// Reports into the journal on disk, out of it again, through a query, and its rows into the journal. Per core: all that
/// the process does meanwhile counts.
async fn through_the_journal(rows: u64, reference: f64) -> Result<Figure, String> {
    const TEXT: &str = "SELECT device, window_start, avg(p0) AS mean, max(p0) AS most, count(*) AS n FROM probe
                        GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')";
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
    workload::write(folder.path(), 200_000, nowhere).map_err(|error| error.to_string())?;
    let listed = |findings: Vec<Finding>| program::listed(&findings);
    let mut site = program::load(folder.path()).map_err(listed)?.site;
    let spine = spine::open(&site.data.join("journal"), &mut site.things, &site.journal).map_err(|e| e.to_string())?;
    let source = Source { file: "bench".into(), name: "mean".into(), text: TEXT.into() };
    let queries = program::plan_queries(&spine.things, &site, &[source]).map_err(listed)?;
    let host = Arc::new(QueryHost::new(queries, spine.journal.clone(), &site.data));
    let stop = CancellationToken::new();
    let task = tokio::spawn(queries::run(host.clone(), stop.clone()));
    let (cpu, start) = (usage::cpu(), Timestamp::now());
    let devices = spine.things.devices().count() as u64;
    for from in (0..rows).step_by(1024) {
        let report = |at: u64| {
            report(DeviceIx((at % devices) as u32), Timestamp::from_nanos(start.as_nanos() + at as i64 * 10_000), at)
        };
        spine::publish(&spine.journal, (from..(from + 1024).min(rows)).map(report).collect());
        while spine.journal.head() > host.position() + 65_536 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    while host.position() < rows {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let rate = rows as f64 / (usage::cpu() - cpu).as_secs_f64();
    stop.cancel();
    task.await.map_err(|error| error.to_string())?;
    let figure = Figure::new(
        "through the journal: reports in, rows out, per core",
        rate,
        "rows/s",
        ("without the journal", reference),
    );
    Ok(Figure { bench: "queries", ..figure }.goal("1 million rows/s", rate >= 1e6))
}

fn report(device: DeviceIx, time: Timestamp, at: u64) -> Message {
    let value = Value::Float((at % 1000) as f64 / 10.0);
    let seen = Observation { property: PropertyIx(0), value, quality: Quality::Good, source_time: time };
    Message { time, body: Body::Report(Report { device, values: vec![seen] }) }
}

fn nanos() -> u64 {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(BEGUN.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// The goals: those of the ratios hold on any machine, the others on one x86-64 core.
fn judged(measured: edgeway_streams::bench::Figure) -> Figure {
    let edgeway_streams::bench::Figure { work, value, unit, reference, reference_value } = measured;
    let figure = Figure { bench: "queries", ..Figure::new(work.clone(), value, unit, (reference, reference_value)) };
    let ratio = figure.ratio;
    let goal = |start: &str| work.starts_with(start);
    if goal("tumble") && work.ends_with("8192") {
        figure.goal("1.3 times the batch query", ratio >= 1.3)
    } else if goal("tumble") {
        figure.goal("1.8 times the batch query", ratio >= 1.8)
    } else if goal("hop 1 s / 10 s") {
        figure.goal("3 times the batch query", ratio >= 3.0)
    } else if goal("hop 1 s / 10 min") {
        figure.goal("at most 250 ns", value <= 250.0)
    } else if goal("a batch of one row") {
        figure.goal("at most 2 us", value <= 2.0)
    } else if goal("plan a query") || goal("add a query") {
        figure.goal("at most 10 ms", value <= 10.0)
    } else if goal("most state") {
        figure.goal("at most 32 MiB", value <= 32.0)
    } else if goal("memory after") {
        figure.goal("at most 1.05 times", ratio <= 1.05)
    } else if goal("checkpoint") {
        figure.goal("at most 5 ms", value <= 5.0)
    } else if goal("from messages") {
        figure.goal("1 million rows/s", value >= 1e6)
    } else {
        figure
    }
}
