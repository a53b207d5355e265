//! Rows that wait for those before them.

use crate::account::{Account, Reason};
use crate::df::{
    ArrayRef, AsArray, Field, Int64Array, Int64Type, RecordBatch, Result, Schema, StringArray, UInt64Array, UInt64Type,
    concat_batches, internal_err,
};
use crate::operator::{Held, Operator};
use crate::rows::{Ids, Mark, NEVER, Rows};
use crate::state::{numbers, read_numbers};
use edgeway_sdk::DeviceIx;
use edgeway_thing_models::Things;
use std::collections::BTreeMap;
use std::sync::Arc;

/// In so many parts the span of the waiting rows is looked at.
const PARTS: i64 = 16;

/// Rows that wait until the watermark has passed them; then they come in the order of their time.
#[derive(Default)]
pub(crate) struct Waiting {
    /// By the part of time that they are of.
    parts: BTreeMap<i64, Vec<Rows>>,
    /// How long such a part is.
    length: i64,
    bytes: usize,
}

impl Waiting {
    /// `delay` is about how long rows wait.
    pub(crate) fn new(delay: i64) -> Waiting {
        Waiting { length: (delay / PARTS).max(1_000_000), ..Waiting::default() }
    }

    /// Rows wait from now on.
    ///
    /// # Errors
    /// Never, in fact.
    pub(crate) fn add(&mut self, rows: &Rows, at: impl IntoIterator<Item = usize>) -> Result<()> {
        let mut by_part: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for at in at {
            by_part.entry(rows.ts[at].div_euclid(self.length)).or_default().push(at);
        }
        for (part, at) in by_part {
            let rows = rows.take(&at)?;
            self.bytes += weight(&rows);
            self.parts.entry(part).or_default().push(rows);
        }
        Ok(())
    }

    /// The rows that are older than `watermark`, in order; each with its own time as its mark, since all before it have come.
    ///
    /// # Errors
    /// Never, in fact.
    pub(crate) fn before(&mut self, watermark: i64) -> Result<Vec<Rows>> {
        let mut ready = vec![];
        while let Some(entry) = self.parts.first_entry()
            && entry.key().saturating_mul(self.length) < watermark
        {
            let part = *entry.key();
            let pieces = entry.remove();
            self.bytes -= pieces.iter().map(weight).sum::<usize>();
            let whole = together(&pieces)?;
            let mut order: Vec<usize> = (0..whole.len()).collect();
            order.sort_by_key(|&at| (whole.ts[at], whole.causes[at]));
            let split = order.partition_point(|&at| whole.ts[at] < watermark);
            if split > 0 {
                let rows = whole.take(&order[..split])?;
                ready.push(Rows { marks: rows.ts.clone(), ..rows });
            }
            if split < order.len() {
                let rest = whole.take(&order[split..])?;
                self.bytes += weight(&rest);
                self.parts.insert(part, vec![rest]);
                break;
            }
        }
        Ok(ready)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// When all of them have waited long enough.
    pub(crate) fn horizon(&self) -> i64 {
        let newest =
            self.parts.last_key_value().and_then(|(_, rows)| rows.iter().flat_map(|rows| rows.ts.iter()).max());
        newest.map_or(NEVER, |newest| newest.saturating_add(1))
    }

    /// All rows, to be written down.
    ///
    /// # Errors
    /// Never, in fact.
    pub(crate) fn save(&self) -> Result<Option<RecordBatch>> {
        let pieces: Vec<Rows> = self.parts.values().flatten().cloned().collect();
        if pieces.is_empty() { Ok(None) } else { Ok(Some(written(&together(&pieces)?)?)) }
    }
}

/// About how many bytes rows take.
pub(crate) fn weight(rows: &Rows) -> usize {
    rows.batch.columns().iter().map(bytes_of).sum::<usize>() + rows.len() * 48
}

/// About how many bytes the values of a column take; the rest of the memory that it is a part of does not count.
pub(crate) fn bytes_of(column: &ArrayRef) -> usize {
    match column.data_type().primitive_width() {
        Some(width) => column.len() * width + column.len() / 8,
        None => column.to_data().get_slice_memory_size().unwrap_or(0),
    }
}

/// Pieces as one.
///
/// # Errors
/// If their columns differ.
pub(crate) fn together(pieces: &[Rows]) -> Result<Rows> {
    let [first, ..] = pieces else { return internal_err!("there is nothing to put together") };
    if pieces.len() == 1 {
        return Ok(first.clone());
    }
    let batch = concat_batches(&first.batch.schema(), pieces.iter().map(|rows| &rows.batch))?;
    let times =
        |of: fn(&Rows) -> &Vec<i64>| Arc::new(pieces.iter().flat_map(|rows| of(rows).iter().copied()).collect());
    let ids = Ids::together(pieces.iter().flat_map(|rows| (0..rows.len()).map(move |at| (rows, at))));
    Ok(Rows {
        batch,
        ts: times(|rows| &rows.ts),
        marks: times(|rows| &rows.marks),
        causes: Arc::new(pieces.iter().flat_map(|rows| rows.causes.iter().copied()).collect()),
        ids,
    })
}

/// Rows as a table: their columns, then `ts`, `cause`, and the device's number or the id.
///
/// # Errors
/// Never, in fact.
pub(crate) fn written(rows: &Rows) -> Result<RecordBatch> {
    let id: ArrayRef = match &rows.ids {
        Ids::Devices(devices, things) => {
            Arc::new(devices.iter().map(|device| Some(&*things.device(*device).id)).collect::<StringArray>())
        }
        ids => Arc::new(ids.names().into_iter().map(Some).collect::<StringArray>()),
    };
    let kind = if matches!(rows.ids, Ids::Devices(..)) { "device" } else { "id" };
    let own: [(&str, ArrayRef); 3] = [
        ("ts", Arc::new(Int64Array::from(rows.ts.to_vec()))),
        ("cause", Arc::new(UInt64Array::from(rows.causes.to_vec()))),
        (kind, id),
    ];
    let schema = rows.batch.schema();
    let fields = own.iter().map(|(name, column)| Arc::new(Field::new(*name, column.data_type().clone(), false)));
    let fields: Vec<_> = schema.fields().iter().cloned().chain(fields).collect();
    let columns = rows.batch.columns().iter().cloned().chain(own.iter().map(|(_, column)| column.clone()));
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.collect())?)
}

