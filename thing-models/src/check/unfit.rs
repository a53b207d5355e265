//! What can be wrong with a value.

use edgeway_sdk::Value;
use std::fmt;

/// What is wrong with a value; reads on after its name: `is 5000 kW, above its maximum of 3000 kW`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Unfit {
    /// It has another type.
    Type {
        /// The value, as a person would write it.
        found: String,
        /// What it should be: `a whole number`.
        wanted: &'static str,
    },
    /// It is larger than the maximum.
    Above {
        /// The value with its unit.
        found: String,
        /// The maximum with its unit.
        limit: String,
    },
    /// It is smaller than the minimum.
    Below {
        /// The value with its unit.
        found: String,
        /// The minimum with its unit.
        limit: String,
    },
    /// It is none of an enum's values.
    Choice {
        /// The value, as a person would write it.
        found: String,
        /// What there is to choose from.
        choices: String,
    },
    /// It is too long a text.
    Long {
        /// Its length in bytes.
        bytes: usize,
        /// The most bytes.
        bytes_max: usize,
    },
    /// It is a list of too many elements.
    Many {
        /// How many.
        count: usize,
        /// The most elements.
        count_max: usize,
    },
}

impl Unfit {
    /// True if the type is right and a limit is not kept.
    pub fn is_out_of_range(&self) -> bool {
        !matches!(self, Unfit::Type { .. })
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfit::Type { found, wanted } => write!(f, "is {found}, not {wanted}"),
            Unfit::Above { found, limit } => write!(f, "is {found}, above its maximum of {limit}"),
            Unfit::Below { found, limit } => write!(f, "is {found}, below its minimum of {limit}"),
            Unfit::Choice { found, choices } => write!(f, "is {found}, which is not one of {choices}"),
            Unfit::Long { bytes, bytes_max } => write!(f, "is {bytes} bytes long, above its maximum of {bytes_max}"),
            Unfit::Many { count, count_max } => write!(f, "has {count} elements, above its maximum of {count_max}"),
        }
    }
}

/// The value as a person would write it.
pub(super) fn written(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Text(text) => format!("\"{text}\""),
        other => other.to_string(),
    }
}
