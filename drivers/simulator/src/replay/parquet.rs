//! Parquet files, such as routes write into an archive.

use super::{Fatal, Raw, Reading};
use edgeway_sdk::{Timestamp, Value};
use parquet::basic::{LogicalType, TimeUnit};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::schema::types::{Type, TypePtr};
use std::path::Path;

pub(super) fn read(path: &Path, reading: &mut Reading<'_>) -> Result<(), Fatal> {
    let file = std::fs::File::open(path).map_err(|error| Fatal::Unreadable(error.to_string()))?;
    let reader = SerializedFileReader::new(file).map_err(|error| unfit(&error))?;
    let schema = reader.metadata().file_metadata().schema();
    let names: Vec<&str> = schema.get_fields().iter().map(|field| field.name()).collect();
    reading.columns.check(&names)?;
    let (projection, fields) = projection(schema, &reading.columns.0)?;
    let rows = reader.get_row_iter(Some(projection)).map_err(|error| unfit(&error))?;
    for (row, number) in rows.zip(1..) {
        let row = row.map_err(|error| Fatal::Unfit(format!("row {number}: {error}")))?;
        let cells: Vec<(String, Field)> = row.into_columns();
        let cells: Vec<Raw> = fields
            .iter()
            .map(|field| {
                cells.iter().find(|(name, _)| name == field.name()).map_or(Raw::Empty, |(_, cell)| raw(cell, field))
            })
            .collect();
        reading.row(number, &cells)?;
    }
    Ok(())
}

/// The wanted fields alone, in the order of the columns.
fn projection(schema: &Type, columns: &[String]) -> Result<(Type, Vec<TypePtr>), Fatal> {
    let fields: Vec<TypePtr> = columns
        .iter()
        .filter_map(|column| schema.get_fields().iter().find(|field| field.name() == column).cloned())
        .collect();
    let projected = Type::group_type_builder(schema.name()).with_fields(fields.clone()).build();
    projected.map(|projected| (projected, fields)).map_err(|error| unfit(&error))
}

fn raw(cell: &Field, field: &TypePtr) -> Raw {
    match cell {
        Field::Null => Raw::Empty,
        Field::Bool(bool) => Raw::Typed(Value::Bool(*bool)),
        Field::Byte(int) => whole(i64::from(*int)),
        Field::Short(int) => whole(i64::from(*int)),
        Field::Int(int) => whole(i64::from(*int)),
        Field::Long(int) if is_nanos(field) => Raw::Time(Timestamp::from_nanos(*int)),
        Field::Long(int) => whole(*int),
        Field::UByte(int) => whole(i64::from(*int)),
        Field::UShort(int) => whole(i64::from(*int)),
        Field::UInt(int) => whole(i64::from(*int)),
        Field::ULong(int) => i64::try_from(*int).map_or(Raw::Unfit("is larger than 64 bits with a sign"), whole),
        Field::Float16(float) => Raw::Typed(Value::Float(float.to_f64())),
        Field::Float(float) => Raw::Typed(Value::Float(f64::from(*float))),
        Field::Double(float) => Raw::Typed(Value::Float(*float)),
        Field::Str(text) => Raw::Typed(text.as_str().into()),
        Field::Bytes(bytes) => match std::str::from_utf8(bytes.data()) {
            Ok(text) => Raw::Typed(text.into()),
            Err(_) => Raw::Typed(Value::Bytes(bytes.data().into())),
        },
        Field::TimestampMillis(millis) => Raw::Time(Timestamp::from_millis(*millis)),
        Field::TimestampMicros(micros) => Raw::Time(Timestamp::from_nanos(micros.saturating_mul(1_000))),
        Field::Date(days) => Raw::Time(Timestamp::from_secs(i64::from(*days) * 86_400)),
        Field::Decimal(_) | Field::TimeMillis(_) | Field::TimeMicros(_) => Raw::Unfit("has a type that no value has"),
        Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) => Raw::Unfit("is nested"),
    }
}

fn whole(int: i64) -> Raw {
    Raw::Typed(Value::Int(int))
}

fn is_nanos(field: &TypePtr) -> bool {
    let logical = field.get_basic_info().logical_type_ref();
    matches!(logical, Some(LogicalType::Timestamp(time)) if time.unit == TimeUnit::NANOS)
}

fn unfit(error: &parquet::errors::ParquetError) -> Fatal {
    Fatal::Unfit(error.to_string())
}
