//! The names that a text can use: what any kind of message, any model, any label or any query of the site has.

use super::columns::{self, LABELS};
use super::shape::Shape;
use crate::catalog::is_part;
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
        Vocabulary { types }
    }

    /// The type of a name, where messages do not have it themselves.
    pub(super) fn data_type(&self, name: &str) -> Option<&DataType> {
        self.types.get(name).and_then(Option::as_ref)
    }

    /// Whether something is a struct of this name.
    pub(super) fn has_part_of(&self, name: &str) -> bool {
        self.types.keys().any(|known| is_part(known, name))
    }

    /// What to say of a struct: its fields are columns.
    fn a_struct(&self, name: &str, at: At) -> Option<Problem> {
        let parts = self.types.keys().filter(|known| is_part(known, name)).map(|part| format!("`{part}`"));
        let parts: Vec<String> = parts.collect();
        let problem = || at.problem(format!("`{name}` is a struct, which is not a column"));
        (!parts.is_empty()).then(|| problem().help(format!("name its fields: {}", parts.join(", "))))
    }

    /// # Errors
    /// If nothing has this name.
    pub(super) fn check(&self, name: &str, at: At) -> Result<(), Problem> {
        if self.types.contains_key(name) {
            return Ok(());
        }
        if let Some(problem) = self.a_struct(name, at) {
            return Err(problem);
        }
        let near = did_you_mean(name, self.types.keys().map(String::as_str));
        let message = match name.strip_prefix(LABELS).and_then(|rest| rest.strip_prefix('.')) {
            Some(label) => format!("no device has a label `{label}`"),
            None => format!("no message has a column `{name}`"),
        };
        Err(at.problem(message).maybe_help(near))
    }
}
