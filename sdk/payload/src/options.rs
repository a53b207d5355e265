//! The keys of a point that say where its value is in a payload.

use crate::Format;
use edgeway_sdk::Json;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The mapping keys of a point. A driver has keys of the same names among its own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// `at`: where. A path in JSON and CBOR (`$.a.b[0]`, of which `$.` may be left out), the name of a SenML record, the first byte
    /// in binary (`4`, or `4.3` for its bit 3); none for the whole.
    pub at: Option<String>,
    /// `format`.
    pub format: Format,
    /// `type`: what is taken from there.
    pub kind: Kind,
    /// `order` of bytes, in binary. Default: big.
    pub order: Option<Order>,
    /// `length` in bytes, of `string` and `bytes` in binary. Default: to the end.
    pub length: Option<u32>,
    /// `map`: the device's words and the values that they stand for, `{ ON = true, OFF = false }`. A word that is not in it is bad.
    pub map: BTreeMap<String, Json>,
    /// `time`: the path of the source time in JSON and CBOR. SenML has its own.
    pub time: Option<String>,
    /// `time_unit`: how that is written.
    pub time_unit: TimeUnit,
    /// `quality`: the path of a quality in JSON and CBOR. A value whose payload has none there is uncertain.
    pub quality: Option<String>,
    /// `payload`: the text that sets the value, with `{value}` for it. Default: what `at` and the format say.
    pub payload: Option<String>,
}

/// What is taken from a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// What is there, as it is
    #[default]
    Auto,
    /// A number, also one that is written as text
    Number,
    /// true or false, also as text or as 1 and 0
    Bool,
    /// Text; a number is written out
    Text,
    /// Everything that the path selects, in a list
    Array,
    /// Binary: unsigned, 1 byte
    U8,
    /// Binary: signed, 1 byte
    I8,
    /// Binary: unsigned, 2 bytes
    U16,
    /// Binary: signed, 2 bytes
    I16,
    /// Binary: unsigned, 3 bytes
    U24,
    /// Binary: signed, 3 bytes
    I24,
    /// Binary: unsigned, 4 bytes
    U32,
    /// Binary: signed, 4 bytes
    I32,
    /// Binary: unsigned, 8 bytes
    U64,
    /// Binary: signed, 8 bytes
    I64,
    /// Binary: floating point, 2 bytes
    F16,
    /// Binary: floating point, 4 bytes
    F32,
    /// Binary: floating point, 8 bytes
    F64,
    /// Binary: UTF-8, without zeros and spaces at the end
    String,
    /// Binary: as they are
    Bytes,
    /// Binary: one bit
    Bit,
}

/// The order of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// The most significant first
    #[default]
    Big,
    /// The least significant first
    Little,
}

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TimeUnit {
    /// Text, 2026-11-23T09:00:00.5Z
    #[default]
    Rfc3339,
    /// Seconds since 1970, perhaps with a fraction
    S,
    /// Milliseconds since 1970
    Ms,
    /// Microseconds since 1970
    Us,
    /// Nanoseconds since 1970
    Ns,
}

impl Kind {
    /// True for those that only binary payloads have.
    pub(crate) fn is_binary(self) -> bool {
        !matches!(self, Kind::Auto | Kind::Number | Kind::Bool | Kind::Text | Kind::Array)
    }
}
