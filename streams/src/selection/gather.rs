//! From messages of one shape to a batch, with only those columns that are named.

use super::columns::{Column, Source, device};
use crate::df::{ArrayRef, RecordBatch, RecordBatchOptions, SchemaRef};
use crate::intake::Builder;
use edgeway_sdk::Value;
use edgeway_thing_models::{Body, Message, PropertyIx, Report, Things};
use std::sync::Arc;

/// Collects rows.
pub(super) struct Gather {
    schema: SchemaRef,
    columns: Vec<(Source, Builder)>,
    /// The column of each property, by its number.
    slots: Vec<Option<usize>>,
    /// Where the verdict of each row goes.
    places: Vec<usize>,
}

impl Gather {
    pub(super) fn new(columns: Vec<Column>, schema: SchemaRef) -> Self {
        let mut slots = vec![];
        for (at, column) in columns.iter().enumerate() {
            if let Source::Property(property) = column.source {
                let slot = usize::from(property.0);
                slots.resize(slots.len().max(slot + 1), None);
                slots[slot] = Some(at);
            }
        }
        let columns = columns.into_iter().map(|column| (column.source, Builder::of(&column.data_type))).collect();
        Gather { schema, columns, slots, places: vec![] }
    }

    pub(super) fn add(&mut self, place: usize, message: &Message, things: &Things) {
        self.places.push(place);
        for (source, builder) in &mut self.columns {
            append(source, builder, message, things);
        }
        if let Body::Report(report) = &message.body {
            self.properties(report);
        }
    }

    /// What is not in the report, or not good, is unknown.
    fn properties(&mut self, report: &Report) {
        let rows = self.places.len();
        for seen in report.values.iter().filter(|seen| seen.quality.is_good()) {
            if let Some(Some(slot)) = self.slots.get(usize::from(seen.property.0)) {
                let (_, builder) = &mut self.columns[*slot];
                if builder.len(rows) < rows {
                    builder.append(&seen.value);
                }
            }
        }
        for slot in self.slots.iter().flatten() {
            let (_, builder) = &mut self.columns[*slot];
            if builder.len(rows) < rows {
                builder.append(&Value::Null);
            }
        }
    }

    /// The rows collected, and where their verdicts go. Afterwards there are none.
    pub(super) fn take(&mut self) -> (RecordBatch, Vec<usize>) {
        let places = std::mem::take(&mut self.places);
        let columns: Vec<ArrayRef> = self.columns.iter_mut().map(|(_, builder)| builder.finish(&[])).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(places.len()));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options);
        (batch.expect("every column has one value for every row"), places)
    }
}

/// Adds the value of any column but a property's.
fn append(source: &Source, builder: &mut Builder, message: &Message, things: &Things) {
    match source {
        Source::Made(make) => builder.append(&make(message, things)),
        Source::Time(time) => builder.append_time(time(message)),
        Source::Label(name) => builder.append(&label(message, name, things)),
        Source::Property(_) => {}
        Source::Part(property, field) => {
            builder.append(part(good(message, *property), field).unwrap_or(&Value::Null));
        }
        Source::OutputPart(name, field) => {
            builder.append(part(output(message, name), field).unwrap_or(&Value::Null));
        }
        Source::Output(name) => builder.append(output(message, name).unwrap_or(&Value::Null)),
        Source::Column(at) => builder.append(cell(message, *at).unwrap_or(&Value::Null)),
    }
}

fn label(message: &Message, name: &Arc<str>, things: &Things) -> Value {
    let label = device(message).and_then(|ix| things.device(ix).labels.get(&**name));
    label.map_or(Value::Null, |label| Value::from(label.as_str()))
}

/// The value of a property, if it is in the report and good.
fn good(message: &Message, property: PropertyIx) -> Option<&Value> {
    let Body::Report(report) = &message.body else { return None };
    let seen = report.values.iter().find(|seen| seen.property == property && seen.quality.is_good());
    seen.map(|seen| &seen.value)
}

/// A field of a struct.
fn part<'v>(value: Option<&'v Value>, field: &Arc<str>) -> Option<&'v Value> {
    let Some(Value::Struct(fields)) = value else { return None };
    fields.iter().find(|(name, _)| name == field).map(|(_, value)| value)
}

fn output<'m>(message: &'m Message, name: &Arc<str>) -> Option<&'m Value> {
    let Body::Event(event) = &message.body else { return None };
    event.output.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

fn cell(message: &Message, at: usize) -> Option<&Value> {
    let Body::Row(row) = &message.body else { return None };
    row.values.get(at)
}
