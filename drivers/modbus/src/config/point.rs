//! A point's options.

use super::{Address, Bits, REGISTERS_MAX, WRITE_REGISTERS_MAX, within};
use crate::codec::{Format, Half, Kind, Order};
use edgeway_sdk::{Access, Json, Place, Problem, options};

/// A point's options, checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    pub(crate) address: Address,
    kind: Kind,
    /// Set if the point does not follow its device.
    order: Option<Order>,
    /// The register of the same table that holds the power of ten of the value.
    pub(crate) exponent: Option<u16>,
    absent: Option<i64>,
}

/// A point's options, as written.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Modbus point")]
pub(crate) struct Written {
    /// `holding:100`, `input:3`, `coil:7` or `discrete:2`, counted from 0; or a PLC address, `40101`, counted from 1; with `.4` or `.2-4` for bits of a register
    at: String,
    /// What the value is. Default: u16, for bits bool
    #[serde(rename = "type")]
    value_type: Option<ValueType>,
    /// The byte order, named for exactly the bytes of the value. Default: the device's
    order: Option<String>,
    /// Of a string, in registers of two bytes, 1 to 125 (written: 123)
    length: Option<i64>,
    /// Of i8 and u8: which byte of the register
    byte: Option<Half>,
    /// The register that holds the power of ten of the value, as SunSpec has it
    exponent: Option<String>,
    /// The number that stands for no value, as SunSpec has it
    absent: Option<i64>,
}

/// The words of `type`.
#[derive(serde::Deserialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum ValueType {
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F16,
    F32,
    F64,
    Bcd16,
    Bcd32,
    Bcd64,
    String,
}

impl Point {
    /// Reads a point's table.
    ///
    /// # Errors
    /// All mistakes found.
    pub(crate) fn parse(options: &Json, access: Access) -> Result<Self, Vec<Problem>> {
        let written: Written = options::parse(options).map_err(|problem| vec![problem])?;
        let mut problems = vec![];
        let length = length(&written, access, &mut problems);
        let point = Address::parse(&written.at).and_then(|address| {
            problems.extend(access_problem(address, access));
            let kind = kind(address, &written, length)?;
            problems.extend(end_problem(address, kind));
            let order = written.order.as_deref().map(|text| order(text, address, kind)).transpose()?;
            let exponent = written.exponent.as_deref().map(|text| exponent(text, address, kind)).transpose()?;
            if written.absent.is_some() && !kind.is_whole() {
                problems.push(Problem::key("absent", "only a whole number has one that stands for none"));
            }
            Ok(Point { address, kind, order, exponent, absent: written.absent })
        });
        match point {
            Ok(point) if problems.is_empty() => Ok(point),
            Ok(_) => Err(problems),
            Err(problem) => {
                problems.push(problem);
                Err(problems)
            }
        }
    }

    /// How the value lies in its registers.
    pub(crate) fn format(&self, device: Order) -> Format {
        Format { kind: self.kind, order: self.order.unwrap_or(device), absent: self.absent }
    }
}

/// The length of a text in registers. Anything that is wrong with it is noted, and 1 taken to go on with.
fn length(written: &Written, access: Access, problems: &mut Vec<Problem>) -> u16 {
    let most = if access.writes() { WRITE_REGISTERS_MAX } else { REGISTERS_MAX };
    match (written.value_type, written.length) {
        (Some(ValueType::String), Some(length)) => within("length", length, 1..=most, problems),
        (Some(ValueType::String), None) => {
            problems.push(
                Problem::key("length", "a string needs its length").help("`length = 8` is 8 registers, 16 bytes"),
            );
            1
        }
        (_, Some(_)) => {
            problems.push(
                Problem::key("length", "only a string has a length")
                    .help("remove `length`, or set `type = \"string\"`"),
            );
            1
        }
        (_, None) => 1,
    }
}

fn access_problem(address: Address, access: Access) -> Option<Problem> {
    use super::Table::{Coil, Discrete, Holding, Input};
    let instead = match address.table {
        Input => "holding",
        Discrete => "coil",
        Coil | Holding => return None,
    };
    let problem = || Problem::key("at", format!("{} cannot be written", address.table.entry()));
    access.writes().then(|| problem().help(format!("use `{instead}`, or make the point read-only")))
}

