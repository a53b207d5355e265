//! An aggregate over the rows before a row.
//!
//! Each row's answer is computed from the rows of its frame, oldest first, and from nothing else: what has been taken away
//! leaves no trace, as it would in a sum that is added to and taken from.

use super::calls::Frame;
use crate::df::{Accumulator, ArrayRef, BooleanArray, Result, ScalarValue, concat, filter};
use crate::sorted::bytes_of;
use crate::windows::Aggregate;
use std::fmt::Debug;

/// The rows of a key that are still in a frame.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) times: Vec<i64>,
    /// Of the arguments, then of the condition of `FILTER`, if there is one.
    pub(super) columns: Vec<ArrayRef>,
    /// Of all rows so far, for a frame that has no beginning.
    pub(super) all: Option<Box<dyn Accumulator>>,
}

impl Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("times", &self.times.len()).finish_non_exhaustive()
    }
}

impl Kept {
    /// The answers for some rows of the key, which come behind those that are kept.
    pub(super) fn answers(
        &mut self,
        aggregate: &Aggregate,
        frame: Frame,
        times: &[i64],
        columns: Vec<ArrayRef>,
    ) -> Result<Vec<ScalarValue>> {
        if frame == Frame::All {
            return self.of_all(aggregate, &columns, times.len());
        }
        let before = self.times.len();
        self.times.extend(times);
        self.columns = if before == 0 { columns } else { chained(&self.columns, &columns)? };
        let answers = (before..self.times.len())
            .map(|at| {
                let from = self.begin(frame, at);
                let mut accumulator = aggregate.function.create_accumulator()?;
                update(&mut *accumulator, aggregate, &slices(&self.columns, from, at + 1 - from))?;
                accumulator.evaluate()
            })
            .collect::<Result<_>>()?;
        self.let_go(frame);
        Ok(answers)
    }

    /// The first row of the frame of a row.
    fn begin(&self, frame: Frame, at: usize) -> usize {
        match frame {
            Frame::All => 0,
            Frame::Rows(rows) => (at + 1).saturating_sub(rows),
            Frame::Range(length) => self.times.partition_point(|ts| ts.saturating_add(length) < self.times[at]),
        }
    }

    /// Forgets the rows that no later frame has.
    fn let_go(&mut self, frame: Frame) {
        let Some(last) = self.times.len().checked_sub(1) else { return };
        let from = match frame {
            Frame::Rows(rows) => self.times.len().saturating_sub(rows.saturating_sub(1)),
            other => self.begin(other, last),
        };
        self.times.drain(..from);
        self.columns = slices(&self.columns, from, self.times.len());
    }

    fn of_all(&mut self, aggregate: &Aggregate, columns: &[ArrayRef], rows: usize) -> Result<Vec<ScalarValue>> {
        if self.all.is_none() {
            self.all = Some(aggregate.function.create_accumulator()?);
        }
        let Some(all) = &mut self.all else { return Ok(vec![]) };
        let answer = |at| {
            update(&mut **all, aggregate, &slices(columns, at, 1))?;
            // Some functions cannot be asked twice.
            let state = all.state()?;
            let answer = restored(aggregate, &state)?.evaluate();
            *all = restored(aggregate, &state)?;
            answer
        };
        (0..rows).map(answer).collect()
    }

    pub(super) fn bytes(&self) -> usize {
        self.times.len() * 8 + self.columns.iter().map(bytes_of).sum::<usize>()
    }
}

/// An accumulator with this state.
pub(super) fn restored(aggregate: &Aggregate, state: &[ScalarValue]) -> Result<Box<dyn Accumulator>> {
    let mut accumulator = aggregate.function.create_accumulator()?;
    let columns: Vec<ArrayRef> = state.iter().map(|value| value.to_array()).collect::<Result<_>>()?;
    accumulator.merge_batch(&columns)?;
    Ok(accumulator)
}

fn update(accumulator: &mut dyn Accumulator, aggregate: &Aggregate, columns: &[ArrayRef]) -> Result<()> {
    let (args, condition) = columns.split_at(aggregate.args.len());
    match condition.first() {
        None => accumulator.update_batch(args),
        Some(condition) => {
            use crate::df::AsArray;
            let condition: &BooleanArray = condition.as_boolean();
            let args: Vec<ArrayRef> = args.iter().map(|arg| Ok(filter(arg, condition)?)).collect::<Result<_>>()?;
            accumulator.update_batch(&args)
        }
    }
}

fn slices(columns: &[ArrayRef], from: usize, len: usize) -> Vec<ArrayRef> {
    columns.iter().map(|column| column.slice(from, len)).collect()
}

fn chained(one: &[ArrayRef], other: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
    one.iter().zip(other).map(|(one, other)| Ok(concat(&[&**one, &**other])?)).collect()
}
