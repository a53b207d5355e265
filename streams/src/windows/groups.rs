//! The groups of one window.

use crate::df::{
    AggregateFunctionExpr, Array, ArrayRef, BooleanArray, DataType, EmitTo, Field, GroupOrdering, GroupValues,
    GroupsAccumulator, GroupsAccumulatorAdapter, PhysicalExpr, RecordBatch, Result, Schema, SchemaRef, SortColumn,
    TimestampNanosecondArray, UInt32Array, and, lexsort_to_indices, new_group_values, new_null_array, take,
    take_record_batch,
};
use crate::functions::Timed;
use crate::ranks::Ranks;
use crate::segment::{evaluate, keep, mask};
use crate::sorted::bytes_of;
use std::sync::Arc;

/// How rows are grouped and what is made of a group.
#[derive(Debug)]
pub(crate) struct Grouping {
    pub(crate) filter: Option<Arc<dyn PhysicalExpr>>,
    /// Without the window.
    pub(crate) keys: Vec<Arc<dyn PhysicalExpr>>,
    pub(crate) key_schema: SchemaRef,
    /// Which keys are numbers in the place of names.
    pub(crate) ranked: Vec<Option<Arc<Ranks>>>,
    /// The window's place among the keys; `None` if the keys themselves say which window it is.
    pub(crate) window_at: Option<usize>,
    pub(crate) aggregates: Vec<Aggregate>,
}

/// An aggregate function with its arguments.
#[derive(Debug)]
pub(crate) struct Aggregate {
    pub(crate) function: Arc<AggregateFunctionExpr>,
    pub(crate) args: Vec<Arc<dyn PhysicalExpr>>,
    /// Their types.
    pub(crate) types: Vec<DataType>,
    /// `FILTER (WHERE ...)`.
    pub(crate) filter: Option<Arc<dyn PhysicalExpr>>,
    /// What can be done with it if it goes on from window to window.
    pub(crate) timed: Option<Timed>,
}

/// Rows with all that their window needs of them, computed.
pub(crate) struct Prepared {
    /// The rows that the filter keeps.
    pub(crate) batch: RecordBatch,
    pub(crate) rows: usize,
    /// Where each was before, if a filter has left some out.
    places: Option<Vec<usize>>,
    pub(crate) keys: Vec<ArrayRef>,
    pub(crate) inputs: Vec<(Vec<ArrayRef>, Option<BooleanArray>)>,
}

impl Grouping {
    /// Whether windows begin with what those before them have left.
    pub(crate) fn carries(&self) -> bool {
        self.aggregates.iter().any(|aggregate| aggregate.timed.is_some())
    }

    /// Keys as they are told: names in the place of numbers.
    pub(crate) fn named(&self, keys: Vec<ArrayRef>) -> Vec<ArrayRef> {
        let name = |(key, ranks): (ArrayRef, &Option<Arc<Ranks>>)| match ranks {
            Some(ranks) => ranks.names(&key),
            None => key,
        };
        keys.into_iter().zip(&self.ranked).map(name).collect()
    }

    /// Keys as they are kept: numbers in the place of names.
    ///
    /// # Errors
    /// If a device is no more.
    pub(crate) fn numbered(&self, keys: Vec<ArrayRef>) -> Result<Vec<ArrayRef>> {
        let number = |(key, ranks): (ArrayRef, &Option<Arc<Ranks>>)| match ranks {
            Some(ranks) => ranks.ranks(&key),
            None => Ok(key),
        };
        keys.into_iter().zip(&self.ranked).map(number).collect()
    }

    /// Filters rows and computes keys and arguments. Changes nothing.
    ///
    /// # Errors
    /// If an expression fails for any row.
    pub(crate) fn prepare(&self, batch: &RecordBatch) -> Result<Prepared> {
        let (batch, places) = match &self.filter {
            Some(filter) => {
                let (batch, places) = keep(batch, &mask(filter, batch)?)?;
                (batch, Some(places))
            }
            None => (batch.clone(), None),
        };
        let keys = self.keys.iter().map(|key| evaluate(key, &batch)).collect::<Result<_>>()?;
        let inputs = self.aggregates.iter().map(|aggregate| aggregate.inputs(&batch)).collect::<Result<_>>()?;
        Ok(Prepared { rows: batch.num_rows(), batch, places, keys, inputs })
    }
}

impl Aggregate {
    /// The state of groups without rows.
    ///
    /// # Errors
    /// If the function cannot say it.
    pub(crate) fn nothing(&self, groups: usize) -> Result<Vec<ArrayRef>> {
        let mut accumulator = self.accumulator()?;
        // A row each that a filter leaves out: without rows, some functions take a group for one that has seen a value.
        let rows: Vec<ArrayRef> = self.types.iter().map(|of| new_null_array(of, groups)).collect();
        let (indices, none): (Vec<usize>, _) = ((0..groups).collect(), BooleanArray::from(vec![false; groups]));
        accumulator.update_batch(&rows, &indices, Some(&none), groups)?;
        accumulator.state(EmitTo::All)
    }

