//! Filter and projection of a batch: what a query without a window does, and what follows an aggregate.

use crate::account::Account;
use crate::df::{
    Array, ArrayRef, AsArray, BooleanArray, DataType, Expr, Field, FieldRef, PhysicalExpr, RecordBatch,
    RecordBatchOptions, Result, Schema, SchemaRef, TIME, cast, filter_record_batch, interval, prep_null_mask_filter,
};
use crate::operator::Operator;
use crate::rows::{Rows, bisect};
use std::ops::Range;
use std::sync::Arc;

/// An optional filter, then expressions.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) filter: Option<Arc<dyn PhysicalExpr>>,
    pub(crate) outputs: Vec<Arc<dyn PhysicalExpr>>,
    /// The columns that come out, each in the one type that rows have for its kind.
    pub(crate) schema: SchemaRef,
}

impl Segment {
    /// The batch that comes out, and which rows of the one that went in are in it.
    ///
    /// # Errors
    /// If an expression fails for any row, as a division by zero does.
    pub(crate) fn run(&self, batch: &RecordBatch) -> Result<(RecordBatch, Vec<usize>)> {
        let (batch, kept) = match &self.filter {
            Some(filter) => keep(batch, &mask(filter, batch)?)?,
            None => (batch.clone(), (0..batch.num_rows()).collect()),
        };
        let outputs = self.outputs.iter().zip(self.schema.fields());
        let columns = outputs.map(|(expr, field)| output(expr, &batch, field)).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok((RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?, kept))
    }
}

impl Operator for Segment {
    fn push(&mut self, rows: Rows, account: &mut Account, out: &mut Vec<Rows>) {
        let mut work = |range: Range<usize>| {
            let (batch, kept) = self.run(&rows.batch.slice(range.start, range.len()))?;
            let kept: Vec<usize> = kept.into_iter().map(|at| at + range.start).collect();
            if !kept.is_empty() {
                out.push(rows.pick(&kept, batch));
            }
            Ok(())
        };
        bisect(0..rows.len(), &mut work, &mut |at, error| account.failed(&rows, at, error));
    }

    fn describe(&self) -> String {
        let filter = if self.filter.is_some() { "a condition, then " } else { "" };
        format!("{filter}{} columns", self.outputs.len())
    }
}

fn output(expr: &Arc<dyn PhysicalExpr>, batch: &RecordBatch, field: &Field) -> Result<ArrayRef> {
    let column = evaluate(expr, batch)?;
    if *column.data_type() == interval::TYPE {
        return Ok(interval::seconds(&column));
    }
    if column.data_type() == field.data_type() { Ok(column) } else { Ok(cast(&column, field.data_type())?) }
}

/// The value of an expression for every row.
pub(crate) fn evaluate(expr: &Arc<dyn PhysicalExpr>, batch: &RecordBatch) -> Result<ArrayRef> {
    expr.evaluate(batch)?.into_array(batch.num_rows())
}

/// Where a condition is true. What is neither true nor false is not true.
pub(crate) fn mask(expr: &Arc<dyn PhysicalExpr>, batch: &RecordBatch) -> Result<BooleanArray> {
    let column = evaluate(expr, batch)?;
    let mask = column.as_boolean();
    Ok(if mask.null_count() == 0 { mask.clone() } else { prep_null_mask_filter(mask) })
}

/// The rows that a mask keeps, and where they were.
pub(crate) fn keep(batch: &RecordBatch, mask: &BooleanArray) -> Result<(RecordBatch, Vec<usize>)> {
    Ok((filter_record_batch(batch, mask)?, mask.values().set_indices().collect()))
}

/// The columns that expressions make, or the name and type of the first one that a row cannot hold.
pub(crate) fn output_schema(
    outputs: &[(Expr, Arc<dyn PhysicalExpr>)],
    input: &Schema,
) -> Result<Schema, (String, DataType)> {
    let field = |(expr, physical): &(Expr, Arc<dyn PhysicalExpr>)| {
        let name = expr.qualified_name().1;
        let found = physical.data_type(input).unwrap_or(DataType::Null);
        match row_type(&found) {
            Some(data_type) => Ok(Field::new(name, data_type, true)),
            None => Err((name, found)),
        }
    };
    Ok(Schema::new(outputs.iter().map(field).collect::<Result<Vec<_>, _>>()?))
}

/// The one type that rows have for values of this kind.
pub(crate) fn row_type(found: &DataType) -> Option<DataType> {
    match found {
        DataType::Boolean => Some(DataType::Boolean),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(DataType::Utf8),
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Some(TIME),
        // Lengths of time are seconds.
        interval if *interval == interval::TYPE => Some(DataType::Float64),
        integer if integer.is_integer() => Some(DataType::Int64),
        number if number.is_floating() || number.is_decimal() => Some(DataType::Float64),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            Some(DataType::new_list(part_type(item)?, true))
        }
        DataType::Struct(fields) => {
            let field = |field: &FieldRef| Some(Field::new(field.name(), part_type(field)?, true));
            Some(DataType::Struct(fields.iter().map(field).collect::<Option<Vec<_>>>()?.into()))
        }
        _ => None,
    }
}

/// The same for what is in an array or a struct, where a length of time is not turned into seconds.
fn part_type(part: &Field) -> Option<DataType> {
    Some(part.data_type()).filter(|found| **found != interval::TYPE).and_then(row_type)
}

/// How a type of rows is written in a `CAST`.
pub(crate) fn sql_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::Int64 => "BIGINT".to_owned(),
        DataType::Float64 => "DOUBLE".to_owned(),
        time if *time == TIME => "TIMESTAMP".to_owned(),
        DataType::List(item) => format!("{}[]", sql_name(item.data_type())),
        _ => "TEXT".to_owned(),
    }
}
