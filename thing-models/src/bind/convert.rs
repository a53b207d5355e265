//! Between a raw value and the model's type.

use super::scaling::Scaling;
use crate::check::whole_number;
use crate::model::DataType;
use edgeway_sdk::{Quality, Value};

/// The model's value, or the quality that says why there is none.
pub(super) fn to_model(data_type: &DataType, scaling: &Scaling, raw: &Value) -> Result<Value, Quality> {
    match data_type {
        DataType::Float(range) => scaled(scaling, raw).and_then(|x| within(range.holds_f32(x), Value::Float(x))),
        DataType::Double(range) => scaled(scaling, raw).and_then(|x| within(range.holds(x), Value::Float(x))),
        DataType::Int(range) => rounded(scaling, raw).and_then(|i| within(range.holds(i as f64), Value::Int(i))),
        DataType::Date => rounded(scaling, raw).map(Value::Int),
        DataType::Bool { .. } => exact(scaling, raw).and_then(|i| within(i == 0 || i == 1, Value::Bool(i == 1))),
        DataType::Enum(choices) => exact(scaling, raw).and_then(|i| within(choices.contains_key(&i), Value::Int(i))),
        DataType::Text { .. } | DataType::Struct(_) | DataType::Array { .. } => unscaled(data_type, raw),
    }
}

/// What is wrong with a raw value that is of another type.
pub(super) fn misfit(data_type: &DataType, raw: &Value) -> String {
    let wanted = match data_type {
        DataType::Float(_) | DataType::Double(_) | DataType::Int(_) => "a number",
        DataType::Date => "a date, in milliseconds since 1970",
        DataType::Bool { .. } => "true or false, or 1 or 0",
        DataType::Enum(_) => "the number of one of its words",
        DataType::Text { .. } | DataType::Struct(_) | DataType::Array { .. } => {
            return data_type.coerce(raw).err().map_or_else(String::new, |error| error.to_string());
        }
    };
    let found = match raw {
        Value::Text(_) => "a text",
        Value::Bytes(_) => "bytes",
        Value::Array(_) => "a list",
        Value::Struct(_) => "a structure",
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => "nothing",
    };
    format!("the value is {found}, and the model wants {wanted}")
}

/// The raw value for a value of the model's type.
pub(super) fn to_raw(scaling: &Scaling, value: Value) -> Value {
    match value.as_f64() {
        Some(number) if !scaling.is_identity() => {
            let raw = scaling.to_raw(number);
            whole_number(raw).map_or(Value::Float(raw), Value::Int)
        }
        _ => value,
    }
}

fn within(holds: bool, value: Value) -> Result<Value, Quality> {
    if holds { Ok(value) } else { Err(Quality::BadOutOfRange) }
}

fn scaled(scaling: &Scaling, raw: &Value) -> Result<f64, Quality> {
    let number = scaling.to_model(raw.as_f64().ok_or(Quality::Bad)?);
    if number.is_finite() { Ok(number) } else { Err(Quality::BadOutOfRange) }
}

/// Half away from zero. A whole number that needs no scaling keeps all its 64 bits.
fn rounded(scaling: &Scaling, raw: &Value) -> Result<i64, Quality> {
    match raw {
        Value::Int(i) if scaling.is_identity() => Ok(*i),
        other => whole_number(scaled(scaling, other)?.round()).ok_or(Quality::BadOutOfRange),
    }
}

/// Noise of scaling: a bool or enum this near to a whole number is one.
const NOISE: f64 = 1e-9;

/// A number that means something only if it has no fraction.
fn exact(scaling: &Scaling, raw: &Value) -> Result<i64, Quality> {
    match raw {
        Value::Bool(b) if scaling.is_identity() => Ok(i64::from(*b)),
        Value::Int(i) if scaling.is_identity() => Ok(*i),
        other => {
            let number = scaled(scaling, other)?;
            let near = (number - number.round()).abs() <= NOISE;
            whole_number(number.round()).filter(|_| near).ok_or(Quality::BadOutOfRange)
        }
    }
}

fn unscaled(data_type: &DataType, raw: &Value) -> Result<Value, Quality> {
    let quality =
        |error: crate::CheckError| if error.is_out_of_range() { Quality::BadOutOfRange } else { Quality::Bad };
    data_type.coerce(raw).map_err(quality)
}
