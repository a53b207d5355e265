//! Aggregates whose state is a few numbers, for all groups at once.
//!
//! Merging a state into an empty one changes nothing, not even the last digit: a window that has been written down and
//! taken up again answers what it would have answered.

use crate::df::{
    Accumulator, AccumulatorArgs, AggregateUDFImpl, Array, ArrayRef, AsArray, BooleanArray, DataType, EmitTo, Field,
    FieldRef, Float64Array, Float64Type, GroupsAccumulator, Int64Array, Int64Type, IntervalMonthDayNanoArray, Result,
    ScalarValue, Signature, StateFieldsArgs, TimestampNanosecondType, internal_err, interval,
};
use std::any::Any;
use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;

/// What is known of the rows of a group.
pub(super) trait Summary: Default + Clone + Debug + Send + Sync + 'static {
    /// How many numbers it is.
    const WORDS: usize;

    /// A row with a value; `ts` is 0 for functions that are not told the time.
    fn add(&mut self, value: f64, ts: i64);

    /// A row that says that the value is not known any more.
    fn add_bad(&mut self, _ts: i64) {}

    /// Rows of another part of the group.
    fn merge(&mut self, other: &Self);

    /// As numbers; floats by their bits.
    fn words(&self) -> [i64; 8];

    /// From such numbers.
    fn of_words(words: [i64; 8]) -> Self;

    /// The answer.
    fn answer(&self) -> Option<f64>;

    /// The group is that of the window `[start, end)`, which is over.
    fn close(&mut self, _start: i64, _end: i64) {}

    /// What the next window begins with at a moment, if anything.
    fn carry(&self, _at: i64) -> Option<Self> {
        None
    }

    /// The time of the last row.
    fn last(&self) -> i64 {
        0
    }
}

/// What a function answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Answer {
    Float,
    /// A length of time, in nanoseconds.
    Interval,
}

/// An aggregate function whose state is a summary.
#[derive(Debug)]
pub(super) struct Summing<S> {
    name: &'static str,
    aliases: Vec<String>,
    signature: Signature,
    answer: Answer,
    summary: PhantomData<S>,
}

impl<S> Summing<S> {
    pub(super) fn new(name: &'static str, aliases: &[&str], signature: Signature, answer: Answer) -> Summing<S> {
        let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
        Summing { name, aliases, signature, answer, summary: PhantomData }
    }
}

impl<S> PartialEq for Summing<S> {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl<S> Eq for Summing<S> {}

impl<S> Hash for Summing<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl<S: Summary> AggregateUDFImpl for Summing<S> {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.answer {
            Answer::Float => DataType::Float64,
            Answer::Interval => interval::TYPE,
        })
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(One(Summaries::<S>::new(self.answer))))
    }

    fn state_fields(&self, _: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let field = |at: usize| Arc::new(Field::new(format!("{}{at}", self.name), DataType::Int64, true));
        Ok((0..S::WORDS).map(field).collect())
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Summaries::<S>::new(self.answer)))
    }
}

/// The summaries of all groups.
#[derive(Debug)]
pub(super) struct Summaries<S> {
    groups: Vec<S>,
    answer: Answer,
}

impl<S: Summary> Summaries<S> {
    fn new(answer: Answer) -> Summaries<S> {
        Summaries { groups: vec![], answer }
    }

    fn add(&mut self, values: &[ArrayRef], group: impl Fn(usize) -> Option<usize>) -> Result<()> {
        let value = numbers(&values[0])?;
        let times = values.get(1).map(|times| times.as_primitive::<TimestampNanosecondType>());
        let bad = values.get(2).map(|bad| bad.as_boolean());
        for at in 0..values[0].len() {
            let Some(group) = group(at) else { continue };
            let ts = times.map_or(0, |times| times.value(at));
            let is_bad = bad.is_some_and(|bad| !bad.is_null(at) && bad.value(at));
            match value(at) {
                Some(value) => self.groups[group].add(value, ts),
                None if is_bad => self.groups[group].add_bad(ts),
                None => {}
            }
        }
        Ok(())
    }

    fn written(summaries: &[S]) -> Vec<ArrayRef> {
        let word = |at: usize| Int64Array::from_iter_values(summaries.iter().map(|summary| summary.words()[at]));
        (0..S::WORDS).map(|at| Arc::new(word(at)) as ArrayRef).collect()
    }

    fn read(states: &[ArrayRef], at: usize) -> S {
        let mut words = [0; 8];
        for (word, state) in words.iter_mut().zip(states) {
            *word = state.as_primitive::<Int64Type>().value(at);
        }
        S::of_words(words)
    }

