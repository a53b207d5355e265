//! Windows of a key: sessions, so many rows, or as long as something is true.
//!
//! Rows come in the order of their time, so that a key's windows are made one row after the other. What a window holds are the
//! states of its aggregates in a slot; when windows close, their slots are taken out and the others move together.

mod rule;
mod saved;
mod slots;

pub(crate) use rule::Rule;

use crate::account::{Account, Reason, failure};
use crate::answer;
use crate::df::{
    ArrayRef, BooleanArray, EmitTo, GroupOrdering, GroupValues, RecordBatch, Result, TimestampNanosecondArray,
    UInt64Array, new_group_values, take,
};
use crate::operator::{Held, Operator};
use crate::rows::{Ids, Mark, NEVER, Rows, bisect};
use crate::windows::{Grouping, Limits, Prepared, unnamed};
use rule::{Row, Verdict, truth};
use slots::Slots;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

/// So many keys may be there that nobody needs, beside twice those that were needed.
const SPARE_KEYS: usize = 8192;

/// The operator.
pub(crate) struct Spans {
    rule: Rule,
    grouping: Grouping,
    limits: Limits,
    /// `None` if the window is the only key.
    table: Option<Box<dyn GroupValues>>,
    /// By the number of the key.
    keys: Vec<KeyState>,
    slots: Slots,
    /// When windows close without a row that says so, with the number of the key.
    due: BTreeSet<(i64, usize)>,
    /// Closed, and not yet given out.
    closed: Vec<Closed>,
    /// Windows that end at or before this have been given out.
    told: i64,
    /// How many keys were needed when they were last looked through.
    needed: usize,
}

/// What is known of a key.
#[derive(Debug, Clone, Default)]
struct KeyState {
    /// Oldest first.
    open: VecDeque<Open>,
    /// How many rows there have been.
    seen: u64,
}

/// A window that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Open {
    slot: usize,
    start: i64,
    /// The time of the last row.
    last: i64,
    /// How many rows it has.
    rows: u64,
}

/// A window that has closed.
#[derive(Debug, Clone, Copy)]
struct Closed {
    key: usize,
    slot: usize,
    start: i64,
    end: i64,
    cause: u64,
}

impl Spans {
    /// # Errors
    /// If a key is of a type that cannot be one.
    pub(crate) fn new(rule: Rule, grouping: Grouping, limits: Limits) -> Result<Spans> {
        let table = key_table(&grouping, &[])?;
        let slots = Slots::new(&grouping)?;
        let (keys, due, closed) = (vec![], BTreeSet::new(), vec![]);
        Ok(Spans { rule, grouping, limits, table, keys, slots, due, closed, told: NEVER, needed: 0 })
    }

    /// Takes in rows for which every expression has been computed.
    fn take_in(
        &mut self,
        rows: &Rows,
        from: usize,
        prepared: &Prepared,
        masks: [Option<BooleanArray>; 2],
        account: &mut Account,
    ) -> Result<()> {
        let mut numbers = vec![];
        match &mut self.table {
            Some(table) => table.intern(&prepared.keys, &mut numbers)?,
            None => numbers.resize(prepared.rows, 0),
        }
        let [begins, ends] = masks;
        let (mut members, mut slots) = (vec![], vec![]);
        for (place, key) in numbers.into_iter().enumerate() {
            let at = prepared.place(place) + from;
            let row = Row {
                ts: rows.ts[at],
                cause: rows.causes[at],
                begins: truth(begins.as_ref(), place),
                ends: truth(ends.as_ref(), place),
            };
            self.close_due(rows.marks[at], row.cause);
            if key >= self.keys.len() {
                self.keys.resize(key + 1, KeyState::default());
            }
            if self.keys[key].open.is_empty() && self.is_full(account) && !self.evict(&row, account) {
                account.leave_out(rows, at, Reason::Dead("the state is full"));
                continue;
            }
            for slot in self.place(key, &row) {
                members.push(place as u64);
                slots.push(slot);
            }
        }
        self.slots.update(prepared, members, &slots)
    }

    /// The slots that a row goes into. Windows that it ends are closed.
    fn place(&mut self, key: usize, row: &Row) -> Vec<usize> {
        let mut into = vec![];
        let state = &mut self.keys[key];
        if self.rule.opens(state.open.len(), state.seen, row) {
            let slot = self.slots.add();
            state.open.push_back(Open { slot, start: row.ts, last: row.ts, rows: 0 });
        }
        state.seen += 1;
        let mut kept = VecDeque::with_capacity(state.open.len());
        for mut open in std::mem::take(&mut state.open) {
            if let Some(deadline) = self.rule.deadline(open.start, open.last) {
                self.due.remove(&(deadline, key));
            }
            let verdict = self.rule.judge(open.rows, row);
            if verdict != Verdict::EndsBefore {
                into.push(open.slot);
                (open.last, open.rows) = (row.ts, open.rows + 1);
            }
            if verdict == Verdict::GoesOn {
                kept.push_back(open);
                self.due.extend(self.rule.deadline(open.start, open.last).map(|deadline| (deadline, key)));
            } else {
                let Open { slot, start, .. } = open;
                self.closed.push(Closed { key, slot, start, end: row.ts, cause: row.cause });
            }
        }
        self.keys[key].open = kept;
        into
    }

