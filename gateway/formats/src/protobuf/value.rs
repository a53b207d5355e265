//! Values in the schema's form.

use super::schema::{Field, Kind, List, Struct, Value};
use edgeway_thing_models::{DataType, Field as ModelField};
use std::sync::Arc;

/// A value, with its type where that is known.
pub(super) fn value(value: &edgeway_sdk::Value, data_type: Option<&DataType>) -> Value {
    use edgeway_sdk::Value as V;
    let kind = match value {
        V::Null => return Value { kind: None },
        V::Bool(b) => Kind::Boolean(*b),
        V::Int(i) => Kind::Integer(*i),
        V::Float(x) => float(*x, data_type),
        V::Text(text) => Kind::Text(text.to_string()),
        V::Bytes(bytes) => Kind::Binary(bytes.to_vec()),
        V::Array(items) => {
            let of_item = data_type.and_then(item_type);
            Kind::List(List { values: items.iter().map(|item| self::value(item, of_item)).collect() })
        }
        V::Struct(fields) => Kind::Struct(named(fields, data_type.map(fields_of).unwrap_or_default())),
    };
    Value { kind: Some(kind) }
}

fn float(x: f64, data_type: Option<&DataType>) -> Kind {
    let narrow = x as f32;
    match data_type {
        Some(DataType::Float(_)) if f64::from(narrow) == x => Kind::Single(narrow),
        _ => Kind::Number(x),
    }
}

fn item_type(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::Array { item, .. } => Some(item),
        _ => None,
    }
}

fn fields_of(data_type: &DataType) -> &[ModelField] {
    match data_type {
        DataType::Struct(fields) => fields,
        _ => &[],
    }
}

/// Values by name, each with the type of its field.
pub(super) fn named(values: &[(Arc<str>, edgeway_sdk::Value)], fields: &[ModelField]) -> Struct {
    let of = |name: &Arc<str>| fields.iter().find(|field| field.identifier == *name).map(|field| &field.data_type);
    Struct { fields: values.iter().map(|(name, value)| field(name, value, of(name))).collect() }
}

/// Values by column.
pub(super) fn columns(names: &[Arc<str>], values: &[edgeway_sdk::Value]) -> Struct {
    Struct { fields: names.iter().zip(values).map(|(name, value)| field(name, value, None)).collect() }
}

/// A named value.
pub(super) fn field(name: &str, value: &edgeway_sdk::Value, data_type: Option<&DataType>) -> Field {
    Field { name: name.to_owned(), value: Some(self::value(value, data_type)) }
}
