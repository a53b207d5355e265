//! Rows of two tables side by side.

use crate::answer;
use crate::df::{
    ArrayRef, PhysicalExpr, RecordBatch, RecordBatchOptions, Result, Schema, SchemaRef, UInt32Array, take,
};
use crate::rows::{Ids, Rows};
use crate::segment::mask;
use std::sync::Arc;

/// What is made of rows that belong together.
#[derive(Debug, Clone)]
pub(crate) struct Pairing {
    /// The columns of the left table, then those of the right one.
    pub(crate) schema: SchemaRef,
    /// How many of them are of the left table.
    pub(crate) left_columns: usize,
    /// What must be true of a pair beside its keys.
    pub(crate) filter: Option<Arc<dyn PhysicalExpr>>,
    /// Whether a left row that has no partner comes out alone.
    pub(crate) keeps_left: bool,
}

/// Places of a left and a right row that may belong together, by left row.
pub(crate) type Pair = (usize, Option<usize>);

impl Pairing {
    /// The pairs that belong together, and for left rows without a partner, if these are kept, the row alone.
    ///
    /// # Errors
    /// If the condition fails.
    pub(crate) fn choose(
        &self,
        left: &RecordBatch,
        right: &RecordBatch,
        candidates: Vec<(usize, usize)>,
        lefts: std::ops::Range<usize>,
    ) -> Result<Vec<Pair>> {
        let candidates: Vec<Pair> = candidates.into_iter().map(|(left, right)| (left, Some(right))).collect();
        let mut pairs = match &self.filter {
            None => candidates,
            Some(filter) => {
                let mask = mask(filter, &self.side_by_side(left, right, &candidates)?)?;
                candidates
                    .into_iter()
                    .zip(mask.iter())
                    .filter(|(_, is)| *is == Some(true))
                    .map(|(pair, _)| pair)
                    .collect()
            }
        };
        if self.keeps_left {
            let mut matched = vec![false; lefts.len()];
            pairs.iter().for_each(|(left, _)| matched[left - lefts.start] = true);
            let alone = lefts.clone().filter(|left| !matched[left - lefts.start]).map(|left| (left, None));
            pairs.extend(alone);
            pairs.sort_by_key(|(left, _)| *left);
        }
        Ok(pairs)
    }

    /// A right table without rows.
    pub(crate) fn no_right_rows(&self) -> RecordBatch {
        let fields: Vec<_> = self.schema.fields()[self.left_columns..].to_vec();
        RecordBatch::new_empty(Arc::new(Schema::new(fields)))
    }

    /// The columns of pairs.
    ///
    /// # Errors
    /// Never, in fact.
    pub(crate) fn side_by_side(&self, left: &RecordBatch, right: &RecordBatch, pairs: &[Pair]) -> Result<RecordBatch> {
        let lefts: UInt32Array = pairs.iter().map(|(left, _)| Some(*left as u32)).collect();
        let rights: UInt32Array = pairs.iter().map(|(_, right)| right.map(|right| right as u32)).collect();
        let of = |batch: &RecordBatch, at: &UInt32Array| -> Result<Vec<ArrayRef>> {
            batch.columns().iter().map(|column| Ok(take(column, at, None)?)).collect()
        };
        let mut columns = of(left, &lefts)?;
        columns.extend(of(right, &rights)?);
        let options = RecordBatchOptions::new().with_row_count(Some(pairs.len()));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?)
    }

    /// Pairs as rows that are timed and called as the left ones are.
    ///
    /// # Errors
    /// Never, in fact.
    pub(crate) fn rows(&self, left: &Rows, right: &RecordBatch, pairs: &[Pair]) -> Result<Rows> {
        self.more_rows(left, right, pairs, 0)
    }

    /// The same, where the first left row has had so many partners before.
    ///
    /// # Errors
    /// Never, in fact.
    pub(crate) fn more_rows(&self, left: &Rows, right: &RecordBatch, pairs: &[Pair], before: usize) -> Result<Rows> {
        let at: Vec<usize> = pairs.iter().map(|(left, _)| *left).collect();
        let batch = self.side_by_side(&left.batch, right, pairs)?;
        let repeats = before > 0 || at.windows(2).any(|two| two[0] == two[1]);
        let rows = left.pick(&at, batch);
        let ids: Ids = if repeats { answer::multiplied(left, &at, before) } else { rows.ids.clone() };
        Ok(Rows { ids, ..rows })
    }
}
