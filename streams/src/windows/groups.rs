//! The groups of one window.

use crate::df::{
    AggregateFunctionExpr, Array, ArrayRef, BooleanArray, EmitTo, Field, GroupOrdering, GroupValues, GroupsAccumulator,
    GroupsAccumulatorAdapter, PhysicalExpr, RecordBatch, Result, Schema, SchemaRef, SortColumn,
    TimestampNanosecondArray, and, filter_record_batch, lexsort_to_indices, new_group_values, take, take_record_batch,
};
use crate::segment::{evaluate, mask};
use std::sync::Arc;

/// How rows are grouped and what is made of a group.
#[derive(Debug)]
pub(crate) struct Grouping {
    pub(crate) filter: Option<Arc<dyn PhysicalExpr>>,
    /// Without the window.
    pub(crate) keys: Vec<Arc<dyn PhysicalExpr>>,
    pub(crate) key_schema: SchemaRef,
    /// The window's place among the keys.
    pub(crate) window_at: usize,
    pub(crate) aggregates: Vec<Aggregate>,
}

/// An aggregate function with its arguments.
#[derive(Debug)]
pub(crate) struct Aggregate {
    pub(crate) function: Arc<AggregateFunctionExpr>,
    pub(crate) args: Vec<Arc<dyn PhysicalExpr>>,
    /// `FILTER (WHERE ...)`.
    pub(crate) filter: Option<Arc<dyn PhysicalExpr>>,
}

/// Rows with all that their window needs of them, computed.
pub(crate) struct Prepared {
    rows: usize,
    keys: Vec<ArrayRef>,
    inputs: Vec<(Vec<ArrayRef>, Option<BooleanArray>)>,
}

impl Grouping {
    /// Filters rows and computes keys and arguments. Changes nothing.
    ///
    /// # Errors
    /// If an expression fails for any row.
    pub(crate) fn prepare(&self, batch: &RecordBatch) -> Result<Prepared> {
        let filtered;
        let batch = match &self.filter {
            Some(filter) => {
                filtered = filter_record_batch(batch, &mask(filter, batch)?)?;
                &filtered
            }
            None => batch,
        };
        let keys = self.keys.iter().map(|key| evaluate(key, batch)).collect::<Result<_>>()?;
        let inputs = self.aggregates.iter().map(|aggregate| aggregate.inputs(batch)).collect::<Result<_>>()?;
        Ok(Prepared { rows: batch.num_rows(), keys, inputs })
    }
}

impl Aggregate {
    fn inputs(&self, batch: &RecordBatch) -> Result<(Vec<ArrayRef>, Option<BooleanArray>)> {
        let args = self.args.iter().map(|arg| evaluate(arg, batch)).collect::<Result<_>>()?;
        Ok((args, self.filter.as_ref().map(|filter| mask(filter, batch)).transpose()?))
    }

    fn accumulator(&self) -> Result<Box<dyn GroupsAccumulator>> {
        if self.function.groups_accumulator_supported() {
            return self.function.create_groups_accumulator();
        }
        let function = self.function.clone();
        Ok(Box::new(GroupsAccumulatorAdapter::new(move || function.create_accumulator())))
    }
}

impl Prepared {
    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }
}

/// A key table and accumulators.
pub(crate) struct Groups {
    /// `None` if the window is the only key: then there is one group. (DataFusion's tables panic on no columns.)
    table: Option<Box<dyn GroupValues>>,
    accumulators: Vec<Box<dyn GroupsAccumulator>>,
    len: usize,
    /// Kept for its memory: the group of each row of a batch.
    indices: Vec<usize>,
}

/// Groups as columns: their keys, and of each aggregate what it knows.
#[derive(Clone)]
pub(crate) struct Partial {
    keys: Vec<ArrayRef>,
    states: Vec<Vec<ArrayRef>>,
    len: usize,
}

impl Partial {
    pub(crate) fn bytes(&self) -> usize {
        self.keys.iter().chain(self.states.iter().flatten()).map(|column| column.get_array_memory_size()).sum()
    }
}

/// What became of rows that were not added.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Added {
    pub(crate) dead: u64,
    pub(crate) errors: u64,
}

/// The groups of a window that has closed, ordered by key.
pub(crate) struct Finished {
    /// Keys with the start of the window among them, aggregates, the end of the window.
    pub(crate) batch: RecordBatch,
    pub(crate) keys: Vec<ArrayRef>,
}

