//! What flows between operators.

use crate::df::{ArrayRef, RecordBatch, Result, SchemaRef, TimestampNanosecondArray, UInt32Array, take_record_batch};
use std::ops::Range;
use std::sync::Arc;

/// What the time of a row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timing {
    /// When a device measured something. Rows come late and out of order.
    Moment,
    /// The end of a window, which the row stands for. Rows come in order, and the query that makes them says how
    /// far it is.
    WindowEnd,
}

/// Some rows of a table, and what SQL does not see of them. Times are in nanoseconds since 1970.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    /// The columns of the table that someone reads.
    pub(crate) batch: RecordBatch,
    /// The time of each row.
    pub(crate) ts: Vec<i64>,
    /// When the gateway got each row.
    pub(crate) heard: Vec<i64>,
    /// The lowest journal offset behind each row.
    pub(crate) offsets: Vec<u64>,
    pub(crate) ids: Ids,
    /// The window that these rows, if any, are the result of.
    pub(crate) window: Option<Window>,
}

/// What the ids of rows are made of.
#[derive(Debug, Clone)]
pub(crate) enum Ids {
    /// The device of each row, for rows that are messages.
    Devices(Vec<Arc<str>>),
    /// What each row's id is behind the query's name, for rows of queries.
    Made(Vec<Arc<str>>),
}

/// A window that has closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// Its end.
    pub(crate) end: i64,
    /// The lowest journal offset that had a part in it.
    pub(crate) first_offset: u64,
}

/// What a query or a table hands on at one time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flow {
    /// In order.
    pub(crate) rows: Vec<Rows>,
    /// For rows timed by windows: every row up to this time has been handed on.
    pub(crate) frontier: Option<i64>,
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.ts.len()
    }

    /// The rows at these places, with the given columns, as part of the whole.
    pub(crate) fn pick(&self, at: &[usize], batch: RecordBatch) -> Rows {
        let ids = match &self.ids {
            Ids::Devices(devices) => Ids::Devices(at.iter().map(|&i| devices[i].clone()).collect()),
            Ids::Made(ids) => Ids::Made(at.iter().map(|&i| ids[i].clone()).collect()),
        };
        Rows {
            batch,
            ts: at.iter().map(|&i| self.ts[i]).collect(),
            heard: at.iter().map(|&i| self.heard[i]).collect(),
            offsets: at.iter().map(|&i| self.offsets[i]).collect(),
            ids,
            window: None,
        }
    }

    /// The rows under a schema that may ask for one column more than they have: their time.
    pub(crate) fn timed(self, schema: &SchemaRef) -> Result<Rows> {
        if schema.fields().len() == self.batch.num_columns() {
            return Ok(self);
        }
        let time = Arc::new(TimestampNanosecondArray::from(self.ts.clone()));
        let columns = self.batch.columns().iter().cloned().chain([time as ArrayRef]).collect();
        Ok(Rows { batch: RecordBatch::try_new(schema.clone(), columns)?, ..self })
    }
}

/// The rows at these places. Without a copy if they are all there, in order.
pub(crate) fn take_rows(batch: &RecordBatch, at: &[usize]) -> Result<RecordBatch> {
    if let (Some(&first), Some(&last)) = (at.first(), at.last())
        && last + 1 - first == at.len()
    {
        return Ok(batch.slice(first, at.len()));
    }
    let at: UInt32Array = at.iter().map(|&i| i as u32).collect();
    Ok(take_record_batch(batch, &at)?)
}

/// Does `work` on a range; where that fails on halves of it, down to single rows, so that one bad row does not spoil its
/// neighbours. Returns how many rows failed. `work` must change nothing when it fails.
pub(crate) fn bisect(range: Range<usize>, work: &mut impl FnMut(Range<usize>) -> Result<()>) -> u64 {
    if range.is_empty() || work(range.clone()).is_ok() {
        return 0;
    }
    if range.len() == 1 {
        return 1;
    }
    let middle = range.start + range.len() / 2;
    bisect(range.start..middle, work) + bisect(middle..range.end, work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bisecting_leaves_out_only_the_bad_rows() {
        let mut done = vec![];
        let failed = bisect(0..9, &mut |range| {
            if range.contains(&2) || range.contains(&7) {
                return crate::df::plan_err!("bad");
            }
            done.extend(range);
            Ok(())
        });
        assert_eq!((failed, done), (2, vec![0, 1, 3, 4, 5, 6, 8]));
    }
}
