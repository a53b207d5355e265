//! Rows of the same window side by side.

use super::Join;
use super::keys::Keys;
use super::pairs::Pairing;
use crate::account::Account;
use crate::df::{RecordBatch, Result, internal_err};
use crate::operator::Held;
use crate::query::earlier;
use crate::rows::{Flow, NEVER, Rows};
use crate::sorted::{read, together, weight, written};
use crate::state::{numbers, read_numbers};
use edgeway_thing_models::Things;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Rows wait until both sides have told all windows that end with theirs.
pub(crate) struct SameWindow {
    keys: [Keys; 2],
    pairing: Pairing,
    /// Of each side, by the end of the window.
    waiting: [BTreeMap<i64, Vec<Rows>>; 2],
    told: i64,
    things: Arc<Things>,
}

impl SameWindow {
    pub(crate) fn new(keys: [Keys; 2], pairing: Pairing, things: Arc<Things>) -> SameWindow {
        SameWindow { keys, pairing, waiting: Default::default(), told: NEVER, things }
    }

    fn wait(&mut self, side: usize, rows: &Rows) -> Result<()> {
        let mut from = 0;
        while from < rows.len() {
            let end = rows.ts[from];
            let len = rows.ts[from..].iter().take_while(|ts| **ts == end).count();
            let at: Vec<usize> = (from..from + len).collect();
            self.waiting[side].entry(end).or_default().push(rows.take(&at)?);
            from += len;
        }
        Ok(())
    }

    /// All pairs of the windows with one end.
    fn join(&self, left: &[Rows], right: &[Rows]) -> Result<Rows> {
        let left = together(left)?;
        let rights = if right.is_empty() { None } else { Some(together(right)?) };
        let right = rights.map_or_else(|| self.pairing.no_right_rows(), |rows| rows.batch);
        let mut places: HashMap<Arc<[u8]>, Vec<usize>> = HashMap::new();
        for (at, key) in self.keys[1].of(&right)?.into_iter().enumerate() {
            key.into_iter().for_each(|key| places.entry(key).or_default().push(at));
        }
        let mut candidates = vec![];
        for (at, key) in self.keys[0].of(&left.batch)?.into_iter().enumerate() {
            let partners = key.and_then(|key| places.get(&key));
            candidates.extend(partners.into_iter().flatten().map(|&right| (at, right)));
        }
        let pairs = self.pairing.choose(&left.batch, &right, candidates, 0..left.len())?;
        self.pairing.rows(&left, &right, &pairs)
    }

    fn bytes(&self) -> usize {
        self.waiting.iter().flat_map(BTreeMap::values).flatten().map(weight).sum()
    }
}

impl Join for SameWindow {
    fn push(&mut self, left: Flow, right: Flow, account: &mut Account) -> Flow {
        for (side, flow) in [&left, &right].into_iter().enumerate() {
            for rows in &flow.rows {
                if let Err(error) = self.wait(side, rows) {
                    account.failed(rows, 0, &error);
                }
            }
        }
        let mark = earlier(left.mark, right.mark);
        let mut out = Flow::empty(mark);
        while let Some(entry) = self.waiting[0].first_entry()
            && *entry.key() <= mark.watermark
        {
            let (end, left) = entry.remove_entry();
            let right = self.waiting[1].remove(&end).unwrap_or_default();
            match self.join(&left, &right) {
                Ok(rows) if rows.len() > 0 => {
                    let len = rows.len();
                    let marks = Arc::new(vec![self.told.min(end - 1); len]);
                    out.rows.push(Rows { marks, ..rows.caused_by(mark.cause) });
                }
                Ok(_) => {}
                Err(error) => left.iter().for_each(|rows| account.failed(rows, 0, &error)),
            }
            self.told = end;
        }
        self.told = self.told.max(mark.watermark);
        // What is left of the right side had no partner.
        let told = mark.watermark;
        self.waiting[1].retain(|end, _| *end > told);
        out
    }

    fn save(&mut self) -> Result<Vec<RecordBatch>> {
        let mut tables = vec![];
        let mut lefts = 0;
        for (side, waiting) in self.waiting.iter().enumerate() {
            for rows in waiting.values().flatten() {
                lefts += i64::from(side == 0);
                tables.push(written(rows)?);
            }
        }
        tables.insert(0, numbers(&[self.told, lefts])?);
        Ok(tables)
    }

    fn load(&mut self, state: &[RecordBatch]) -> Result<()> {
        let [times, rows @ ..] = state else { return internal_err!("the state has other tables") };
        let [told, lefts] = *read_numbers(times)? else { return internal_err!("the state has other times") };
        let rows: Vec<Rows> = rows.iter().map(|table| read(table, &self.things)).collect::<Result<_>>()?;
        for (at, rows) in rows.iter().enumerate() {
            self.wait(usize::from(at as i64 >= lefts), rows)?;
        }
        self.told = told;
        Ok(())
    }

    fn horizon(&self) -> i64 {
        self.waiting[0].last_key_value().map_or(NEVER, |(end, _)| *end)
    }

    fn describe(&self) -> &'static str {
        "rows of the same window side by side"
    }

    fn held(&self) -> Held {
        let windows = self.waiting.iter().map(BTreeMap::len).max().unwrap_or_default();
        Held { windows, groups: 0, bytes: self.bytes() }
    }
}
