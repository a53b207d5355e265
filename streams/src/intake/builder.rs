//! Values of messages as the columns of a batch.

use crate::catalog::{DEVICE, QUALITY, TS};
use crate::df::{
    ArrayRef, BooleanBuilder, DataType, FieldRef, Fields, Float64Builder, Int32Builder, Int64Builder, ListArray,
    NullBufferBuilder, OffsetBufferBuilder, StringBuilder, StructArray, TimestampNanosecondArray,
    TimestampNanosecondBuilder,
};
use crate::ranks::RANK;
use edgeway_sdk::{Timestamp, Value};
use std::sync::Arc;

const NANOS_PER_MILLI: i64 = 1_000_000;

/// Collects the values of one column.
pub(crate) enum Builder {
    Device(StringBuilder),
    /// The device's number.
    Rank(Int32Builder),
    /// Made from the rows' times.
    Time,
    Quality(StringBuilder),
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Text(StringBuilder),
    Date(TimestampNanosecondBuilder),
    List(Box<List>),
    Struct(Parts),
}

/// Collects lists.
pub(crate) struct List {
    field: FieldRef,
    lengths: OffsetBufferBuilder<i32>,
    known: NullBufferBuilder,
    items: Builder,
}

/// Collects structs, field by field.
pub(crate) struct Parts {
    fields: Fields,
    known: NullBufferBuilder,
    columns: Vec<Builder>,
}

impl Builder {
    /// For values of a type, whatever the column is called.
    pub(crate) fn of(data_type: &DataType) -> Self {
        Builder::new("", data_type)
    }

    pub(crate) fn new(name: &str, data_type: &DataType) -> Self {
        match (name, data_type) {
            (DEVICE, _) => Builder::Device(StringBuilder::new()),
            (RANK, _) => Builder::Rank(Int32Builder::new()),
            (TS, _) => Builder::Time,
            (QUALITY, _) => Builder::Quality(StringBuilder::new()),
            (_, DataType::Boolean) => Builder::Bool(BooleanBuilder::new()),
            (_, DataType::Int64) => Builder::Int(Int64Builder::new()),
            (_, DataType::Float64) => Builder::Float(Float64Builder::new()),
            (_, DataType::Timestamp(..)) => Builder::Date(TimestampNanosecondBuilder::new()),
            (_, DataType::List(field)) => Builder::List(Box::new(List::new(field))),
            (_, DataType::Struct(fields)) => Builder::Struct(Parts::new(fields)),
            _ => Builder::Text(StringBuilder::new()),
        }
    }

    /// How many values there are; `rows` for the time, which needs none.
    pub(crate) fn len(&self, rows: usize) -> usize {
        use crate::df::ArrayBuilder;
        match self {
            Builder::Time => rows,
            Builder::Device(b) | Builder::Quality(b) | Builder::Text(b) => b.len(),
            Builder::Rank(b) => b.len(),
            Builder::Bool(b) => b.len(),
            Builder::Int(b) => b.len(),
            Builder::Float(b) => b.len(),
            Builder::Date(b) => b.len(),
            Builder::List(b) => b.known.len(),
            Builder::Struct(b) => b.known.len(),
        }
    }

    /// Adds a value. One that is not of the column's type is unknown.
    pub(crate) fn append(&mut self, value: &Value) {
        match (self, value) {
            (Builder::Bool(b), Value::Bool(value)) => b.append_value(*value),
            (Builder::Int(b), Value::Int(value)) => b.append_value(*value),
            (Builder::Float(b), Value::Float(value)) => b.append_value(*value),
            (Builder::Float(b), Value::Int(value)) => b.append_value(*value as f64),
            (Builder::Text(b), Value::Text(value)) => b.append_value(value),
            (Builder::Date(b), Value::Int(millis)) => b.append_option(millis.checked_mul(NANOS_PER_MILLI)),
            (Builder::List(b), Value::Array(items)) => b.append(Some(items)),
            (Builder::Struct(b), Value::Struct(fields)) => b.append(Some(fields)),
            (Builder::List(b), _) => b.append(None),
            (Builder::Struct(b), _) => b.append(None),
            (Builder::Rank(b), _) => b.append_null(),
            (Builder::Bool(b), _) => b.append_null(),
            (Builder::Int(b), _) => b.append_null(),
            (Builder::Float(b), _) => b.append_null(),
            (Builder::Date(b), _) => b.append_null(),
            (Builder::Text(b) | Builder::Device(b) | Builder::Quality(b), _) => b.append_null(),
            (Builder::Time, _) => {}
        }
    }

    /// Adds a time to a column of times.
    pub(crate) fn append_time(&mut self, time: Timestamp) {
        match self {
            Builder::Date(b) => b.append_value(time.as_nanos()),
            other => other.append(&Value::Null),
        }
    }

    pub(crate) fn finish(&mut self, ts: &[i64]) -> ArrayRef {
        match self {
            Builder::Time => Arc::new(TimestampNanosecondArray::from(ts.to_vec())),
            Builder::Device(b) | Builder::Quality(b) | Builder::Text(b) => Arc::new(b.finish()),
            Builder::Rank(b) => Arc::new(b.finish()),
            Builder::Bool(b) => Arc::new(b.finish()),
            Builder::Int(b) => Arc::new(b.finish()),
            Builder::Float(b) => Arc::new(b.finish()),
            Builder::Date(b) => Arc::new(b.finish()),
            Builder::List(b) => Arc::new(b.finish(ts)),
            Builder::Struct(b) => Arc::new(b.finish(ts)),
        }
    }
}

impl List {
    fn new(field: &FieldRef) -> List {
        let (lengths, known) = (OffsetBufferBuilder::new(0), NullBufferBuilder::new(0));
        List { field: field.clone(), lengths, known, items: Builder::of(field.data_type()) }
    }

    fn append(&mut self, items: Option<&[Value]>) {
        items.unwrap_or_default().iter().for_each(|item| self.items.append(item));
        self.lengths.push_length(items.map_or(0, <[Value]>::len));
        self.known.append(items.is_some());
    }

    fn finish(&mut self, ts: &[i64]) -> ListArray {
        let lengths = std::mem::replace(&mut self.lengths, OffsetBufferBuilder::new(0)).finish();
        ListArray::new(self.field.clone(), lengths, self.items.finish(ts), self.known.finish())
    }
}

impl Parts {
    fn new(fields: &Fields) -> Parts {
        let columns = fields.iter().map(|field| Builder::of(field.data_type())).collect();
        Parts { fields: fields.clone(), known: NullBufferBuilder::new(0), columns }
    }

    fn append(&mut self, values: Option<&[(Arc<str>, Value)]>) {
        for (field, column) in self.fields.iter().zip(&mut self.columns) {
            let value = values.unwrap_or_default().iter().find(|(name, _)| **name == **field.name());
            column.append(value.map_or(&Value::Null, |(_, value)| value));
        }
        self.known.append(values.is_some());
    }

    fn finish(&mut self, ts: &[i64]) -> StructArray {
        let columns = self.columns.iter_mut().map(|column| column.finish(ts)).collect();
        StructArray::new(self.fields.clone(), columns, self.known.finish())
    }
}
