//! Columns over a row and those of its key that came before.

use super::calls::{Call, Frame, Over};
use super::memory::Memory;
use crate::account::{Account, Reason, failure};
use crate::df::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryType, Int64Array, Int64Type, RecordBatch, Result, ScalarValue,
    SchemaRef, UInt32Array, internal_err, take,
};
use crate::join::{Key, Keys};
use crate::operator::{Held, Operator};
use crate::rows::{Mark, NEVER, Rows, bisect};
use crate::state::{numbers, read_numbers, table};
use crate::windows::Limits;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

/// The operator. Rows that are older than the last one of their key are late.
pub(crate) struct Running {
    keys: Keys,
    overs: Vec<Over>,
    /// The columns of the input, then those that are made.
    schema: SchemaRef,
    /// After how long without a row a key is forgotten, in nanoseconds.
    longest: i64,
    limits: Limits,
    known: HashMap<Arc<[u8]>, OfKey>,
    bytes: usize,
    watermark: i64,
    swept: i64,
}

/// What is remembered of a key.
struct OfKey {
    last: i64,
    memories: Vec<Memory>,
}

impl OfKey {
    /// What is made for the rows of the key at some places, which are remembered.
    fn answer(
        &mut self,
        overs: &[Over],
        (rows, at): (&Rows, &[usize]),
        inputs: &[Vec<ArrayRef>],
        answers: &mut [Vec<ScalarValue>],
    ) -> Result<()> {
        let times: Vec<i64> = at.iter().map(|&at| rows.ts[at]).collect();
        let places = UInt32Array::from(at.iter().map(|at| *at as u32).collect::<Vec<_>>());
        for ((over, memory), (inputs, answers)) in overs.iter().zip(&mut self.memories).zip(inputs.iter().zip(answers))
        {
            let inputs = inputs.iter().map(|input| Ok(take(input, &places, None)?)).collect::<Result<_>>()?;
            let made = over.answers(memory, &times, inputs)?;
            at.iter().zip(made).for_each(|(at, answer)| answers[*at] = answer);
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        let memory = |memory: &Memory| match memory {
            Memory::Values(values) => values.iter().map(ScalarValue::size).sum(),
            Memory::Known(values) => values.iter().map(ScalarValue::size).sum(),
            Memory::Count(_) => 8,
            Memory::Frame(kept) => kept.bytes(),
        };
        64 + self.memories.iter().map(memory).sum::<usize>()
    }
}

impl Running {
    pub(crate) fn new(keys: Keys, overs: Vec<Over>, schema: SchemaRef, longest: i64, limits: Limits) -> Running {
        let (known, bytes, watermark, swept) = (HashMap::new(), 0, NEVER, NEVER);
        Running { keys, overs, schema, longest, limits, known, bytes, watermark, swept }
    }

    /// The rows with the columns that are made.
    fn run(&mut self, rows: &Rows, account: &mut Account) -> Result<Rows> {
        // All that can fail for a row comes first, and changes nothing.
        let keys = self.keys.of(&rows.batch)?;
        let inputs: Vec<Vec<ArrayRef>> =
            self.overs.iter().map(|over| over.inputs(&rows.batch)).collect::<Result<_>>()?;
        self.make_room(&keys, account);
        let mut by_key: BTreeMap<Arc<[u8]>, Vec<usize>> = BTreeMap::new();
        for (at, key) in keys.iter().enumerate() {
            if self.counts(rows, at, key, account)? {
                by_key.entry(key.clone().unwrap_or_else(|| Arc::from([]))).or_default().push(at);
            }
        }
        let mut answers: Vec<Vec<ScalarValue>> = vec![vec![ScalarValue::Null; rows.len()]; self.overs.len()];
        let mut kept: Vec<usize> = vec![];
        for (key, at) in by_key {
            let Some(of_key) = self.known.get_mut(&key) else { continue };
            let before = of_key.bytes();
            let done = of_key.answer(&self.overs, (rows, &at), &inputs, &mut answers);
            self.bytes = self.bytes + of_key.bytes() - before;
            done?;
            kept.extend(at);
        }
        kept.sort_unstable();
        let mut columns = crate::rows::take_rows(&rows.batch, &kept)?.columns().to_vec();
        for (over, answers) in self.overs.iter().zip(&answers) {
            let answers: Vec<ScalarValue> = kept.iter().map(|at| answers[*at].clone()).collect();
            columns.push(column(over, answers)?);
        }
        Ok(rows.pick(&kept, RecordBatch::try_new(self.schema.clone(), columns)?))
    }

