//! Which of a query's rows are told: only those that differ from the one before, or not more than so many in a time.

use crate::account::{Account, Reason};
use crate::df::{
    ArrayRef, AsArray, BinaryArray, BinaryType, Field, Int64Array, Int64Type, RecordBatch, Result, RowConverter,
    Schema, SortField, internal_err,
};
use crate::operator::{Held, Operator};
use crate::rows::{Mark, NEVER, Rows};
use crate::sorted::{read, together, weight, written};
use crate::state::{numbers, read_numbers};
use crate::windows::Limits;
use edgeway_thing_models::Things;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// At most so many rows in a time, for each key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) rows: usize,
    pub(crate) nanos: i64,
}

/// What a shaper looks at.
pub(crate) struct Shape {
    /// The columns whose rows belong together.
    pub(crate) keys: Vec<usize>,
    /// The columns that must differ, if only changes are told.
    pub(crate) compared: Option<Vec<usize>>,
    pub(crate) rate: Option<Rate>,
    /// After how long without a row a key is forgotten, in nanoseconds.
    pub(crate) hold: i64,
    pub(crate) limits: Limits,
}

/// The operator.
pub(crate) struct Shaper {
    shape: Shape,
    keys: RowConverter,
    compared: Option<RowConverter>,
    known: BTreeMap<Arc<[u8]>, OfKey>,
    /// When rows that are held back are told, with their keys.
    due: BTreeSet<(i64, Arc<[u8]>)>,
    watermark: i64,
    swept: i64,
    /// About how much memory a key takes with its value.
    key_bytes: usize,
    things: Arc<Things>,
}

struct OfKey {
    /// The watermark when there was a row, the last time.
    seen: i64,
    /// What was told last.
    value: Option<Arc<[u8]>>,
    /// When rows were told, the last ones.
    told: Vec<i64>,
    /// The newest row that was one too many.
    held: Option<Rows>,
}

impl OfKey {
    fn new(seen: i64) -> OfKey {
        OfKey { seen, value: None, told: vec![], held: None }
    }
}

impl Shaper {
    /// For rows of a schema.
    ///
    /// # Errors
    /// If a column is of a type that cannot be compared.
    pub(crate) fn new(shape: Shape, schema: &Schema, things: Arc<Things>) -> Result<Shaper> {
        let converter = |columns: &[usize]| {
            let field = |&at: &usize| SortField::new(schema.field(at).data_type().clone());
            RowConverter::new(columns.iter().map(field).collect())
        };
        let keys = converter(&shape.keys)?;
        let compared = shape.compared.as_deref().map(converter).transpose()?;
        Ok(Shaper {
            shape,
            keys,
            compared,
            known: BTreeMap::new(),
            due: BTreeSet::new(),
            watermark: NEVER,
            swept: NEVER,
            key_bytes: 0,
            things,
        })
    }

    fn choose(&mut self, rows: &Rows, account: &mut Account, out: &mut Vec<Rows>) -> Result<()> {
        let keys = bytes(&self.keys, &self.shape.keys, &rows.batch)?;
        let values = match (&self.compared, &self.shape.compared) {
            (Some(converter), Some(columns)) => Some(bytes(converter, columns, &rows.batch)?),
            _ => None,
        };
        let mut chosen = vec![];
        for (at, key) in keys.into_iter().enumerate() {
            let due = self.release(rows.marks[at], rows.causes[at]);
            if !due.is_empty() {
                flush(rows, &mut chosen, out)?;
                out.extend(due);
            }
            let mark = rows.marks[at];
            let value_bytes = values.as_ref().map_or(0, |values| values[at].len());
            self.key_bytes = self.key_bytes.max(160 + 2 * key.len() + value_bytes);
            if !self.is_known(&key, mark) && !self.has_room(account) {
                account.leave_out(rows, at, Reason::Dead("there are too many groups"));
                continue;
            }
            let of_key = self.known.entry(key.clone()).or_insert_with(|| OfKey::new(mark));
            of_key.seen = mark;
            if let Some(values) = &values {
                if of_key.value.as_ref() == Some(&values[at]) {
                    continue;
                }
                of_key.value = Some(values[at].clone());
            }
            let Some(rate) = self.shape.rate else {
                chosen.push(at);
                continue;
            };
            let ts = rows.ts[at];
            of_key.told.retain(|told| ts.saturating_sub(*told) < rate.nanos);
            if of_key.told.len() < rate.rows && of_key.held.is_none() {
                of_key.told.push(ts);
                chosen.push(at);
                continue;
            }
            if of_key.held.is_none() {
                let first = of_key.told.first().copied().unwrap_or(ts);
                self.due.insert((first.saturating_add(rate.nanos), key));
            }
            of_key.held = Some(rows.take(&[at])?);
        }
        flush(rows, &mut chosen, out)
    }

