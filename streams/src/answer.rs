//! From batches to messages: ids and values.

use crate::df::{
    Array, ArrayRef, AsArray, DataType, FieldRef, Float64Type, Int64Type, Result, StructArray, TIME,
    TimestampNanosecondType, cast,
};
use crate::rows::{Ids, Rows};
use edgeway_sdk::{Timestamp, Value};
use edgeway_thing_models::{Body, Message, Row};
use std::fmt::Write;
use std::sync::Arc;

const NANOS_PER_MILLI: i64 = 1_000_000;

/// `<key>/<window>` for each group. Keys are separated by slashes too.
pub(crate) fn ids(keys: &[ArrayRef], windows: impl Iterator<Item = String>) -> Result<Vec<Arc<str>>> {
    let keys: Vec<Reader> = keys.iter().map(Reader::new).collect::<Result<_>>()?;
    Ok(windows.enumerate().map(|(group, window)| window_id(&keys, group, &window)).collect())
}

/// A time as it stands in an id, in milliseconds.
pub(crate) fn millis(time: i64) -> i64 {
    time.div_euclid(NANOS_PER_MILLI)
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
        Value::Array(_) | Value::Struct(_) => escape(id, &key.to_string()),
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
pub(crate) fn id_of(rows: &Rows, at: usize) -> Arc<str> {
    match &rows.ids {
        Ids::Devices(..) => id_of_message(rows, at),
        ids => ids.name(at),
    }
}

/// What the ids of all rows are behind the query's name.
pub(crate) fn ids_of_rows(rows: &Rows) -> Vec<Arc<str>> {
    match &rows.ids {
        Ids::Devices(..) => (0..rows.len()).map(|at| id_of_message(rows, at)).collect(),
        ids => ids.names(),
    }
}

/// The ids of some groups of a window. Keys that cannot be read have been refused when the query was planned.
pub(crate) fn ids_of((keys, window): &(Vec<ArrayRef>, String), groups: &[usize]) -> Vec<Arc<str>> {
    let keys: Vec<Reader> = keys.iter().filter_map(|key| Reader::new(key).ok()).collect();
    groups.iter().map(|&group| window_id(&keys, group, window)).collect()
}

/// The id of a row that is a message.
pub(crate) fn message_id(device: &str, ts: i64, offset: u64) -> String {
    let mut id = String::new();
    escape(&mut id, device);
    let _ = write!(id, "/{}/{offset}", millis(ts));
    id
}

fn id_of_message(rows: &Rows, at: usize) -> Arc<str> {
    message_id(&rows.ids.name(at), rows.ts[at], rows.causes[at]).into()
}

/// Ids for rows of which several may come of one: `at` says of which, and where that repeats, they are numbered. `before` of
/// the first one have come already.
pub(crate) fn multiplied(rows: &Rows, at: &[usize], before: usize) -> Ids {
    let mut number = 0;
    let id = |place: usize| {
        let repeats = place > 0 && at[place - 1] == at[place];
        number = match place {
            0 => before,
            _ if repeats => number + 1,
            _ => 0,
        };
        let id = id_of(rows, at[place]);
        if number == 0 { id } else { format!("{id}/{number}").into() }
    };
    Ids::made((0..at.len()).map(id).collect())
}

/// The id of a pair of rows.
pub(crate) fn pair_id(left: &Rows, right: &Rows, at: usize) -> Arc<str> {
    format!("{}+{}", id_of(left, at), id_of(right, at)).into()
}

/// The rows as messages of a query.
///
/// # Errors
/// If a column is of a type that rows do not have.
pub(crate) fn messages(
    (query, columns): (&Arc<str>, &Arc<[Arc<str>]>),
    rows: &Rows,
    now: Timestamp,
    out: &mut Vec<Message>,
) -> Result<()> {
    let readers: Vec<Reader> =
        rows.batch.columns().iter().take(columns.len()).map(Reader::new).collect::<Result<_>>()?;
    out.extend(ids_of_rows(rows).into_iter().enumerate().map(|(at, id)| {
        let body = Body::Row(Row {
            query: query.clone(),
            id: format!("{query}/{id}").into(),
            columns: columns.clone(),
            values: readers.iter().map(|column| column.value(at)).collect(),
            source_time: Timestamp::from_nanos(rows.ts[at]),
        });
        Message { time: now, body }
    }));
    Ok(())
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
            DataType::List(_) => return Reader::nested(column, |c, at| list(c.as_list::<i32>().value(at))),
            DataType::Struct(_) => return Reader::nested(column, |c, at| fields(c.as_struct(), at)),
            _ => (DataType::Utf8, |c, at| Value::from(c.as_string::<i32>().value(at))),
        };
        let column = if *column.data_type() == data_type { column.clone() } else { cast(column, &data_type)? };
        Ok(Reader { column, read })
    }

    fn nested(column: &ArrayRef, read: fn(&ArrayRef, usize) -> Value) -> Result<Reader> {
        Ok(Reader { column: column.clone(), read })
    }

    pub(crate) fn value(&self, at: usize) -> Value {
        if self.column.is_null(at) { Value::Null } else { (self.read)(&self.column, at) }
    }
}

/// The elements of a list. Those of a type that rows do not have are unknown.
fn list(items: ArrayRef) -> Value {
    let reader = Reader::new(&items).ok();
    Value::Array((0..items.len()).map(|at| reader.as_ref().map_or(Value::Null, |reader| reader.value(at))).collect())
}

fn fields(values: &StructArray, at: usize) -> Value {
    let field = |(field, column): (&FieldRef, &ArrayRef)| {
        let value = Reader::new(column).map_or(Value::Null, |reader| reader.value(at));
        (Arc::from(field.name().as_str()), value)
    };
    Value::Struct(values.fields().iter().zip(values.columns()).map(field).collect())
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
