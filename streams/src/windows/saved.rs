//! Groups in windows, written down.
//!
//! Two tables: the times of the operator, and a row for every group, with the part that it is in:
//!
//! ```text
//! part | at | key0, key1, ... | the states of the aggregates, one column for each field
//! ```

use super::groups::{Grouping, Partial};
use super::revisions::Written;
use crate::df::{
    ArrayRef, AsArray, DataType, Field, Int64Array, Int64Type, RecordBatch, Result, Schema, SchemaRef, concat_batches,
    internal_err,
};
use crate::rows::NEVER;
use crate::state::{numbers, read_numbers};
use std::sync::Arc;

/// Where groups are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// In an open pane that starts then.
    Open(i64),
    /// In the beginning of the present block.
    Beginning,
    /// In a pane of the present block.
    Pane(i64),
    /// In an ending of the block before.
    Ending(i64),
    /// What the pane that starts then begins with.
    Carried(i64),
}

impl Part {
    fn code(self) -> (i64, i64) {
        match self {
            Part::Open(at) => (0, at),
            Part::Beginning => (1, 0),
            Part::Pane(at) => (2, at),
            Part::Ending(at) => (3, at),
            Part::Carried(at) => (4, at),
        }
    }

    fn of((code, at): (i64, i64)) -> Option<Part> {
        [Part::Open(at), Part::Beginning, Part::Pane(at), Part::Ending(at), Part::Carried(at)]
            .into_iter()
            .find(|p| p.code().0 == code)
    }
}

/// Writes parts down, in their order.
///
/// # Errors
/// If they do not fit the grouping.
pub(crate) fn save(grouping: &Grouping, times: &[i64], parts: Vec<(Part, Partial)>) -> Result<Vec<RecordBatch>> {
    let schema = schema(grouping)?;
    let batches: Vec<RecordBatch> =
        parts.into_iter().map(|(part, partial)| batch(grouping, &schema, part, partial)).collect::<Result<_>>()?;
    Ok(vec![numbers(times)?, concat_batches(&schema, &batches)?])
}

/// What [`save`] has written: times and parts.
pub(crate) type Loaded = (Vec<i64>, Vec<(Part, Partial)>);

/// Reads what [`save`] has written.
///
/// # Errors
/// If it is something else.
pub(crate) fn load(grouping: &Grouping, state: &[RecordBatch]) -> Result<Loaded> {
    let [times, groups] = state else { return internal_err!("the state has other tables") };
    if groups.schema() != schema(grouping)? {
        return internal_err!("the state has other columns");
    }
    Ok((read_numbers(times)?, parts(grouping, groups)?))
}

/// Writes down what has been told, and the windows that may still change: a table of numbers, and one of their groups.
///
/// # Errors
/// If they do not fit the grouping.
pub(crate) fn save_revisions(
    grouping: &Grouping,
    clocks: [i64; 2],
    lists: [Vec<i64>; 2],
    kept: Vec<Written>,
) -> Result<Vec<RecordBatch>> {
    let mut words = clocks.to_vec();
    for list in lists.iter().chain(kept.iter().map(|written| &written.changed)) {
        words.push(list.len() as i64);
        words.extend(list);
    }
    let told = kept.iter().map(|written| written.told).collect::<Vec<_>>();
    words.extend(told);
    let schema = schema(grouping)?;
    let groups = kept.into_iter().map(|written| batch(grouping, &schema, Part::Open(written.end), written.groups));
    Ok(vec![numbers(&words)?, concat_batches(&schema, &groups.collect::<Result<Vec<_>>>()?)?])
}

/// What [`save_revisions`] has written: clocks, lists, and windows.
pub(crate) type Revised = ([i64; 2], [Vec<i64>; 2], Vec<Written>);

/// Reads what [`save_revisions`] has written.
///
/// # Errors
/// If it is something else.
pub(crate) fn load_revisions(grouping: &Grouping, state: &[RecordBatch]) -> Result<Revised> {
    let [words, groups] = state else { return internal_err!("the state has other tables") };
    if groups.schema() != schema(grouping)? {
        return internal_err!("the state has other columns");
    }
    let parts = parts(grouping, groups)?;
    let mut words = read_numbers(words)?.into_iter();
    let clocks = [words.next(), words.next()].map(|at| at.unwrap_or(NEVER));
    let mut list = || {
        let len = words.next().unwrap_or_default();
        words.by_ref().take(len as usize).collect::<Vec<i64>>()
    };
    let lists = [list(), list()];
    let changed: Vec<Vec<i64>> = parts.iter().map(|_| list()).collect();
    let kept = parts.into_iter().zip(changed).zip(words).filter_map(|(((part, groups), changed), told)| match part {
        Part::Open(end) => Some(Written { end, told, changed, groups }),
        _ => None,
    });
    Ok((clocks, lists, kept.collect()))
}

fn parts(grouping: &Grouping, groups: &RecordBatch) -> Result<Vec<(Part, Partial)>> {
    let column = |at: usize| groups.column(at).as_primitive::<Int64Type>();
    let (codes, ats) = (column(0), column(1));
    let mut parts = vec![];
    let mut from = 0;
    while from < groups.num_rows() {
        let code = (codes.value(from), ats.value(from));
        let len = (from..groups.num_rows()).take_while(|&at| (codes.value(at), ats.value(at)) == code).count();
        let Some(part) = Part::of(code) else { return internal_err!("the state has an unknown part") };
        parts.push((part, partial(grouping, &groups.slice(from, len))?));
        from += len;
    }
    Ok(parts)
}

fn partial(grouping: &Grouping, groups: &RecordBatch) -> Result<Partial> {
    let mut columns = groups.columns()[2..].iter().cloned();
    let mut next = |count: usize| columns.by_ref().take(count).collect::<Vec<ArrayRef>>();
    let keys = grouping.numbered(next(grouping.keys.len()))?;
    let mut states = vec![];
    for aggregate in &grouping.aggregates {
        states.push(next(aggregate.function.state_fields()?.len()));
    }
    Ok(Partial::new(keys, states, groups.num_rows()))
}

fn batch(grouping: &Grouping, schema: &SchemaRef, part: Part, partial: Partial) -> Result<RecordBatch> {
    let (code, at) = part.code();
    let repeated = |number: i64| Arc::new(Int64Array::from_value(number, partial.len)) as ArrayRef;
    let columns = [repeated(code), repeated(at)].into_iter();
    let columns: Vec<ArrayRef> =
        columns.chain(grouping.named(partial.keys)).chain(partial.states.into_iter().flatten()).collect();
    Ok(RecordBatch::try_new(schema.clone(), columns)?)
}

fn schema(grouping: &Grouping) -> Result<SchemaRef> {
    let number = |name: &str| Arc::new(Field::new(name, DataType::Int64, false));
    let mut fields = vec![number("part"), number("at")];
    for (field, ranks) in grouping.key_schema.fields().iter().zip(&grouping.ranked) {
        let data_type = if ranks.is_some() { DataType::Utf8 } else { field.data_type().clone() };
        fields.push(Arc::new(Field::new(field.name(), data_type, true)));
    }
    for (at, aggregate) in grouping.aggregates.iter().enumerate() {
        for (place, field) in aggregate.function.state_fields()?.iter().enumerate() {
            let name = format!("aggregate{at}_{place}");
            fields.push(Arc::new(Field::new(name, field.data_type().clone(), true)));
        }
    }
    Ok(Arc::new(Schema::new(fields)))
}
