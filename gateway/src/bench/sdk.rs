//! What the contract of drivers costs: in process, and through a process of its own in Rust and in Python.

mod subject;

use super::figure::Figure;
use crate::cli::{BENCH_DRIVER, SdkBenchOptions};
use edgeway_driver_host::{DriverHost, Launch, ProcessDriver};
use edgeway_sdk::{
    Access, Batch, DeviceIx, DeviceSpec, Driver, Fault, Json, Link, PointIx, PointSpec, Sink, Split, StepIx, Timestamp,
};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use subject::Subject;
use tokio::time::{Instant, sleep};

/// Values in one batch.
const VALUES: u32 = 1_000;
const RUST_LEAST: f64 = 5e6;
const PYTHON_LEAST: f64 = 1e6;
const WARM_UP: Duration = Duration::from_secs(1);
const WITHIN: Duration = Duration::from_secs(10);
/// Calls between two looks at the clock.
const CALLS: u64 = 1_000;

pub(super) async fn run(options: &SdkBenchOptions) -> Result<Vec<Figure>, String> {
    let time = options.time;
    let bare = bare(time);
    let empty = in_process(0, time).await?;
    let full = in_process(VALUES, time).await?;
    let per_call = 1e9 / empty.calls;
    let mut figures = vec![
        Figure::new("in process, an empty step", per_call, "ns", ("appending one value, ns", 1e9 / bare)),
        Figure::new("in process, steps of 1,000 values", full.values, "values/s", ("appending alone, values/s", bare)),
    ];
    let reference = ("in process, values/s", full.values);
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let command = [program.display().to_string().as_str(), BENCH_DRIVER].map(str::to_owned);
    let rust = process(command.into(), time).await?;
    let pushed = Figure::new("process in Rust, pushed by 1,000", rust.pushed, "values/s", reference);
    figures.push(pushed.goal("at least 5 million values/s", rust.pushed >= RUST_LEAST));
    figures.extend(asked("process in Rust", &rust, reference));
    match python(options, time).await {
        Ok(python) => {
            let pushed = Figure::new("process in Python, pushed by 1,000", python.pushed, "values/s", reference);
            figures.push(pushed.goal("at least 1 million values/s", python.pushed >= PYTHON_LEAST));
            figures.extend(asked("process in Python", &python, reference));
        }
        Err(reason) => eprintln!("Python is not measured: {reason} (pip install sdk/python; --python names one)"),
    }
    Ok(figures.into_iter().map(|figure| figure.of("sdk")).collect())
}

/// The process that is measured, whose own arguments begin at this one.
pub(crate) fn serve(arguments_from: usize) -> ExitCode {
    edgeway_sdk_wire::serve_with(Subject, std::env::args().skip(arguments_from))
}

fn asked(name: &str, measured: &Measured, reference: (&'static str, f64)) -> Option<Figure> {
    let work = format!("{name}, asked for 1,000, one after the other");
    measured.asked.map(|asked| Figure::new(work, asked, "values/s", reference))
}

/// Values appended to columns in a second, with nobody asking.
fn bare(time: Duration) -> f64 {
    let (start, mut batch, mut values) = (Instant::now(), Batch::default(), 0_u64);
    let now = Timestamp::now();
    while start.elapsed() < time {
        batch.clear();
        (0..VALUES).for_each(|point| batch.good(PointIx(point), f64::from(point).into(), now));
        values += std::hint::black_box(&batch).len() as u64;
    }
    values as f64 / start.elapsed().as_secs_f64()
}

struct Rate {
    calls: f64,
    values: f64,
}

/// Steps through the trait, as the gateway calls it.
async fn in_process(values: u32, time: Duration) -> Result<Rate, String> {
    let (link, step) = planned(&Subject, values).await?;
    let step = step.unwrap_or(StepIx(0));
    let (start, mut batch, mut calls, mut read) = (Instant::now(), Batch::default(), 0, 0);
    while start.elapsed() < time {
        for _ in 0..CALLS {
            batch.clear();
            link.exec(step, &mut batch, start + WITHIN).await.map_err(told)?;
            read += batch.len() as u64;
        }
        calls += CALLS;
    }
    let seconds = start.elapsed().as_secs_f64();
    Ok(Rate { calls: calls as f64 / seconds, values: read as f64 / seconds })
}

struct Measured {
    /// Values per second that the driver tells by itself.
    pushed: f64,
    /// Values per second that it is asked for; nothing if it has steps of one value.
    asked: Option<f64>,
}

async fn python(options: &SdkBenchOptions, time: Duration) -> Result<Measured, String> {
    let python = options.python.display().to_string();
    let command = [python.as_str(), "-m", "edgeway_driver.bench", "--driver"].map(str::to_owned);
    process(command.into(), time).await
}

/// A driver in a process of its own: `watch` tells without end, a step reads all values.
async fn process(command: Vec<String>, time: Duration) -> Result<Measured, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let launch = Launch {
        name: "bench".into(),
        folder: here()?,
        command,
        environment: BTreeMap::new(),
        memory_max: None,
        cpu_max: None,
    };
    let manifest = edgeway_driver_host::manifest(&launch)?;
    let driver = Arc::new(ProcessDriver::launched(launch, manifest)?);
    let host = start(folder.path(), &driver).await?;
    let measured = measure(driver.as_ref(), time).await;
    host.stop().await;
    measured
}

