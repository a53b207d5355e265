//! The journal alone, beside a bare file in the same run; and what a turbine's values take on disk.

mod turbine;

use super::figure::Figure;
use crate::cli::JournalBenchOptions;
use edgeway_journal::bench::{self, BenchOptions, Figure as Measured};
use std::path::Path;

/// The group for which there are goals: what the gateway writes at once when it is busy.
const FULL_GROUP: usize = 1024;
/// The journal as the gateway uses it.
const AHEAD: &str = "journal, one group ahead";
const RATIO_LEAST: f64 = 0.9;
const OPEN_MS_MOST: f64 = 50.0;
const MEMORY_MIB_MOST: f64 = 10.0;
const BYTES_PER_VALUE_MOST: f64 = 3.0;

/// Measures everything; a minute or two.
pub(super) async fn run(options: &JournalBenchOptions) -> Result<Vec<Figure>, String> {
    let options = options.clone();
    let measured = tokio::task::spawn_blocking(move || measure(&options)).await;
    measured.map_err(|error| error.to_string())?
}

fn measure(options: &JournalBenchOptions) -> Result<Vec<Figure>, String> {
    if let Some(dir) = &options.open {
        println!("{}", bench::open_and_drain(dir).map_err(|error| error.to_string())?);
        return Ok(vec![]);
    }
    let folder = tempfile::tempdir_in(&options.folder).map_err(|error| error.to_string())?;
    let measured = bench::run(&self::options(folder.path())?).map_err(|error| error.to_string())?;
    let mut figures: Vec<Figure> = measured.iter().filter_map(|figure| of_store(figure, &measured)).collect();
    figures.extend(turbine::run(folder.path())?);
    Ok(figures)
}

/// Opening is measured in a process that has done nothing else: this program once more.
fn options(dir: &Path) -> Result<BenchOptions, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let opener = [program.display().to_string().as_str(), "bench", "journal", "--open"].map(str::to_owned);
    Ok(BenchOptions { opener: Some(opener.into()), ..BenchOptions::new(dir) })
}

/// A figure of a store beside that of the bare file.
fn of_store(measured: &Measured, all: &[Measured]) -> Option<Figure> {
    let Measured { what, store, group, unit, best, .. } = measured;
    if *store == "bare file" {
        return None;
    }
    let bare = all.iter().find(|other| other.store == "bare file" && (other.what, other.group) == (*what, *group));
    let work = match group {
        0 => format!("{what}, {store}, 1,000,000 messages"),
        group => format!("{what}, {store}, groups of {group}"),
    };
    let figure = figure(work, *best, unit, bare.map_or(("nothing to compare", 0.0), |bare| ("a bare file", bare.best)));
    Some(match (*store, *what, *group) {
        (AHEAD, "append" | "drain", FULL_GROUP) => {
            let met = figure.ratio >= RATIO_LEAST;
            figure.goal("at least 0.9 of a bare file", met)
        }
        ("journal", "open", _) => figure.goal("less than 50 ms", *best < OPEN_MS_MOST),
        ("journal", "memory", _) => figure.goal("less than 10 MiB", *best < MEMORY_MIB_MOST),
        _ => figure,
    })
}

fn figure(work: String, value: f64, unit: &'static str, reference: (&'static str, f64)) -> Figure {
    Figure { bench: "journal", ..Figure::new(work, value, unit, reference) }
}
