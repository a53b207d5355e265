//! `dataType` in all its forms.

use super::identifier::Allowed;
use super::items;
use super::numbers::{count, range};
use super::reader::{Reader, Table};
use crate::model::DataType;
use edgeway_sdk::did_you_mean;
use jsonc_parser::ast::Value as Node;
use std::collections::BTreeMap;

const TYPES: [&str; 9] = ["int", "float", "double", "bool", "enum", "text", "date", "struct", "array"];
/// The longest text, in bytes; also the length of a text that gives none.
const TEXT_BYTES_MAX: usize = 10_240;
/// The most elements of an array. Alibaba's own limit is 512.
const ARRAY_SIZE_MAX: usize = 65_535;

/// Where a type is used, which decides what it may be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// On its own.
    Alone,
    /// As the element of an array.
    Element,
    /// As the field of a struct.
    Field,
}

impl Place {
    /// What a type cannot be in this place, in words.
    fn forbids(self, kind: &str) -> Option<&'static str> {
        match (self, kind) {
            (Place::Element, "array") => Some("an array cannot hold arrays"),
            (Place::Field, "array") => Some("a struct cannot hold arrays"),
            (Place::Field, "struct") => Some("a struct cannot hold structs"),
            _ => None,
        }
    }
}

/// Reads `{"type": ..., "specs": ...}`.
pub(super) fn data_type(reader: &mut Reader<'_>, node: &Node<'_>, place: Place) -> Option<DataType> {
    let table = reader.table(node, "a data type", &["type", "specs"])?;
    let kind_node = table.need(reader, "type")?;
    let kind = reader.text(kind_node, "type")?;
    if let Some(message) = place.forbids(kind) {
        reader.report(kind_node, message, None);
        return None;
    }
    let specs = table.get("specs");
    match kind {
        "int" => range(reader, specs).map(DataType::Int),
        "float" => range(reader, specs).map(DataType::Float),
        "double" => range(reader, specs).map(DataType::Double),
        "bool" => truth(reader, specs),
        "text" => text(reader, specs),
        "date" => date(reader, specs),
        "enum" => table.need(reader, "specs").and_then(|specs| choices(reader, specs)),
        "struct" => table.need(reader, "specs").and_then(|specs| fields(reader, specs)),
        "array" => table.need(reader, "specs").and_then(|specs| array(reader, specs)),
        unknown => {
            reader.report(kind_node, format!("there is no type `{unknown}`"), did_you_mean(unknown, TYPES));
            None
        }
    }
}

fn truth(reader: &mut Reader<'_>, specs: Option<&Node<'_>>) -> Option<DataType> {
    let Some(specs) = specs else { return Some(DataType::Bool { off: "false".into(), on: "true".into() }) };
    let table = reader.table(specs, "the specs of a bool", &["0", "1"])?;
    let (off, on) = (table.need_text(reader, "0"), table.need_text(reader, "1"));
    Some(DataType::Bool { off: off?, on: on? })
}

fn text(reader: &mut Reader<'_>, specs: Option<&Node<'_>>) -> Option<DataType> {
    let Some(specs) = specs else { return Some(DataType::Text { length: TEXT_BYTES_MAX }) };
    let table = reader.table(specs, "the specs of a text", &["length", "unit", "unitName"])?;
    let length = count(reader, &table, "length", TEXT_BYTES_MAX).unwrap_or(TEXT_BYTES_MAX);
    Some(DataType::Text { length })
}

fn date(reader: &mut Reader<'_>, specs: Option<&Node<'_>>) -> Option<DataType> {
    if let Some(specs) = specs {
        reader.table(specs, "the specs of a date", &[])?;
    }
    Some(DataType::Date)
}

fn choices(reader: &mut Reader<'_>, specs: &Node<'_>) -> Option<DataType> {
    let Node::Object(object) = specs else {
        reader.wrong(specs, "the specs of an enum", "an object");
        return None;
    };
    if object.properties.is_empty() {
        reader.report(
            specs,
            "an enum needs at least one value",
            Some("{ \"0\": \"stopped\", \"1\": \"running\" }".into()),
        );
    }
    let mut choices = BTreeMap::new();
    for property in &object.properties {
        let key = property.name.as_str();
        let Ok(number) = key.parse::<i64>() else {
            reader.report(
                property,
                format!("`{key}` is not a whole number"),
                Some("an enum's keys are its numbers".into()),
            );
            continue;
        };
        let Some(label) = reader.text(&property.value, key) else { continue };
        if choices.insert(number, label.to_owned()).is_some() {
            reader.report(property, format!("`{key}` is given twice"), None);
        }
    }
    Some(DataType::Enum(choices))
}

fn fields(reader: &mut Reader<'_>, specs: &Node<'_>) -> Option<DataType> {
    let fields = items::fields(reader, specs, "specs", Place::Field, Allowed::All);
    if matches!(specs, Node::Array(list) if list.elements.is_empty()) {
        reader.report(specs, "a struct needs at least one field", None);
    }
    Some(DataType::Struct(fields))
}

fn array(reader: &mut Reader<'_>, specs: &Node<'_>) -> Option<DataType> {
    let table: Table<'_> = reader.table(specs, "the specs of an array", &["size", "item"])?;
    table.need(reader, "size");
    let size = count(reader, &table, "size", ARRAY_SIZE_MAX);
    let item = table.need(reader, "item").and_then(|item| data_type(reader, item, Place::Element));
    Some(DataType::Array { size: size?, item: Box::new(item?) })
}