    /// Whether there was a row of a key not too long ago.
    fn is_known(&mut self, key: &Arc<[u8]>, mark: i64) -> bool {
        let Some(of_key) = self.known.get(key) else { return false };
        let is_known = !self.is_over(of_key, mark);
        if !is_known {
            self.known.remove(key);
        }
        is_known
    }

    /// Whether a key is forgotten. One of which a row waits is not.
    fn is_over(&self, of_key: &OfKey, mark: i64) -> bool {
        let rate = self.shape.rate.map_or(0, |rate| rate.nanos);
        of_key.held.is_none() && of_key.seen.saturating_add(self.shape.hold.max(rate)) <= mark
    }

    /// Whether there is room for another key, or some is made: an eighth of the keys is forgotten, those that were without a
    /// row for the longest time.
    fn has_room(&mut self, account: &mut Account) -> bool {
        let Limits { bytes, groups, evicts } = self.shape.limits;
        if self.known.len() < groups && self.known.len() * self.key_bytes <= account.bytes_max(bytes) {
            return true;
        }
        if !evicts {
            return false;
        }
        let idle = self.known.iter().filter(|(_, of_key)| of_key.held.is_none());
        let mut oldest: Vec<(i64, Arc<[u8]>)> = idle.map(|(key, of_key)| (of_key.seen, key.clone())).collect();
        oldest.sort_unstable();
        oldest.truncate(oldest.len().div_ceil(8));
        account.counters.evicted += oldest.len() as u64;
        oldest.iter().for_each(|(_, key)| drop(self.known.remove(key)));
        !oldest.is_empty()
    }

    /// Now and then, forgets what is over.
    fn sweep(&mut self) {
        if self.watermark.saturating_sub(self.swept) <= self.shape.hold / 8 {
            return;
        }
        self.swept = self.watermark;
        let mut known = std::mem::take(&mut self.known);
        known.retain(|_, of_key| !self.is_over(of_key, self.watermark));
        self.known = known;
    }

    /// The rows whose time has come.
    fn release(&mut self, watermark: i64, cause: u64) -> Vec<Rows> {
        self.watermark = self.watermark.max(watermark);
        let mut released = vec![];
        while let Some((at, _)) = self.due.first()
            && *at <= self.watermark
        {
            let Some((at, key)) = self.due.pop_first() else { break };
            let Some(of_key) = self.known.get_mut(&key) else { continue };
            if let Some(rows) = of_key.held.take() {
                of_key.told.push(at);
                released.push(rows.caused_by(cause));
            }
        }
        released
    }
}

fn flush(rows: &Rows, chosen: &mut Vec<usize>, out: &mut Vec<Rows>) -> Result<()> {
    if !chosen.is_empty() {
        out.push(rows.take(chosen)?);
        chosen.clear();
    }
    Ok(())
}

fn bytes(converter: &RowConverter, columns: &[usize], batch: &RecordBatch) -> Result<Vec<Arc<[u8]>>> {
    if columns.is_empty() {
        return Ok(vec![Arc::from([]); batch.num_rows()]);
    }
    let columns: Vec<ArrayRef> = columns.iter().map(|at| batch.column(*at).clone()).collect();
    let rows = converter.convert_columns(&columns)?;
    Ok((0..batch.num_rows()).map(|at| Arc::from(rows.row(at).as_ref())).collect())
}

impl Operator for Shaper {
    fn push(&mut self, rows: Rows, account: &mut Account, out: &mut Vec<Rows>) {
        if let Err(error) = self.choose(&rows, account, out) {
            (0..rows.len()).for_each(|at| account.failed(&rows, at, &error));
        }
    }

