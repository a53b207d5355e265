//! What a point or a property holds, and how far it can be trusted.

mod nesting;

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// One value, 24 bytes. Cloning never copies text or nested values.
///
/// Arrays and structs nest at most [`Value::NESTING_MAX`] levels where values are read from bytes.
///
/// Integers are signed 64-bit throughout. A device's unsigned 64-bit number above `i64::MAX` does not fit;
/// a driver reports it as [`Value::Null`] with [`Quality::BadOutOfRange`] rather than as a wrong number.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub enum Value {
    /// No value. Always together with a quality that is not good.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number; also an enum's number, and a date in milliseconds since 1970 (UTC).
    Int(i64),
    /// A number with a fraction. NaN and infinities are never good values.
    Float(f64),
    /// UTF-8 text.
    Text(Arc<str>),
    /// Raw bytes, for points that have no better type.
    Bytes(Arc<[u8]>),
    /// Values of one type, in order.
    Array(#[serde(deserialize_with = "nesting::bounded")] Arc<[Value]>),
    /// Named fields, in the order of the model.
    Struct(#[serde(deserialize_with = "nesting::bounded")] Arc<[(Arc<str>, Value)]>),
}

impl Value {
    /// Arrays and structs within each other, in levels, at most. What nests deeper is refused when it is read: the bytes
    /// of a stranger cannot exhaust the stack. A model needs two.
    pub const NESTING_MAX: usize = 32;

    /// The value as a number, if it is one (`true` is 1).
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Bool(b) => Some(f64::from(u8::from(*b))),
            Value::Int(i) => Some(*i as f64),
            Value::Float(f) => Some(*f),
            _ => None,
        }
    }

    /// The value as text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value as plain JSON: bytes become a hexadecimal string, a number that JSON cannot hold becomes `null`.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Value::Null => Json::Null,
            Value::Bool(b) => Json::Bool(*b),
            Value::Int(i) => Json::from(*i),
            Value::Float(f) => Json::from(*f),
            Value::Text(text) => Json::from(text.as_ref()),
            Value::Bytes(bytes) => Json::from(hex(bytes)),
            Value::Array(items) => items.iter().map(Value::to_json).collect(),
            Value::Struct(fields) => fields
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    /// The value that plain JSON stands for. A whole number within `i64` becomes [`Value::Int`].
    pub fn from_json(json: &serde_json::Value) -> Value {
        use serde_json::Value as Json;
        match json {
            Json::Null => Value::Null,
            Json::Bool(b) => Value::Bool(*b),
            Json::Number(n) => {
                n.as_i64().map(Value::Int).or_else(|| n.as_f64().map(Value::Float)).unwrap_or(Value::Null)
            }
            Json::String(text) => Value::Text(text.as_str().into()),
            Json::Array(items) => Value::Array(items.iter().map(Value::from_json).collect()),
            Json::Object(fields) => Value::Struct(
                fields.iter().map(|(name, value)| (name.as_str().into(), Value::from_json(value))).collect(),
            ),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("-"),
            Value::Bool(b) => b.fmt(f),
            Value::Int(i) => i.fmt(f),
            Value::Float(x) => x.fmt(f),
            Value::Text(text) => f.write_str(text),
            other => other.to_json().fmt(f),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Value::Float(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::Text(value.into())
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// How far a value can be trusted. The classes follow OPC UA: good, uncertain, bad; `Stale` is a class of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Quality {
    /// Measured now, and the device stands by it.
    #[default]
    Good,
    /// The device itself doubts it.
    Uncertain,
    /// It was good, but has not been read again for longer than it may be trusted. It keeps its source time.
    Stale,
    /// No value, for a reason not told more precisely.
    Bad,
    /// The point's configuration does not fit the device (an address that does not exist there).
    BadConfig,
    /// The device or the link is away.
    BadNotConnected,
    /// The device reports a failure of its own.
    BadDevice,
    /// The device did not answer in time.
    BadTimeout,
    /// The number does not fit: outside the model's range, NaN, infinite, or too large for its type.
    BadOutOfRange,
}

impl Quality {
    /// All of them, at the places of their numbers.
    pub const ALL: [Quality; 9] = [
        Quality::Good,
        Quality::Uncertain,
        Quality::Stale,
        Quality::Bad,
        Quality::BadConfig,
        Quality::BadNotConnected,
        Quality::BadDevice,
        Quality::BadTimeout,
        Quality::BadOutOfRange,
    ];

    /// Its number in recorded bytes: never given to another one.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The quality of this number.
    pub fn from_number(number: u8) -> Option<Quality> {
        Quality::ALL.get(usize::from(number)).copied()
    }

    /// True for [`Quality::Good`] alone.
    pub fn is_good(self) -> bool {
        self == Quality::Good
    }

    /// True for every quality that comes without a usable value.
    pub fn is_bad(self) -> bool {
        self >= Quality::Bad
    }

    /// The class, as messages to the cloud and SQL show it: `good`, `uncertain`, `stale` or `bad`.
    pub fn class(self) -> &'static str {
        match self {
            Quality::Good => "good",
            Quality::Uncertain => "uncertain",
            Quality::Stale => "stale",
            _ => "bad",
        }
    }

    /// The class with its reason, `bad:timeout`.
    pub fn as_str(self) -> &'static str {
        match self {
            Quality::BadConfig => "bad:config",
            Quality::BadNotConnected => "bad:not-connected",
            Quality::BadDevice => "bad:device",
            Quality::BadTimeout => "bad:timeout",
            Quality::BadOutOfRange => "bad:out-of-range",
            other => other.class(),
        }
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_24_bytes() {
        assert_eq!(size_of::<Value>(), 24);
    }

    #[test]
    fn plain_json_survives_a_round_trip() {
        let json = serde_json::json!({"a": [1, 2.5, true, null, "x"]});
        assert_eq!(Value::from_json(&json).to_json(), json);
    }

    #[test]
    fn numbers_json_cannot_hold_become_null() {
        assert_eq!(Value::Float(f64::NAN).to_json(), serde_json::Value::Null);
        assert_eq!(Value::Bytes(vec![1, 0xab].into()).to_json(), "01ab");
    }

    #[test]
    fn a_quality_stands_at_the_place_of_its_number() {
        for quality in Quality::ALL {
            assert_eq!(Quality::from_number(quality.number()), Some(quality));
        }
        assert_eq!(Quality::from_number(9), None);
    }

    #[test]
    fn only_bad_qualities_are_bad() {
        assert!(!Quality::Stale.is_bad() && !Quality::Uncertain.is_bad() && Quality::BadTimeout.is_bad());
    }
}
