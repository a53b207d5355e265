//! Benches that users run on their own machine.

mod drivers;
mod figure;
mod journal;
mod modbus;
mod path;
mod queries;
mod rate;
mod scenes;
mod sdk;
mod workload;

pub(crate) use sdk::serve as serve_sdk;

use crate::cli::{Bench, exit};

pub(crate) async fn run(bench: Bench) -> u8 {
    let (json, figures) = match bench {
        Bench::Path(options) => (options.json, path::run(&options).await),
        Bench::Drivers(options) => (options.json, drivers::run(&options).await),
        Bench::Journal(options) => (options.json, journal::run(&options).await),
        Bench::Modbus(options) => (options.json, modbus::run(&options).await),
        Bench::Queries(options) => (options.json, queries::run(&options).await),
        Bench::Sdk(options) => (options.json, sdk::run(&options).await),
        Bench::Scenes(options) => (options.json, scenes::run(&options)),
    };
    match figures {
        Ok(figures) => {
            figures.iter().for_each(|figure| figure.print(json));
            if figures.iter().all(|figure| figure.met != Some(false)) { exit::OK } else { exit::FINDINGS }
        }
        Err(error) => {
            eprintln!("error: {error}");
            exit::FINDINGS
        }
    }
}
