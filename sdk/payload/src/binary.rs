//! Values in bytes.

use crate::{Kind, Order};
use edgeway_sdk::{Quality, Value};
use half::f16;

/// Where in the bytes, and as what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) offset: usize,
    /// Of `bit`: 0 is the least significant.
    pub(crate) bit: u8,
    pub(crate) kind: Kind,
    pub(crate) order: Order,
    /// Of `string` and `bytes`; `None`: to the end.
    pub(crate) length: Option<usize>,
}

impl Layout {
    /// The value; bad if the bytes end before it does.
    pub(crate) fn read(self, bytes: &[u8]) -> (Value, Quality) {
        let rest = bytes.get(self.offset..).unwrap_or_default();
        let length = width(self.kind).or(self.length).unwrap_or(rest.len());
        let Some(bytes) = rest.get(..length).filter(|bytes| !bytes.is_empty()) else {
            return (Value::Null, Quality::Bad);
        };
        match self.value(bytes) {
            Some(Value::Float(number)) if !number.is_finite() => (Value::Null, Quality::BadOutOfRange),
            Some(value) => (value, Quality::Good),
            None => (Value::Null, Quality::BadOutOfRange),
        }
    }

    fn value(self, bytes: &[u8]) -> Option<Value> {
        Some(match self.kind {
            Kind::Bit => Value::Bool(bytes[0] >> self.bit & 1 == 1),
            Kind::F16 => Value::Float(f16::from_bits(self.unsigned(bytes) as u16).to_f64()),
            Kind::F32 => Value::Float(f32::from_bits(self.unsigned(bytes) as u32).into()),
            Kind::F64 => Value::Float(f64::from_bits(self.unsigned(bytes))),
            Kind::String => Value::Text(std::str::from_utf8(bytes).ok()?.trim_end_matches(['\0', ' ']).into()),
            Kind::Bytes => Value::Bytes(bytes.into()),
            kind if is_signed(kind) => {
                let unused = 64 - 8 * bytes.len() as u32;
                Value::Int((self.unsigned(bytes) << unused) as i64 >> unused)
            }
            _ => Value::Int(i64::try_from(self.unsigned(bytes)).ok()?),
        })
    }

    fn unsigned(self, bytes: &[u8]) -> u64 {
        let push = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        match self.order {
            Order::Big => bytes.iter().fold(0, push),
            Order::Little => bytes.iter().rev().fold(0, push),
        }
    }

    /// The bytes of a value.
    ///
    /// # Errors
    /// Why it does not fit.
    pub(crate) fn write(self, value: &Value) -> Result<Vec<u8>, String> {
        let unfit = || format!("{value} does not fit into {:?}", self.kind).to_lowercase();
        match (self.kind, value) {
            (Kind::String, Value::Text(text)) => self.filled(text.as_bytes().to_vec()).ok_or_else(unfit),
            (Kind::Bytes, Value::Bytes(bytes)) => self.filled(bytes.to_vec()).ok_or_else(unfit),
            (Kind::F16, value) => {
                let number = value.as_f64().map(f16::from_f64).filter(|n| n.is_finite()).ok_or_else(unfit)?;
                Ok(self.bytes(number.to_bits().into(), 2))
            }
            (Kind::F32, value) => {
                let number = value.as_f64().map(|n| n as f32).filter(|n| n.is_finite()).ok_or_else(unfit)?;
                Ok(self.bytes(number.to_bits().into(), 4))
            }
            (Kind::F64, value) => value.as_f64().map(|n| self.bytes(n.to_bits(), 8)).ok_or_else(unfit),
            (kind, value) => {
                let length = width(kind).ok_or_else(unfit)?;
                let number = whole(value).filter(|n| within(*n, kind, length)).ok_or_else(unfit)?;
                Ok(self.bytes(number as u64, length))
            }
        }
    }

    fn bytes(self, number: u64, length: usize) -> Vec<u8> {
        match self.order {
            Order::Big => number.to_be_bytes()[8 - length..].to_vec(),
            Order::Little => number.to_le_bytes()[..length].to_vec(),
        }
    }

    /// With zeros up to the length; `None` if it is longer.
    fn filled(self, mut bytes: Vec<u8>) -> Option<Vec<u8>> {
        let length = self.length.unwrap_or(bytes.len());
        if bytes.len() > length {
            return None;
        }
        bytes.resize(length, 0);
        Some(bytes)
    }
}

/// How many bytes a kind takes; `None` if that is not in its name.
pub(crate) fn width(kind: Kind) -> Option<usize> {
    Some(match kind {
        Kind::U8 | Kind::I8 | Kind::Bit => 1,
        Kind::U16 | Kind::I16 | Kind::F16 => 2,
        Kind::U24 | Kind::I24 => 3,
        Kind::U32 | Kind::I32 | Kind::F32 => 4,
        Kind::U64 | Kind::I64 | Kind::F64 => 8,
        _ => return None,
    })
}

