//! Rows that a query has left out, told as rows of `<query>.errors` and `<query>.late`, so that somebody can look at them.

use crate::account::{LeftOut, Reason};
use edgeway_sdk::{Timestamp, Value};
use edgeway_thing_models::{Body, Message, Row};
use std::sync::Arc;

/// So many rows are told in a minute; beyond, they are only counted.
const A_MINUTE_MAX: usize = 100;
const MINUTE: i64 = 60_000_000_000;

/// Tells what was left out.
#[derive(Debug)]
pub(crate) struct Aside {
    tells_late: bool,
    columns: Arc<[Arc<str>]>,
    minute: i64,
    told: usize,
}

impl Aside {
    /// `tells_late`: late rows are told too, and not only counted.
    pub(crate) fn new(tells_late: bool) -> Aside {
        let columns = ["reason", "of", "ts", "row"].map(Arc::from);
        Aside { tells_late, columns: columns.into(), minute: 0, told: 0 }
    }

    /// Tells rows that `query` has left out.
    pub(crate) fn tell(&mut self, query: &str, now: Timestamp, left_out: Vec<LeftOut>, out: &mut Vec<Message>) {
        let minute = now.as_nanos().div_euclid(MINUTE);
        if minute != self.minute {
            (self.minute, self.told) = (minute, 0);
        }
        for left_out in left_out {
            let is_late = left_out.reason == Reason::Late;
            if self.told < A_MINUTE_MAX && (self.tells_late || !is_late) {
                self.told += 1;
                out.push(Message { time: now, body: Body::Row(self.row(query, is_late, left_out)) });
            }
        }
    }

    fn row(&self, query: &str, is_late: bool, left_out: LeftOut) -> Row {
        let table: Arc<str> = format!("{query}.{}", if is_late { "late" } else { "errors" }).into();
        let ts = Timestamp::from_nanos(left_out.ts);
        let LeftOut { reason, id, cause, row, .. } = left_out;
        Row {
            id: format!("{table}/{id}/{}/{cause}", ts.as_millis()).into(),
            query: table,
            columns: self.columns.clone(),
            values: vec![
                Value::from(reason.words()),
                Value::Text(id),
                Value::Int(ts.as_millis()),
                Value::from(row.as_str()),
            ],
            source_time: ts,
        }
    }
}