/// Rows that were [`written`]. Their marks are their times.
///
/// # Errors
/// If the table is another one, or names a device that is not there.
pub(crate) fn read(table: &RecordBatch, things: &Arc<Things>) -> Result<Rows> {
    let Some(columns) = table.num_columns().checked_sub(3) else { return internal_err!("the state has other columns") };
    let batch = table.project(&(0..columns).collect::<Vec<_>>())?;
    let (ts, causes) = (table.column(columns), table.column(columns + 1));
    let (Some(ts), Some(causes), Some(ids)) = (
        ts.as_primitive_opt::<Int64Type>(),
        causes.as_primitive_opt::<UInt64Type>(),
        table.column(columns + 2).as_string_opt::<i32>(),
    ) else {
        return internal_err!("the state has other columns");
    };
    let ids = if table.schema().field(columns + 2).name() == "device" {
        let devices: Option<Vec<DeviceIx>> = ids.iter().map(|id| things.device_ix(id?)).collect();
        let Some(devices) = devices else { return internal_err!("the state names a device that is no more") };
        Ids::Devices(Arc::new(devices), things.clone())
    } else {
        Ids::made(ids.iter().flatten().map(Arc::from).collect())
    };
    let ts = Arc::new(ts.values().to_vec());
    Ok(Rows { batch, marks: ts.clone(), ts, causes: Arc::new(causes.values().to_vec()), ids })
}

/// Hands rows on in the order of their time.
pub(crate) struct Sorter {
    waiting: Waiting,
    watermark: i64,
    bytes_max: usize,
    things: Arc<Things>,
}

impl Sorter {
    /// `delay` is about how long rows wait.
    pub(crate) fn new(delay: i64, bytes_max: usize, things: Arc<Things>) -> Sorter {
        Sorter { waiting: Waiting::new(delay), watermark: NEVER, bytes_max, things }
    }
}

impl Operator for Sorter {
    fn push(&mut self, rows: Rows, account: &mut Account, _out: &mut Vec<Rows>) {
        if self.waiting.bytes() > account.bytes_max(self.bytes_max) {
            (0..rows.len()).for_each(|at| account.leave_out(&rows, at, Reason::Dead("the state is full")));
            return;
        }
        let is_late = |at: &usize| rows.ts[*at] < rows.marks[*at].max(self.watermark);
        let (late, timely): (Vec<usize>, Vec<usize>) = (0..rows.len()).partition(is_late);
        late.into_iter().for_each(|at| account.leave_out(&rows, at, Reason::Late));
        if let Err(error) = self.waiting.add(&rows, timely) {
            account.failed(&rows, 0, &error);
        }
    }

    fn advance(&mut self, mark: Mark, account: &mut Account, out: &mut Vec<Rows>) {
        self.watermark = self.watermark.max(mark.watermark);
        // As one piece: what comes next does some things once for each.
        match self.waiting.before(self.watermark) {
            Ok(pieces) if pieces.is_empty() => {}
            Ok(pieces) => match together(&pieces) {
                Ok(rows) => out.push(rows),
                Err(_) => out.extend(pieces),
            },
            Err(_) => account.counters.errors += 1,
        }
    }

    fn save(&mut self) -> Result<Vec<RecordBatch>> {
        Ok([numbers(&[self.watermark])?].into_iter().chain(self.waiting.save()?).collect())
    }

    fn load(&mut self, state: &[RecordBatch]) -> Result<()> {
        let [watermark, waiting @ ..] = state else { return internal_err!("the state has other tables") };
        let waiting: Vec<Rows> = waiting.iter().map(|table| read(table, &self.things)).collect::<Result<_>>()?;
        for rows in waiting {
            self.waiting.add(&rows, 0..rows.len())?;
        }
        self.watermark = read_numbers(watermark)?.first().copied().unwrap_or(NEVER);
        Ok(())
    }

    fn horizon(&self) -> i64 {
        self.waiting.horizon()
    }

    fn describe(&self) -> String {
        "put in the order of time".to_owned()
    }

    fn held(&self) -> Held {
        Held { bytes: self.waiting.bytes(), ..Held::default() }
    }
}
