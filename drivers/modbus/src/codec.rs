//! Registers to values and back. Pure.

mod order;

pub(crate) use order::Order;

use edgeway_sdk::{Quality, Value};
use std::ops::RangeInclusive;

/// Bits are counted from 0, the least significant, to 15.
pub(crate) const BITS_IN_REGISTER: u8 = 16;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One bit of a register; 0 for a coil or a discrete input, which is nothing but a bit.
    Bit(u8),
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
    /// UTF-8, two bytes in each register, padded with NUL.
    Text {
        registers: u16,
    },
}

impl Kind {
    /// How many registers the value takes; for a coil or a discrete input, how many of those.
    pub(crate) fn registers(self) -> u16 {
        match self {
            Kind::Bit(_) | Kind::I16 | Kind::U16 => 1,
            Kind::I32 | Kind::U32 | Kind::F32 => 2,
            Kind::I64 | Kind::U64 | Kind::F64 => 4,
            Kind::Text { registers } => registers,
        }
    }

    /// The bytes that a byte order has to name. Text is in order except for the two bytes of a register.
    fn ordered_bytes(self) -> usize {
        match self {
            Kind::Text { .. } => 2,
            other => usize::from(other.registers()) * 2,
        }
    }
}

/// How a value lies in its registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) kind: Kind,
    pub(crate) order: Order,
}

/// Reads a value from exactly the registers that it takes. What does not fit a [`Value`] is null and out of range;
/// text that is not UTF-8 is uncertain.
pub(crate) fn decode(registers: &[u16], Format { kind, order }: Format) -> (Value, Quality) {
    let number = || order.number(registers);
    let value = match kind {
        Kind::Bit(bit) => Value::Bool(number() >> bit & 1 == 1),
        Kind::I16 => Value::Int((number() as i16).into()),
        Kind::U16 | Kind::U32 => Value::Int(number() as i64),
        Kind::I32 => Value::Int((number() as i32).into()),
        Kind::I64 => Value::Int(number() as i64),
        Kind::U64 => i64::try_from(number()).map_or(Value::Null, Value::Int),
        Kind::F32 => finite(f32::from_bits(number() as u32).into()),
        Kind::F64 => finite(f64::from_bits(number())),
        Kind::Text { .. } => return text(&order.bytes(registers)),
    };
    let quality = if value == Value::Null { Quality::BadOutOfRange } else { Quality::Good };
    (value, quality)
}

fn finite(number: f64) -> Value {
    if number.is_finite() { Value::Float(number) } else { Value::Null }
}

fn text(bytes: &[u8]) -> (Value, Quality) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let trimmed = bytes[..end].trim_ascii_end();
    let quality = if std::str::from_utf8(trimmed).is_ok() { Quality::Good } else { Quality::Uncertain };
    (Value::Text(String::from_utf8_lossy(trimmed).into()), quality)
}

/// The registers that hold a value. For [`Kind::Bit`] see [`bit`] and [`with_bit`].
///
/// # Errors
/// Why the value cannot be held, for the operator.
pub(crate) fn encode(value: &Value, Format { kind, order }: Format) -> Result<Vec<u16>, String> {
    let whole = |name, range| whole(value, name, range).map(|number| order.registers(number as u64, kind.registers()));
    match kind {
        Kind::Bit(at) => Ok(vec![with_bit(0, at, order, bit(value)?)]),
        Kind::I16 => whole("i16", i16::MIN.into()..=i16::MAX.into()),
        Kind::U16 => whole("u16", 0..=u16::MAX.into()),
        Kind::I32 => whole("i32", i32::MIN.into()..=i32::MAX.into()),
        Kind::U32 => whole("u32", 0..=u32::MAX.into()),
        Kind::I64 => whole("i64", i64::MIN..=i64::MAX),
        Kind::U64 => whole("u64", 0..=i64::MAX),
        Kind::F32 => Ok(order.registers(single(value)?.to_bits().into(), 2)),
        Kind::F64 => Ok(order.registers(number(value)?.to_bits(), 4)),
        Kind::Text { registers } => padded(value, registers, order),
    }
}

/// The value as one bit: a bool, or the whole numbers 0 and 1.
///
/// # Errors
/// If it is neither.
pub(crate) fn bit(value: &Value) -> Result<bool, String> {
    match (value, value.as_f64()) {
        (Value::Bool(on), _) => Ok(*on),
        (_, Some(0.0)) => Ok(false),
        (_, Some(1.0)) => Ok(true),
        _ => Err(format!("`{value}` is not a bool")),
    }
}

/// The register with one of its bits set or cleared.
pub(crate) fn with_bit(register: u16, at: u8, order: Order, on: bool) -> u16 {
    let mask = order.registers(1 << at, 1)[0];
    if on { register | mask } else { register & !mask }
}

/// The value as a whole number. A fraction is rounded: a set point that was divided by its scale rarely hits a whole
/// number exactly.
fn whole(value: &Value, name: &str, range: RangeInclusive<i64>) -> Result<i64, String> {
    let number = match value {
        Value::Int(number) => Some(*number),
        other => other.as_f64().map(f64::round).filter(|f| (-TWO_63..TWO_63).contains(f)).map(|f| f as i64),
    };
    let fits = number.filter(|number| range.contains(number));
    fits.ok_or_else(|| format!("`{value}` does not fit {name}, {} to {}", range.start(), range.end()))
}

/// The first number past the largest `i64`.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;

fn number(value: &Value) -> Result<f64, String> {
    value.as_f64().filter(|number| number.is_finite()).ok_or_else(|| format!("`{value}` is not a finite number"))
}

fn single(value: &Value) -> Result<f32, String> {
    let number = number(value)? as f32;
    if number.is_finite() { Ok(number) } else { Err(format!("`{value}` does not fit f32")) }
}

fn padded(value: &Value, registers: u16, order: Order) -> Result<Vec<u16>, String> {
    let text = value.as_str().ok_or_else(|| format!("`{value}` is not text"))?;
    let room = usize::from(registers) * 2;
    if text.len() > room {
        return Err(format!("the text has {} bytes, but there is room for {room}", text.len()));
    }
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(room, 0);
    Ok(order.text_registers(&bytes))
}

#[cfg(test)]
mod tests;
