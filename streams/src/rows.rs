//! What flows between operators.

use crate::answer;
use crate::df::{ArrayRef, RecordBatch, Result, SchemaRef, TimestampNanosecondArray, UInt32Array, take_record_batch};
use edgeway_sdk::DeviceIx;
use edgeway_thing_models::Things;
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

/// Before everything.
pub(crate) const NEVER: i64 = i64::MIN;

/// Some rows of a table, and what SQL does not see of them. Times are in nanoseconds since 1970.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    /// The columns of the table that someone reads.
    pub(crate) batch: RecordBatch,
    /// The time of each row.
    pub(crate) ts: Arc<Vec<i64>>,
    /// The watermark once each row has come, that row's own time included. It never falls from row to row.
    pub(crate) marks: Arc<Vec<i64>>,
    /// The journal offset of the message that brought each row about.
    pub(crate) causes: Arc<Vec<u64>>,
    pub(crate) ids: Ids,
}

/// What the ids of rows are made of.
#[derive(Debug, Clone)]
pub(crate) enum Ids {
    /// The device of each row, for rows that are messages.
    Devices(Arc<Vec<DeviceIx>>, Arc<Things>),
    /// What each row's id is behind the query's name, for rows of queries.
    Made(Arc<Vec<Arc<str>>>),
    /// The same for rows of a window, made only when somebody asks: the keys, what the window is called, and the place of
    /// each row among the keys.
    Window(Arc<(Vec<ArrayRef>, String)>, Arc<Vec<usize>>),
}

/// How far a stream has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Rows that are older have been handed on; what comes with an older time is late.
    pub(crate) watermark: i64,
    /// The offset of the message that has brought it here.
    pub(crate) cause: u64,
}

/// What is handed on at one time.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    /// In order.
    pub(crate) rows: Vec<Rows>,
    /// How far the stream has come behind them.
    pub(crate) mark: Mark,
    /// On the way there: each message that has brought it further, and how far. Empty where nobody needs it.
    pub(crate) steps: Steps,
}

/// Offsets and watermarks, both rising.
pub(crate) type Steps = Arc<Vec<(u64, i64)>>;

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.ts.len()
    }

    /// The rows at these places, in this order, with the given columns.
    pub(crate) fn pick(&self, at: &[usize], batch: RecordBatch) -> Rows {
        let pick = |times: &[i64]| Arc::new(at.iter().map(|&i| times[i]).collect());
        Rows {
            batch,
            ts: pick(&self.ts),
            marks: pick(&self.marks),
            causes: Arc::new(at.iter().map(|&i| self.causes[i]).collect()),
            ids: self.ids.pick(at),
        }
    }

    /// The rows at these places with all their columns.
    ///
    /// # Errors
    /// If there are more rows than can be counted.
    pub(crate) fn take(&self, at: &[usize]) -> Result<Rows> {
        Ok(self.pick(at, take_rows(&self.batch, at)?))
    }

    /// The rows as one message has brought them about, with the ids that they have.
    pub(crate) fn caused_by(self, cause: u64) -> Rows {
        let ids = Ids::made(answer::ids_of_rows(&self));
        Rows { causes: Arc::new(vec![cause; self.len()]), ids, ..self }
    }

    /// The rows with other columns.
    pub(crate) fn with(self, batch: RecordBatch) -> Rows {
        Rows { batch, ..self }
    }

    /// The rows under a schema that may ask for one column more than they have: their time.
    pub(crate) fn timed(self, schema: &SchemaRef) -> Result<Rows> {
        if schema.fields().len() == self.batch.num_columns() {
            return Ok(self);
        }
        let time = Arc::new(TimestampNanosecondArray::from(self.ts.to_vec()));
        let columns = self.batch.columns().iter().cloned().chain([time as ArrayRef]).collect();
        Ok(Rows { batch: RecordBatch::try_new(schema.clone(), columns)?, ..self })
    }
}

