//! Tables of what is of a device.

use super::{Columns, head_of_device};
use crate::Item;
use crate::flat::{Doing, event_model, result};
use crate::table::cell::{Cell, CellType};
use edgeway_thing_models::{CommandRecord, Event, EventModel, Model, Report, Status, Things};

pub(super) fn report_columns(model: &Model) -> Columns {
    let mut columns = Columns::of_device();
    // Properties first: a property `power_quality` keeps its name beside one `power`.
    let names: Vec<String> = model.properties.iter().map(|known| columns.names.give(&known.identifier, "")).collect();
    for (property, name) in model.properties.iter().zip(names) {
        columns.typed(name, &property.data_type);
        for (suffix, cell_type) in [("_quality", CellType::Text), ("_time", CellType::Time)] {
            columns.derived(&property.identifier, suffix, cell_type);
        }
    }
    columns
}

pub(super) fn report_cells<'a>(item: &'a Item, report: &'a Report, things: &'a Things) -> Vec<Cell<'a>> {
    let properties = &things.model_of(report.device).properties;
    let mut cells = head_of_device(item, report.device, things);
    let begin = cells.len();
    cells.resize(begin + 3 * properties.len(), Cell::Null);
    for observation in &report.values {
        let property = usize::from(observation.property.0);
        let at = begin + 3 * property;
        cells[at] = Cell::Value(&observation.value, Some(&properties[property].data_type));
        cells[at + 1] = Cell::text(observation.quality.as_str());
        cells[at + 2] = Cell::Time(observation.source_time);
    }
    cells
}

pub(super) fn event_columns(event: &EventModel) -> Columns {
    let mut columns = Columns::of_device();
    columns.texts(&["kind"]);
    columns.always("source_time", CellType::Time);
    for field in &event.output {
        let name = columns.names.give(&field.identifier, "");
        columns.typed(name, &field.data_type);
    }
    columns
}

pub(super) fn event_cells<'a>(item: &'a Item, event: &'a Event, things: &'a Things) -> Result<Vec<Cell<'a>>, String> {
    let model = event_model(event, things);
    let known = |name: &str| model.output.iter().any(|field| &*field.identifier == name);
    if let Some((name, _)) = event.output.iter().find(|(name, _)| !known(name)) {
        return Err(format!("the event `{}` has no output `{name}` in its model", model.identifier));
    }
    let mut cells = head_of_device(item, event.device, things);
    cells.extend([Cell::text(model.kind.as_str()), Cell::Time(event.source_time)]);
    cells.extend(model.output.iter().map(|field| {
        let found = event.output.iter().find(|(name, _)| *name == field.identifier);
        found.map_or(Cell::Null, |(_, value)| Cell::Value(value, Some(&field.data_type)))
    }));
    Ok(cells)
}

pub(super) fn status_columns() -> Columns {
    let mut columns = Columns::of_device();
    columns.texts(&["model", "state", "reason"]);
    columns
}

pub(super) fn status_cells<'a>(item: &'a Item, status: &'a Status, things: &'a Things) -> Vec<Cell<'a>> {
    let mut cells = head_of_device(item, status.device, things);
    cells.push(Cell::text(&things.model_of(status.device).name));
    cells.extend([Cell::text(status.online.as_str()), Cell::text(&status.reason)]);
    cells
}

pub(super) fn command_columns() -> Columns {
    let mut columns = Columns::of_device();
    columns.texts(&["command", "state"]);
    columns.sometimes("reason", CellType::Text);
    columns.sometimes("result", CellType::Json);
    columns.texts(&["action", "name"]);
    columns.always("input", CellType::Json);
    columns.texts(&["origin"]);
    columns.always("issued", CellType::Time);
    columns.always("deadline", CellType::Time);
    columns
}

pub(super) fn command_cells<'a>(item: &'a Item, record: &'a CommandRecord, things: &'a Things) -> Vec<Cell<'a>> {
    let command = &record.command;
    let mut cells = head_of_device(item, command.device, things);
    let Doing { action, name, input } = Doing::of(record, things);
    cells.extend([Cell::text(&command.id), Cell::text(record.state.as_str())]);
    cells.extend([record.state.reason().map_or(Cell::Null, Cell::text), Cell::made(result(record, things))]);
    cells.extend([Cell::text(action), Cell::text(name), Cell::made(input), Cell::made(command.origin.to_string())]);
    cells.extend([Cell::Time(command.issued), Cell::Time(command.deadline)]);
    cells
}
