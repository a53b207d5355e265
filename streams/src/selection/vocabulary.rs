//! The names that a text can use: what any kind of message, any model, any label or any query of the site has.

use super::columns::{self, LABELS};
use super::shape::Shape;
use crate::catalog::column_type;
use crate::df::DataType;
use crate::dialect::At;
use crate::queries::QueryInfo;
use edgeway_sdk::{Problem, did_you_mean};
use edgeway_thing_models::Things;
use std::collections::BTreeMap;

/// All names.
pub(super) struct Vocabulary {
    /// With the type that a name has in the first shape that has it; `None` for what only queries have.
    types: BTreeMap<String, Option<DataType>>,
    /// Properties that have no column, with their type.
    left_out: BTreeMap<String, &'static str>,
}

impl Vocabulary {
    pub(super) fn new(things: &Things, queries: &[QueryInfo]) -> Self {
        let mut types = BTreeMap::new();
        for name in columns::common_names() {
            types.insert(name.to_owned(), columns::common(name).map(|column| column.data_type));
        }
        for shape in Shape::all(things) {
            for column in columns::own(&shape, things) {
                types.entry(column.name.to_string()).or_insert(Some(column.data_type));
            }
        }
        for label in things.current_devices().flat_map(|(_, device)| device.labels.keys()) {
            types.entry(format!("{LABELS}.{label}")).or_insert(Some(DataType::Utf8));
        }
        for column in queries.iter().flat_map(|query| query.columns.iter()) {
            types.entry(column.to_string()).or_insert(None);
        }
        let properties = things.current_models().flat_map(|(_, model)| model.properties.iter());
        let left_out = properties.filter(|property| column_type(&property.data_type).is_none());
        let left_out = left_out.map(|property| (property.identifier.to_string(), property.data_type.name())).collect();
        Vocabulary { types, left_out }
    }

    /// The type of a name, where messages do not have it themselves.
    pub(super) fn data_type(&self, name: &str) -> Option<&DataType> {
        self.types.get(name).and_then(Option::as_ref)
    }

    /// # Errors
    /// If nothing has this name.
    pub(super) fn check(&self, name: &str, at: At) -> Result<(), Problem> {
        if self.types.contains_key(name) {
            return Ok(());
        }
        if let Some(kind) = self.left_out.get(name) {
            let problem = at.problem(format!("`{name}` is a property of type {kind}, which has no column in SQL"));
            return Err(problem.help("read it in a scene, or map its parts to properties of their own"));
        }
        let near = did_you_mean(name, self.types.keys().map(String::as_str));
        let message = match name.strip_prefix(LABELS).and_then(|rest| rest.strip_prefix('.')) {
            Some(label) => format!("no device has a label `{label}`"),
            None => format!("no message has a column `{name}`"),
        };
        Err(at.problem(message).maybe_help(near))
    }
}