    fn answers(&self, summaries: &[S]) -> ArrayRef {
        let answers = summaries.iter().map(S::answer);
        match self.answer {
            Answer::Float => Arc::new(Float64Array::from_iter(answers)),
            Answer::Interval => {
                let lengths = answers.map(|nanos| nanos.map(|nanos| interval::of_nanos(nanos as i64)));
                Arc::new(IntervalMonthDayNanoArray::from_iter(lengths))
            }
        }
    }
}

/// The values of a column of numbers or conditions; what is not a number is not known.
fn numbers(column: &ArrayRef) -> Result<Box<dyn Fn(usize) -> Option<f64> + '_>> {
    Ok(match column.data_type() {
        DataType::Boolean => {
            let column = column.as_boolean();
            Box::new(|at| (!column.is_null(at)).then(|| f64::from(u8::from(column.value(at)))))
        }
        DataType::Float64 => {
            let column = column.as_primitive::<Float64Type>();
            Box::new(|at| Some(column.value(at)).filter(|value| !column.is_null(at) && value.is_finite()))
        }
        other => return internal_err!("values of type {other}"),
    })
}

impl<S: Summary> GroupsAccumulator for Summaries<S> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.groups.resize(total_num_groups, S::default());
        let counts = |at: usize| opt_filter.is_none_or(|filter| !filter.is_null(at) && filter.value(at));
        self.add(values, |at| counts(at).then(|| group_indices[at]))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let summaries = emit_to.take_needed(&mut self.groups);
        Ok(self.answers(&summaries))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(Self::written(&emit_to.take_needed(&mut self.groups)))
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.groups.resize(total_num_groups, S::default());
        for (at, group) in group_indices.iter().enumerate() {
            self.groups[*group].merge(&Self::read(values, at));
        }
        Ok(())
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let mut each = Self::new(self.answer);
        let all: Vec<usize> = (0..values[0].len()).collect();
        each.update_batch(values, &all, opt_filter, all.len())?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.groups.capacity() * size_of::<S>()
    }
}

/// The summary of one group.
#[derive(Debug)]
struct One<S>(Summaries<S>);

impl<S: Summary> Accumulator for One<S> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.groups.resize(1, S::default());
        self.0.add(values, |_| Some(0))
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.groups.resize(1, S::default());
        ScalarValue::try_from_array(&self.0.answers(&self.0.groups), 0)
    }

    fn size(&self) -> usize {
        size_of::<S>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.groups.resize(1, S::default());
        Ok(self.0.groups[0].words()[..S::WORDS].iter().map(|word| ScalarValue::from(*word)).collect())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let rows = states[0].len();
        self.0.merge_batch(states, &vec![0; rows], 1)
    }
}

/// What an operator can do with a function that goes on from window to window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timed {
    /// Tells all groups of an accumulator which window they are of.
    pub(crate) close: fn(&mut dyn GroupsAccumulator, i64, i64),
    /// From states, those that the next window begins with at a moment; and the time of the last row of each.
    pub(crate) carry: fn(&[ArrayRef], i64) -> Carried,
}

/// States, and the time of the last row of each group.
pub(crate) type Carried = (Vec<ArrayRef>, Vec<i64>);

impl Timed {
    pub(super) fn of<S: Summary>() -> Timed {
        Timed { close: close::<S>, carry: carry::<S> }
    }
}

fn close<S: Summary>(accumulator: &mut dyn GroupsAccumulator, start: i64, end: i64) {
    let accumulator: &mut dyn Any = accumulator;
    if let Some(summaries) = accumulator.downcast_mut::<Summaries<S>>() {
        summaries.groups.iter_mut().for_each(|summary| summary.close(start, end));
    }
}

fn carry<S: Summary>(states: &[ArrayRef], at: i64) -> Carried {
    let before: Vec<S> = (0..states[0].len()).map(|group| Summaries::<S>::read(states, group)).collect();
    let after: Vec<S> = before.iter().map(|summary| summary.carry(at).unwrap_or_default()).collect();
    (Summaries::written(&after), before.iter().map(S::last).collect())
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// What is answered for rows, cut into parts that are merged, each after a state has been written and read.
    pub(crate) fn in_parts<S: Summary>(rows: &[(f64, i64)], parts: usize, window: (i64, i64)) -> Option<f64> {
        let mut whole = S::default();
        for part in rows.chunks(rows.len().div_ceil(parts).max(1)) {
            let mut summary = S::default();
            for (value, ts) in part {
                if value.is_nan() { summary.add_bad(*ts) } else { summary.add(*value, *ts) }
            }
            whole.merge(&S::of_words(summary.words()));
        }
        whole.close(window.0, window.1);
        whole.answer()
    }
}
