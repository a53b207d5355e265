//! Beside each row, the newest of another stream that is not newer.

use super::keys::Keys;
use super::pairs::{Pair, Pairing};
use super::shelf::Shelf;
use super::{Join, late};
use crate::account::{Account, Reason};
use crate::df::{RecordBatch, Result, internal_err};
use crate::operator::Held;
use crate::query::earlier;
use crate::rows::{Flow, Mark, NEVER, Rows};
use crate::sorted::{Waiting, read, written};
use crate::state::{numbers, read_numbers};
use edgeway_thing_models::Things;
use std::sync::Arc;

/// Left rows wait until all right rows that are not newer have come.
pub(crate) struct AsOf {
    keys: [Keys; 2],
    pairing: Pairing,
    /// How much older a partner may be, in nanoseconds.
    tolerance: Option<i64>,
    left: Waiting,
    right: Shelf,
    watermarks: [i64; 2],
    /// Left rows that are older have come out.
    told: i64,
    bytes_max: usize,
    things: Arc<Things>,
}

impl AsOf {
    pub(crate) fn new(
        keys: [Keys; 2],
        pairing: Pairing,
        tolerance: Option<i64>,
        delay: i64,
        bytes_max: usize,
        things: Arc<Things>,
    ) -> AsOf {
        let (left, right) = (Waiting::new(delay), Shelf::default());
        AsOf { keys, pairing, tolerance, left, right, watermarks: [NEVER; 2], told: NEVER, bytes_max, things }
    }

    fn take_in(&mut self, left: &Flow, right: &Flow, account: &mut Account) {
        for rows in &left.rows {
            let timely = late(rows, &mut self.watermarks[0], account);
            if self.bytes() > account.bytes_max(self.bytes_max) {
                timely.iter().for_each(|&at| account.leave_out(rows, at, Reason::Dead("the state is full")));
            } else if let Err(error) = self.left.add(rows, timely) {
                account.failed(rows, 0, &error);
            }
        }
        for rows in &right.rows {
            let timely = late(rows, &mut self.watermarks[1], account);
            if let Err(error) = self.shelve(rows, &timely) {
                timely.iter().for_each(|&at| account.failed(rows, at, &error));
            }
        }
        for (watermark, flow) in self.watermarks.iter_mut().zip([left, right]) {
            *watermark = (*watermark).max(flow.mark.watermark);
        }
    }

    fn bytes(&self) -> usize {
        self.left.bytes() + self.right.bytes()
    }

    fn shelve(&mut self, rows: &Rows, at: &[usize]) -> Result<()> {
        let rows = rows.take(at)?;
        let keys = self.keys[1].of(&rows.batch)?;
        self.right.add(&rows, &keys, |_| false);
        keys.iter().flatten().for_each(|key| self.right.forget_older(key, self.told));
        Ok(())
    }

    fn join(&self, left: &Rows) -> Result<Rows> {
        let keys = self.keys[0].of(&left.batch)?;
        let mut spots = vec![];
        let pairs: Vec<Pair> = keys
            .iter()
            .enumerate()
            .map(|(at, key)| {
                let found = key.as_ref().and_then(|key| self.right.newest(key, left.ts[at]));
                let near = found
                    .filter(|((ts, _), _)| self.tolerance.is_none_or(|most| left.ts[at].saturating_sub(*ts) <= most));
                (
                    at,
                    near.map(|(_, spot)| {
                        spots.push(spot);
                        spots.len() - 1
                    }),
                )
            })
            .collect();
        let right = if spots.is_empty() { self.pairing.no_right_rows() } else { self.right.batch(&spots)? };
        self.pairing.rows(left, &right, &pairs)
    }
}

impl Join for AsOf {
    fn push(&mut self, left: Flow, right: Flow, account: &mut Account) -> Flow {
        self.take_in(&left, &right, account);
        let mark = earlier(left.mark, right.mark);
        let watermark = self.watermarks[0].min(self.watermarks[1]);
        let mut out = Flow::empty(Mark { watermark, ..mark });
        for rows in self.left.before(watermark).unwrap_or_default() {
            match self.join(&rows) {
                Ok(rows) => out.rows.push(rows),
                Err(error) => (0..rows.len()).for_each(|at| account.failed(&rows, at, &error)),
            }
        }
        self.told = self.told.max(watermark);
        if let Some(tolerance) = self.tolerance {
            while let Some(spot) = self.right.pop_before(watermark.saturating_sub(tolerance)) {
                self.right.let_go(spot);
            }
        }
        if self.right.tidy().is_err() {
            account.counters.errors += 1;
        }
        out
    }

    fn save(&mut self) -> Result<Vec<RecordBatch>> {
        let right = self.right.all()?.0.map(|rows| written(&rows)).transpose()?;
        let left = self.left.save()?;
        let sides = [i64::from(left.is_some()), i64::from(right.is_some())];
        let times = numbers(&[self.watermarks[0], self.watermarks[1], sides[0], sides[1]])?;
        Ok([Some(times), left, right].into_iter().flatten().collect())
    }

    fn load(&mut self, state: &[RecordBatch]) -> Result<()> {
        let [times, rows @ ..] = state else { return internal_err!("the state has other tables") };
        let [left_mark, right_mark, has_left, _] = *read_numbers(times)? else {
            return internal_err!("the state has other times");
        };
        let rows: Vec<Rows> = rows.iter().map(|table| read(table, &self.things)).collect::<Result<_>>()?;
        let (left, right) = rows.split_at(usize::from(has_left == 1).min(rows.len()));
        for rows in left {
            self.left.add(rows, 0..rows.len())?;
        }
        for rows in right {
            let keys = self.keys[1].of(&rows.batch)?;
            self.right.add(rows, &keys, |_| false);
        }
        self.watermarks = [left_mark, right_mark];
        self.told = left_mark.min(right_mark);
        Ok(())
    }

    fn horizon(&self) -> i64 {
        self.left.horizon()
    }

    fn describe(&self) -> &'static str {
        "each row beside the newest of another stream that is not newer"
    }

    fn held(&self) -> Held {
        Held { windows: 0, groups: self.right.keys(), bytes: self.left.bytes() + self.right.bytes() }
    }
}
