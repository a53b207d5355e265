//! A row for each element of an array.

use crate::account::Account;
use crate::df::{
    Array, ArrayRef, AsArray, Int64Array, ListArray, RecordBatch, RecordBatchOptions, Result, Schema, new_null_array,
};
use crate::join::Pairing;
use crate::operator::Operator;
use crate::rows::{Rows, bisect};
use std::ops::Range;
use std::sync::Arc;

/// So many rows are handed on together at most.
const TOGETHER: usize = 8192;

/// The operator.
pub(crate) struct Unnest {
    /// The column of the arrays.
    pub(crate) array: usize,
    /// Whether somebody reads the arrays too, beside each of their elements.
    pub(crate) keeps_arrays: bool,
    /// Whether the places of elements are a column too.
    pub(crate) numbered: bool,
    /// Which columns of the elements somebody reads.
    pub(crate) read: Vec<usize>,
    /// The row beside its elements.
    pub(crate) pairing: Pairing,
}

impl Unnest {
    fn unnest(&self, rows: &Rows, range: Range<usize>, out: &mut Vec<Rows>) -> Result<()> {
        let lists = rows.batch.column(self.array).as_list::<i32>();
        let elements = self.elements(lists)?;
        let beside = if self.keeps_arrays { rows.clone() } else { self.without_arrays(rows)? };
        let offsets = lists.value_offsets();
        let (mut pairs, mut made, mut before) = (vec![], vec![], 0);
        for row in range {
            let own = if lists.is_valid(row) { offsets[row]..offsets[row + 1] } else { 0..0 };
            let alone = (own.is_empty() && self.pairing.keeps_left).then_some(None);
            let begin = own.start;
            for element in own.map(|element| Some(element as usize)).chain(alone) {
                if pairs.len() == TOGETHER {
                    made.push(self.pairing.more_rows(&beside, &elements, &pairs, before)?);
                    pairs.clear();
                }
                if pairs.is_empty() {
                    before = element.map_or(0, |element| element - begin as usize);
                }
                pairs.push((row, element));
            }
        }
        if !pairs.is_empty() {
            made.push(self.pairing.more_rows(&beside, &elements, &pairs, before)?);
        }
        out.extend(made);
        Ok(())
    }

    /// The rows with nothing in the place of their arrays: a copy of an array beside each of its elements would be large.
    fn without_arrays(&self, rows: &Rows) -> Result<Rows> {
        let mut columns = rows.batch.columns().to_vec();
        columns[self.array] = new_null_array(columns[self.array].data_type(), rows.len());
        let fields = rows
            .batch
            .schema()
            .fields()
            .iter()
            .map(|field| field.as_ref().clone().with_nullable(true))
            .collect::<Vec<_>>();
        Ok(rows.clone().with(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?))
    }

    /// The elements of all arrays as a table.
    fn elements(&self, lists: &ListArray) -> Result<RecordBatch> {
        let values = lists.values();
        let mut columns: Vec<ArrayRef> = match values.as_struct_opt() {
            Some(parts) => parts.columns().to_vec(),
            None => vec![values.clone()],
        };
        if self.numbered {
            let mut places = vec![0; values.len()];
            for ends in lists.value_offsets().windows(2) {
                let (start, end) = (ends[0] as usize, ends[1] as usize);
                places[start..end].iter_mut().zip(1..).for_each(|(place, number)| *place = number);
            }
            columns.push(Arc::new(Int64Array::from(places)));
        }
        let fields = self.pairing.schema.fields()[self.pairing.left_columns..].to_vec();
        let columns = self.read.iter().map(|&at| columns[at].clone()).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(values.len()));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?)
    }
}

impl Operator for Unnest {
    fn push(&mut self, rows: Rows, account: &mut Account, out: &mut Vec<Rows>) {
        let mut work = |range: Range<usize>| self.unnest(&rows, range, out);
        bisect(0..rows.len(), &mut work, &mut |at, error| account.failed(&rows, at, error));
    }

    fn describe(&self) -> String {
        "a row for each element".to_owned()
    }
}
