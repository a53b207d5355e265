//! Tables whose rows are there from the start: the site's devices with their labels, and its CSV files.

use crate::df::{
    ArrayRef, BooleanArray, DataType, Field, Float64Array, Int64Array, RecordBatch, Schema, StringArray, sqlparser,
};
use edgeway_thing_models::Things;
use sqlparser::ast::DataType as SqlType;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The table of all devices: `device`, `model`, and a column for every label.
pub(crate) const DEVICES: &str = "devices";

/// A CSV file of a site, read but not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupFile {
    /// Its path, to name it in problems.
    pub file: Arc<str>,
    /// The table's name: the file's, without `.csv`, in snake_case.
    pub name: Arc<str>,
    /// What its first line says.
    pub columns: Vec<String>,
    /// The others. An empty cell is `NULL`.
    pub rows: Vec<Vec<String>>,
}

/// The devices of a site.
pub(crate) fn devices(things: &Things) -> LookupFile {
    let labels: BTreeSet<&String> = things.devices().flat_map(|(_, device)| device.labels.keys()).collect();
    let labels: Vec<&String> =
        labels.into_iter().filter(|label| !["device", "model"].contains(&label.as_str())).collect();
    let row = |device: &edgeway_thing_models::Device| {
        let own = [device.id.to_string(), things.model(device.model).name.to_string()];
        own.into_iter()
            .chain(labels.iter().map(|label| device.labels.get(*label).cloned().unwrap_or_default()))
            .collect()
    };
    LookupFile {
        file: "devices".into(),
        name: DEVICES.into(),
        columns: ["device".to_owned(), "model".to_owned()]
            .into_iter()
            .chain(labels.iter().map(|l| (*l).clone()))
            .collect(),
        rows: things.devices().map(|(_, device)| row(device)).collect(),
    }
}

impl LookupFile {
    /// The rows as a table in which every column has the narrowest type that all its cells have.
    pub(crate) fn table(&self) -> RecordBatch {
        let columns: Vec<(String, DataType)> =
            self.columns.iter().enumerate().map(|(at, name)| (name.clone(), self.guess(at))).collect();
        let arrays = (0..columns.len()).map(|at| self.column(at, &columns[at].1).unwrap_or_else(|_| self.texts(at)));
        batch(&columns, arrays.collect(), self.rows.len())
    }

    /// A column by its name, with the type that somebody wants it to have.
    ///
    /// # Errors
    /// The line of the first cell that is not of that type, and the cell.
    pub(crate) fn typed(&self, at: usize, data_type: &DataType) -> Result<ArrayRef, (usize, String)> {
        self.column(at, data_type)
    }

    fn cells(&self, at: usize) -> impl Iterator<Item = Option<&str>> {
        self.rows.iter().map(move |row| row.get(at).map(|cell| cell.trim()).filter(|cell| !cell.is_empty()))
    }

    fn guess(&self, at: usize) -> DataType {
        let all = |is: fn(&str) -> bool| self.cells(at).flatten().all(is);
        if self.cells(at).flatten().next().is_none() {
            DataType::Utf8
        } else if all(|cell| cell.parse::<i64>().is_ok()) {
            DataType::Int64
        } else if all(|cell| number(cell).is_some()) {
            DataType::Float64
        } else if all(|cell| boolean(cell).is_some()) {
            DataType::Boolean
        } else {
            DataType::Utf8
        }
    }

    fn column(&self, at: usize, data_type: &DataType) -> Result<ArrayRef, (usize, String)> {
        Ok(match data_type {
            DataType::Int64 => Arc::new(Int64Array::from(self.read(at, |cell| cell.parse().ok())?)),
            DataType::Float64 => Arc::new(Float64Array::from(self.read(at, number)?)),
            DataType::Boolean => Arc::new(BooleanArray::from(self.read(at, boolean)?)),
            _ => self.texts(at),
        })
    }

    fn read<T>(&self, at: usize, read: fn(&str) -> Option<T>) -> Result<Vec<Option<T>>, (usize, String)> {
        let cell = |(row, cell): (usize, Option<&str>)| match cell {
            None => Ok(None),
            // The first line names the columns.
            Some(cell) => read(cell).map(Some).ok_or_else(|| (row + 2, cell.to_owned())),
        };
        self.cells(at).enumerate().map(cell).collect()
    }

    fn texts(&self, at: usize) -> ArrayRef {
        Arc::new(self.cells(at).collect::<StringArray>())
    }
}

/// Columns of a lookup table as a batch.
pub(crate) fn batch(columns: &[(String, DataType)], arrays: Vec<ArrayRef>, rows: usize) -> RecordBatch {
    let fields = columns.iter().map(|(name, data_type)| Field::new(name, data_type.clone(), true));
    let options = crate::df::RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields.collect::<Vec<_>>())), arrays, &options)
        .expect("every column has one cell for every row")
}

/// The type of a column that `CREATE TABLE` declares; `None` if rows do not have it.
pub(crate) fn column_type(declared: &SqlType) -> Option<DataType> {
    match declared {
        SqlType::Text | SqlType::String(_) | SqlType::Varchar(_) => Some(DataType::Utf8),
        SqlType::Int(_) | SqlType::Integer(_) | SqlType::BigInt(_) => Some(DataType::Int64),
        SqlType::Double(_) | SqlType::DoublePrecision | SqlType::Float(_) | SqlType::Real => Some(DataType::Float64),
        SqlType::Boolean | SqlType::Bool => Some(DataType::Boolean),
        _ => None,
    }
}

fn number(cell: &str) -> Option<f64> {
    cell.parse().ok().filter(|number: &f64| number.is_finite())
}

fn boolean(cell: &str) -> Option<bool> {
    match cell {
        "true" | "TRUE" => Some(true),
        "false" | "FALSE" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(rows: &[&[&str]]) -> LookupFile {
        let rows = rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
        LookupFile { file: "tables/t.csv".into(), name: "t".into(), columns: vec!["a".into(), "b".into()], rows }
    }

    #[test]
    fn a_column_has_the_narrowest_type_of_its_cells() {
        let types = |rows: &[&[&str]]| {
            let table = file(rows).table();
            [table.column(0).data_type().clone(), table.column(1).data_type().clone()]
        };
        assert_eq!(types(&[&["1", "x"], &["2", ""]]), [DataType::Int64, DataType::Utf8]);
        assert_eq!(types(&[&["1", "true"], &["2.5", "false"]]), [DataType::Float64, DataType::Boolean]);
        assert_eq!(types(&[&["", "1e400"]]), [DataType::Utf8, DataType::Utf8]);
    }

    #[test]
    fn a_cell_of_another_type_than_declared_is_found_by_its_line() {
        assert_eq!(file(&[&["1", ""], &["two", ""]]).typed(0, &DataType::Int64).map(drop), Err((3, "two".to_owned())));
    }
}