fn kind(address: Address, written: &Written, length: u16) -> Result<Kind, Problem> {
    use ValueType::{Bcd16, Bcd32, Bcd64, Bool, F16, F32, F64, I8, I16, I32, I64, String, U8, U16, U32, U64};
    let byte = half(written)?;
    if address.table.holds_bits() || address.bits.is_some() {
        return bits(address, written);
    }
    Ok(match written.value_type {
        Some(Bool) => {
            let message = format!("`{}` is a whole register, not a bool", written.at);
            return Err(Problem::key("type", message).help(format!("name its bit, `{}.0`", written.at)));
        }
        None | Some(U16) => Kind::U16,
        Some(I8) => Kind::I8(byte),
        Some(U8) => Kind::U8(byte),
        Some(I16) => Kind::I16,
        Some(I32) => Kind::I32,
        Some(U32) => Kind::U32,
        Some(I64) => Kind::I64,
        Some(U64) => Kind::U64,
        Some(F16) => Kind::F16,
        Some(F32) => Kind::F32,
        Some(F64) => Kind::F64,
        Some(Bcd16) => Kind::Bcd { registers: 1 },
        Some(Bcd32) => Kind::Bcd { registers: 2 },
        Some(Bcd64) => Kind::Bcd { registers: 4 },
        Some(String) => Kind::Text { registers: length },
    })
}

/// Which byte of its register a value is, for a value that is one.
fn half(written: &Written) -> Result<Half, Problem> {
    let is_byte = matches!(written.value_type, Some(ValueType::I8 | ValueType::U8));
    match written.byte {
        Some(half) if is_byte => Ok(half),
        Some(_) => Err(Problem::key("byte", "only i8 and u8 are a byte of a register").help("remove `byte`")),
        None if is_byte => Err(Problem::key("byte", "a register has two bytes").help("`high` or `low`")),
        None => Ok(Half::Low),
    }
}

fn bits(address: Address, written: &Written) -> Result<Kind, Problem> {
    let bits = address.bits.unwrap_or(Bits { low: 0, high: 0 });
    let wrong = |message: String| Err(Problem::key("type", message).help("remove `type`"));
    match written.value_type {
        None => Ok(Kind::Bits(bits)),
        Some(ValueType::Bool) if bits.low == bits.high => Ok(Kind::Bits(bits)),
        Some(_) if bits.low == bits.high => wrong(format!("`{}` is one bit, which only a bool holds", written.at)),
        Some(_) => wrong(format!("`{}` is some bits, which are a whole number from 0", written.at)),
    }
}

/// The number of the register with the power of ten.
fn exponent(text: &str, address: Address, kind: Kind) -> Result<u16, Problem> {
    let problem = |message: String| Problem::key("exponent", message);
    let at = Address::parse(text).map_err(|wrong| Problem { place: Place::Key("exponent".into()), ..wrong })?;
    if matches!(kind, Kind::Text { .. } | Kind::Bits(_)) {
        return Err(problem("only a number has a power of ten".into()).help("remove `exponent`"));
    }
    if at.table != address.table || at.bits.is_some() {
        let message = format!("`{text}` is not read together with `{address}`");
        return Err(problem(message).help(format!("a whole register of the same table, `{}:...`", address.table)));
    }
    Ok(at.number)
}

fn end_problem(address: Address, kind: Kind) -> Option<Problem> {
    let last = u32::from(address.number) + u32::from(kind.registers()) - 1;
    let message = || format!("a value of {} registers at `{address}` ends at {last}", kind.registers());
    (last > u32::from(u16::MAX)).then(|| Problem::key("at", message()).help("the last register is 65535"))
}

