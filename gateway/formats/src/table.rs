//! Tables: messages of one kind and model as rows, for targets that store rows and for Arrow IPC.
//!
//! Every table begins with `id` (16 bytes), `time` (when the gateway got or made the message), then `device` where the
//! message is of one, and `clock` (`set`, `unset`, `corrected`). One message is one row, so `id` is a key.
//!
//! | table | columns after these |
//! | --- | --- |
//! | `property/<model>` | for each property `NAME`, `NAME_quality` (null: not in this report), `NAME_time` (when the device measured it) |
//! | `event/<model>/<event>` | `kind`, `source_time`, then the event's outputs |
//! | `status` | `model`, `state`, `reason` |
//! | `stream/<query>` | `row_id`, `source_time`, then the query's columns |
//! | `scene` | `scene`, `cause`, `chain` (JSON) |
//! | `command/<model>` | `command`, `state`, `reason`, `result` (JSON), `action`, `name`, `input` (JSON), `origin`, `issued`, `deadline` |
//! | `notify` | `channel`, `text`, `scene` |
//! | `ledger` | `consumer`, `reason`, `first_offset`, `last_offset`, `count` |
//! | `balance` | `route`, `taken`, `delivered`, `queued`, `expired`, `dropped`, `dead`, `devices` (JSON) |
//! | `route` | `subject`, then the columns of the route's `select` |
//!
//! | TSL | Arrow | |
//! | --- | --- | --- |
//! | int, enum | Int64 | `labels` of an enum are metadata of the field |
//! | float, double | Float64 | the digits of a `float` that was scaled do not fit 32 bits |
//! | bool | Boolean | |
//! | date, all times | Timestamp(ms, UTC) | |
//! | text | Utf8 | |
//! | struct, array | Utf8 | as JSON |
//!
//! `unit` and `type` (TSL's word) are metadata of the field, the table's name is metadata `table` of the schema. Columns
//! of queries and of `select` have the type of their values; one without any value in a table is left out of it. Names
//! are in snake_case and at most 63 bytes, as PostgreSQL wants them; where one is taken it gets a number, `id_2`.

mod back;
mod cell;
mod column;
mod kind;
mod names;
mod shape;

pub use back::messages as messages_of_table;
pub(crate) use kind::runs_of_tables;

use crate::{Content, Format, Item, Payload, Surroundings, Unfit};
use arrow_array::RecordBatch;
use edgeway_thing_models::{Message, Selected, Things};
use kind::Kind;
use std::collections::HashMap;
use std::ops::Range;

/// Rows of one kind and model.
#[derive(Debug, Clone)]
pub struct Table {
    /// `property/wind_turbine`, `event/wind_turbine/overheat`, `status`, `stream/ti_10min`, ...
    pub name: String,
    /// The rows.
    pub batch: RecordBatch,
}

/// The name of the table that a message goes into.
pub fn table_name(message: &Message, selected: Option<&Selected>, things: &Things) -> String {
    Kind::of(message, selected, things).name(things)
}

/// Messages as tables: one for each kind and model, in the order of their first messages, each with the places of its
/// rows among `items`, in rising order.
///
/// # Errors
/// If a value does not fit the column that its model asks for.
pub fn tables(around: &Surroundings, items: &[Item]) -> Result<Vec<(Table, Vec<usize>)>, Unfit> {
    let mut order: Vec<Vec<usize>> = vec![];
    let mut known: HashMap<Kind, usize> = HashMap::new();
    for (at, item) in items.iter().enumerate() {
        let kind = Kind::of(&item.message, item.selected.as_deref(), &around.things);
        let place = *known.entry(kind).or_insert(order.len());
        if place == order.len() {
            order.push(vec![]);
        }
        order[place].push(at);
    }
    order.into_iter().map(|places| Ok((shape::table(&around.things, items, &places)?, places))).collect()
}

/// The table of a run of items of one table.
pub(crate) fn table(things: &Things, items: &[Item], run: Range<usize>) -> Result<Table, Unfit> {
    shape::table(things, items, &run.collect::<Vec<_>>())
}

/// The format for targets that store rows. A payload is one table; items of different tables should not be mixed, since
/// each change begins a payload: group them by [`table_name`].
pub fn table_format(around: &Surroundings) -> Box<dyn Format> {
    Box::new(TableFormat { around: around.clone() })
}

struct TableFormat {
    around: Surroundings,
}

impl Format for TableFormat {
    fn encode(&mut self, items: &[Item]) -> Result<Vec<Payload>, Unfit> {
        let runs = runs_of_tables(items, &self.around.things).into_iter();
        runs.map(|run| {
            let table = table(&self.around.things, items, run.clone())?;
            Ok(Payload { topic: None, content: Content::Table(table), items: run })
        })
        .collect()
    }
}
