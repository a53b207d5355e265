//! `edgeway point`: reads a point before it is saved, and finds out how a value lies in its registers.

mod reading;
mod solve;

use super::arguments::{Output, PointCommand, TestPointOptions};
use super::drivers::{failed, known};
use super::locator::{Locator, What};
use super::{complain, exit};
use crate::client::table::harmless;
use crate::program::Running;
use edgeway_sdk::{Fault, Quality, Timestamp, Value};
use reading::Reading;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// How far apart several readings are.
const PERIOD: Duration = Duration::from_secs(1);

pub(super) async fn run(command: &PointCommand) -> u8 {
    match command {
        PointCommand::Test(options) => test(options).await,
        PointCommand::Solve(options) => solve::run(options).await,
    }
}

/// A line that is right as far as the driver can tell without asking a device; and its process, if it has one.
async fn located(text: &str, site: &Path) -> Result<(Locator, Option<Running>), u8> {
    let drivers = known(site)?;
    let locator = Locator::parse(text, What::Point, &drivers).map_err(|problem| complain(&[problem]))?;
    let problems = locator.problems(What::Point);
    if !problems.is_empty() {
        return Err(complain(&problems));
    }
    let running = drivers.running(|name| name == locator.driver.manifest().name).await;
    running.map(|running| (locator, running)).map_err(|fault| failed(&fault))
}

async fn test(options: &TestPointOptions) -> u8 {
    let (locator, _running) = match located(&options.place, &options.site).await {
        Ok(located) => located,
        Err(code) => return code,
    };
    match read(&locator, options).await {
        Ok(true) => exit::OK,
        Ok(false) => exit::FINDINGS,
        Err(fault) => failed(&fault),
    }
}

/// Reads as often as wanted. False if a value was bad.
async fn read(locator: &Locator, options: &TestPointOptions) -> Result<bool, Fault> {
    let mut reading = Reading::open(locator, std::slice::from_ref(&locator.point)).await?;
    let mut all_good = true;
    for round in 0..options.count {
        if round > 0 {
            tokio::time::sleep(PERIOD).await;
        }
        let took = reading.read().await?;
        for (_, value, quality, time) in reading.values() {
            all_good &= !quality.is_bad();
            show(&value, quality, time, took, options.output);
        }
    }
    reading.close().await;
    Ok(all_good)
}

fn show(value: &Value, quality: Quality, time: Timestamp, took: Duration, output: Output) {
    let ms = took.as_secs_f64() * 1e3;
    match output {
        Output::Json => println!(
            "{}",
            json!({ "value": value.to_json(), "quality": quality.to_string(), "source_time": time.to_string(), "took_ms": ms })
        ),
        Output::Table => println!("{}  {quality}  {ms:.1} ms", harmless(&value.to_string())),
    }
}
