//! What is remembered of a key for one column.

use super::calls::{Call, Over};
use super::frame::{Kept, restored};
use crate::df::{ArrayRef, RecordBatch, Result, ScalarValue};
use crate::segment::evaluate;
use std::collections::VecDeque;

/// What is remembered.
#[derive(Debug)]
pub(super) enum Memory {
    /// The last values, oldest first.
    Values(VecDeque<ScalarValue>),
    /// The last known value of each argument.
    Known(Vec<ScalarValue>),
    Count(i64),
    Frame(Kept),
}

impl Over {
    /// What is remembered before the first row.
    pub(super) fn nothing(&self) -> Result<Memory> {
        let null = || ScalarValue::try_from(&self.data_type);
        Ok(match &self.call {
            Call::Lag(_) => Memory::Values(VecDeque::new()),
            Call::Latest(_) => Memory::Known(vec![null()?]),
            Call::HadChanged(_) => Memory::Known(vec![ScalarValue::Null]),
            Call::ChangedCols(columns) => Memory::Known(vec![ScalarValue::Null; columns.len()]),
            Call::RowNumber | Call::Rank | Call::DenseRank => Memory::Count(0),
            Call::Aggregate(..) => Memory::Frame(Kept::default()),
        })
    }

    /// The columns that it reads, computed.
    pub(super) fn inputs(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
        match &self.call {
            Call::Lag(lag) => Ok(vec![evaluate(&lag.value, batch)?]),
            Call::Latest(value) | Call::HadChanged(value) => Ok(vec![evaluate(value, batch)?]),
            Call::ChangedCols(columns) => columns.iter().map(|(_, column)| evaluate(column, batch)).collect(),
            Call::RowNumber | Call::Rank | Call::DenseRank => Ok(vec![]),
            Call::Aggregate(aggregate, _) => {
                aggregate.args.iter().chain(&aggregate.filter).map(|arg| evaluate(arg, batch)).collect()
            }
        }
    }

    /// The answers for rows of one key, in order.
    pub(super) fn answers(
        &self,
        memory: &mut Memory,
        times: &[i64],
        inputs: Vec<ArrayRef>,
    ) -> Result<Vec<ScalarValue>> {
        if let (Call::Aggregate(aggregate, frame), Memory::Frame(kept)) = (&self.call, &mut *memory) {
            return kept.answers(aggregate, *frame, times, inputs);
        }
        let answer = |at| {
            let values =
                inputs.iter().map(|input| ScalarValue::try_from_array(input, at)).collect::<Result<Vec<_>>>()?;
            Ok(self.answer(memory, values))
        };
        (0..times.len()).map(answer).collect()
    }

    fn answer(&self, memory: &mut Memory, values: Vec<ScalarValue>) -> ScalarValue {
        match (&self.call, memory) {
            (Call::Lag(lag), Memory::Values(before)) => {
                let answer =
                    before.len().checked_sub(lag.back).map_or(&lag.default, |at| before.get(at).unwrap_or(&values[0]));
                let answer = answer.clone();
                before.extend(values.into_iter().filter(|value| !(lag.ignores_nulls && value.is_null())));
                while before.len() > lag.back {
                    before.pop_front();
                }
                answer
            }
            (Call::Latest(_), Memory::Known(known)) => {
                note(known, values);
                known[0].clone()
            }
            (Call::HadChanged(_), Memory::Known(known)) => {
                ScalarValue::Boolean(Some(note(known, values).contains(&true)))
            }
            (Call::ChangedCols(columns), Memory::Known(known)) => {
                let changed = columns.iter().zip(note(known, values)).filter(|(_, changed)| *changed);
                let names: Vec<&str> = changed.map(|((name, _), _)| name.as_str()).collect();
                ScalarValue::Utf8((!names.is_empty()).then(|| names.join(",")))
            }
            (_, Memory::Count(count)) => {
                *count += 1;
                ScalarValue::Int64(Some(*count))
            }
            _ => ScalarValue::Null,
        }
    }

    /// What is remembered as values, always as many, so that it can be written down. Rows of frames are not among them.
    pub(super) fn written(&self, memory: &mut Memory) -> Result<Vec<ScalarValue>> {
        let null = || ScalarValue::try_from(&self.data_type);
        Ok(match (&self.call, memory) {
            (Call::Lag(lag), Memory::Values(before)) => {
                let missing = lag.back - before.len();
                let mut values = vec![ScalarValue::Int64(Some(before.len() as i64))];
                for _ in 0..missing {
                    values.push(null()?);
                }
                values.extend(before.iter().cloned());
                values
            }
            (Call::Aggregate(aggregate, _), Memory::Frame(Kept { all: Some(all), .. })) => {
                let state = all.state()?;
                *all = restored(aggregate, &state)?;
                state
            }
            (_, Memory::Count(count)) => vec![ScalarValue::Int64(Some(*count))],
            (_, Memory::Known(known)) => known.clone(),
            _ => vec![],
        })
    }

    /// From values that were [`written`](Over::written).
    pub(super) fn read(&self, values: Vec<ScalarValue>) -> Result<Memory> {
        Ok(match &self.call {
            Call::Lag(lag) => {
                let known = match values.first() {
                    Some(ScalarValue::Int64(Some(known))) => *known as usize,
                    _ => 0,
                };
                Memory::Values(values.into_iter().skip(1 + lag.back - known.min(lag.back)).collect())
            }
            Call::Latest(_) | Call::HadChanged(_) | Call::ChangedCols(_) => Memory::Known(values),
            Call::RowNumber | Call::Rank | Call::DenseRank => match values.first() {
                Some(ScalarValue::Int64(Some(count))) => Memory::Count(*count),
                _ => Memory::Count(0),
            },
            Call::Aggregate(aggregate, _) => {
                let all = if values.is_empty() { None } else { Some(restored(aggregate, &values)?) };
                Memory::Frame(Kept { all, ..Kept::default() })
            }
        })
    }
}

/// Takes note of the values that are known; which of them differ from those before.
fn note(known: &mut [ScalarValue], values: Vec<ScalarValue>) -> Vec<bool> {
    let one = |(known, value): (&mut ScalarValue, ScalarValue)| {
        if *known == ScalarValue::Null {
            // What is not known has a type too.
            *known = ScalarValue::try_from(&value.data_type()).unwrap_or(ScalarValue::Null);
        }
        let changed = !value.is_null() && *known != value;
        if changed {
            *known = value;
        }
        changed
    };
    known.iter_mut().zip(values).map(one).collect()
}
