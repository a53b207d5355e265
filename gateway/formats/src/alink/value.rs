//! Values in Alink's form: a bool is 0 or 1, a date is text, a float always has a decimal point.

use edgeway_sdk::Value;
use edgeway_thing_models::{DataType, Field, Typed};
use serde::{Serialize, Serializer};

/// A value and its type, where that is known.
#[derive(Clone, Copy)]
pub(super) struct AlinkValue<'a> {
    pub(super) value: &'a Value,
    pub(super) data_type: Option<&'a DataType>,
}

impl Serialize for AlinkValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let AlinkValue { value, data_type } = *self;
        match (value, data_type) {
            (Value::Bool(b), _) => serializer.serialize_u8(u8::from(*b)),
            (Value::Int(millis), Some(DataType::Date)) => serializer.collect_str(millis),
            (Value::Int(i), Some(DataType::Float(_) | DataType::Double(_))) => serializer.serialize_f64(*i as f64),
            (Value::Array(items), _) => serializer.collect_seq(items.iter().map(|value| self.element(value))),
            (Value::Struct(fields), _) => {
                serializer.collect_map(fields.iter().map(|(name, value)| (name, self.field(name, value))))
            }
            _ => Typed { value, data_type }.serialize(serializer),
        }
    }
}

impl<'a> AlinkValue<'a> {
    fn element(&self, value: &'a Value) -> AlinkValue<'a> {
        let data_type = match self.data_type {
            Some(DataType::Array { item, .. }) => Some(&**item),
            _ => None,
        };
        AlinkValue { value, data_type }
    }

    fn field(&self, name: &str, value: &'a Value) -> AlinkValue<'a> {
        match self.data_type {
            Some(DataType::Struct(fields)) => AlinkValue::among(fields, name, value),
            _ => AlinkValue { value, data_type: None },
        }
    }

    /// The value of the field of this name.
    pub(super) fn among(fields: &'a [Field], name: &str, value: &'a Value) -> AlinkValue<'a> {
        let field = fields.iter().find(|field| *field.identifier == *name);
        AlinkValue { value, data_type: field.map(|field| &field.data_type) }
    }

    /// Whether Alink has a form for it.
    pub(super) fn is_usable(&self) -> bool {
        match self.value {
            Value::Null => false,
            Value::Float(x) => x.is_finite(),
            _ => true,
        }
    }
}
