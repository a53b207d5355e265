//! A table's name and columns.

use crate::postgres::column::ColumnType;
use crate::postgres::names;
use edgeway_formats::Table;

/// Rows of one shape are written together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    /// `property/wind_turbine`
    pub(crate) table: String,
    /// Names as they are in the database.
    pub(crate) columns: Vec<(String, ColumnType)>,
}

impl Shape {
    /// # Errors
    /// What this target cannot store of it.
    pub(crate) fn of(table: &Table) -> Result<Self, String> {
        let schema = table.batch.schema();
        let columns = schema.fields().iter().map(|field| {
            let column = ColumnType::of(field.data_type());
            let column = column.ok_or_else(|| format!("column `{}` is of type {}", field.name(), field.data_type()))?;
            Ok((names::fitting(field.name()), column))
        });
        let shape = Shape { table: table.name.clone(), columns: columns.collect::<Result<_, String>>()? };
        for needed in [("id", ColumnType::Id), ("time", ColumnType::Time)] {
            if !shape.columns.iter().any(|(name, column)| (name.as_str(), *column) == needed) {
                return Err(format!("the table `{}` has no column `{}`", shape.table, needed.0));
            }
        }
        Ok(shape)
    }
}
