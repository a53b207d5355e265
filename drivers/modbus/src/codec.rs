//! Registers to values and back. Pure.

mod bcd;
mod order;

pub(crate) use order::Order;

use crate::config::Bits;
use edgeway_sdk::{Quality, Value};
use half::f16;
use std::ops::RangeInclusive;

/// Bits are counted from 0, the least significant, to 15.
pub(crate) const BITS_IN_REGISTER: u8 = 16;
/// A scale factor beyond this is none (SunSpec Information Model Specification, "sunssf").
const EXPONENT_MAX: i16 = 10;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Some bits of a register; bit 0 for a coil or a discrete input, which is nothing but a bit.
    Bits(Bits),
    /// Half a register.
    I8(Half),
    U8(Half),
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F16,
    F32,
    F64,
    /// Four decimal digits in each register.
    Bcd {
        registers: u16,
    },
    /// UTF-8, two bytes in each register, padded with NUL.
    Text {
        registers: u16,
    },
}

/// Which byte of a register.
#[derive(serde::Deserialize, serde::Serialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Half {
    /// The more significant one.
    High,
    /// The less significant one.
    Low,
}

impl Kind {
    /// How many registers the value takes; for a coil or a discrete input, how many of those.
    pub(crate) fn registers(self) -> u16 {
        match self {
            Kind::Bits(_) | Kind::I8(_) | Kind::U8(_) | Kind::I16 | Kind::U16 | Kind::F16 => 1,
            Kind::I32 | Kind::U32 | Kind::F32 => 2,
            Kind::I64 | Kind::U64 | Kind::F64 => 4,
            Kind::Bcd { registers } | Kind::Text { registers } => registers,
        }
    }

    /// The bytes that a byte order has to name. Text is in order except for the two bytes of a register.
    fn ordered_bytes(self) -> usize {
        match self {
            Kind::Text { .. } => 2,
            other => usize::from(other.registers()) * 2,
        }
    }

    /// True if the value is a part of a register, whose other bits are somebody else's.
    pub(crate) fn is_part(self) -> bool {
        matches!(self, Kind::Bits(_) | Kind::I8(_) | Kind::U8(_))
    }

    /// True if the value is a whole number.
    pub(crate) fn is_whole(self) -> bool {
        !matches!(self, Kind::F16 | Kind::F32 | Kind::F64 | Kind::Text { .. })
            && !matches!(self, Kind::Bits(bits) if bits.low == bits.high)
    }

    /// Which bits of a register the value takes: the lowest, and how many.
    fn part(self) -> (u8, u8) {
        match self {
            Kind::Bits(bits) => (bits.low, bits.high - bits.low + 1),
            Kind::I8(Half::High) | Kind::U8(Half::High) => (8, 8),
            Kind::I8(Half::Low) | Kind::U8(Half::Low) => (0, 8),
            _ => (0, BITS_IN_REGISTER),
        }
    }
}

/// How a value lies in its registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) kind: Kind,
    pub(crate) order: Order,
    /// The number that stands for no value.
    pub(crate) absent: Option<i64>,
}