    /// Whether a row counts; then its key is known.
    fn counts(&mut self, rows: &Rows, at: usize, key: &Key, account: &mut Account) -> Result<bool> {
        let key = key.clone().unwrap_or_else(|| Arc::from([]));
        let is_full = self.is_full(account);
        match self.known.get_mut(&key) {
            Some(of_key) if rows.ts[at] < of_key.last => {
                account.leave_out(rows, at, Reason::Late);
                return Ok(false);
            }
            Some(of_key) => of_key.last = rows.ts[at],
            None if is_full => {
                account.leave_out(rows, at, Reason::Dead("the state is full"));
                return Ok(false);
            }
            None => {
                let memories = self.overs.iter().map(Over::nothing).collect::<Result<_>>()?;
                let of_key = OfKey { last: rows.ts[at], memories };
                self.bytes += of_key.bytes();
                self.known.insert(key, of_key);
            }
        }
        Ok(true)
    }

    fn is_full(&self, account: &Account) -> bool {
        self.bytes > account.bytes_max(self.limits.bytes) || self.known.len() >= self.limits.groups
    }

    /// Makes room for the keys of some rows, if they need any: forgets an eighth of the others, those that were without a row
    /// for the longest time.
    fn make_room(&mut self, keys: &[Key], account: &mut Account) {
        let own: HashSet<&[u8]> = keys.iter().map(|key| key.as_deref().unwrap_or_default()).collect();
        let is_needed = own.iter().any(|key| !self.known.contains_key(*key));
        if !self.limits.evicts || !is_needed || !self.is_full(account) {
            return;
        }
        let others = self.known.iter().filter(|(key, _)| !own.contains(&***key));
        let mut oldest: Vec<(i64, Arc<[u8]>)> = others.map(|(key, of)| (of.last, key.clone())).collect();
        oldest.sort_unstable();
        oldest.truncate(oldest.len().div_ceil(8));
        account.counters.evicted += oldest.len() as u64;
        oldest.iter().for_each(|(_, key)| drop(self.known.remove(key)));
        self.bytes = self.weigh();
    }

    /// What is remembered of all keys. Kept up to date in `bytes`: it takes long to add up.
    fn weigh(&self) -> usize {
        self.known.values().map(OfKey::bytes).sum()
    }

    /// Keys in an order that does not change.
    fn ordered(&mut self) -> BTreeMap<Arc<[u8]>, &mut OfKey> {
        self.known.iter_mut().map(|(key, of_key)| (key.clone(), of_key)).collect()
    }
}

impl Operator for Running {
    fn push(&mut self, rows: Rows, account: &mut Account, out: &mut Vec<Rows>) {
        let mut failed = vec![];
        let mut left_out = account.part();
        let mut work = |range: Range<usize>| {
            let at: Vec<usize> = range.collect();
            let made = self.run(&rows.take(&at)?, &mut left_out)?;
            if made.len() > 0 {
                out.push(made);
            }
            Ok(())
        };
        bisect(0..rows.len(), &mut work, &mut |at, error| failed.push((at, failure(error))));
        account.add(left_out);
        for (at, error) in failed {
            account.leave_out(&rows, at, Reason::Failed(error));
        }
    }

    fn advance(&mut self, mark: Mark, _: &mut Account, _: &mut Vec<Rows>) {
        self.watermark = self.watermark.max(mark.watermark);
        // Now and then is enough.
        if self.watermark.saturating_sub(self.swept) > self.longest / 8 {
            self.swept = self.watermark;
            let oldest = self.watermark.saturating_sub(self.longest);
            self.known.retain(|_, of_key| of_key.last >= oldest);
            self.bytes = self.weigh();
        }
    }

    fn save(&mut self) -> Result<Vec<RecordBatch>> {
        let times = numbers(&[self.watermark, self.swept])?;
        let overs = std::mem::take(&mut self.overs);
        let saved = save(&overs, self.ordered());
        self.overs = overs;
        let mut tables = vec![times];
        tables.extend(saved?);
        Ok(tables)
    }

    fn load(&mut self, state: &[RecordBatch]) -> Result<()> {
        let [times, keys, frames @ ..] = state else { return internal_err!("the state has other tables") };
        let [watermark, swept] = *read_numbers(times)? else { return internal_err!("the state has other times") };
        self.known = load(&self.overs, keys, frames)?;
        (self.watermark, self.swept) = (watermark, swept);
        self.bytes = self.weigh();
        Ok(())
    }

    fn describe(&self) -> String {
        format!("{} columns over earlier rows of the key", self.overs.len())
    }

