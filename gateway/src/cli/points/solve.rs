//! `edgeway point solve`: how a value that a device shows lies in its registers.

use super::located;
use super::reading::Reading;
use crate::cli::arguments::{Output, SolveOptions};
use crate::cli::drivers::failed;
use crate::cli::locator::Locator;
use crate::cli::{complain, exit};
use crate::client::table::{Cell, Colours, layout};
use edgeway_driver_modbus::solve::{self, Explanation};
use edgeway_sdk::{Fault, Json, Problem, Value};
use serde_json::json;

/// Above this many explanations a value says nothing.
const TELLING: usize = 20;

pub(super) async fn run(options: &SolveOptions) -> u8 {
    let (locator, _running) = match located(&options.place, &options.site).await {
        Ok(located) => located,
        Err(code) => return code,
    };
    if locator.driver.manifest().name != "modbus" {
        return complain(&[Problem::new(format!("driver `{}` has no registers", locator.driver.manifest().name))]);
    }
    let at = locator.point["at"].as_str().unwrap_or_default().to_owned();
    let points = match solve::registers(&at, options.registers) {
        Ok(points) => points,
        Err(problem) => return complain(&[problem]),
    };
    let registers = match read(&locator, &points).await {
        Ok(registers) => registers,
        Err(fault) => return failed(&fault),
    };
    match solve::solve(&registers, &options.value) {
        Ok(found) => show(&at, &registers, &found, options),
        Err(problem) => complain(&[problem]),
    }
}

/// The registers, in order; `None` for those that the device refuses.
async fn read(locator: &Locator, points: &[Json]) -> Result<Vec<Option<u16>>, Fault> {
    let mut reading = Reading::open(locator, points).await?;
    reading.read().await?;
    let mut registers = vec![None; points.len()];
    for (point, value, _, _) in reading.values() {
        if let Value::Int(number) = value {
            registers[point.0 as usize] = u16::try_from(number).ok();
        }
    }
    reading.close().await;
    Ok(registers)
}

fn show(at: &str, registers: &[Option<u16>], found: &[Explanation], options: &SolveOptions) -> u8 {
    let best = found.iter().take(options.count).filter_map(|found| Some((solve::point(at, found).ok()?, found)));
    match options.output {
        Output::Json => {
            let one = |(point, found): (Json, &Explanation)| json!({ "point": point, "scale": found.scale, "value": found.value, "cost": found.cost });
            println!("{:#}", best.map(one).collect::<Json>());
        }
        Output::Table => {
            let rows: Vec<Vec<Cell>> = best
                .map(|(point, found)| vec![Cell::number(rounded(found.value)), Cell::text(line(&point, found.scale))])
                .collect();
            if !rows.is_empty() {
                print!("{}", layout(&["value", "point"], &rows, Colours::of_stdout()));
            }
            let read = registers.iter().flatten().count();
            eprintln!("{}", summary(read, registers.len(), found.len(), options));
        }
    }
    if found.is_empty() { exit::FINDINGS } else { exit::OK }
}

fn summary(read: usize, asked: usize, found: usize, options: &SolveOptions) -> String {
    let read = format!("{read} of {asked} registers could be read");
    match found {
        0 => format!("{read}; none of them explains {}", options.value),
        found if found > TELLING => format!(
            "{read}; {found} explanations: look again when the device shows a number that is rarer than {}",
            options.value
        ),
        found => format!("{read}; {found} explanations, the likeliest first"),
    }
}

/// As it is written in `devices.toml`.
fn line(point: &Json, scale: f64) -> String {
    let mut pairs: Vec<String> = ["at", "type", "order", "byte"]
        .iter()
        .filter_map(|key| Some(format!("{key} = {}", point.get(*key).filter(|value| **value != json!("u16"))?)))
        .collect();
    if scale != 1.0 {
        pairs.push(format!("scale = {scale}"));
    }
    format!("{{ {} }}", pairs.join(", "))
}

fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}
