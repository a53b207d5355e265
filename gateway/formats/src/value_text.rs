//! Values as text, for formats without types of their own.

use crate::Unfit;
use edgeway_sdk::Value;
use edgeway_thing_models::{DataType, Typed};
use serde::Serialize;

/// As JSON, with the digits of the value's type.
pub(crate) fn json(value: &Value, data_type: Option<&DataType>) -> String {
    json_of(&Typed { value, data_type })
}

/// Whatever can be JSON, as JSON. Ours always can: its keys are text, and writing to memory does not fail.
pub(crate) fn json_of(shown: &impl Serialize) -> String {
    serde_json::to_string(shown).expect("all keys are text, and writing to memory does not fail")
}

/// As a cell of a text table: text as it is, no value as nothing, all else as JSON.
pub(crate) fn plain(value: &Value, data_type: Option<&DataType>) -> String {
    match value {
        Value::Null => String::new(),
        Value::Text(text) => text.to_string(),
        Value::Bytes(_) => json(value, data_type).trim_matches('"').to_owned(),
        _ => json(value, data_type),
    }
}

/// Adds something as JSON to a payload.
pub(crate) fn append_json(bytes: &mut Vec<u8>, shown: &impl Serialize, item: usize) -> Result<(), Unfit> {
    serde_json::to_writer(bytes, shown).map_err(|error| Unfit::new(item, format!("it cannot be JSON: {error}")))
}
