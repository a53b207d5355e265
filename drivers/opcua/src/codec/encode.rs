//! From values to what a server takes.

use edgeway_sdk::{Timestamp, Value};
use opcua::types::{
    Array, ByteString, DateTime, Guid, LocalizedText, NodeId, QualifiedName, StatusCode, Variant,
    VariantScalarTypeId as Scalar,
};
use std::str::FromStr;

/// From 1601 to 1970, in ticks of 100 ns.
const EPOCH_TICKS: i64 = 116_444_736_000_000_000;
const TICKS_PER_MILLISECOND: i64 = 10_000;

/// A built-in type (OPC 10000-6, 5.1.2), or one of those that stand for several.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Builtin {
    Is(Scalar),
    /// Any type: the value is sent as what it is.
    Any,
}

/// What a node holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shape {
    pub(crate) builtin: Builtin,
    /// OPC 10000-3, 5.6.2: -1 for one value, 1 and more for the dimensions of an array, others for both.
    pub(crate) rank: i32,
}

impl Builtin {
    /// The type with this number in the standard's namespace, if it is built in or stands for some that are.
    pub(crate) fn of_number(number: u32) -> Option<Builtin> {
        Some(Builtin::Is(match number {
            1 => Scalar::Boolean,
            2 => Scalar::SByte,
            3 => Scalar::Byte,
            4 => Scalar::Int16,
            5 => Scalar::UInt16,
            // An enumeration is an Int32.
            6 | 29 => Scalar::Int32,
            7 => Scalar::UInt32,
            // Whole numbers of whatever length.
            8 | 27 => Scalar::Int64,
            9 | 28 => Scalar::UInt64,
            10 => Scalar::Float,
            // Numbers of whatever kind.
            11 | 26 => Scalar::Double,
            12 => Scalar::String,
            13 => Scalar::DateTime,
            14 => Scalar::Guid,
            15 => Scalar::ByteString,
            16 => Scalar::XmlElement,
            17 => Scalar::NodeId,
            18 => Scalar::ExpandedNodeId,
            19 => Scalar::StatusCode,
            20 => Scalar::QualifiedName,
            21 => Scalar::LocalizedText,
            22 => Scalar::ExtensionObject,
            23 => Scalar::DataValue,
            24 => return Some(Builtin::Any),
            25 => Scalar::DiagnosticInfo,
            _ => return None,
        }))
    }
}

/// The value as the node takes it.
///
/// # Errors
/// Why the node cannot take it.
pub(crate) fn encode(value: &Value, shape: Shape) -> Result<Variant, String> {
    match value {
        Value::Array(_) if shape.rank == -1 => Err("the node holds one value, not an array".into()),
        Value::Array(_) => array(value, shape),
        _ if shape.rank >= 0 => Err("the node holds an array".into()),
        value => scalar(value, shape.builtin),
    }
}

fn array(value: &Value, shape: Shape) -> Result<Variant, String> {
    let mut dimensions = vec![];
    let mut flat = vec![value];
    // An array of arrays is a table if all of them are of one length.
    while let Some(Value::Array(first)) = flat.first() {
        dimensions.push(u32::try_from(first.len()).map_err(|_| "the array is too long")?);
        let length = first.len();
        let mut next = vec![];
        for entry in flat {
            match entry {
                Value::Array(entries) if entries.len() == length => next.extend(entries.iter()),
                _ => return Err("the rows of the array are not of one length".into()),
            }
        }
        flat = next;
    }
    if shape.rank > 0 && shape.rank as usize != dimensions.len() && !flat.is_empty() {
        return Err(format!("the node holds an array of {} dimensions, not {}", shape.rank, dimensions.len()));
    }
    let kind = match (shape.builtin, flat.first()) {
        (Builtin::Is(kind), _) => kind,
        (Builtin::Any, Some(first)) => natural(first)?,
        (Builtin::Any, None) => return Err("an empty array is of no type".into()),
    };
    let values = flat.into_iter().map(|value| scalar(value, Builtin::Is(kind))).collect::<Result<Vec<_>, _>>()?;
    let dimensions = (dimensions.len() > 1).then_some(dimensions);
    Ok(Variant::from(Array { value_type: kind, values, dimensions }))
}

