//! Values in their type's form.

use crate::model::{DataType, Field};
use edgeway_sdk::Value;
use serde::ser::{Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// A value as JSON, in the form that its type asks for.
#[derive(Debug, Clone, Copy)]
pub struct Typed<'a> {
    /// The value.
    pub value: &'a Value,
    /// Its type, where that is known.
    pub data_type: Option<&'a DataType>,
}

impl Serialize for Typed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(b) => serializer.serialize_bool(*b),
            Value::Int(i) => serializer.serialize_i64(*i),
            Value::Float(x) => self.serialize_float(*x, serializer),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Bytes(bytes) => serializer.collect_str(&Hex(bytes)),
            Value::Array(items) => serializer.collect_seq(items.iter().map(|value| self.element(value))),
            Value::Struct(fields) => {
                serializer.collect_map(fields.iter().map(|(name, value)| (name, self.field(name, value))))
            }
        }
    }
}

impl<'a> Typed<'a> {
    fn serialize_float<S: Serializer>(&self, x: f64, serializer: S) -> Result<S::Ok, S::Error> {
        let narrow = x as f32;
        if matches!(self.data_type, Some(DataType::Float(_))) && f64::from(narrow) == x {
            serializer.serialize_f32(narrow)
        } else {
            serializer.serialize_f64(x)
        }
    }

    fn element(&self, value: &'a Value) -> Typed<'a> {
        let data_type = match self.data_type {
            Some(DataType::Array { item, .. }) => Some(&**item),
            _ => None,
        };
        Typed { value, data_type }
    }

    fn field(&self, name: &str, value: &'a Value) -> Typed<'a> {
        match self.data_type {
            Some(DataType::Struct(fields)) => Typed::among(fields, name, value),
            _ => Typed { value, data_type: None },
        }
    }

    /// The value of the field of this name.
    fn among(fields: &'a [Field], name: &str, value: &'a Value) -> Typed<'a> {
        let field = fields.iter().find(|field| *field.identifier == *name);
        Typed { value, data_type: field.map(|field| &field.data_type) }
    }
}

/// Values by name, as an object.
pub(super) struct Named<'a> {
    pub(super) values: &'a [(Arc<str>, Value)],
    pub(super) fields: &'a [Field],
}

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.values.iter().map(|(name, value)| (name, Typed::among(self.fields, name, value))))
    }
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