fn order(text: &str, address: Address, kind: Kind) -> Result<Order, Problem> {
    if address.table.holds_bits() {
        return Err(
            Problem::key("order", format!("{} has no byte order", address.table.entry())).help("remove `order`")
        );
    }
    Order::of_value(text, kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(options: Json, access: Access) -> Vec<String> {
        Point::parse(&options, access).expect_err("wrong").iter().map(Problem::to_string).collect()
    }

    #[test]
    fn a_register_is_u16_and_a_bit_is_bool_unless_said_otherwise() {
        let kind = |at: &str| Point::parse(&json!({ "at": at }), Access::Read).expect("valid").kind;
        assert_eq!(kind("holding:1"), Kind::U16);
        assert_eq!(kind("holding:1.5"), Kind::Bits(Bits { low: 5, high: 5 }));
        assert_eq!(kind("holding:1.2-4"), Kind::Bits(Bits { low: 2, high: 4 }));
        assert_eq!(kind("coil:1"), Kind::Bits(Bits { low: 0, high: 0 }));
    }

    #[test]
    fn a_point_that_cannot_be_is_told_what_would_be_right() {
        let read = Access::Read;
        for (options, access, message) in [
            (
                json!({ "at": "input:3" }),
                Access::ReadWrite,
                "`at`: an input register cannot be written (use `holding`, or make the point read-only)",
            ),
            (
                json!({ "at": "discrete:3" }),
                Access::Write,
                "`at`: a discrete input cannot be written (use `coil`, or make the point read-only)",
            ),
            (
                json!({ "at": "coil:3", "type": "u16" }),
                read,
                "`type`: `coil:3` is one bit, which only a bool holds (remove `type`)",
            ),
            (
                json!({ "at": "holding:3.1", "type": "i32" }),
                read,
                "`type`: `holding:3.1` is one bit, which only a bool holds (remove `type`)",
            ),
            (
                json!({ "at": "40004", "type": "bool" }),
                read,
                "`type`: `40004` is a whole register, not a bool (name its bit, `40004.0`)",
            ),
            (
                json!({ "at": "holding:65535", "type": "f32" }),
                read,
                "`at`: a value of 2 registers at `holding:65535` ends at 65536 (the last register is 65535)",
            ),
            (
                json!({ "at": "holding:3", "type": "string" }),
                read,
                "`length`: a string needs its length (`length = 8` is 8 registers, 16 bytes)",
            ),
            (
                json!({ "at": "holding:3", "length": 2 }),
                read,
                "`length`: only a string has a length (remove `length`, or set `type = \"string\"`)",
            ),
            (
                json!({ "at": "holding:3", "type": "string", "length": 124 }),
                Access::ReadWrite,
                "`length`: 124 is out of range (1 to 123)",
            ),
            (json!({ "at": "coil:3", "order": "AB" }), read, "`order`: a coil has no byte order (remove `order`)"),
            (
                json!({ "at": "holding:3", "type": "i64", "order": "ABCD" }),
                read,
                "`order`: `ABCD` is not an order of 8 bytes (one of `ABCDEFGH`, `BADCFEHG`, `CDABGHEF`, `DCBAHGFE`, `EFGHABCD`, `FEHGBADC`, `GHEFCDAB`, `HGFEDCBA`)",
            ),
            (
                json!({ "at": "holding:3", "type": "real" }),
                read,
                "`type`: unknown choice `real` (one of `bool`, `i8`, `u8`, `i16`, `u16`, `i32`, `u32`, `i64`, `u64`, `f16`, `f32`, `f64`, `bcd16`, `bcd32`, `bcd64`, `string`)",
            ),
            (json!({ "at": "holding:3", "type": "u8" }), read, "`byte`: a register has two bytes (`high` or `low`)"),
            (
                json!({ "at": "holding:3", "byte": "low" }),
                read,
                "`byte`: only i8 and u8 are a byte of a register (remove `byte`)",
            ),
            (
                json!({ "at": "holding:3.2-4", "type": "u16" }),
                read,
                "`type`: `holding:3.2-4` is some bits, which are a whole number from 0 (remove `type`)",
            ),
            (
                json!({ "at": "holding:3", "exponent": "input:9" }),
                read,
                "`exponent`: `input:9` is not read together with `holding:3` (a whole register of the same table, `holding:...`)",
            ),
            (
                json!({ "at": "holding:3", "type": "string", "length": 1, "exponent": "holding:9" }),
                read,
                "`exponent`: only a number has a power of ten (remove `exponent`)",
            ),
            (
                json!({ "at": "holding:3", "type": "f32", "absent": 0 }),
                read,
                "`absent`: only a whole number has one that stands for none",
            ),
            (json!({ "at": 40004 }), read, "`at`: expected a text in quotes, found 40004"),
        ] {
            assert_eq!(problems(options, access), [message]);
        }
    }

    #[test]
    fn every_mistake_of_a_point_is_told_at_once() {
        let found =
            problems(json!({ "at": "input:65535", "type": "f64", "order": "AB", "length": 3 }), Access::ReadWrite);
        let keys: Vec<&str> = found.iter().filter_map(|text| text.split('`').nth(1)).collect();
        assert_eq!(keys, ["length", "at", "at", "order"]);
    }
}