    /// The state of so many groups, which are taken out. Of none some functions cannot say it, so it is said for them.
    ///
    /// # Errors
    /// If the function cannot say it.
    pub(crate) fn state(&self, accumulator: &mut dyn GroupsAccumulator, groups: usize) -> Result<Vec<ArrayRef>> {
        match groups {
            0 => Ok(self.nothing(1)?.iter().map(|state| state.slice(0, 0)).collect()),
            _ => accumulator.state(EmitTo::All),
        }
    }

    fn inputs(&self, batch: &RecordBatch) -> Result<(Vec<ArrayRef>, Option<BooleanArray>)> {
        let args = self.args.iter().map(|arg| evaluate(arg, batch)).collect::<Result<_>>()?;
        Ok((args, self.filter.as_ref().map(|filter| mask(filter, batch)).transpose()?))
    }

    /// A new one of its accumulators.
    ///
    /// # Errors
    /// If there is none for the types of its arguments.
    pub(crate) fn accumulator(&self) -> Result<Box<dyn GroupsAccumulator>> {
        if self.function.groups_accumulator_supported() {
            return self.function.create_groups_accumulator();
        }
        let function = self.function.clone();
        Ok(Box::new(GroupsAccumulatorAdapter::new(move || function.create_accumulator())))
    }
}

impl Prepared {
    /// Where a row was before others were left out.
    pub(crate) fn place(&self, at: usize) -> usize {
        self.places.as_ref().map_or(at, |places| places[at])
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }
}

/// So many keys without a group may be in a table.
const STRANGERS_MAX: usize = 16_384;

/// A key table and accumulators.
pub(crate) struct Groups {
    /// `None` if the window is the only key: then there is one group. (DataFusion's tables panic on no columns.)
    table: Option<Box<dyn GroupValues>>,
    key_schema: SchemaRef,
    accumulators: Vec<Box<dyn GroupsAccumulator>>,
    len: usize,
    /// Kept for its memory: the group of each row of a batch.
    indices: Vec<usize>,
}

/// Groups as columns: their keys, and of each aggregate what it knows.
#[derive(Clone)]
pub(crate) struct Partial {
    pub(crate) keys: Vec<ArrayRef>,
    pub(crate) states: Vec<Vec<ArrayRef>>,
    pub(crate) len: usize,
    pub(crate) bytes: usize,
}

impl Partial {
    pub(crate) fn new(keys: Vec<ArrayRef>, states: Vec<Vec<ArrayRef>>, len: usize) -> Partial {
        let columns = keys.iter().chain(states.iter().flatten());
        let bytes = columns.map(bytes_of).sum();
        Partial { keys, states, len, bytes }
    }
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
        Ok(Groups { table, key_schema: grouping.key_schema.clone(), accumulators, len: 0, indices: vec![] })
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The groups of the rows that were added last.
    pub(crate) fn last(&self) -> impl Iterator<Item = usize> {
        self.indices.iter().copied()
    }

    pub(crate) fn bytes(&self) -> usize {
        let table = self.table.as_ref().map_or(0, |table| table.size());
        table + self.accumulators.iter().map(|accumulator| accumulator.size()).sum::<usize>()
    }

    /// Adds rows, of which it returns those that have no group because there are `groups_max` already; groups that are
    /// there go on.
    ///
    /// # Errors
    /// If an aggregate fails.
    pub(crate) fn add(&mut self, rows: &Prepared, groups_max: usize) -> Result<Vec<usize>> {
        self.intern(&rows.keys, rows.rows, groups_max)?;
        let unknown = self.leave_out_unknown();
        for (accumulator, (args, filter)) in self.accumulators.iter_mut().zip(&rows.inputs) {
            let filter = match (filter, &unknown) {
                (Some(filter), Some((known, _))) => Some(and(filter, known)?),
                (filter, unknown) => filter.clone().or_else(|| unknown.as_ref().map(|(known, _)| known.clone())),
            };
            accumulator.update_batch(args, &self.indices, filter.as_ref(), self.len)?;
        }
        Ok(unknown.map_or(vec![], |(_, unknown)| unknown.into_iter().map(|at| rows.place(at)).collect()))
    }

    /// Finds the group of each row; those that are one too many get a number that is not below `len`.
    fn intern(&mut self, keys: &[ArrayRef], rows: usize, groups_max: usize) -> Result<()> {
        self.indices.clear();
        let Some(table) = &mut self.table else {
            self.indices.resize(rows, 0);
            self.len = 1;
            return Ok(());
        };
        let groups_max = groups_max.max(self.len);
        let strangers = table.len() - self.len;
        if strangers > 0 && (groups_max > self.len || strangers > STRANGERS_MAX) {
            self.forget_strangers()?;
        }
        let Some(table) = &mut self.table else { return Ok(()) };
        table.intern(keys, &mut self.indices)?;
        self.len = table.len().min(groups_max);
        Ok(())
    }