async fn start(folder: &Path, driver: &Arc<ProcessDriver>) -> Result<DriverHost, String> {
    let host = DriverHost::start(folder, std::slice::from_ref(driver), None).await;
    let host = host.map_err(|error| error.to_string())?;
    driver.ready(Instant::now() + WITHIN).await.map_err(told)?;
    Ok(host)
}

fn here() -> Result<PathBuf, String> {
    std::env::current_dir().map_err(|error| error.to_string())
}

async fn measure(driver: &dyn Driver, time: Duration) -> Result<Measured, String> {
    let (link, step) = planned(driver, VALUES).await?;
    let asked = match step {
        Some(step) => Some(ask(link.as_ref(), step, time).await?),
        None => None,
    };
    let counted = Arc::new(Counted::default());
    link.watch(counted.clone(), Instant::now() + WITHIN).await.map_err(told)?;
    sleep(WARM_UP).await;
    let (start, before) = (Instant::now(), counted.0.load(Relaxed));
    sleep(time).await;
    let pushed = (counted.0.load(Relaxed) - before) as f64 / start.elapsed().as_secs_f64();
    link.close(Instant::now() + WITHIN).await;
    Ok(Measured { pushed, asked })
}

async fn ask(link: &dyn Link, step: StepIx, time: Duration) -> Result<f64, String> {
    let (start, mut batch, mut values) = (Instant::now(), Batch::default(), 0);
    while start.elapsed() < time {
        batch.clear();
        link.exec(step, &mut batch, Instant::now() + WITHIN).await.map_err(told)?;
        values += batch.len() as u64;
    }
    Ok(values as f64 / start.elapsed().as_secs_f64())
}

/// A link that is connected, and its step that reads all values, if it has one.
async fn planned(driver: &dyn Driver, values: u32) -> Result<(Arc<dyn Link>, Option<StepIx>), String> {
    let link = driver.open(json!({ "column": "array" })).map_err(told)?;
    let point = |ix| PointSpec {
        ix: PointIx(ix),
        device: DeviceIx(0),
        options: Arc::new(Json::Object(Default::default())),
        access: Access::Read,
        period: Duration::from_secs(1),
    };
    let device = DeviceSpec { ix: DeviceIx(0), options: Json::Object(Default::default()) };
    // The Python subject reads one point and tells of the others.
    let points: Vec<PointSpec> = (0..values + u32::from(values > 0)).map(point).collect();
    let plan = link.plan(&[device], &points, Split::Nothing).await.map_err(told)?;
    link.connect(Instant::now() + WITHIN).await.map_err(told)?;
    let step = plan.steps.iter().find(|step| step.points.len() as u32 > 1).map(|step| step.id);
    Ok((link, step))
}

fn told(fault: Fault) -> String {
    fault.to_string()
}

/// Counts what arrives.
#[derive(Default)]
struct Counted(AtomicU64);

impl Sink for Counted {
    fn data(&self, batch: Batch) {
        self.0.fetch_add(batch.len() as u64, Relaxed);
    }
    fn event(&self, _: DeviceIx, _: &str, _: Json, _: Timestamp) {}
    fn online(&self, _: DeviceIx, _: Option<&str>) {}
    fn lost(&self, _: &str) {}
}
