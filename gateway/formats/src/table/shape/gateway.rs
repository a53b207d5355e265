//! Tables of what the gateway makes itself.

use super::{Columns, head_of_gateway};
use crate::Item;
use crate::flat::accounts;
use crate::table::cell::{Cell, CellType};
use crate::table::column::{Column, Presence};
use crate::value_text::json_of;
use edgeway_sdk::Value;
use edgeway_thing_models::{Balance, Body, Firing, Ledger, Notice, Row, Selected, Things};
use std::sync::Arc;

const COUNTS: [&str; 6] = ["taken", "delivered", "queued", "expired", "dropped", "dead"];

pub(super) fn row_columns(names: &[Arc<str>], items: &[&Item]) -> Columns {
    let mut columns = Columns::of_gateway();
    columns.texts(&["row_id"]);
    columns.always("source_time", CellType::Time);
    let values = |item: &&'_ Item| match &item.message.body {
        Body::Row(row) => row.values.clone(),
        _ => vec![],
    };
    untyped(&mut columns, names, &items.iter().map(values).collect::<Vec<_>>());
    columns
}

pub(super) fn row_cells<'a>(item: &'a Item, row: &'a Row) -> Vec<Cell<'a>> {
    let mut cells = head_of_gateway(item);
    cells.extend([Cell::text(&row.id), Cell::Time(row.source_time)]);
    cells.extend(row.values.iter().map(|value| Cell::Value(value, None)));
    cells
}

pub(super) fn selected_columns(names: &[Arc<str>], items: &[&Item]) -> Columns {
    let mut columns = Columns::of_gateway();
    columns.texts(&["subject"]);
    let values = |item: &&'_ Item| item.selected.as_ref().map(|selected| selected.values.clone()).unwrap_or_default();
    untyped(&mut columns, names, &items.iter().map(values).collect::<Vec<_>>());
    columns
}

pub(super) fn selected_cells<'a>(item: &'a Item, selected: &'a Selected, things: &Things) -> Vec<Cell<'a>> {
    let mut cells = head_of_gateway(item);
    cells.push(Cell::made(item.message.subject(things)));
    cells.extend(selected.values.iter().map(|value| Cell::Value(value, None)));
    cells
}

/// Columns whose types only their values tell.
fn untyped(columns: &mut Columns, names: &[Arc<str>], rows: &[Vec<Value>]) {
    for (at, name) in names.iter().enumerate() {
        let name = columns.names.give(name, "");
        let cell_type = CellType::among(rows.iter().filter_map(|row| row.get(at)));
        columns.list.push(cell_type.map(|cell_type| Column::new(name, cell_type, Presence::Sometimes)));
    }
}

pub(super) fn firing_columns() -> Columns {
    let mut columns = Columns::of_gateway();
    columns.texts(&["scene", "cause"]);
    columns.always("chain", CellType::Json);
    columns
}

pub(super) fn firing_cells<'a>(item: &'a Item, firing: &'a Firing) -> Vec<Cell<'a>> {
    let mut cells = head_of_gateway(item);
    cells.extend([Cell::text(&firing.scene), Cell::text(&firing.cause), Cell::made(json_of(&firing.chain))]);
    cells
}

pub(super) fn notice_columns() -> Columns {
    let mut columns = Columns::of_gateway();
    columns.texts(&["channel", "text", "scene"]);
    columns
}

pub(super) fn notice_cells<'a>(item: &'a Item, notice: &'a Notice) -> Vec<Cell<'a>> {
    let mut cells = head_of_gateway(item);
    cells.extend([&notice.channel, &notice.text, &notice.scene].map(|text| Cell::text(text)));
    cells
}

pub(super) fn ledger_columns() -> Columns {
    let mut columns = Columns::of_gateway();
    columns.texts(&["consumer", "reason"]);
    ["first_offset", "last_offset", "count"].iter().for_each(|name| columns.always(name, CellType::Int));
    columns
}

pub(super) fn ledger_cells<'a>(item: &'a Item, ledger: &'a Ledger) -> Vec<Cell<'a>> {
    let mut cells = head_of_gateway(item);
    cells.extend([Cell::text(&ledger.consumer), Cell::text(&ledger.reason)]);
    cells.extend([ledger.from, ledger.to, ledger.count].map(Cell::Count));
    cells
}

pub(super) fn balance_columns() -> Columns {
    let mut columns = Columns::of_gateway();
    columns.texts(&["route"]);
    COUNTS.iter().for_each(|name| columns.always(name, CellType::Int));
    columns.always("devices", CellType::Json);
    columns
}

pub(super) fn balance_cells<'a>(item: &'a Item, balance: &'a Balance) -> Vec<Cell<'a>> {
    let total = &balance.total;
    let counts = [total.taken, total.delivered, total.queued(), total.expired, total.dropped, total.dead];
    let mut cells = head_of_gateway(item);
    cells.push(Cell::text(&balance.route));
    cells.extend(counts.map(Cell::Count));
    cells.push(Cell::made(accounts(balance)));
    cells
}