impl Ids {
    pub(crate) fn pick(&self, at: &[usize]) -> Ids {
        match self {
            Ids::Devices(devices, things) => {
                Ids::Devices(Arc::new(at.iter().map(|&i| devices[i]).collect()), things.clone())
            }
            Ids::Made(ids) => Ids::made(at.iter().map(|&i| ids[i].clone()).collect()),
            Ids::Window(window, places) => {
                Ids::Window(window.clone(), Arc::new(at.iter().map(|&i| places[i]).collect()))
            }
        }
    }

    /// Those of rows at some places of several pieces.
    pub(crate) fn together<'a>(rows: impl Iterator<Item = (&'a Rows, usize)> + Clone) -> Ids {
        let mut things = None;
        let device = |(rows, at): (&Rows, usize)| match &rows.ids {
            Ids::Devices(devices, of) => {
                things.get_or_insert_with(|| of.clone());
                Some(devices[at])
            }
            _ => None,
        };
        let devices: Option<Vec<DeviceIx>> = rows.clone().map(device).collect();
        match (devices, things) {
            (Some(devices), Some(things)) => Ids::Devices(Arc::new(devices), things),
            _ => Ids::made(rows.map(|(rows, at)| answer::id_of(rows, at)).collect()),
        }
    }

    pub(crate) fn made(ids: Vec<Arc<str>>) -> Ids {
        Ids::Made(Arc::new(ids))
    }

    /// Of the groups of a window, all in order.
    pub(crate) fn of_window(keys: Vec<ArrayRef>, name: String, groups: usize) -> Ids {
        Ids::Window(Arc::new((keys, name)), Arc::new((0..groups).collect()))
    }

    /// The device or the id of a row.
    pub(crate) fn name(&self, at: usize) -> Arc<str> {
        match self {
            Ids::Devices(devices, things) => things.device(devices[at]).id.clone(),
            Ids::Made(ids) => ids[at].clone(),
            Ids::Window(window, places) => answer::ids_of(window, &places[at..=at]).remove(0),
        }
    }

    /// Those of all rows.
    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        match self {
            Ids::Devices(devices, things) => devices.iter().map(|device| things.device(*device).id.clone()).collect(),
            Ids::Made(ids) => ids.to_vec(),
            Ids::Window(window, places) => answer::ids_of(window, places),
        }
    }
}

impl Flow {
    /// Nothing but how far the stream has come.
    pub(crate) fn empty(mark: Mark) -> Flow {
        Flow { rows: vec![], mark, steps: Steps::default() }
    }
}

/// The rows at these places. Without a copy if they are all there, in order.
pub(crate) fn take_rows(batch: &RecordBatch, at: &[usize]) -> Result<RecordBatch> {
    if let Some(&first) = at.first()
        && at.iter().zip(first..).all(|(&at, expected)| at == expected)
    {
        let is_whole = at.len() == batch.num_rows();
        return Ok(if is_whole { batch.clone() } else { batch.slice(first, at.len()) });
    }
    let at: UInt32Array = at.iter().map(|&i| i as u32).collect();
    Ok(take_record_batch(batch, &at)?)
}

/// Does `work` on a range; where that fails on halves of it, down to single rows, so that one bad row does not spoil its
/// neighbours. Tells `failed` which rows failed and why. `work` must change nothing when it fails.
pub(crate) fn bisect(
    range: Range<usize>,
    work: &mut impl FnMut(Range<usize>) -> Result<()>,
    failed: &mut impl FnMut(usize, &crate::df::DataFusionError),
) {
    if range.is_empty() {
        return;
    }
    match work(range.clone()) {
        Ok(()) => {}
        Err(error) if range.len() == 1 => failed(range.start, &error),
        Err(_) => {
            let middle = range.start + range.len() / 2;
            bisect(range.start..middle, work, failed);
            bisect(middle..range.end, work, failed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bisecting_leaves_out_only_the_bad_rows() {
        let (mut done, mut failed) = (vec![], vec![]);
        let mut work = |range: Range<usize>| {
            if range.contains(&2) || range.contains(&7) {
                return crate::df::plan_err!("bad");
            }
            done.extend(range);
            Ok(())
        };
        bisect(0..9, &mut work, &mut |at, _| failed.push(at));
        assert_eq!((failed, done), (vec![2, 7], vec![0, 1, 3, 4, 5, 6, 8]));
    }
}
