//! Messages of one shape have the same columns: one program serves them all.

use super::columns::{self, Column};
use super::value_of;
use crate::df::DataType;
use edgeway_sdk::Value;
use edgeway_thing_models::{Body, EventIx, Message, ModelIx, Row, Things};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a message is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Shape {
    Report(ModelIx),
    Event(ModelIx, EventIx),
    Status,
    Firing,
    Command,
    Notice,
    Ledger,
    Balance,
    /// A query's, with these columns.
    Row(Arc<str>, Arc<[Arc<str>]>),
}

/// The kinds whose columns are always the same.
pub(super) const FIXED: [Shape; 6] =
    [Shape::Status, Shape::Firing, Shape::Command, Shape::Notice, Shape::Ledger, Shape::Balance];

impl Shape {
    pub(super) fn of(message: &Message, things: &Things) -> Shape {
        match &message.body {
            Body::Report(report) => Shape::Report(things.device(report.device).model),
            Body::Event(event) => Shape::Event(things.device(event.device).model, event.event),
            Body::Status(_) => Shape::Status,
            Body::Firing(_) => Shape::Firing,
            Body::Command(_) => Shape::Command,
            Body::Notice(_) => Shape::Notice,
            Body::Ledger(_) => Shape::Ledger,
            Body::Balance(_) => Shape::Balance,
            Body::Row(row) => Shape::Row(row.query.clone(), row.columns.clone()),
        }
    }

    /// The shapes of a site that have any of these columns; one of any shape if all shapes have them.
    pub(super) fn meant_by(names: &BTreeSet<String>, things: &Things) -> Vec<Shape> {
        let own = |shape: &Shape| columns::own(shape, things).iter().any(|column| names.contains(&*column.name));
        if names.iter().all(|name| columns::is_common(name)) {
            return vec![Shape::Status];
        }
        Shape::all(things).into_iter().filter(own).collect()
    }

    /// All shapes of a site but those of queries.
    pub(super) fn all(things: &Things) -> Vec<Shape> {
        let models = things.current_models().flat_map(|(ix, model)| {
            let events = (0..model.events.len()).map(move |at| Shape::Event(ix, EventIx(at as u16)));
            [Shape::Report(ix)].into_iter().chain(events)
        });
        models.chain(FIXED).collect()
    }

    /// The row of a message of this shape, if it is one.
    pub(super) fn row<'m>(&self, message: &'m Message) -> Option<&'m Row> {
        match &message.body {
            Body::Row(row) => Some(row),
            _ => None,
        }
    }

    /// The first level of its subjects.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Shape::Report(_) => "property",
            Shape::Event(..) => "event",
            Shape::Status => "status",
            Shape::Row(..) => "stream",
            Shape::Firing => "scene",
            Shape::Command => "command",
            Shape::Notice => "notify",
            Shape::Ledger | Shape::Balance => "ledger",
        }
    }

    /// What is the same for all messages of this shape.
    pub(super) fn constant(&self, name: &str, things: &Things) -> Option<String> {
        match (name, self) {
            (columns::KIND, _) => Some(self.kind().to_owned()),
            (columns::MODEL, Shape::Report(model) | Shape::Event(model, _)) => {
                Some(things.model(*model).name.to_string())
            }
            _ => None,
        }
    }

    /// For people: `reports of wind-turbine`.
    pub(super) fn describe(&self, things: &Things) -> String {
        match self {
            Shape::Report(model) => format!("reports of {}", things.model(*model).name),
            Shape::Event(model, event) => {
                let model = things.model(*model);
                format!("the event {} of {}", model.events[usize::from(event.0)].identifier, model.name)
            }
            Shape::Row(query, _) => format!("rows of {query}"),
            other => format!("messages of kind {}", other.kind()),
        }
    }

    /// The columns that messages of this shape have and a text names.
    pub(super) fn columns(&self, names: &BTreeSet<String>, types: &RowTypes, things: &Things) -> Vec<Column> {
        let named = |column: &Column| names.contains(&*column.name) && self.constant(&column.name, things).is_none();
        let own = match self {
            Shape::Row(_, columns) => columns::of_row(columns, types),
            _ => columns::own(self, things),
        };
        let mut found: Vec<Column> = own.into_iter().filter(named).collect();
        let common = names.iter().filter_map(|name| columns::common(name)).filter(named);
        for column in common {
            if !found.iter().any(|own| own.name == column.name) {
                found.push(column);
            }
        }
        found
    }
}

/// The types of those columns of a query's rows that texts name, as far as values have shown them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RowTypes(BTreeMap<String, DataType>);

impl RowTypes {
    pub(super) fn get(&self, name: &str) -> Option<&DataType> {
        self.0.get(name)
    }

    /// Whether a row has no value of a type that is news.
    pub(super) fn fit(&self, row: &Row, names: &BTreeSet<String>) -> bool {
        names.iter().all(|name| {
            let found = value_of(row, name).and_then(type_of);
            found.is_none_or(|found| self.0.get(name).is_some_and(|known| *known == wider(known, &found)))
        })
    }

    /// What is known after another row.
    pub(super) fn learn(mut self, row: Option<&Row>, names: &BTreeSet<String>) -> Self {
        for name in names {
            if let Some(found) = row.and_then(|row| value_of(row, name)).and_then(type_of) {
                let known = self.0.get(name).map_or(found.clone(), |known| wider(known, &found));
                self.0.insert(name.clone(), known);
            }
        }
        self
    }
}

fn type_of(value: &Value) -> Option<DataType> {
    match value {
        Value::Bool(_) => Some(DataType::Boolean),
        Value::Int(_) => Some(DataType::Int64),
        Value::Float(_) => Some(DataType::Float64),
        Value::Text(_) => Some(DataType::Utf8),
        Value::Array(items) => Some(DataType::new_list(items.iter().find_map(type_of)?, true)),
        Value::Null | Value::Bytes(_) | Value::Struct(_) => None,
    }
}

/// The type that a column has after a value of another type: numbers grow, everything else stays.
fn wider(known: &DataType, found: &DataType) -> DataType {
    match (known, found) {
        (DataType::Int64, DataType::Float64) => DataType::Float64,
        (known, _) => known.clone(),
    }
}
