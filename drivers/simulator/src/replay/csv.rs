//! CSV files with a line of names.

use super::{Fatal, Raw, Reading};
use csv::{ErrorKind, ReaderBuilder, StringRecord, Trim};
use std::path::Path;

pub(super) fn read(path: &Path, reading: &mut Reading<'_>) -> Result<(), Fatal> {
    let file = std::fs::File::open(path).map_err(|error| Fatal::Unreadable(error.to_string()))?;
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(file);
    let header = reader.headers().map_err(|error| fatal(&error))?.clone();
    let names: Vec<&str> = header.iter().map(|name| name.trim_start_matches('\u{feff}')).collect();
    reading.columns.check(&names)?;
    let places: Vec<usize> =
        reading.columns.0.iter().filter_map(|column| names.iter().position(|name| name == column)).collect();
    let mut record = StringRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) => {
                let line = record.position().map_or(line, csv::Position::line);
                let cells: Vec<Raw> = places.iter().map(|at| raw(record.get(*at).unwrap_or_default())).collect();
                reading.row(line, &cells)?;
            }
            Err(error) => {
                let line = error.position().map_or(line, csv::Position::line);
                reading.out.mistakes.row(line, &passable(&error).ok_or_else(|| fatal(&error))?);
            }
        }
    }
}

fn raw(text: &str) -> Raw {
    if text.is_empty() { Raw::Empty } else { Raw::Written(text.to_owned()) }
}

/// What is wrong with one row alone.
fn passable(error: &csv::Error) -> Option<String> {
    match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            Some(format!("{len} cells, where the first line has {expected_len}"))
        }
        ErrorKind::Utf8 { .. } => Some("not UTF-8".into()),
        _ => None,
    }
}

fn fatal(error: &csv::Error) -> Fatal {
    Fatal::Unreadable(error.to_string())
}
