//! Benches that users run on their own machine.

mod figure;
mod journal;
mod path;
mod queries;
mod scenes;
mod workload;

use crate::cli::{Bench, exit};

pub(crate) async fn run(bench: Bench) -> u8 {
    let (json, figures) = match bench {
        Bench::Path(options) => (options.json, path::run(&options).await),
        Bench::Journal(options) => (options.json, journal::run(&options).await),
        Bench::Queries(options) => (options.json, queries::run(&options).await),
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
