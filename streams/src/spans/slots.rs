//! The states of aggregates, one slot for each window.

use crate::df::{ArrayRef, AsArray, BooleanArray, EmitTo, GroupsAccumulator, Result, UInt64Array, take};
use crate::windows::{Aggregate, Grouping, Prepared};

/// Accumulators whose groups are slots.
pub(super) struct Slots {
    accumulators: Vec<Box<dyn GroupsAccumulator>>,
    len: usize,
    /// Where each slot has gone when the last ones were taken out.
    moved: Vec<usize>,
}

impl Slots {
    pub(super) fn new(grouping: &Grouping) -> Result<Slots> {
        Ok(Slots { accumulators: accumulators(grouping)?, len: 0, moved: vec![] })
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn bytes(&self) -> usize {
        self.accumulators.iter().map(|accumulator| accumulator.size()).sum()
    }

    /// A new slot, its number.
    pub(super) fn add(&mut self) -> usize {
        self.len += 1;
        self.len - 1
    }

    /// Adds rows to slots: `members` are the places of rows, which may repeat.
    pub(super) fn update(&mut self, prepared: &Prepared, members: Vec<u64>, slots: &[usize]) -> Result<()> {
        let as_they_are = members.len() == prepared.rows && members.iter().zip(0..).all(|(member, at)| *member == at);
        let members = UInt64Array::from(members);
        for (accumulator, (args, filter)) in self.accumulators.iter_mut().zip(&prepared.inputs) {
            if as_they_are {
                accumulator.update_batch(args, slots, filter.as_ref(), self.len)?;
                continue;
            }
            let args: Vec<ArrayRef> = args.iter().map(|arg| take(arg, &members, None)).collect::<Result<_, _>>()?;
            let filter = filter.as_ref().map(|filter| take(filter, &members, None)).transpose()?;
            let filter: Option<BooleanArray> = filter.map(|filter| filter.as_boolean().clone());
            accumulator.update_batch(&args, slots, filter.as_ref(), self.len)?;
        }
        Ok(())
    }

    /// Takes slots out; the answers of their aggregates. The others move together, see [`numbers`](Slots::numbers).
    pub(super) fn take_out(&mut self, grouping: &Grouping, out: &[usize]) -> Result<Vec<ArrayRef>> {
        let mut is_out = vec![false; self.len];
        out.iter().for_each(|&slot| is_out[slot] = true);
        let live: Vec<u64> = (0..self.len).filter(|&slot| !is_out[slot]).map(|slot| slot as u64).collect();
        self.moved = vec![usize::MAX; self.len];
        live.iter().enumerate().for_each(|(new, old)| self.moved[*old as usize] = new);
        let (out, live) =
            (UInt64Array::from(out.iter().map(|slot| *slot as u64).collect::<Vec<_>>()), UInt64Array::from(live));
        let mut answers = vec![];
        let fresh = accumulators(grouping)?.into_iter().zip(accumulators(grouping)?);
        for (accumulator, (mut kept, mut answering)) in self.accumulators.iter_mut().zip(fresh) {
            // So that it has all slots, also those that no row has come into yet.
            let states = accumulator.state(EmitTo::All)?;
            merge(&mut *kept, &states, &live)?;
            merge(&mut *answering, &states, &out)?;
            answers.push(answering.evaluate(EmitTo::All)?);
            *accumulator = kept;
        }
        self.len = live.len();
        Ok(answers)
    }

    /// Where each slot has gone when the last ones were taken out.
    pub(super) fn numbers(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.moved)
    }

    /// The states of all slots; they stay as they are.
    pub(super) fn states(&mut self, grouping: &Grouping) -> Result<Vec<Vec<ArrayRef>>> {
        let all = UInt64Array::from_iter_values(0..self.len as u64);
        let mut saved = vec![];
        let aggregates = self.accumulators.iter_mut().zip(&grouping.aggregates);
        for ((accumulator, aggregate), mut kept) in aggregates.zip(accumulators(grouping)?) {
            let states = aggregate.state(&mut **accumulator, self.len)?;
            merge(&mut *kept, &states, &all)?;
            *accumulator = kept;
            saved.push(states);
        }
        Ok(saved)
    }

    /// Slots with these states.
    pub(super) fn of(grouping: &Grouping, states: &[Vec<ArrayRef>], len: usize) -> Result<Slots> {
        let all = UInt64Array::from_iter_values(0..len as u64);
        let mut slots = Slots { len, ..Slots::new(grouping)? };
        for (accumulator, states) in slots.accumulators.iter_mut().zip(states) {
            merge(&mut **accumulator, states, &all)?;
        }
        Ok(slots)
    }
}

fn accumulators(grouping: &Grouping) -> Result<Vec<Box<dyn GroupsAccumulator>>> {
    grouping.aggregates.iter().map(Aggregate::accumulator).collect()
}

fn merge(into: &mut dyn GroupsAccumulator, states: &[ArrayRef], slots: &UInt64Array) -> Result<()> {
    if slots.is_empty() {
        return Ok(());
    }
    let states: Vec<ArrayRef> = states.iter().map(|state| take(state, slots, None)).collect::<Result<_, _>>()?;
    let numbers: Vec<usize> = (0..slots.len()).collect();
    into.merge_batch(&states, &numbers, slots.len())
}
