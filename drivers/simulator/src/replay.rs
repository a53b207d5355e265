//! Recordings: rows of a file, each with its time, as values of points. Pure but for the file that is read.

mod cell;
mod csv;
mod parquet;
mod times;

pub(crate) use cell::{Raw, cell};
pub(crate) use times::Schedule;

use crate::config::{Column, Missing, ReplayOptions, TimeUnit};
use edgeway_sdk::{DeviceIx, PointIx, Quality, Timestamp, Value, did_you_mean};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

/// The most values of one recording, which is held in memory.
const VALUES_MAX: usize = 5_000_000;
/// Mistakes that are told one by one; the rest is counted.
const TOLD_MAX: usize = 5;

/// What a recording is read for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// The points of each device by their columns.
    pub(crate) points: Vec<(PointIx, DeviceIx, Column)>,
    /// The text in the column of devices.
    pub(crate) devices: HashMap<String, DeviceIx>,
}

/// A recording in the order of time.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    pub(crate) rows: Vec<Row>,
    pub(crate) mistakes: Mistakes,
}

/// What was measured at one time.
#[derive(Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) time: Timestamp,
    pub(crate) values: Vec<(PointIx, Value, Quality)>,
}

/// What in the file cannot be used.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Mistakes {
    /// Rows that were left out.
    pub(crate) rows: u64,
    /// Cells that became bad values.
    pub(crate) cells: u64,
    /// The first of them, each with its line.
    pub(crate) told: Vec<String>,
}

/// Why there is no recording.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum Error {
    /// The file may come yet.
    #[error("{file}: {reason}")]
    Unreadable { file: String, reason: String },
    /// The file is not what the options say.
    #[error("{file}: {reason}")]
    Unfit { file: String, reason: String },
}

/// Reads a file.
///
/// # Errors
/// If it cannot be read, or does not have the columns.
pub(crate) fn read(options: &ReplayOptions, wanted: &Wanted) -> Result<Recording, Error> {
    let path = Path::new(&options.file);
    let columns = Columns::of(options, wanted);
    let mut reading = Reading { options, wanted, columns: &columns, values: 0, out: Recording::default() };
    let read = if options.is_parquet() { parquet::read(path, &mut reading) } else { csv::read(path, &mut reading) };
    read.map_err(|error| error.of(&options.file))?;
    let mut recording = reading.out;
    recording.rows.sort_by_key(|row| row.time);
    if recording.rows.is_empty() {
        return Err(Fatal::Unfit("no row can be used".into()).of(&options.file));
    }
    Ok(recording)
}

/// Why reading a file ends.
#[derive(Debug)]
enum Fatal {
    Unreadable(String),
    Unfit(String),
}

impl Fatal {
    fn of(self, file: &str) -> Error {
        let file = file.to_owned();
        match self {
            Fatal::Unreadable(reason) => Error::Unreadable { file, reason },
            Fatal::Unfit(reason) => Error::Unfit { file, reason },
        }
    }
}

/// The columns that are needed, without repetition: that of times first.
struct Columns(Vec<String>);

impl Columns {
    fn of(options: &ReplayOptions, wanted: &Wanted) -> Self {
        let of_points = wanted.points.iter().flat_map(|(_, _, column)| [Some(&column.name), column.quality.as_ref()]);
        let rest: BTreeSet<&String> = of_points.flatten().chain(&options.device).collect();
        let rest = rest.into_iter().filter(|name| **name != options.time);
        Columns(std::iter::once(&options.time).chain(rest).cloned().collect())
    }

    /// # Errors
    /// All columns that the file does not have.
    fn check(&self, found: &[&str]) -> Result<(), Fatal> {
        let lacking: Vec<String> = self
            .0
            .iter()
            .filter(|name| !found.contains(&name.as_str()))
            .map(|name| {
                let help = did_you_mean(name, found.iter().copied());
                format!("there is no column `{name}`{}", help.map(|help| format!(" ({help})")).unwrap_or_default())
            })
            .collect();
        if lacking.is_empty() { Ok(()) } else { Err(Fatal::Unfit(lacking.join("; "))) }
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|known| known == name)
    }
}