    fn held(&self) -> Held {
        Held { windows: 0, groups: self.known.len(), bytes: self.bytes }
    }
}

/// A column of answers.
pub(super) fn column(over: &Over, answers: Vec<ScalarValue>) -> Result<ArrayRef> {
    if answers.is_empty() {
        return Ok(crate::df::new_empty_array(&over.data_type));
    }
    let null = ScalarValue::try_from(&over.data_type)?;
    let column = ScalarValue::iter_to_array(answers.into_iter().map(|a| if a.is_null() { null.clone() } else { a }))?;
    Ok(if *column.data_type() == over.data_type { column } else { crate::df::cast(&column, &over.data_type)? })
}

/// A table of the keys with what is remembered of them, then for every column over a frame a table of its rows.
fn save(overs: &[Over], known: BTreeMap<Arc<[u8]>, &mut OfKey>) -> Result<Vec<RecordBatch>> {
    let keys: ArrayRef = Arc::new(BinaryArray::from_iter_values(known.keys()));
    let last: ArrayRef = Arc::new(Int64Array::from_iter_values(known.values().map(|of_key| of_key.last)));
    let mut columns = vec![keys, last];
    let mut frames = vec![];
    let mut of_keys: Vec<&mut OfKey> = known.into_values().collect();
    for (number, over) in overs.iter().enumerate() {
        let mut values: Vec<Vec<ScalarValue>> = vec![];
        for of_key in &mut of_keys {
            values.push(over.written(&mut of_key.memories[number])?);
        }
        let width = values.first().map_or(0, Vec::len);
        for place in 0..width {
            columns.push(ScalarValue::iter_to_array(values.iter().map(|values| values[place].clone()))?);
        }
        if matches!(over.call, Call::Aggregate(_, frame) if frame != Frame::All) {
            frames.push(frame_rows(number, &of_keys)?);
        }
    }
    Ok([table(columns)?].into_iter().chain(frames).collect())
}

/// The rows in frames: the number of the key, the time, and the arguments.
fn frame_rows(number: usize, of_keys: &[&mut OfKey]) -> Result<RecordBatch> {
    let mut parts: Vec<Vec<ArrayRef>> = vec![];
    let (mut keys, mut times): (Vec<i64>, Vec<i64>) = (vec![], vec![]);
    for (key, of_key) in of_keys.iter().enumerate() {
        let Memory::Frame(kept) = &of_key.memories[number] else { continue };
        keys.extend(vec![key as i64; kept.times.len()]);
        times.extend(&kept.times);
        if !kept.times.is_empty() {
            parts.push(kept.columns.clone());
        }
    }
    let mut columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(keys)), Arc::new(Int64Array::from(times))];
    for place in 0..parts.first().map_or(0, Vec::len) {
        let pieces: Vec<&dyn Array> = parts.iter().map(|part| &*part[place]).collect();
        columns.push(crate::df::concat(&pieces)?);
    }
    table(columns)
}

fn load(overs: &[Over], keys: &RecordBatch, frames: &[RecordBatch]) -> Result<HashMap<Arc<[u8]>, OfKey>> {
    let (Some(names), Some(last)) =
        (keys.column(0).as_bytes_opt::<BinaryType>(), keys.column(1).as_primitive_opt::<Int64Type>())
    else {
        return internal_err!("the state has other columns");
    };
    let mut of_keys: Vec<OfKey> = last.values().iter().map(|last| OfKey { last: *last, memories: vec![] }).collect();
    let mut from = 2;
    let mut frames = frames.iter();
    for over in overs {
        let width = match (&over.call, over.nothing()?) {
            (Call::Lag(lag), _) => lag.back + 1,
            (Call::Aggregate(aggregate, Frame::All), _) => aggregate.function.state_fields()?.len(),
            (_, Memory::Known(known)) => known.len(),
            (_, Memory::Count(_)) => 1,
            _ => 0,
        };
        // Without keys there are no columns.
        let width = if of_keys.is_empty() { 0 } else { width };
        if keys.num_columns() < from + width {
            return internal_err!("the state has other columns");
        }
        for (row, of_key) in of_keys.iter_mut().enumerate() {
            let values = (from..from + width).map(|at| ScalarValue::try_from_array(keys.column(at), row));
            of_key.memories.push(over.read(values.collect::<Result<_>>()?)?);
        }
        from += width;
        if matches!(over.call, Call::Aggregate(_, frame) if frame != Frame::All) {
            let Some(rows) = frames.next() else { return internal_err!("the state has other tables") };
            put_back(&mut of_keys, rows)?;
        }
    }
    Ok(names.iter().flatten().map(Arc::from).zip(of_keys).collect())
}

/// Gives each key the rows of its last frame.
fn put_back(of_keys: &mut [OfKey], rows: &RecordBatch) -> Result<()> {
    let numbers = |at: usize| rows.column(at).as_primitive::<Int64Type>().values();
    let (keys, times) = (numbers(0), numbers(1));
    let mut from = 0;
    while from < rows.num_rows() {
        let len = keys[from..].iter().take_while(|key| **key == keys[from]).count();
        let memory = of_keys.get_mut(keys[from] as usize).and_then(|of_key| of_key.memories.last_mut());
        let Some(Memory::Frame(kept)) = memory else { return internal_err!("the state has other keys") };
        kept.times = times[from..from + len].to_vec();
        kept.columns = rows.columns()[2..].iter().map(|column| column.slice(from, len)).collect();
        from += len;
    }
    Ok(())
}
