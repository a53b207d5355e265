//! Messages as rows, for targets that store tables.

use crate::peer::id;
use arrow_array::{ArrayRef, FixedSizeBinaryArray, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use edgeway_formats::{Content, Table};
use edgeway_targets::Delivery;
use std::ops::Range;
use std::sync::Arc;

/// 2026-11-26, at midnight in UTC.
pub(crate) const MIDNIGHT_MILLIS: i64 = 1_795_651_200_000;
/// The table that the suite fills.
pub(crate) const TABLE: &str = "property/wind_turbine";

/// Message `n` as a row with a text of about so many bytes.
pub(crate) fn row(n: u64, bytes: usize) -> Delivery {
    delivery(n..n + 1, table(TABLE, n..n + 1, MIDNIGHT_MILLIS, &"x".repeat(bytes)))
}

/// Messages as one delivery.
pub(crate) fn delivery(numbers: Range<u64>, table: Table) -> Delivery {
    Delivery {
        topic: String::new(),
        key: "wt-07".into(),
        content: Content::Table(table),
        id: id(numbers.start),
        last_id: id(numbers.end - 1),
        messages: numbers.end - numbers.start,
    }
}

/// Rows of messages: `id`, `time`, `device`, `n`, `pad`.
pub(crate) fn table(name: &str, numbers: Range<u64>, millis: i64, pad: &str) -> Table {
    let count = numbers.clone().count();
    let whole = numbers.clone().map(|n| n as i64).collect::<Vec<_>>();
    Table {
        name: name.into(),
        batch: rows([
            ("id", ids(numbers)),
            ("time", times(vec![millis; count])),
            ("device", texts(vec![Some("wt-07"); count])),
            ("n", Arc::new(Int64Array::from(whole))),
            ("pad", texts(vec![Some(pad); count])),
        ]),
    }
}

pub(crate) fn rows<const N: usize>(columns: [(&str, ArrayRef); N]) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
        .expect("columns of the same length")
}

pub(crate) fn ids(numbers: Range<u64>) -> ArrayRef {
    let ids = numbers.map(|n| id(n).to_u128().to_be_bytes());
    Arc::new(FixedSizeBinaryArray::try_from_iter(ids).expect("16 bytes each"))
}

pub(crate) fn times(millis: Vec<i64>) -> ArrayRef {
    Arc::new(TimestampMillisecondArray::from(millis).with_timezone("UTC"))
}

pub(crate) fn texts(texts: Vec<Option<&str>>) -> ArrayRef {
    Arc::new(StringArray::from(texts))
}
