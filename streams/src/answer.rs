//! From batches to messages: ids and values.

use crate::df::{
    Array, ArrayRef, AsArray, DataType, Float64Type, Int64Type, RecordBatch, Result, SchemaRef, TIME,
    TimestampNanosecondType, cast,
};
use crate::rows::{Ids, Rows, Window};
use edgeway_sdk::{Timestamp, Value};
use edgeway_thing_models::{Body, Message, Row};
use std::fmt::Write;
use std::sync::Arc;

const NANOS_PER_MILLI: i64 = 1_000_000;

/// Rows of a window that has closed.
pub(crate) fn window_rows(batch: RecordBatch, ids: Vec<Arc<str>>, window: Window) -> Rows {
    let rows = batch.num_rows();
    Rows {
        batch,
        ts: vec![window.end; rows],
        heard: vec![window.end; rows],
        offsets: vec![window.first_offset; rows],
        ids: Ids::Made(ids),
        window: None,
    }
}

/// The news that a window has closed and that all its rows have been handed on.
pub(crate) fn no_rows(schema: &SchemaRef, window: Window) -> Rows {
    Rows { window: Some(window), ..window_rows(RecordBatch::new_empty(schema.clone()), vec![], window) }
}

/// `<key>/<start of the window, in milliseconds>` for each group, with `/<its end>` where that is not enough. Keys are
/// separated by slashes too.
pub(crate) fn window_ids(
    keys: &[ArrayRef],
    groups: &[usize],
    (start, end): (i64, Option<i64>),
) -> Result<Vec<Arc<str>>> {
    let keys: Vec<Reader> = keys.iter().map(Reader::new).collect::<Result<_>>()?;
    let millis = |time: i64| time.div_euclid(NANOS_PER_MILLI);
    let window = match end {
        None => millis(start).to_string(),
        Some(end) => format!("{}/{}", millis(start), millis(end)),
    };
    Ok(groups.iter().map(|&group| window_id(&keys, group, &window)).collect())
}

fn window_id(keys: &[Reader], group: usize, window: &str) -> Arc<str> {
    let mut id = String::new();
    for key in keys {
        push_key(&mut id, &key.value(group));
        id.push('/');
    }
    id.push_str(window);
    id.into()
}

/// Slashes and percent signs are written as in a URL, so that two keys never give one id.
fn push_key(id: &mut String, key: &Value) {
    match key {
        Value::Null => id.push_str("%null"),
        Value::Text(text) => escape(id, text),
        other => {
            let _ = write!(id, "{other}");
        }
    }
}

fn escape(id: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '/' => id.push_str("%2F"),
            '%' => id.push_str("%25"),
            c => id.push(c),
        }
    }
}

/// What the id of a row is behind the query's name: for a message `<device>/<ts, in milliseconds>/<offset>`.
fn id_of(rows: &Rows, at: usize) -> Arc<str> {
    match &rows.ids {
        Ids::Made(ids) => ids[at].clone(),
        Ids::Devices(devices) => {
            let mut id = String::new();
            escape(&mut id, &devices[at]);
            let _ = write!(id, "/{}/{}", rows.ts[at].div_euclid(NANOS_PER_MILLI), rows.offsets[at]);
            id.into()
        }
    }
}

/// The rows as messages of a query, without those that are `told` already.
///
/// # Errors
/// If a column is of a type that rows do not have.
pub(crate) fn messages(
    (query, columns): (&Arc<str>, &Arc<[Arc<str>]>),
    rows: &Rows,
    now: Timestamp,
    told: impl Fn(i64, u64) -> bool,
    out: &mut Vec<Message>,
) -> Result<u64> {
    let readers: Vec<Reader> =
        rows.batch.columns().iter().take(columns.len()).map(Reader::new).collect::<Result<_>>()?;
    let before = out.len();
    for at in (0..rows.len()).filter(|&at| !told(rows.ts[at], rows.offsets[at])) {
        let body = Body::Row(Row {
            query: query.clone(),
            id: format!("{query}/{}", id_of(rows, at)).into(),
            columns: columns.clone(),
            values: readers.iter().map(|column| column.value(at)).collect(),
            source_time: Timestamp::from_nanos(rows.ts[at]),
        });
        out.push(Message { time: now, body });
    }
    Ok((out.len() - before) as u64)
}

/// A column whose type is known.
pub(crate) struct Reader {
    column: ArrayRef,
    read: fn(&ArrayRef, usize) -> Value,
}

impl Reader {
    /// Keys can be of any type that casts to one that rows have; the columns of an answer are of such a type.
    pub(crate) fn new(column: &ArrayRef) -> Result<Reader> {
        let (data_type, read): (_, fn(&ArrayRef, usize) -> Value) = match column.data_type() {
            DataType::Boolean => (DataType::Boolean, |c, at| Value::Bool(c.as_boolean().value(at))),
            DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => (TIME, |c, at| {
                Value::Int(c.as_primitive::<TimestampNanosecondType>().value(at).div_euclid(NANOS_PER_MILLI))
            }),
            integer if integer.is_integer() => {
                (DataType::Int64, |c, at| Value::Int(c.as_primitive::<Int64Type>().value(at)))
            }
            number if number.is_floating() || number.is_decimal() => {
                (DataType::Float64, |c, at| number_value(c.as_primitive::<Float64Type>().value(at)))
            }
            _ => (DataType::Utf8, |c, at| Value::from(c.as_string::<i32>().value(at))),
        };
        let column = if *column.data_type() == data_type { column.clone() } else { cast(column, &data_type)? };
        Ok(Reader { column, read })
    }

    pub(crate) fn value(&self, at: usize) -> Value {
        if self.column.is_null(at) { Value::Null } else { (self.read)(&self.column, at) }
    }
}

/// NaN and infinities are no values.
fn number_value(number: f64) -> Value {
    if number.is_finite() { Value::Float(number) } else { Value::Null }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_with_slashes_give_ids_that_differ() {
        let (mut one, mut other) = (String::new(), String::new());
        for (id, keys) in [(&mut one, ["a/b", "c"]), (&mut other, ["a", "b/c"])] {
            for key in keys {
                push_key(id, &Value::from(key));
                id.push('/');
            }
        }
        assert_eq!((one.as_str(), other.as_str()), ("a%2Fb/c/", "a/b%2Fc/"));
    }
}