/// Reads a value from exactly the registers that it takes, as they come over the wire. What does not fit a [`Value`] is
/// null and out of range; text that is not UTF-8 is uncertain.
pub(crate) fn decode(registers: &[u8], Format { kind, order, absent }: Format) -> (Value, Quality) {
    let number = || order.number(registers);
    let part = || {
        let (low, count) = kind.part();
        number() >> low & ((1 << count) - 1)
    };
    let value = match kind {
        Kind::Bits(Bits { low, high }) if low == high => Value::Bool(part() == 1),
        Kind::Bits(_) | Kind::U8(_) => Value::Int(part() as i64),
        Kind::I8(_) => Value::Int((part() as i8).into()),
        Kind::I16 => Value::Int((number() as i16).into()),
        Kind::U16 | Kind::U32 => Value::Int(number() as i64),
        Kind::I32 => Value::Int((number() as i32).into()),
        Kind::I64 => Value::Int(number() as i64),
        Kind::U64 => i64::try_from(number()).map_or(Value::Null, Value::Int),
        Kind::F16 => finite(f16::from_bits(number() as u16).into()),
        Kind::F32 => finite(f32::from_bits(number() as u32).into()),
        Kind::F64 => finite(f64::from_bits(number())),
        Kind::Bcd { registers } => bcd::decode(number(), registers).map_or(Value::Null, Value::Int),
        Kind::Text { .. } => return text(&order.bytes(registers)),
    };
    match value {
        Value::Null => (Value::Null, Quality::BadOutOfRange),
        Value::Int(number) if absent == Some(number) => (Value::Null, Quality::Bad),
        value => (value, Quality::Good),
    }
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

/// The power of ten that a device keeps in a register of its own for another value; `None` if it is none.
pub(crate) fn exponent(register: &[u8]) -> Option<i32> {
    let exponent = i16::from_be_bytes(register.try_into().ok()?);
    (-EXPONENT_MAX..=EXPONENT_MAX).contains(&exponent).then(|| exponent.into())
}

/// A number times a power of ten. A whole number stays one where it can.
pub(crate) fn scaled(value: &Value, exponent: i32) -> Value {
    let power = 10_i64.pow(exponent.unsigned_abs());
    match (value, exponent >= 0) {
        (Value::Int(number), true) => number.checked_mul(power).map_or(Value::Null, Value::Int),
        (value, true) => value.as_f64().map_or(Value::Null, |number| finite(number * power as f64)),
        (value, false) => value.as_f64().map_or(Value::Null, |number| finite(number / power as f64)),
    }
}

/// The registers that hold a value. What else is in a register that holds it as a part is 0; see [`change`].
///
/// # Errors
/// Why the value cannot be held, for the operator.
pub(crate) fn encode(value: &Value, format: Format) -> Result<Vec<u16>, String> {
    let Format { kind, order, .. } = format;
    let whole = |name, range| whole(value, name, range).map(|number| order.registers(number as u64, kind.registers()));
    match kind {
        Kind::Bits(_) | Kind::I8(_) | Kind::U8(_) => Ok(vec![change(value, format)?.of(0)]),
        Kind::I16 => whole("i16", i16::MIN.into()..=i16::MAX.into()),
        Kind::U16 => whole("u16", 0..=u16::MAX.into()),
        Kind::I32 => whole("i32", i32::MIN.into()..=i32::MAX.into()),
        Kind::U32 => whole("u32", 0..=u32::MAX.into()),
        Kind::I64 => whole("i64", i64::MIN..=i64::MAX),
        Kind::U64 => whole("u64", 0..=i64::MAX),
        Kind::F16 => Ok(order.registers(half_float(value)?.to_bits().into(), 1)),
        Kind::F32 => Ok(order.registers(single(value)?.to_bits().into(), 2)),
        Kind::F64 => Ok(order.registers(number(value)?.to_bits(), 4)),
        Kind::Bcd { registers } => {
            let number = self::whole(value, &format!("bcd{}", registers * 16), 0..=bcd::most(registers))?;
            Ok(order.registers(bcd::encode(number), registers))
        }
        Kind::Text { registers } => padded(value, registers, order),
    }
}

/// Some bits of a register, and what they shall be. On the wire: the register's bytes are swapped where the order says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) mask: u16,
    pub(crate) bits: u16,
}

impl Change {
    /// The register after the change.
    pub(crate) fn of(self, register: u16) -> u16 {
        register & !self.mask | self.bits
    }
}

/// How a register changes that holds a value as a part of it.
///
/// # Errors
/// Why the value cannot be held, for the operator.
pub(crate) fn change(value: &Value, Format { kind, order, .. }: Format) -> Result<Change, String> {
    let (low, count) = kind.part();
    let mask = ((1_u64 << count) - 1) << low;
    let number = match kind {
        Kind::Bits(Bits { low, high }) if low == high => bit(value)?.into(),
        Kind::I8(_) => whole(value, "i8", i8::MIN.into()..=i8::MAX.into())?,
        Kind::U8(_) => whole(value, "u8", 0..=u8::MAX.into())?,
        _ => whole(value, &format!("{count} bits"), 0..=(1 << count) - 1)?,
    };
    let register = |number| order.registers(number, 1)[0];
    Ok(Change { mask: register(mask), bits: register((number as u64) << low & mask) })
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

fn half_float(value: &Value) -> Result<f16, String> {
    let number = f16::from_f64(number(value)?);
    if number.is_finite() { Ok(number) } else { Err(format!("`{value}` does not fit f16")) }
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
