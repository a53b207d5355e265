//! Windows of keys, written down.
//!
//! Three tables: how far the windows are told; the keys, each with the number of its rows; the open windows, each with the
//! number of its key, its times, the number of its rows and the states of its aggregates.

use super::slots::Slots;
use super::{KeyState, Open, Spans, key_table};
use crate::df::{ArrayRef, AsArray, EmitTo, Int64Array, Int64Type, RecordBatch, Result, internal_err};
use crate::rows::NEVER;
use crate::state::{numbers, read_numbers, table};
use std::sync::Arc;

pub(super) fn save(spans: &mut Spans) -> Result<Vec<RecordBatch>> {
    let states = spans.slots.states(&spans.grouping)?;
    let keys = match &mut spans.table {
        None => vec![],
        Some(table) => {
            let keys = table.emit(EmitTo::All)?;
            spans.table = key_table(&spans.grouping, &keys)?;
            keys
        }
    };
    let seen = spans.keys.iter().map(|state| state.seen as i64).collect();
    let mut open: Vec<(i64, Open)> = vec![];
    for (key, state) in spans.keys.iter().enumerate() {
        open.extend(state.open.iter().map(|open| (key as i64, *open)));
    }
    // The states are in the order of the slots.
    open.sort_by_key(|(_, open)| open.slot);
    let column = |of: fn(&(i64, Open)) -> i64| integers(open.iter().map(of).collect());
    let times = [column(|o| o.0), column(|o| o.1.start), column(|o| o.1.last), column(|o| o.1.rows as i64)];
    let windows = times.into_iter().chain(states.into_iter().flatten()).collect();
    let keys = spans.grouping.named(keys);
    Ok(vec![numbers(&[spans.told])?, table(keys.into_iter().chain([integers(seen)]).collect())?, table(windows)?])
}

pub(super) fn load(spans: &mut Spans, state: &[RecordBatch]) -> Result<()> {
    let [told, keys, windows] = state else { return internal_err!("the state has other tables") };
    let grouping = &spans.grouping;
    let fields: Vec<usize> =
        grouping.aggregates.iter().map(|a| Ok(a.function.state_fields()?.len())).collect::<Result<_>>()?;
    // Without windows there are no states, of some functions not even columns for them.
    let columns = if windows.num_rows() == 0 { windows.num_columns() } else { fields.iter().sum::<usize>() + 4 };
    if keys.num_columns() != grouping.keys.len() + 1 || windows.num_columns() != columns {
        return internal_err!("the state has other columns");
    }
    let mut of_keys = vec![];
    let seen = keys.column(grouping.keys.len()).as_primitive::<Int64Type>();
    of_keys.extend(seen.values().iter().map(|seen| KeyState { seen: *seen as u64, ..KeyState::default() }));
    let table = key_table(grouping, &grouping.numbered(keys.columns()[..grouping.keys.len()].to_vec())?)?;
    let column = |at: usize| windows.column(at).as_primitive::<Int64Type>().values().clone();
    let [key, start, last, rows] = [0, 1, 2, 3].map(column);
    let mut order: Vec<usize> = (0..windows.num_rows()).collect();
    order.sort_by_key(|&slot| (key[slot], start[slot], slot));
    for slot in order {
        let Some(state) = of_keys.get_mut(key[slot] as usize) else { return internal_err!("the state has other keys") };
        state.open.push_back(Open { slot, start: start[slot], last: last[slot], rows: rows[slot] as u64 });
    }
    let mut columns = windows.columns()[4..].iter().cloned();
    let states: Vec<Vec<ArrayRef>> = fields.iter().map(|count| columns.by_ref().take(*count).collect()).collect();
    spans.slots = Slots::of(grouping, &states, windows.num_rows())?;
    (spans.keys, spans.table) = (of_keys, table);
    spans.told = read_numbers(told)?.first().copied().unwrap_or(NEVER);
    spans.set_due();
    Ok(())
}

fn integers(numbers: Vec<i64>) -> ArrayRef {
    Arc::new(Int64Array::from(numbers))
}