/// What a value is by itself.
fn natural(value: &Value) -> Result<Scalar, String> {
    match value {
        Value::Bool(_) => Ok(Scalar::Boolean),
        Value::Int(_) => Ok(Scalar::Int64),
        Value::Float(_) => Ok(Scalar::Double),
        Value::Text(_) => Ok(Scalar::String),
        Value::Bytes(_) => Ok(Scalar::ByteString),
        Value::Null | Value::Array(_) | Value::Struct(_) => Err(unfit(value, "a value of a single type")),
    }
}

fn scalar(value: &Value, builtin: Builtin) -> Result<Variant, String> {
    let kind = match builtin {
        Builtin::Is(kind) => kind,
        Builtin::Any => natural(value)?,
    };
    Ok(match kind {
        Scalar::Boolean => Variant::from(boolean(value)?),
        Scalar::SByte => Variant::from(whole::<i8>(value, "a SByte")?),
        Scalar::Byte => Variant::from(whole::<u8>(value, "a Byte")?),
        Scalar::Int16 => Variant::from(whole::<i16>(value, "an Int16")?),
        Scalar::UInt16 => Variant::from(whole::<u16>(value, "a UInt16")?),
        Scalar::Int32 => Variant::from(whole::<i32>(value, "an Int32")?),
        Scalar::UInt32 => Variant::from(whole::<u32>(value, "a UInt32")?),
        Scalar::Int64 => Variant::from(whole::<i64>(value, "an Int64")?),
        Scalar::UInt64 => Variant::from(whole::<u64>(value, "a UInt64")?),
        Scalar::Float => Variant::from(float(value)?),
        Scalar::Double => Variant::from(number(value, "a Double")?),
        Scalar::String => Variant::from(text(value, "a String")?),
        Scalar::DateTime => Variant::from(date(value)?),
        Scalar::Guid => Variant::from(parsed::<Guid>(value, "a Guid")?),
        Scalar::ByteString => Variant::from(bytes(value)?),
        Scalar::NodeId => Variant::from(parsed::<NodeId>(value, "a NodeId")?),
        Scalar::StatusCode => Variant::from(StatusCode::from(whole::<u32>(value, "a StatusCode")?)),
        Scalar::QualifiedName => Variant::from(QualifiedName::new(0, text(value, "a QualifiedName")?)),
        Scalar::LocalizedText => Variant::from(LocalizedText::from(text(value, "a LocalizedText")?)),
        other => return Err(format!("a node of type {other} cannot be written by the gateway")),
    })
}

fn unfit(value: &Value, what: &str) -> String {
    format!("`{value}` is not {what}")
}

fn boolean(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(is) => Ok(*is),
        Value::Int(0) => Ok(false),
        Value::Int(1) => Ok(true),
        // The gateway has taken a scale off.
        Value::Float(number) if *number == 0.0 || *number == 1.0 => Ok(*number == 1.0),
        _ => Err(unfit(value, "a Boolean")),
    }
}

/// A whole number within the limits of its type. A fraction is rounded, as it comes of a scale that was taken off.
fn whole<T: TryFrom<i128>>(value: &Value, what: &str) -> Result<T, String> {
    let number = match value {
        Value::Bool(is) => i128::from(*is),
        Value::Int(number) => i128::from(*number),
        Value::Float(number) if number.is_finite() => number.round() as i128,
        _ => return Err(unfit(value, what)),
    };
    T::try_from(number).map_err(|_| unfit(value, what))
}

fn number(value: &Value, what: &str) -> Result<f64, String> {
    value.as_f64().filter(|number| number.is_finite()).ok_or_else(|| unfit(value, what))
}

fn float(value: &Value) -> Result<f32, String> {
    let number = number(value, "a Float")? as f32;
    if number.is_finite() { Ok(number) } else { Err(unfit(value, "a Float")) }
}

fn text<'a>(value: &'a Value, what: &str) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| unfit(value, what))
}

fn parsed<T: FromStr>(value: &Value, what: &str) -> Result<T, String> {
    text(value, what)?.parse().map_err(|_| unfit(value, what))
}

/// Milliseconds since 1970, or text as RFC 3339 has it.
fn date(value: &Value) -> Result<DateTime, String> {
    let millis: i64 = match value {
        Value::Text(text) => Timestamp::parse(text).ok_or_else(|| unfit(value, "a DateTime"))?.as_millis(),
        other => whole(other, "a DateTime")?,
    };
    let ticks = millis.checked_mul(TICKS_PER_MILLISECOND).and_then(|ticks| ticks.checked_add(EPOCH_TICKS));
    let range = 0..=DateTime::endtimes_ticks();
    ticks.filter(|ticks| range.contains(ticks)).map(DateTime::from).ok_or_else(|| unfit(value, "a DateTime"))
}

