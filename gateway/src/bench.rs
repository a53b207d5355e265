//! Benches that users run on their own machine.

mod figure;
mod path;
mod workload;

use crate::cli::{Bench, exit};

pub(crate) async fn run(bench: Bench) -> u8 {
    let Bench::Path(options) = bench;
    let json = options.json;
    match path::run(&options).await {
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