impl Groups {
    pub(crate) fn new(grouping: &Grouping) -> Result<Groups> {
        let table = match grouping.keys.is_empty() {
            true => None,
            false => Some(new_group_values(grouping.key_schema.clone(), &GroupOrdering::None)?),
        };
        let accumulators = grouping.aggregates.iter().map(Aggregate::accumulator).collect::<Result<_>>()?;
        Ok(Groups { table, accumulators, len: 0, indices: vec![] })
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn bytes(&self) -> usize {
        let table = self.table.as_ref().map_or(0, |table| table.size());
        table + self.accumulators.iter().map(|accumulator| accumulator.size()).sum::<usize>()
    }

    /// Adds rows. Groups beyond `groups_max` are left out; those that are there already go on.
    pub(crate) fn add(&mut self, rows: &Prepared, groups_max: usize) -> Added {
        match self.intern(&rows.keys, rows.rows, groups_max) {
            Ok(dead) => Added { dead, errors: self.update(rows).map_or(rows.rows as u64, |()| 0) },
            Err(_) => Added { dead: 0, errors: rows.rows as u64 },
        }
    }

    /// Finds the group of each row, and returns how many rows have none because there are too many.
    fn intern(&mut self, keys: &[ArrayRef], rows: usize, groups_max: usize) -> Result<u64> {
        self.indices.clear();
        let Some(table) = &mut self.table else {
            self.indices.resize(rows, 0);
            self.len = 1;
            return Ok(0);
        };
        table.intern(keys, &mut self.indices)?;
        let groups_max = groups_max.max(self.len);
        if table.len() > groups_max {
            let known = table.emit(EmitTo::All)?;
            let known: Vec<ArrayRef> = known.iter().map(|column| column.slice(0, groups_max)).collect();
            table.intern(&known, &mut Vec::with_capacity(groups_max))?;
        }
        self.len = table.len();
        Ok(self.indices.iter().filter(|group| **group >= self.len).count() as u64)
    }

    fn update(&mut self, rows: &Prepared) -> Result<()> {
        let known = self.leave_out_unknown();
        for (accumulator, (args, filter)) in self.accumulators.iter_mut().zip(&rows.inputs) {
            let filter = match (filter, &known) {
                (Some(filter), Some(known)) => Some(and(filter, known)?),
                (filter, known) => filter.clone().or_else(|| known.clone()),
            };
            accumulator.update_batch(args, &self.indices, filter.as_ref(), self.len)?;
        }
        Ok(())
    }

    /// Which rows have a group, if some have none. Those without point to the first group, and are filtered out.
    fn leave_out_unknown(&mut self) -> Option<BooleanArray> {
        if self.indices.iter().all(|group| *group < self.len) {
            return None;
        }
        let known = self.indices.iter().map(|group| Some(*group < self.len)).collect();
        self.indices.iter_mut().filter(|group| **group >= self.len).for_each(|group| *group = 0);
        Some(known)
    }

    /// What other groups can be merged with.
    ///
    /// # Errors
    /// If an aggregate cannot say its state.
    pub(crate) fn into_partial(mut self) -> Result<Partial> {
        let keys = self.table.as_mut().map_or(Ok(vec![]), |table| table.emit(EmitTo::All))?;
        let state = |accumulator: &mut Box<dyn GroupsAccumulator>| accumulator.state(EmitTo::All);
        let states = self.accumulators.iter_mut().map(state).collect::<Result<_>>()?;
        Ok(Partial { keys, states, len: self.len })
    }

    /// The same, and these groups go on.
    ///
    /// # Errors
    /// As [`into_partial`](Groups::into_partial).
    pub(crate) fn partial(&mut self, grouping: &Grouping) -> Result<Partial> {
        let partial = std::mem::replace(self, Groups::new(grouping)?).into_partial()?;
        self.merge(&partial)?;
        Ok(partial)
    }

    /// Adds groups that were made elsewhere.
    ///
    /// # Errors
    /// If an aggregate cannot take them in.
    pub(crate) fn merge(&mut self, partial: &Partial) -> Result<()> {
        self.intern(&partial.keys, partial.len, usize::MAX)?;
        for (accumulator, state) in self.accumulators.iter_mut().zip(&partial.states) {
            accumulator.merge_batch(state, &self.indices, self.len)?;
        }
        Ok(())
    }

    /// The answer of every group.
    ///
    /// # Errors
    /// If an aggregate cannot be computed.
    pub(crate) fn finish(mut self, grouping: &Grouping, start: i64, end: i64) -> Result<Finished> {
        let keys = self.table.as_mut().map_or(Ok(vec![]), |table| table.emit(EmitTo::All))?;
        let mut columns = keys.clone();
        columns.insert(grouping.window_at, bound(start, self.len));
        for accumulator in &mut self.accumulators {
            columns.push(accumulator.evaluate(EmitTo::All)?);
        }
        columns.push(bound(end, self.len));
        let batch = unnamed(columns)?;
        if keys.is_empty() {
            return Ok(Finished { batch, keys });
        }
        let by_key: Vec<_> = keys.iter().map(|key| SortColumn { values: key.clone(), options: None }).collect();
        let order = lexsort_to_indices(&by_key, None)?;
        let keys = keys.iter().map(|key| take(key, &order, None)).collect::<Result<_, _>>()?;
        Ok(Finished { batch: take_record_batch(&batch, &order)?, keys })
    }
}

fn bound(time: i64, rows: usize) -> ArrayRef {
    Arc::new(TimestampNanosecondArray::from_value(time, rows))
}

/// Expressions find columns by place, so that these need no names.
fn unnamed(columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    let fields =
        columns.iter().enumerate().map(|(at, column)| Field::new(at.to_string(), column.data_type().clone(), true));
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns)?)
}