/// Bytes, or hexadecimal text, as which they are shown.
fn bytes(value: &Value) -> Result<ByteString, String> {
    let digits = match value {
        Value::Bytes(bytes) => return Ok(ByteString::from(bytes.to_vec())),
        other => text(other, "a ByteString")?.as_bytes(),
    };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(pair).collect();
    bytes.map(ByteString::from).ok_or_else(|| unfit(value, "a ByteString"))
}

#[cfg(test)]
mod tests {
    use super::super::{Layouts, read};
    use super::*;
    use proptest::prelude::*;

    fn one(kind: Scalar) -> Shape {
        Shape { builtin: Builtin::Is(kind), rank: -1 }
    }

    #[test]
    fn what_does_not_fit_is_refused_and_never_wraps() {
        for (value, kind) in [
            (Value::Int(128), Scalar::SByte),
            (Value::Int(-1), Scalar::Byte),
            (Value::Int(32768), Scalar::Int16),
            (Value::Int(65536), Scalar::UInt16),
            (Value::Int(1 << 31), Scalar::Int32),
            (Value::Int(-1), Scalar::UInt64),
            (Value::Float(1e300), Scalar::Int64),
            (Value::Float(f64::NAN), Scalar::Double),
            (Value::Float(1e39), Scalar::Float),
            (Value::Int(2), Scalar::Boolean),
            ("x".into(), Scalar::Int32),
            (Value::Int(7), Scalar::String),
            ("x".into(), Scalar::Guid),
            ("0".into(), Scalar::ByteString),
            (Value::Int(i64::MAX), Scalar::DateTime),
            (Value::Int(-20_000_000_000_000), Scalar::DateTime),
            (Value::Null, Scalar::Boolean),
        ] {
            let refused = encode(&value, one(kind));
            assert!(refused.as_ref().is_err_and(|why| why.starts_with('`')), "{value:?} as {kind}: {refused:?}");
        }
    }

    #[test]
    fn an_array_is_written_where_one_is() {
        let rank = |rank| Shape { builtin: Builtin::Is(Scalar::Int32), rank };
        let row = |values: &[i64]| Value::Array(values.iter().copied().map(Value::Int).collect());
        assert_eq!(encode(&row(&[1, 2]), rank(1)), Ok(Variant::from(vec![1_i32, 2])));
        assert_eq!(encode(&Value::Int(1), rank(1)), Err("the node holds an array".into()));
        assert_eq!(encode(&row(&[1]), rank(-1)), Err("the node holds one value, not an array".into()));
        let table = Value::Array([row(&[1, 2, 3]), row(&[4, 5, 6])].into());
        let Ok(Variant::Array(array)) = encode(&table, rank(2)) else { panic!("a table") };
        assert_eq!((array.values.len(), array.dimensions), (6, Some(vec![2, 3])));
        assert_eq!(encode(&table, rank(1)), Err("the node holds an array of 1 dimensions, not 2".into()));
        let ragged = Value::Array([row(&[1]), row(&[2, 3])].into());
        assert_eq!(encode(&ragged, rank(2)), Err("the rows of the array are not of one length".into()));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_the_same(number in any::<i64>(), float in any::<f64>(), text in "\\PC{0,8}", bytes in any::<Vec<u8>>()) {
            let millis = number.rem_euclid(200_000_000_000_000);
            let cases = [
                (Value::Int(number), Scalar::Int64),
                (Value::Int(number & i64::from(u32::MAX)), Scalar::UInt32),
                (Value::Int(millis), Scalar::DateTime),
                (Value::Float(if float.is_finite() { float } else { 0.5 }), Scalar::Double),
                (text.as_str().into(), Scalar::String),
                (Value::Bytes(bytes.into()), Scalar::ByteString),
            ];
            for (value, kind) in cases {
                let written = encode(&value, one(kind)).map_err(TestCaseError::fail)?;
                prop_assert_eq!(read::value(&written, &Layouts::default(), 0), Ok(value));
            }
        }
    }
}