    fn is_full(&self, account: &Account) -> bool {
        let open = self.slots.len() - self.closed.len();
        // What it takes doubles when it grows.
        open >= self.limits.groups || self.bytes() > account.bytes_max(self.limits.bytes) / 2
    }

    /// Makes room for a row: closes an eighth of the windows before they are over, those whose last row is the longest ago.
    /// Their memory is free once they have been given out, so that a push may take more until then. False if there is no room.
    fn evict(&mut self, row: &Row, account: &mut Account) -> bool {
        if !self.limits.evicts {
            return false;
        }
        if !self.closed.is_empty() && self.slots.len() - self.closed.len() < self.limits.groups {
            return true;
        }
        let keys = self.keys.iter().enumerate();
        let mut oldest: Vec<(i64, usize)> = keys.filter_map(|(key, of)| Some((of.open.front()?.last, key))).collect();
        oldest.sort_unstable();
        oldest.truncate(oldest.len().div_ceil(8));
        account.counters.evicted += oldest.len() as u64;
        for (last, key) in &oldest {
            let state = &mut self.keys[*key];
            let Some(Open { slot, start, .. }) = state.open.pop_front() else { continue };
            if state.open.is_empty() {
                // It begins to count anew.
                state.seen = 0;
            }
            let deadline = self.rule.deadline(start, *last);
            if let Some(deadline) = deadline {
                self.due.remove(&(deadline, *key));
            }
            self.closed.push(Closed { key: *key, slot, start, end: deadline.unwrap_or(row.ts), cause: row.cause });
        }
        !oldest.is_empty()
    }

    /// Closes windows whose time is up.
    fn close_due(&mut self, watermark: i64, cause: u64) {
        while let Some(&(end, key)) = self.due.first()
            && end <= watermark
        {
            self.due.pop_first();
            if let Some(Open { slot, start, .. }) = self.keys[key].open.pop_front() {
                self.closed.push(Closed { key, slot, start, end, cause });
            }
        }
    }

    /// Gives out what has closed and lets go of it.
    fn give_out(&mut self, out: &mut Vec<Rows>) -> Result<()> {
        if self.closed.is_empty() {
            return Ok(());
        }
        let closed = std::mem::take(&mut self.closed);
        let keys = self.table.as_mut().map_or(Ok(vec![]), |table| table.emit(EmitTo::All))?;
        let numbers = UInt64Array::from(closed.iter().map(|window| window.key as u64).collect::<Vec<_>>());
        let own: Vec<ArrayRef> = keys.iter().map(|key| take(key, &numbers, None)).collect::<Result<_, _>>()?;
        let own = self.grouping.named(own);
        let aggregates =
            self.slots.take_out(&self.grouping, &closed.iter().map(|window| window.slot).collect::<Vec<_>>())?;
        let new_slots = self.slots.numbers();
        let open = self.keys.iter_mut().flat_map(|state| &mut state.open);
        open.for_each(|open| open.slot = new_slots[open.slot]);
        self.tidy(keys)?;
        let rows = self.rows(&closed, own, aggregates)?;
        // In an order that does not depend on how rows were cut into pushes.
        let mut order: Vec<usize> = (0..closed.len()).collect();
        order.sort_by_key(|&at| (closed[at].end, closed[at].cause, rows.ids.name(at)));
        let rows = rows.take(&order)?;
        let ids = numbered(rows.ids.names());
        let marks = rows.ts.iter().map(|end| self.told.min(end - 1)).collect();
        out.push(Rows { marks: Arc::new(marks), ids: Ids::made(ids), ..rows });
        Ok(())
    }

    fn rows(&self, closed: &[Closed], keys: Vec<ArrayRef>, aggregates: Vec<ArrayRef>) -> Result<Rows> {
        let times = |of: fn(&Closed) -> i64| closed.iter().map(of).collect::<Vec<i64>>();
        let column = |times: Vec<i64>| Arc::new(TimestampNanosecondArray::from(times)) as ArrayRef;
        let name = |window: &Closed| match self.rule {
            Rule::Count { .. } => format!("{}/{}", answer::millis(window.start), window.cause),
            _ => answer::millis(window.start).to_string(),
        };
        let ids = answer::ids(&keys, closed.iter().map(name))?;
        let mut columns = keys;
        if let Some(at) = self.grouping.window_at {
            columns.insert(at, column(times(|window| window.start)));
        }
        columns.extend(aggregates);
        columns.push(column(times(|window| window.end)));
        Ok(Rows {
            batch: unnamed(columns)?,
            ts: Arc::new(times(|window| window.end)),
            marks: Arc::new(vec![self.told; closed.len()]),
            causes: Arc::new(closed.iter().map(|window| window.cause).collect()),
            ids: Ids::made(ids),
        })
    }

