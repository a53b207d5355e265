//! Columns over all rows of one window: ranks, and aggregates to compare with.

use super::calls::{Call, Over};
use super::running::column;
use crate::account::Account;
use crate::df::{
    ArrayRef, PhysicalExpr, RecordBatch, Result, ScalarValue, SchemaRef, SortColumn, SortOptions, internal_err,
    lexsort_to_indices, partition, take,
};
use crate::join::Keys;
use crate::operator::{Held, Operator};
use crate::rows::{Mark, NEVER, Rows};
use crate::segment::evaluate;
use crate::sorted::{read, together, weight, written};
use crate::state::{numbers, read_numbers};
use edgeway_thing_models::Things;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The operator: rows wait until their window is complete.
pub(crate) struct Whole {
    keys: Keys,
    order: Vec<Sorting>,
    overs: Vec<Over>,
    /// The columns of the input, then those that are made.
    schema: SchemaRef,
    waiting: BTreeMap<i64, Vec<Rows>>,
    told: i64,
    things: Arc<Things>,
}

/// What rows are ordered by.
#[derive(Debug)]
pub(crate) struct Sorting {
    pub(crate) value: Arc<dyn PhysicalExpr>,
    pub(crate) options: SortOptions,
}

impl Whole {
    pub(crate) fn new(
        keys: Keys,
        order: Vec<Sorting>,
        overs: Vec<Over>,
        schema: SchemaRef,
        things: Arc<Things>,
    ) -> Whole {
        Whole { keys, order, overs, schema, waiting: BTreeMap::new(), told: NEVER, things }
    }

    fn wait(&mut self, rows: &Rows) -> Result<()> {
        let mut from = 0;
        while from < rows.len() {
            let end = rows.ts[from];
            let len = rows.ts[from..].iter().take_while(|ts| **ts == end).count();
            let at: Vec<usize> = (from..from + len).collect();
            self.waiting.entry(end).or_default().push(rows.take(&at)?);
            from += len;
        }
        Ok(())
    }

    /// The rows of a window with the columns that are made, in the order that they came in.
    fn answer(&self, pieces: &[Rows]) -> Result<Rows> {
        let rows = together(pieces)?;
        let order: Vec<ArrayRef> =
            self.order.iter().map(|sorting| evaluate(&sorting.value, &rows.batch)).collect::<Result<_>>()?;
        let mut parts: BTreeMap<Option<Arc<[u8]>>, Vec<u32>> = BTreeMap::new();
        for (at, key) in self.keys.of(&rows.batch)?.into_iter().enumerate() {
            parts.entry(key).or_default().push(at as u32);
        }
        let mut answers = vec![vec![ScalarValue::Null; rows.len()]; self.overs.len()];
        for at in parts.into_values() {
            let at = self.sorted(at, &order)?;
            for (over, answers) in self.overs.iter().zip(&mut answers) {
                let made = self.part(over, &rows, &at, &order)?;
                at.iter().zip(made).for_each(|(at, answer)| answers[*at as usize] = answer);
            }
        }
        let mut columns = rows.batch.columns().to_vec();
        for (over, answers) in self.overs.iter().zip(answers) {
            columns.push(column(over, answers)?);
        }
        let batch = RecordBatch::try_new(self.schema.clone(), columns)?;
        Ok(rows.with(batch))
    }

    /// The places of a part's rows, in order. Rows that are equal stay as they came.
    fn sorted(&self, at: Vec<u32>, order: &[ArrayRef]) -> Result<Vec<u32>> {
        if order.is_empty() {
            return Ok(at);
        }
        let places = crate::df::UInt32Array::from(at.clone());
        let mut columns = vec![];
        for (values, sorting) in order.iter().zip(&self.order) {
            columns.push(SortColumn { values: take(values, &places, None)?, options: Some(sorting.options) });
        }
        let came: ArrayRef = Arc::new(places);
        columns.push(SortColumn { values: came, options: None });
        Ok(lexsort_to_indices(&columns, None)?.values().iter().map(|place| at[*place as usize]).collect())
    }

    /// The answers for the rows of a part, in their order.
    fn part(&self, over: &Over, rows: &Rows, at: &[u32], order: &[ArrayRef]) -> Result<Vec<ScalarValue>> {
        let places = crate::df::UInt32Array::from(at.to_vec());
        let int = |number: usize| ScalarValue::Int64(Some(number as i64));
        match &over.call {
            Call::RowNumber => Ok((1..=at.len()).map(int).collect()),
            Call::Rank | Call::DenseRank => {
                let is_dense = matches!(over.call, Call::DenseRank);
                let ordered =
                    order.iter().map(|values| Ok(take(values, &places, None)?)).collect::<Result<Vec<_>>>()?;
                let equal = if ordered.is_empty() {
                    std::iter::once(0..at.len()).collect()
                } else {
                    partition(&ordered)?.ranges()
                };
                let rank = |(dense, range): (usize, std::ops::Range<usize>)| {
                    let rank = if is_dense { dense } else { range.start } + 1;
                    range.map(move |_| int(rank))
                };
                Ok(equal.into_iter().enumerate().flat_map(rank).collect())
            }
            Call::Aggregate(..) => {
                let mut memory = over.nothing()?;
                let inputs = over.inputs(&crate::df::take_record_batch(&rows.batch, &places)?)?;
                let times = vec![0; at.len()];
                let last = over.answers(&mut memory, &times, inputs)?.pop();
                Ok(vec![last.unwrap_or(ScalarValue::Null); at.len()])
            }
            _ => {
                let mut memory = over.nothing()?;
                let inputs = over.inputs(&crate::df::take_record_batch(&rows.batch, &places)?)?;
                over.answers(&mut memory, &vec![0; at.len()], inputs)
            }
        }
    }
}

impl Operator for Whole {
    fn push(&mut self, rows: Rows, account: &mut Account, _: &mut Vec<Rows>) {
        if let Err(error) = self.wait(&rows) {
            account.failed(&rows, 0, &error);
        }
    }

    fn advance(&mut self, mark: Mark, account: &mut Account, out: &mut Vec<Rows>) {
        while let Some(entry) = self.waiting.first_entry()
            && *entry.key() <= mark.watermark
        {
            let (end, pieces) = entry.remove_entry();
            match self.answer(&pieces) {
                Ok(rows) => {
                    let marks = Arc::new(vec![self.told.min(end - 1); rows.len()]);
                    out.push(Rows { marks, ..rows });
                }
                Err(error) => pieces.iter().for_each(|rows| account.failed(rows, 0, &error)),
            }
            self.told = end;
        }
        self.told = self.told.max(mark.watermark);
    }

    fn save(&mut self) -> Result<Vec<RecordBatch>> {
        let rows = self.waiting.values().flatten().map(written);
        [numbers(&[self.told])].into_iter().chain(rows).collect()
    }

    fn load(&mut self, state: &[RecordBatch]) -> Result<()> {
        let [told, rows @ ..] = state else { return internal_err!("the state has other tables") };
        for table in rows {
            let rows = read(table, &self.things)?;
            self.wait(&rows)?;
        }
        self.told = read_numbers(told)?.first().copied().unwrap_or(NEVER);
        Ok(())
    }

    fn horizon(&self) -> i64 {
        self.waiting.last_key_value().map_or(NEVER, |(end, _)| *end)
    }

    fn describe(&self) -> String {
        format!("{} columns over all rows of a window", self.overs.len())
    }

    fn held(&self) -> Held {
        let bytes = self.waiting.values().flatten().map(weight).sum();
        Held { windows: self.waiting.len(), groups: 0, bytes }
    }
}