    fn advance(&mut self, mark: Mark, _: &mut Account, out: &mut Vec<Rows>) {
        out.extend(self.release(mark.watermark, mark.cause));
        self.sweep();
    }

    fn save(&mut self) -> Result<Vec<RecordBatch>> {
        let count = |number: usize| number as i64;
        let keys: ArrayRef = Arc::new(BinaryArray::from_iter_values(self.known.keys()));
        let of_keys = || self.known.values();
        let values: ArrayRef = Arc::new(of_keys().map(|of_key| of_key.value.as_deref()).collect::<BinaryArray>());
        let told: ArrayRef = Arc::new(Int64Array::from_iter_values(of_keys().map(|of_key| count(of_key.told.len()))));
        let due: BTreeMap<&Arc<[u8]>, i64> = self.due.iter().map(|(at, key)| (key, *at)).collect();
        // When a row that is held back is told.
        let held: ArrayRef =
            Arc::new(Int64Array::from_iter_values(self.known.keys().map(|key| due.get(key).copied().unwrap_or(NEVER))));
        let seen: ArrayRef = Arc::new(Int64Array::from_iter_values(of_keys().map(|of_key| of_key.seen)));
        let fields = [("key", &keys), ("value", &values), ("told", &told), ("held", &held), ("seen", &seen)];
        let fields = fields.map(|(name, column)| Field::new(name, column.data_type().clone(), true));
        let table = RecordBatch::try_new(Arc::new(Schema::new(fields.to_vec())), vec![keys, values, told, held, seen])?;
        let times: Vec<i64> = of_keys().flat_map(|of_key| of_key.told.iter().copied()).collect();
        let pieces: Vec<Rows> = of_keys().filter_map(|of_key| of_key.held.clone()).collect();
        let mut tables = vec![numbers(&[self.watermark])?, table, numbers(&times)?];
        if !pieces.is_empty() {
            tables.push(written(&together(&pieces)?)?);
        }
        Ok(tables)
    }

    fn load(&mut self, state: &[RecordBatch]) -> Result<()> {
        let [watermark, table, times, held @ ..] = state else { return internal_err!("the state has other tables") };
        let held = held.first().map(|rows| read(rows, &self.things)).transpose()?;
        let (Some(keys), Some(values)) =
            (table.column(0).as_bytes_opt::<BinaryType>(), table.column(1).as_bytes_opt::<BinaryType>())
        else {
            return internal_err!("the state has other columns");
        };
        let numbers = |at: usize| table.column(at).as_primitive::<Int64Type>().values().clone();
        let (told, due, seen) = (numbers(2), numbers(3), numbers(4));
        let mut times = read_numbers(times)?.into_iter();
        let mut next_held = 0;
        for row in 0..table.num_rows() {
            let key: Arc<[u8]> = Arc::from(keys.value(row));
            let value = crate::df::Array::is_valid(values, row).then(|| Arc::from(values.value(row)));
            let told = times.by_ref().take(told[row] as usize).collect();
            let mut of_key = OfKey { seen: seen[row], value, told, held: None };
            if due[row] != NEVER
                && let Some(held) = &held
            {
                of_key.held = Some(held.take(&[next_held])?);
                next_held += 1;
                self.due.insert((due[row], key.clone()));
            }
            self.key_bytes = self.key_bytes.max(160 + 2 * key.len() + of_key.value.as_ref().map_or(0, |v| v.len()));
            self.known.insert(key, of_key);
        }
        self.watermark = read_numbers(watermark)?.first().copied().unwrap_or(NEVER);
        Ok(())
    }

    fn horizon(&self) -> i64 {
        self.due.last().map_or(NEVER, |(at, _)| *at)
    }

    fn describe(&self) -> String {
        match self.shape.compared {
            Some(_) => "only what has changed".to_owned(),
            None => "not more than so many in a time".to_owned(),
        }
    }

    fn held(&self) -> Held {
        let held = self.known.values().filter_map(|of_key| of_key.held.as_ref()).map(weight);
        let keys = self.known.len();
        Held { windows: 0, groups: keys, bytes: keys * self.key_bytes + held.sum::<usize>() }
    }
}