    /// Forgets keys that have no open window, and numbers the others anew.
    fn tidy(&mut self, keys: Vec<ArrayRef>) -> Result<()> {
        let needed: Vec<usize> =
            (0..self.keys.len()).filter(|&key| self.rule.needs(&self.keys[key].open, self.keys[key].seen)).collect();
        let numbers = UInt64Array::from(needed.iter().map(|key| *key as u64).collect::<Vec<_>>());
        let keys: Vec<ArrayRef> = keys.iter().map(|key| take(key, &numbers, None)).collect::<Result<_, _>>()?;
        self.table = key_table(&self.grouping, &keys)?;
        let mut old = std::mem::take(&mut self.keys);
        self.keys = needed.iter().map(|&key| std::mem::take(&mut old[key])).collect();
        self.needed = self.keys.len();
        self.set_due();
        Ok(())
    }

    /// Rows that were left out have left keys behind.
    fn forget_unneeded(&mut self) -> Result<()> {
        if self.keys.len() <= 2 * self.needed + SPARE_KEYS {
            return Ok(());
        }
        let keys = self.table.as_mut().map_or(Ok(vec![]), |table| table.emit(EmitTo::All))?;
        self.tidy(keys)
    }

    fn set_due(&mut self) {
        let rule = &self.rule;
        let deadline = |(key, state): (usize, &KeyState)| {
            state.open.iter().filter_map(|open| Some((rule.deadline(open.start, open.last)?, key))).collect::<Vec<_>>()
        };
        self.due = self.keys.iter().enumerate().flat_map(deadline).collect();
    }

    fn bytes(&self) -> usize {
        let table = self.table.as_ref().map_or(0, |table| table.size());
        table + self.slots.bytes() + self.keys.len() * size_of::<KeyState>() + self.slots.len() * size_of::<Open>()
    }
}

/// Where one message has closed several windows that are called the same, they are numbered.
fn numbered(ids: Vec<Arc<str>>) -> Vec<Arc<str>> {
    let mut seen: HashMap<Arc<str>, u32> = HashMap::new();
    let id = |id: Arc<str>| {
        let number = seen.entry(id.clone()).and_modify(|number| *number += 1).or_default();
        if *number == 0 { id } else { format!("{id}/{number}").into() }
    };
    ids.into_iter().map(id).collect()
}

impl Operator for Spans {
    fn push(&mut self, rows: Rows, account: &mut Account, out: &mut Vec<Rows>) {
        let mut failed = vec![];
        let mut parts = vec![];
        let mut work = |range: Range<usize>| {
            let batch = rows.batch.slice(range.start, range.len());
            let prepared = self.grouping.prepare(&batch)?;
            let masks = self.rule.masks(&prepared.batch)?;
            parts.push((range.start, prepared, masks));
            Ok(())
        };
        bisect(0..rows.len(), &mut work, &mut |at, error| failed.push((at, failure(error))));
        for (from, prepared, masks) in parts {
            if self.take_in(&rows, from, &prepared, masks, account).is_err() {
                account.counters.errors += prepared.rows as u64;
            }
        }
        for (at, error) in failed {
            account.leave_out(&rows, at, Reason::Failed(error));
        }
        if self.give_out(out).and_then(|()| self.forget_unneeded()).is_err() {
            account.counters.errors += 1;
        }
    }

    fn advance(&mut self, mark: Mark, account: &mut Account, out: &mut Vec<Rows>) {
        self.close_due(mark.watermark, mark.cause);
        if self.give_out(out).is_err() {
            account.counters.errors += 1;
        }
        self.told = self.told.max(self.frontier(mark.watermark));
    }

    fn frontier(&self, watermark: i64) -> i64 {
        // Where a row ends a window, others of the same time may do so yet.
        if self.rule.ends_by_time() { watermark } else { watermark.saturating_sub(1) }
    }

    fn save(&mut self) -> Result<Vec<RecordBatch>> {
        saved::save(self)
    }

    fn load(&mut self, state: &[RecordBatch]) -> Result<()> {
        saved::load(self, state)
    }

    fn horizon(&self) -> i64 {
        self.due.last().map_or(NEVER, |(end, _)| *end)
    }

    fn describe(&self) -> String {
        self.rule.to_string()
    }

    fn held(&self) -> Held {
        Held { windows: self.slots.len(), groups: self.keys.len(), bytes: self.bytes() }
    }
}

/// A table of keys that has these. One whose keys have been taken out is not used again: DataFusion's tables of several
/// columns still look for them.
fn key_table(grouping: &Grouping, keys: &[ArrayRef]) -> Result<Option<Box<dyn GroupValues>>> {
    if grouping.keys.is_empty() {
        return Ok(None);
    }
    let mut table = new_group_values(grouping.key_schema.clone(), &GroupOrdering::None)?;
    if keys.first().is_some_and(|key| !key.is_empty()) {
        table.intern(keys, &mut vec![])?;
    }
    Ok(Some(table))
}
