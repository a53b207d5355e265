//! The columns of each table, and the cells of its rows.

mod device;
mod gateway;

use super::Table;
use super::cell::{Cell, CellType};
use super::column::{Column, Presence};
use super::kind::Kind;
use super::names::Names;
use crate::{Item, Unfit};
use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Schema};
use edgeway_sdk::DeviceIx;
use edgeway_thing_models::{Body, DataType, EventModel, Model, Things};
use std::collections::HashMap;
use std::sync::Arc;

/// The table of the items at these places, which are all of one table and at least one.
pub(super) fn table(things: &Things, items: &[Item], places: &[usize]) -> Result<Table, Unfit> {
    let chosen: Vec<&Item> = places.iter().map(|place| &items[*place]).collect();
    let kind = Kind::of(&chosen[0].message, chosen[0].selected.as_deref(), things);
    let mut columns = columns(&kind, &chosen, things);
    for (place, item) in places.iter().zip(&chosen) {
        let cells = cells(item, things);
        cells.and_then(|cells| columns.push_row(cells)).map_err(|reason| Unfit::new(*place, reason))?;
    }
    let name = kind.name(things);
    match columns.finish(&name) {
        Ok(batch) => Ok(Table { name, batch }),
        Err(error) => Err(Unfit::new(places[0], format!("it cannot be a table: {error}"))),
    }
}

/// What the columns of each property of a model are called: its value, quality and time.
pub(super) fn report_names(model: &Model) -> Vec<[String; 3]> {
    let names = device::report_columns(model).names_from(HEAD_OF_DEVICE);
    names.chunks_exact(3).map(|three| [three[0].clone(), three[1].clone(), three[2].clone()]).collect()
}

/// What the columns of an event's outputs are called.
pub(super) fn event_names(event: &EventModel) -> Vec<String> {
    device::event_columns(event).names_from(HEAD_OF_DEVICE + 2)
}

/// How many columns every table of devices' messages begins with.
const HEAD_OF_DEVICE: usize = 4;

fn columns(kind: &Kind, items: &[&Item], things: &Things) -> Columns {
    match kind {
        Kind::Report(model) => device::report_columns(things.model(*model)),
        Kind::Event(model, event) => device::event_columns(&things.model(*model).events[usize::from(event.0)]),
        Kind::Status => device::status_columns(),
        Kind::Command(_) => device::command_columns(),
        Kind::Row(_, names) => gateway::row_columns(names, items),
        Kind::Firing => gateway::firing_columns(),
        Kind::Notice => gateway::notice_columns(),
        Kind::Ledger => gateway::ledger_columns(),
        Kind::Balance => gateway::balance_columns(),
        Kind::Selected(names) => gateway::selected_columns(names, items),
    }
}

fn cells<'a>(item: &'a Item, things: &'a Things) -> Result<Vec<Cell<'a>>, String> {
    if let Some(selected) = &item.selected {
        return Ok(gateway::selected_cells(item, selected, things));
    }
    Ok(match &item.message.body {
        Body::Report(report) => device::report_cells(item, report, things),
        Body::Event(event) => return device::event_cells(item, event, things),
        Body::Status(status) => device::status_cells(item, status, things),
        Body::Command(record) => device::command_cells(item, record, things),
        Body::Row(row) => gateway::row_cells(item, row),
        Body::Firing(firing) => gateway::firing_cells(item, firing),
        Body::Notice(notice) => gateway::notice_cells(item, notice),
        Body::Ledger(ledger) => gateway::ledger_cells(item, ledger),
        Body::Balance(balance) => gateway::balance_cells(item, balance),
    })
}

/// The columns of a table while it is filled. One without any value has no type and is left out: `None`.
#[derive(Debug, Default)]
struct Columns {
    names: Names,
    list: Vec<Option<Column>>,
}

impl Columns {
    /// The columns that every table begins with.
    fn of_gateway() -> Self {
        let mut columns = Columns::default();
        columns.always("id", CellType::Id);
        columns.always("time", CellType::Time);
        columns.always("clock", CellType::Text);
        columns
    }

    /// The columns that every table of devices' messages begins with.
    fn of_device() -> Self {
        let mut columns = Columns::default();
        columns.always("id", CellType::Id);
        columns.always("time", CellType::Time);
        columns.texts(&["device", "clock"]);
        columns
    }

    /// What the columns behind the first ones are called.
    fn names_from(&self, first: usize) -> Vec<String> {
        self.list[first..].iter().flatten().map(|column| column.name().to_owned()).collect()
    }

    fn always(&mut self, name: &str, cell_type: CellType) {
        let name = self.names.give(name, "");
        self.list.push(Some(Column::new(name, cell_type, Presence::Always)));
    }

    fn texts(&mut self, names: &[&str]) {
        names.iter().for_each(|name| self.always(name, CellType::Text));
    }

    fn sometimes(&mut self, name: &str, cell_type: CellType) {
        self.derived(name, "", cell_type);
    }

    /// A column that stands beside another.
    fn derived(&mut self, name: &str, suffix: &str, cell_type: CellType) {
        let name = self.names.give(name, suffix);
        self.list.push(Some(Column::new(name, cell_type, Presence::Sometimes)));
    }

    /// A column of a model's type.
    fn typed(&mut self, name: String, data_type: &DataType) {
        self.list.push(Some(Column::of(name, data_type)));
    }

    fn push_row(&mut self, cells: Vec<Cell<'_>>) -> Result<(), String> {
        if cells.len() != self.list.len() {
            return Err(format!("it has {} values for {} columns", cells.len(), self.list.len()));
        }
        self.list.iter_mut().zip(cells).try_for_each(|(column, cell)| match column {
            Some(column) => column.push(cell),
            None => Ok(()),
        })
    }

    fn finish(self, table: &str) -> Result<RecordBatch, ArrowError> {
        let (fields, arrays): (Vec<_>, Vec<_>) = self.list.into_iter().flatten().map(Column::finish).unzip();
        let metadata = HashMap::from([("table".to_owned(), table.to_owned())]);
        RecordBatch::try_new(Arc::new(Schema::new(fields).with_metadata(metadata)), arrays)
    }
}

/// The cells of [`Columns::of_gateway`].
fn head_of_gateway<'a>(item: &Item) -> Vec<Cell<'a>> {
    vec![Cell::Id(item.id), Cell::Time(item.message.time), Cell::text(item.clock.as_str())]
}

/// The cells of [`Columns::of_device`].
fn head_of_device<'a>(item: &Item, device: DeviceIx, things: &'a Things) -> Vec<Cell<'a>> {
    let device = Cell::text(&things.device(device).id);
    vec![Cell::Id(item.id), Cell::Time(item.message.time), device, Cell::text(item.clock.as_str())]
}
