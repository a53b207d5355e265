//! A column while it is filled.

use super::cell::{Cell, CellType};
use crate::numbers::{number, whole};
use crate::value_text::json;
use arrow_array::ArrayRef;
use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, FixedSizeBinaryBuilder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMillisecondBuilder,
};
use arrow_schema::{DataType, Field, TimeUnit};
use edgeway_sdk::Value;
use edgeway_thing_models::DataType as ModelType;
use std::collections::HashMap;

const ID_BYTES: i32 = 16;
const UTC: &str = "UTC";

/// A column: its field, and its cells so far.
#[derive(Debug)]
pub(super) struct Column {
    field: Field,
    cells: Cells,
}

#[derive(Debug)]
enum Cells {
    Id(FixedSizeBinaryBuilder),
    Time(TimestampMillisecondBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Bool(BooleanBuilder),
    Text(StringBuilder),
    Json(StringBuilder),
}

/// Whether a column can be without a value in some row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Always,
    Sometimes,
}

impl Column {
    pub(super) fn new(name: impl Into<String>, cell_type: CellType, presence: Presence) -> Self {
        let cells = Cells::new(cell_type);
        Column { field: Field::new(name, cells.data_type(), presence == Presence::Sometimes), cells }
    }

    /// A column of a model's type.
    pub(super) fn of(name: impl Into<String>, data_type: &ModelType) -> Self {
        let column = Column::new(name, CellType::of(data_type), Presence::Sometimes);
        Column { field: column.field.with_metadata(metadata(data_type)), ..column }
    }

    /// The Arrow type of cells of a type.
    pub(super) fn type_of(cell_type: CellType) -> DataType {
        Cells::new(cell_type).data_type()
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        self.field.name()
    }

    /// Adds a row's cell; says what does not fit, if so.
    pub(super) fn push(&mut self, cell: Cell<'_>) -> Result<(), String> {
        self.cells.push(cell).map_err(|found| format!("{found} does not fit the column `{}`", self.field.name()))
    }

    pub(super) fn finish(mut self) -> (Field, ArrayRef) {
        let array = match &mut self.cells {
            Cells::Id(cells) => ArrayBuilder::finish(cells),
            Cells::Time(cells) => ArrayBuilder::finish(cells),
            Cells::Int(cells) => ArrayBuilder::finish(cells),
            Cells::Float(cells) => ArrayBuilder::finish(cells),
            Cells::Bool(cells) => ArrayBuilder::finish(cells),
            Cells::Text(cells) | Cells::Json(cells) => ArrayBuilder::finish(cells),
        };
        (self.field, array)
    }
}

impl Cells {
    fn new(cell_type: CellType) -> Self {
        match cell_type {
            CellType::Id => Cells::Id(FixedSizeBinaryBuilder::new(ID_BYTES)),
            CellType::Time => Cells::Time(TimestampMillisecondBuilder::new().with_timezone(UTC)),
            CellType::Int => Cells::Int(Int64Builder::new()),
            CellType::Float => Cells::Float(Float64Builder::new()),
            CellType::Bool => Cells::Bool(BooleanBuilder::new()),
            CellType::Text => Cells::Text(StringBuilder::new()),
            CellType::Json => Cells::Json(StringBuilder::new()),
        }
    }

    fn data_type(&self) -> DataType {
        match self {
            Cells::Id(_) => DataType::FixedSizeBinary(ID_BYTES),
            Cells::Time(_) => DataType::Timestamp(TimeUnit::Millisecond, Some(UTC.into())),
            Cells::Int(_) => DataType::Int64,
            Cells::Float(_) => DataType::Float64,
            Cells::Bool(_) => DataType::Boolean,
            Cells::Text(_) | Cells::Json(_) => DataType::Utf8,
        }
    }

    /// Adds a cell; gives back what it was, as text, if it does not fit.
    fn push(&mut self, cell: Cell<'_>) -> Result<(), String> {
        match (self, cell) {
            (cells, Cell::Null | Cell::Value(Value::Null, _)) => cells.push_null(),
            (Cells::Id(cells), Cell::Id(id)) => {
                cells.append_value(id.to_u128().to_be_bytes()).map_err(|error| error.to_string())?;
            }
            (Cells::Time(cells), Cell::Time(time)) => cells.append_value(time.as_millis()),
            (Cells::Int(cells), Cell::Count(count)) => {
                cells.append_value(i64::try_from(count).map_err(|_| count.to_string())?);
            }
            (Cells::Text(cells) | Cells::Json(cells), Cell::Text(text)) => cells.append_value(text),
            (cells, Cell::Value(value, data_type)) => return cells.push_value(value, data_type),
            (_, cell) => return Err(format!("{cell:?}")),
        }
        Ok(())
    }

    fn push_null(&mut self) {
        match self {
            Cells::Id(cells) => cells.append_null(),
            Cells::Time(cells) => cells.append_null(),
            Cells::Int(cells) => cells.append_null(),
            Cells::Float(cells) => cells.append_null(),
            Cells::Bool(cells) => cells.append_null(),
            Cells::Text(cells) | Cells::Json(cells) => cells.append_null(),
        }
    }

    fn push_value(&mut self, value: &Value, data_type: Option<&ModelType>) -> Result<(), String> {
        let unfit = || format!("the value {value}");
        match (self, value) {
            (Cells::Int(cells), value) => cells.append_value(whole(value).ok_or_else(unfit)?),
            (Cells::Time(cells), value) => cells.append_value(whole(value).ok_or_else(unfit)?),
            (Cells::Float(cells), value) => {
                cells.append_value(as_written(number(value).ok_or_else(unfit)?, data_type));
            }
            (Cells::Bool(cells), Value::Bool(b)) => cells.append_value(*b),
            (Cells::Text(cells), Value::Text(text)) => cells.append_value(text),
            (Cells::Json(cells), value) => cells.append_value(json(value, data_type)),
            _ => return Err(unfit()),
        }
        Ok(())
    }
}

/// The number that JSON shows: a 32-bit one has the digits of 32 bits, 7.1 rather than 7.099999904632568.
fn as_written(x: f64, data_type: Option<&ModelType>) -> f64 {
    let narrow = x as f32;
    let is_single = matches!(data_type, Some(ModelType::Float(_))) && f64::from(narrow) == x && x.fract() != 0.0;
    if is_single { narrow.to_string().parse().unwrap_or(x) } else { x }
}

/// Metadata of the field for a model's type: TSL's word, the unit, the labels.
fn metadata(data_type: &ModelType) -> HashMap<String, String> {
    let mut metadata = HashMap::from([("type".to_owned(), data_type.name().to_owned())]);
    if let Some(unit) = data_type.unit() {
        metadata.insert("unit".into(), unit.to_string());
    }
    if let ModelType::Enum(labels) = data_type {
        metadata.insert("labels".into(), crate::value_text::json_of(labels));
    }
    metadata
}
