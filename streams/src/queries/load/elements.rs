//! The elements of an array as a table.

use crate::catalog::{Feed, Table, part_of};
use crate::df::{DataType, Field, Schema};
use crate::dialect::{Options, TableName, Unnest};
use crate::plan::Units;
use crate::rows::Timing;
use edgeway_sdk::{Problem, did_you_mean};
use std::sync::Arc;

/// The column for the places of elements.
const ORDINALITY: &str = "ordinality";

/// The table that an `UNNEST` makes of a column of the tables before it.
///
/// # Errors
/// If they have no such column, or it is not an array, or it has fewer columns than names are given.
pub(super) fn table(name: &TableName, unnest: &Unnest, before: &[(&TableName, &Table)]) -> Result<Table, Problem> {
    let (table, column) = array(name, unnest, before)?;
    let field = table.schema.field_with_name(column).map_err(|_| name.at.problem("unknown column"))?;
    let DataType::List(item) = field.data_type() else {
        return Err(name.at.problem(format!("`{column}` is not an array")));
    };
    // The columns, with the names of their units.
    let mut columns: Vec<(Field, String)> = match item.data_type() {
        DataType::Struct(parts) => {
            parts.iter().map(|part| (part.as_ref().clone(), part_of(column, part.name()))).collect()
        }
        one => vec![(Field::new(name.qualifier.join("."), one.clone(), true), column.to_owned())],
    };
    if unnest.numbered {
        columns.push((Field::new(ORDINALITY, DataType::Int64, true), String::new()));
    }
    if unnest.names.len() > columns.len() {
        let (names, has) = (unnest.names.join(", "), columns.len());
        let problem =
            name.at.problem(format!("`{names}` are more names than an element of `{column}` has columns: {has}"));
        return Err(problem.help("take names away"));
    }
    for ((field, _), name) in columns.iter_mut().zip(&unnest.names) {
        *field = field.clone().with_name(name);
    }
    let unit = |(field, unit): &(Field, String)| Some((field.name().clone(), table.units.get(unit)?.clone()));
    let units: Units = columns.iter().filter_map(unit).collect();
    let fields: Vec<Field> = columns.into_iter().map(|(field, _)| field.with_nullable(true)).collect();
    Ok(Table {
        name: name.name.clone(),
        feed: Feed::Elements,
        timing: Timing::Moment,
        units,
        shown: fields.len(),
        schema: Arc::new(Schema::new(fields)),
        options: Options::default(),
        rows: None,
    })
}

/// The table and the name of the column that an `UNNEST` is about.
fn array<'a>(
    name: &TableName,
    unnest: &'a Unnest,
    before: &[(&TableName, &'a Table)],
) -> Result<(&'a Table, &'a str), Problem> {
    let Some((column, qualifier)) = unnest.column.split_last() else { return Err(name.at.problem("no column")) };
    let meant = || before.iter().filter(|(other, _)| qualifier.is_empty() || other.qualifier == *qualifier);
    let found = meant().find(|(_, table)| table.schema.column_with_name(column).is_some());
    found.map(|(_, table)| (*table, column.as_str())).ok_or_else(|| {
        let known = meant().flat_map(|(_, table)| table.shown());
        let help = did_you_mean(column, known);
        let text = unnest.column.join(".");
        name.at.problem(format!("no table before this has a column `{text}`")).maybe_help(help)
    })
}
