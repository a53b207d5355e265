//! Columns: what Arrow has, in PostgreSQL's types.

use arrow_schema::{DataType, TimeUnit};

/// The types of the columns of our tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum ColumnType {
    Id,
    Time,
    Int,
    Float,
    Bool,
    Text,
}

impl ColumnType {
    /// `None` if our tables have no such columns.
    pub(super) fn of(data_type: &DataType) -> Option<Self> {
        match data_type {
            DataType::FixedSizeBinary(16) => Some(ColumnType::Id),
            DataType::Timestamp(TimeUnit::Millisecond | TimeUnit::Microsecond, _) => Some(ColumnType::Time),
            DataType::Int64 => Some(ColumnType::Int),
            DataType::Float64 => Some(ColumnType::Float),
            DataType::Boolean => Some(ColumnType::Bool),
            DataType::Utf8 => Some(ColumnType::Text),
            _ => None,
        }
    }

    /// As it is said in `CREATE TABLE`.
    pub(super) fn sql(self) -> &'static str {
        match self {
            ColumnType::Id => "uuid",
            ColumnType::Time => "timestamp with time zone",
            ColumnType::Int => "bigint",
            ColumnType::Float => "double precision",
            ColumnType::Bool => "boolean",
            ColumnType::Text => "text",
        }
    }

    /// Whether a column of PostgreSQL's type, by its internal name, takes such values without changing them more than who
    /// made the table must have wanted. `float8` into `int8` would be rounded without a word.
    pub(super) fn fits(self, type_name: &str) -> bool {
        match self {
            ColumnType::Id => type_name == "uuid",
            ColumnType::Time => matches!(type_name, "timestamptz" | "timestamp"),
            ColumnType::Int => matches!(type_name, "int8" | "int4" | "int2" | "numeric" | "float8"),
            ColumnType::Float => matches!(type_name, "float8" | "float4" | "numeric"),
            ColumnType::Bool => type_name == "bool",
            ColumnType::Text => matches!(type_name, "text" | "varchar"),
        }
    }
}