fn is_signed(kind: Kind) -> bool {
    matches!(kind, Kind::I8 | Kind::I16 | Kind::I24 | Kind::I32 | Kind::I64)
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Bool(on) => Some((*on).into()),
        // 2^63 is the first that does not fit.
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 9.2e18 => Some(*number as i64),
        _ => None,
    }
}

fn within(number: i64, kind: Kind, length: usize) -> bool {
    let bits = 8 * length as u32;
    match is_signed(kind) {
        true => bits == 64 || (-(1_i64 << (bits - 1))..1_i64 << (bits - 1)).contains(&number),
        false => number >= 0 && (bits == 64 || number >> bits == 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(kind: Kind, order: Order) -> Layout {
        Layout { offset: 0, bit: 0, kind, order, length: None }
    }

    #[test]
    fn golden_values() {
        use Kind as K;
        use Order::{Big, Little};
        for (kind, order, bytes, value) in [
            (K::U8, Big, &[0xff][..], Value::Int(255)),
            (K::I8, Big, &[0xff], Value::Int(-1)),
            (K::U16, Big, &[1, 2], Value::Int(258)),
            (K::I16, Little, &[0xfe, 0xff], Value::Int(-2)),
            (K::U24, Little, &[1, 2, 3], Value::Int(0x03_0201)),
            (K::I24, Big, &[0xff, 0xff, 0xfd], Value::Int(-3)),
            (K::U32, Little, &[1, 0, 0, 0x80], Value::Int(0x8000_0001)),
            (K::I64, Big, &[0xff; 8], Value::Int(-1)),
            (K::F16, Big, &[0x3c, 0], Value::Float(1.0)),
            (K::F32, Little, &[0, 0, 0x48, 0x41], Value::Float(12.5)),
            (K::F64, Big, &[0x40, 0x29, 0, 0, 0, 0, 0, 0], Value::Float(12.5)),
            (K::String, Big, b"ab\0 \0", Value::from("ab")),
            (K::Bytes, Big, &[1, 0xab], Value::Bytes([1, 0xab].into())),
        ] {
            let layout = layout(kind, order);
            assert_eq!(layout.read(bytes), (value.clone(), Quality::Good), "{kind:?}");
            if kind != K::String {
                assert_eq!(layout.write(&value).as_deref(), Ok(bytes), "{kind:?}");
            }
        }
    }

    #[test]
    fn bits_offsets_and_lengths() {
        let bytes = [0, 0b1000, b'x', b'y', b'z'];
        let at = |offset, bit, kind, length| Layout { offset, bit, kind, order: Order::Big, length }.read(&bytes).0;
        assert_eq!(at(1, 3, Kind::Bit, None), Value::Bool(true));
        assert_eq!(at(1, 2, Kind::Bit, None), Value::Bool(false));
        assert_eq!(at(2, 0, Kind::String, Some(2)), Value::from("xy"));
        assert_eq!(at(2, 0, Kind::String, None), Value::from("xyz"));
    }

    #[test]
    fn bytes_that_end_too_early_are_bad() {
        for (kind, offset) in [(Kind::U16, 4), (Kind::U8, 5), (Kind::U8, usize::MAX), (Kind::String, 5), (Kind::F64, 0)]
        {
            let layout = Layout { offset, ..layout(kind, Order::Big) };
            assert_eq!(layout.read(&[0; 5]), (Value::Null, Quality::Bad), "{kind:?} at {offset}");
        }
    }

    #[test]
    fn what_is_no_number_is_out_of_range() {
        let nan = f32::NAN.to_bits().to_be_bytes();
        assert_eq!(layout(Kind::F32, Order::Big).read(&nan).1, Quality::BadOutOfRange);
        assert_eq!(layout(Kind::U64, Order::Big).read(&[0xff; 8]).1, Quality::BadOutOfRange);
        assert_eq!(layout(Kind::String, Order::Big).read(&[0xff]).1, Quality::BadOutOfRange);
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        for (kind, value) in [
            (Kind::U8, Value::Int(256)),
            (Kind::U8, Value::Int(-1)),
            (Kind::I8, Value::Int(128)),
            (Kind::I24, Value::Int(1 << 23)),
            (Kind::U16, Value::Float(1.5)),
            (Kind::F16, Value::Int(70_000)),
            (Kind::F32, Value::Float(1e300)),
            (Kind::U64, Value::Float(1e19)),
            (Kind::String, Value::Int(1)),
        ] {
            assert!(layout(kind, Order::Big).write(&value).is_err(), "{kind:?} {value}");
        }
        let error = layout(Kind::U8, Order::Big).write(&Value::Int(300)).expect_err("too large");
        assert_eq!(error, "300 does not fit into u8");
        assert_eq!(layout(Kind::I8, Order::Big).write(&Value::Int(-128)), Ok(vec![0x80]));
    }
}
