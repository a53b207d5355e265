//! What goes into one place of a table.

use crate::numbers::number;
use edgeway_sdk::{Timestamp, Value};
use edgeway_thing_models::{DataType, MessageId};
use std::borrow::Cow;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellType {
    Id,
    Time,
    Int,
    Float,
    Bool,
    Text,
    /// Text that is JSON.
    Json,
}

impl CellType {
    /// For values of a model's type.
    pub(super) fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Int(_) | DataType::Enum(_) => CellType::Int,
            DataType::Float(_) | DataType::Double(_) => CellType::Float,
            DataType::Bool { .. } => CellType::Bool,
            DataType::Date => CellType::Time,
            DataType::Text { .. } => CellType::Text,
            DataType::Struct(_) | DataType::Array { .. } => CellType::Json,
        }
    }

    /// For values whose type nobody has said; `None` if there is not one value.
    pub(super) fn among<'v>(values: impl Iterator<Item = &'v Value> + Clone) -> Option<Self> {
        let found = values.clone().filter_map(of_value).reduce(wider)?;
        let fits =
            found != CellType::Float || values.clone().all(|value| number(value).is_some() || *value == Value::Null);
        Some(if fits { found } else { CellType::Json })
    }
}

fn of_value(value: &Value) -> Option<CellType> {
    match value {
        Value::Null => None,
        Value::Bool(_) => Some(CellType::Bool),
        Value::Int(_) => Some(CellType::Int),
        Value::Float(_) => Some(CellType::Float),
        Value::Text(_) => Some(CellType::Text),
        Value::Bytes(_) | Value::Array(_) | Value::Struct(_) => Some(CellType::Json),
    }
}

/// The type that takes values of both.
fn wider(one: CellType, other: CellType) -> CellType {
    match (one, other) {
        _ if one == other => one,
        (CellType::Int | CellType::Float, CellType::Int | CellType::Float) => CellType::Float,
        _ => CellType::Json,
    }
}

/// What goes into one place.
#[derive(Debug, Clone)]
pub(super) enum Cell<'a> {
    Null,
    Id(MessageId),
    Time(Timestamp),
    Count(u64),
    Text(Cow<'a, str>),
    Value(&'a Value, Option<&'a DataType>),
}

impl<'a> Cell<'a> {
    pub(super) fn text(text: &'a str) -> Self {
        Cell::Text(Cow::Borrowed(text))
    }

    pub(super) fn made(text: impl Into<Option<String>>) -> Self {
        text.into().map_or(Cell::Null, |text| Cell::Text(Cow::Owned(text)))
    }
}
