//! Rows in the binary form of `COPY`.

use super::column::ColumnType;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use bytes::{BufMut, BytesMut};

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
const NULL: i32 = -1;
/// PostgreSQL counts from 2000.
const YEAR_2000_MICROS: i64 = 946_684_800_000_000;

/// The beginning: signature, no flags, no extension.
pub(super) fn put_header(out: &mut BytesMut) {
    out.put_slice(SIGNATURE);
    out.put_u64(0);
}

/// The end.
pub(super) fn put_trailer(out: &mut BytesMut) {
    out.put_i16(-1);
}

/// All rows of a table, whose columns must be of types that [`ColumnType`] knows.
pub(super) fn put_rows(batch: &RecordBatch, out: &mut BytesMut) {
    // The number of columns has 16 bits in this form; PostgreSQL has at most 1,600.
    let columns = batch.num_columns() as i16;
    for row in 0..batch.num_rows() {
        out.put_i16(columns);
        for column in batch.columns() {
            match column.is_null(row) {
                true => out.put_i32(NULL),
                false => put_cell(column, row, out),
            }
        }
    }
}

fn put_cell(column: &dyn Array, row: usize, out: &mut BytesMut) {
    match ColumnType::of(column.data_type()) {
        Some(ColumnType::Id) => put_bytes(column.as_fixed_size_binary().value(row), out),
        Some(ColumnType::Time) => put_bytes(&time(column, row).to_be_bytes(), out),
        Some(ColumnType::Int) => put_bytes(&column.as_primitive::<Int64Type>().value(row).to_be_bytes(), out),
        Some(ColumnType::Float) => put_bytes(&column.as_primitive::<Float64Type>().value(row).to_be_bytes(), out),
        Some(ColumnType::Bool) => put_bytes(&[u8::from(column.as_boolean().value(row))], out),
        Some(ColumnType::Text) => put_bytes(column.as_string::<i32>().value(row).as_bytes(), out),
        None => unreachable!("a table is looked at before its rows are written"),
    }
}

/// One value is far below the 2 GiB that its length can say: a window holds 4 MiB.
fn put_bytes(bytes: &[u8], out: &mut BytesMut) {
    out.put_i32(bytes.len() as i32);
    out.put_slice(bytes);
}

/// Microseconds since 2000. What is out of range stays out of PostgreSQL's, but must not mean `infinity` to it, which is
/// the largest and the smallest number.
fn time(column: &dyn Array, row: usize) -> i64 {
    let micros = match column.data_type() {
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            column.as_primitive::<TimestampMillisecondType>().value(row).saturating_mul(1000)
        }
        _ => column.as_primitive::<TimestampMicrosecondType>().value(row),
    };
    micros.saturating_sub(YEAR_2000_MICROS).clamp(i64::MIN + 1, i64::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{Int64Array, StringArray, TimestampMillisecondArray};
    use arrow_schema::{Field, Schema};
    use std::sync::Arc;

    #[test]
    fn rows_are_in_the_form_that_the_manual_gives() {
        let field = |name, data_type| Field::new(name, data_type, true);
        let millis = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
        let schema =
            Schema::new(vec![field("time", millis), field("n", DataType::Int64), field("text", DataType::Utf8)]);
        let columns: Vec<Arc<dyn Array>> = vec![
            Arc::new(TimestampMillisecondArray::from(vec![946_684_800_001]).with_timezone("UTC")),
            Arc::new(Int64Array::from(vec![None])),
            Arc::new(StringArray::from(vec!["hi"])),
        ];
        let mut out = BytesMut::new();
        put_rows(&RecordBatch::try_new(schema.into(), columns).unwrap(), &mut out);
        let expected = [&[0, 3, 0, 0, 0, 8][..], &1000_i64.to_be_bytes(), &[0xff; 4], &[0, 0, 0, 2], b"hi"].concat();
        assert_eq!(out, expected);
    }

    #[test]
    fn no_time_means_infinity() {
        for millis in [i64::MIN, i64::MAX] {
            let found = time(&TimestampMillisecondArray::from(vec![millis]), 0);
            assert!(found != i64::MIN && found != i64::MAX);
        }
    }
}