/// A file being read.
struct Reading<'a> {
    options: &'a ReplayOptions,
    wanted: &'a Wanted,
    columns: &'a Columns,
    values: usize,
    out: Recording,
}

impl Reading<'_> {
    /// Takes a row in; its cells are in the order of the columns.
    fn row(&mut self, line: u64, cells: &[Raw]) -> Result<(), Fatal> {
        let time = match cells.first().map(|cell| cell.time(self.options.time_unit)) {
            Some(Ok(time)) => time,
            Some(Err(reason)) => {
                self.out.mistakes.row(line, &format!("`{}` {reason}", self.options.time));
                return Ok(());
            }
            None => return Ok(()),
        };
        let Ok(device) = self.device(line, cells) else { return Ok(()) };
        let mut values = vec![];
        for (point, of, column) in &self.wanted.points {
            if device.is_none_or(|device| device == *of) {
                values.extend(self.value(line, cells, column).map(|(value, quality)| (*point, value, quality)));
            }
        }
        self.values += values.len();
        if self.values > VALUES_MAX {
            return Err(Fatal::Unfit(format!("more than {VALUES_MAX} values; divide it into several files")));
        }
        if !values.is_empty() {
            self.out.rows.push(Row { time, values });
        }
        Ok(())
    }

    /// The device of a row; `None` if it is of every one. Rows of devices that nobody plays are passed over.
    fn device(&mut self, line: u64, cells: &[Raw]) -> Result<Option<DeviceIx>, ()> {
        let Some(name) = &self.options.device else { return Ok(None) };
        let text = self.columns.place(name).and_then(|at| cells.get(at)).and_then(Raw::text);
        match text {
            Some(text) => self.wanted.devices.get(&text).copied().map(Some).ok_or(()),
            None => {
                self.out.mistakes.row(line, &format!("`{name}` is empty"));
                Err(())
            }
        }
    }

    /// A value with its quality; `None` if there is no news of it.
    fn value(&mut self, line: u64, cells: &[Raw], column: &Column) -> Option<(Value, Quality)> {
        let columns = self.columns;
        let at = |name: &str| columns.place(name).and_then(|at| cells.get(at));
        let raw = at(&column.name)?;
        let quality = match &column.quality {
            None => Quality::Good,
            Some(name) => {
                // A row without a quality is a report without this value.
                let word = at(name).and_then(Raw::text)?;
                quality_of(&word).unwrap_or_else(|| {
                    self.out.mistakes.cell(line, &format!("`{name}` is `{word}`, which is no quality"));
                    Quality::Bad
                })
            }
        };
        if quality.is_bad() {
            return Some((Value::Null, quality));
        }
        match cell(raw, column.column_type) {
            Ok(Some(value)) => Some((value, quality)),
            Ok(None) => (column.missing == Missing::Bad).then_some((Value::Null, Quality::Bad)),
            Err(reason) => {
                self.out.mistakes.cell(line, &format!("`{}` {reason}", column.name));
                Some((Value::Null, Quality::Bad))
            }
        }
    }
}

impl Mistakes {
    fn row(&mut self, line: u64, reason: &str) {
        self.rows += 1;
        self.tell(line, reason);
    }

    fn cell(&mut self, line: u64, reason: &str) {
        self.cells += 1;
        self.tell(line, reason);
    }

    fn tell(&mut self, line: u64, reason: &str) {
        if self.told.len() < TOLD_MAX {
            self.told.push(format!("line {line}: {reason}"));
        }
    }
}

fn quality_of(word: &str) -> Option<Quality> {
    Quality::ALL.into_iter().find(|quality| quality.as_str() == word)
}

impl TimeUnit {
    fn nanos(self) -> i64 {
        match self {
            TimeUnit::S => 1_000_000_000,
            TimeUnit::Ms => 1_000_000,
            TimeUnit::Us => 1_000,
            TimeUnit::Ns => 1,
        }
    }
}

#[cfg(test)]
mod tests;
