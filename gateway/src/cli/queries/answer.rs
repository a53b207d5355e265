//! Rows for people and for programs.

use super::Failure;
use crate::cli::arguments::Rows;
use crate::client::table::{self, Cell, Colours};
use edgeway_sdk::{Timestamp, Value};
use edgeway_thing_models::Row;
use std::io::{BufWriter, ErrorKind, Write};
use std::sync::Arc;

/// What rows look like.
pub(super) struct Answer {
    pub(super) columns: Vec<Arc<str>>,
    /// Which of them are times.
    pub(super) times: Vec<bool>,
    pub(super) form: Rows,
}

impl Answer {
    /// Prints all rows.
    pub(super) fn print(&self, rows: &[Row]) -> Result<(), Failure> {
        let out = BufWriter::new(std::io::stdout().lock());
        quiet(match self.form {
            Rows::Table => self.table(out, rows),
            Rows::Csv => self.csv(out, rows, Header::Shown),
            Rows::Json => self.json(out, rows),
        })
    }

    /// Prints rows that come one by one; the first ones with the names of the columns.
    pub(super) fn follow(&self, rows: &[Row], is_first: bool) -> Result<(), Failure> {
        let out = BufWriter::new(std::io::stdout().lock());
        let header = if is_first { Header::Shown } else { Header::Left };
        quiet(match self.form {
            Rows::Json => self.json(out, rows),
            Rows::Csv => self.csv(out, rows, header),
            Rows::Table => self.lines(out, rows),
        })
    }

    fn table(&self, mut out: impl Write, rows: &[Row]) -> std::io::Result<()> {
        let cell = |(at, value): (usize, &Value)| match value {
            Value::Int(_) | Value::Float(_) if !self.times[at] => Cell::number(value),
            _ => Cell::text(self.text(at, value)),
        };
        let cells: Vec<Vec<Cell>> = rows.iter().map(|row| row.values.iter().enumerate().map(cell).collect()).collect();
        let titles: Vec<&str> = self.columns.iter().map(|column| &**column).collect();
        write!(out, "{}", table::layout(&titles, &cells, Colours::of_stdout()))?;
        out.flush()
    }

    /// `device wt-01, n 3`.
    fn lines(&self, mut out: impl Write, rows: &[Row]) -> std::io::Result<()> {
        for row in rows {
            let pair = |(at, value): (usize, &Value)| format!("{} {}", self.columns[at], self.text(at, value));
            let pairs: Vec<String> = row.values.iter().enumerate().map(pair).collect();
            writeln!(out, "{}", table::harmless(&pairs.join(", ")))?;
        }
        out.flush()
    }

    /// All rows as CSV.
    pub(super) fn csv_text(&self, rows: &[Row]) -> Result<String, Failure> {
        let mut bytes = vec![];
        self.csv(&mut bytes, rows, Header::Shown).map_err(|error| error.to_string())?;
        String::from_utf8(bytes).map_err(|error| error.to_string())
    }

    fn csv(&self, out: impl Write, rows: &[Row], header: Header) -> std::io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        if header == Header::Shown {
            writer.write_record(self.columns.iter().map(|column| column.as_bytes()))?;
        }
        for row in rows {
            let text = |(at, value): (usize, &Value)| {
                if matches!(value, Value::Null) { String::new() } else { self.text(at, value) }
            };
            writer.write_record(row.values.iter().enumerate().map(text))?;
        }
        writer.flush()
    }

    fn json(&self, mut out: impl Write, rows: &[Row]) -> std::io::Result<()> {
        for row in rows {
            let value = |(at, value): (usize, &Value)| match value {
                Value::Int(_) if self.times[at] => self.text(at, value).into(),
                other => other.to_json(),
            };
            let values = row.values.iter().enumerate().map(value);
            let object: serde_json::Map<_, _> =
                self.columns.iter().map(|column| column.to_string()).zip(values).collect();
            writeln!(out, "{}", serde_json::Value::Object(object))?;
        }
        out.flush()
    }

    /// A value as people read it: times as in RFC 3339.
    pub(super) fn text(&self, at: usize, value: &Value) -> String {
        match value {
            Value::Int(millis) if self.times[at] => Timestamp::from_millis(*millis).to_string(),
            other => other.to_string(),
        }
    }
}

/// Whether the names of the columns are printed.
#[derive(PartialEq, Eq)]
enum Header {
    Shown,
    Left,
}

/// A closed pipe (`| head`) is no mistake.
fn quiet(done: std::io::Result<()>) -> Result<(), Failure> {
    match done {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| error.to_string()),
    }
}
