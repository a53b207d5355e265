//! Rows of windows that wait until both sides have told all windows that end with theirs.

use crate::account::{Account, Reason};
use crate::df::{RecordBatch, Result, internal_err};
use crate::rows::{Flow, NEVER, Rows};
use crate::sorted::{read, weight, written};
use crate::state::{numbers, read_numbers};
use edgeway_thing_models::Things;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) struct Waiting {
    /// Of each side, by the end of the window.
    sides: [BTreeMap<i64, Vec<Rows>>; 2],
    /// How far windows have been told.
    told: i64,
    bytes_max: usize,
    things: Arc<Things>,
}

/// All rows of the windows with one end.
pub(super) struct Ended {
    pub(super) left: Vec<Rows>,
    pub(super) right: Vec<Rows>,
    /// The watermark when they are told.
    pub(super) mark: i64,
}

impl Waiting {
    pub(super) fn new(bytes_max: usize, things: Arc<Things>) -> Waiting {
        Waiting { sides: Default::default(), told: NEVER, bytes_max, things }
    }

    /// Takes in the rows of both sides, as far as there is room.
    pub(super) fn add(&mut self, sides: [&Flow; 2], account: &mut Account) {
        let is_full = self.bytes() > account.bytes_max(self.bytes_max);
        for (side, flow) in sides.into_iter().enumerate() {
            for rows in &flow.rows {
                if is_full {
                    (0..rows.len()).for_each(|at| account.leave_out(rows, at, Reason::Dead("the state is full")));
                } else if let Err(error) = self.wait(side, rows) {
                    (0..rows.len()).for_each(|at| account.failed(rows, at, &error));
                }
            }
        }
    }

    fn wait(&mut self, side: usize, rows: &Rows) -> Result<()> {
        let mut from = 0;
        while from < rows.len() {
            let end = rows.ts[from];
            let len = rows.ts[from..].iter().take_while(|ts| **ts == end).count();
            let at: Vec<usize> = (from..from + len).collect();
            self.sides[side].entry(end).or_default().push(rows.take(&at)?);
            from += len;
        }
        Ok(())
    }

    /// The windows that both sides have told up to a watermark, each with its end before those that end later.
    pub(super) fn ended(&mut self, watermark: i64) -> Vec<Ended> {
        let mut ended = vec![];
        while let Some(end) = self.sides.iter().filter_map(|side| Some(*side.first_key_value()?.0)).min()
            && end <= watermark
        {
            let [left, right] = self.sides.each_mut().map(|side| side.remove(&end).unwrap_or_default());
            ended.push(Ended { left, right, mark: self.told.min(end - 1) });
            self.told = end;
        }
        self.told = self.told.max(watermark);
        ended
    }

    pub(super) fn save(&self) -> Result<Vec<RecordBatch>> {
        let mut tables = vec![];
        let mut lefts = 0;
        for (side, waiting) in self.sides.iter().enumerate() {
            for rows in waiting.values().flatten() {
                lefts += i64::from(side == 0);
                tables.push(written(rows)?);
            }
        }
        tables.insert(0, numbers(&[self.told, lefts])?);
        Ok(tables)
    }

    pub(super) fn load(&mut self, state: &[RecordBatch]) -> Result<()> {
        let [times, rows @ ..] = state else { return internal_err!("the state has other tables") };
        let [told, lefts] = *read_numbers(times)? else { return internal_err!("the state has other times") };
        let rows: Vec<Rows> = rows.iter().map(|table| read(table, &self.things)).collect::<Result<_>>()?;
        for (at, rows) in rows.iter().enumerate() {
            self.wait(usize::from(at as i64 >= lefts), rows)?;
        }
        self.told = told;
        Ok(())
    }

    /// By when all that waits is complete.
    pub(super) fn horizon(&self) -> i64 {
        self.sides.iter().filter_map(|side| Some(*side.last_key_value()?.0)).max().unwrap_or(NEVER)
    }

    pub(super) fn windows(&self) -> usize {
        self.sides.iter().map(BTreeMap::len).max().unwrap_or_default()
    }

    pub(super) fn bytes(&self) -> usize {
        self.sides.iter().flat_map(BTreeMap::values).flatten().map(weight).sum()
    }
}
