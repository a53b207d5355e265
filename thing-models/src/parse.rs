//! Reading Alibaba's TSL.
//!
//! A file is taken as Alibaba exports it: with its schema, profile and module keys, with numbers written as strings, and
//! with the implicit event `post` and services `set` and `get`, which say nothing of their own and are skipped. All
//! mistakes in a file are told at once, each with its line and column.

mod data_type;
mod identifier;
mod items;
mod numbers;
mod reader;

pub(crate) use identifier::{is_reserved, is_snake_case, snake_case};

use crate::model::Model;
use edgeway_sdk::Problem;
use jsonc_parser::ast::Value as Node;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use reader::{Lines, Reader};

/// Keys of a model. Some are Alibaba's and mean nothing here.
const MODEL_KEYS: [&str; 13] = [
    "properties",
    "events",
    "services",
    "title",
    "name",
    "desc",
    "description",
    "schema",
    "link",
    "profile",
    "functionBlockId",
    "functionBlockName",
    "version",
];

impl Model {
    /// Reads a model from TSL. `name` is its name in the site, the file's without `.json`.
    ///
    /// # Errors
    /// All mistakes that were found, in the order of the text; of JSON syntax errors only the first.
    pub fn parse(name: &str, text: &str) -> Result<Model, Vec<Problem>> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let root = syntax(text).map_err(|problem| vec![problem])?;
        let mut reader = Reader::new(text);
        let model = model(&mut reader, name, &root);
        reader.finish(model)
    }
}

/// Strict JSON, with the place of everything in the text.
fn syntax(text: &str) -> Result<Node<'_>, Problem> {
    let strict = ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = parse_to_ast(text, &CollectOptions::default(), &strict).map_err(|error| {
        let (line, column) = Lines::new(text).position(error.range().start);
        let what = error.kind().to_string();
        Problem::at(line, column, format!("the file is not valid JSON: {}", what.to_lowercase()))
    })?;
    parsed.value.ok_or_else(|| Problem::at(1, 1, "the file is empty").help("a TSL model, `{ \"properties\": [...] }`"))
}

fn model(reader: &mut Reader<'_>, name: &str, root: &Node<'_>) -> Option<Model> {
    let table = reader.table(root, "a model", &MODEL_KEYS)?;
    if ["properties", "events", "services"].iter().all(|key| table.get(key).is_none()) {
        table.missing(reader, "properties");
    }
    let title = table.text(reader, "title").or_else(|| table.text(reader, "name"));
    Some(Model {
        name: name.into(),
        title: title.unwrap_or_else(|| name.to_owned()),
        properties: items::properties(reader, &table),
        events: items::events(reader, &table),
        services: items::services(reader, &table),
    })
}

#[cfg(test)]
mod tests;