    /// Keys for which there was no room are in the table nevertheless, behind the groups.
    fn forget_strangers(&mut self) -> Result<()> {
        let known = self.keys()?;
        // A table whose keys have been taken out still looks for them, if it has several columns.
        let mut table = new_group_values(self.key_schema.clone(), &GroupOrdering::None)?;
        table.intern(&known, &mut Vec::with_capacity(self.len))?;
        self.table = Some(table);
        Ok(())
    }

    /// Takes the keys of all groups out of the table.
    fn keys(&mut self) -> Result<Vec<ArrayRef>> {
        let keys = self.table.as_mut().map_or(Ok(vec![]), |table| table.emit(EmitTo::All))?;
        Ok(keys.iter().map(|column| column.slice(0, self.len)).collect())
    }

    /// Which rows have a group, and the places of those that have none, if some have none. These point to the first group,
    /// and are filtered out.
    fn leave_out_unknown(&mut self) -> Option<(BooleanArray, Vec<usize>)> {
        if self.indices.iter().all(|group| *group < self.len) {
            return None;
        }
        let known = self.indices.iter().map(|group| Some(*group < self.len)).collect();
        let unknown = self.indices.iter().enumerate().filter(|(_, group)| **group >= self.len).map(|(at, _)| at);
        let unknown = unknown.collect();
        self.indices.iter_mut().filter(|group| **group >= self.len).for_each(|group| *group = 0);
        Some((known, unknown))
    }

    /// What other groups can be merged with.
    ///
    /// # Errors
    /// If an aggregate cannot say its state.
    pub(crate) fn into_partial(mut self, grouping: &Grouping) -> Result<Partial> {
        let keys = self.keys()?;
        let aggregates = grouping.aggregates.iter().zip(&mut self.accumulators);
        let states =
            aggregates.map(|(of, accumulator)| of.state(&mut **accumulator, self.len)).collect::<Result<_>>()?;
        Ok(Partial::new(keys, states, self.len))
    }

    /// The same, and these groups go on.
    ///
    /// # Errors
    /// As [`into_partial`](Groups::into_partial).
    pub(crate) fn partial(&mut self, grouping: &Grouping) -> Result<Partial> {
        let partial = std::mem::replace(self, Groups::new(grouping)?).into_partial(grouping)?;
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
        let numbers = self.keys()?;
        let order = match numbers.is_empty() {
            true => None,
            false => {
                let by_key = numbers.iter().map(|key| SortColumn { values: key.clone(), options: None });
                Some(lexsort_to_indices(&by_key.collect::<Vec<_>>(), None)?)
            }
        };
        let keys = grouping.named(numbers);
        let mut columns = keys.clone();
        if let Some(at) = grouping.window_at {
            columns.insert(at, bound(start, self.len));
        }
        for (accumulator, aggregate) in self.accumulators.iter_mut().zip(&grouping.aggregates) {
            if let Some(timed) = aggregate.timed {
                (timed.close)(&mut **accumulator, start, end);
            }
            columns.push(accumulator.evaluate(EmitTo::All)?);
        }
        columns.push(bound(end, self.len));
        let batch = unnamed(columns)?;
        let Some(order) = order else { return Ok(Finished { batch, keys }) };
        let keys = keys.iter().map(|key| take(key, &order, None)).collect::<Result<_, _>>()?;
        Ok(Finished { batch: take_record_batch(&batch, &order)?, keys })
    }
}

/// Some of the groups.
pub(super) fn take_groups(partial: &Partial, groups: &[usize]) -> Result<Partial> {
    if groups.len() == partial.len {
        return Ok(partial.clone());
    }
    let at: UInt32Array = groups.iter().map(|group| Some(*group as u32)).collect();
    let pick = |columns: &[ArrayRef]| columns.iter().map(|c| Ok(take(c, &at, None)?)).collect::<Result<Vec<_>>>();
    let states = partial.states.iter().map(|state| pick(state)).collect::<Result<_>>()?;
    Ok(Partial::new(pick(&partial.keys)?, states, groups.len()))
}

fn bound(time: i64, rows: usize) -> ArrayRef {
    Arc::new(TimestampNanosecondArray::from_value(time, rows))
}

/// Expressions find columns by place, so that these need no names.
pub(crate) fn unnamed(columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    let fields =
        columns.iter().enumerate().map(|(at, column)| Field::new(at.to_string(), column.data_type().clone(), true));
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns)?)
}
