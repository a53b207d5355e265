//! What people write, and what is wrong with it.

mod address;
mod endpoint;
mod link;
mod point;
mod serial;

pub(crate) use address::{Address, Bits, Table};
pub(crate) use endpoint::Endpoint;
pub(crate) use link::{LinkOptions, Written as WrittenLink};
pub(crate) use point::{Point, Written as WrittenPoint};
pub(crate) use serial::{DataBits, Parity, SerialOptions};

use crate::codec::Order;
use edgeway_sdk::options::{check_duration, within};
use edgeway_sdk::{Json, Problem, options};
use std::fmt;

/// The most registers that one answer can hold.
pub(crate) const REGISTERS_MAX: u16 = 125;
/// The most coils or discrete inputs that one answer can hold.
pub(crate) const BITS_MAX: u16 = 2000;
/// The most registers that one write can hold.
pub(crate) const WRITE_REGISTERS_MAX: u16 = 123;

/// How messages are framed on the wire.
#[derive(serde::Deserialize, serde::Serialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Framing {
    /// Modbus TCP: a header with the number of the transaction.
    Tcp,
    /// Bytes with a CRC, on a serial line or through TCP.
    Rtu,
    /// Hexadecimal lines with an LRC, on a serial line or through TCP.
    Ascii,
}

impl fmt::Display for Framing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Framing::Tcp => "tcp",
            Framing::Rtu => "rtu",
            Framing::Ascii => "ascii",
        })
    }
}

/// A device's options, checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeviceOptions {
    pub(crate) unit: u8,
    pub(crate) registers_max: Option<u16>,
    pub(crate) order: Order,
    pub(crate) write_with: WriteWith,
    pub(crate) bits_with: BitsWith,
}

/// Which function writes registers.
#[derive(serde::Deserialize, serde::Serialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WriteWith {
    /// 6 for one register, 16 for several.
    #[default]
    Auto,
    /// 16 for one register too.
    Multiple,
    /// 23, which reads back in the same transaction.
    ReadWrite,
}

/// How some bits of a register are written.
#[derive(serde::Deserialize, serde::Serialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum BitsWith {
    /// The register is read, changed and written.
    #[default]
    ReadThenWrite,
    /// Function 22, with which the device changes them itself.
    Mask,
}

/// A device's options, as written.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Modbus device")]
pub(crate) struct WrittenDevice {
    /// The unit id, 0 to 247 or 255
    #[serde(default = "unit_default")]
    #[schemars(range(min = 0, max = 255))]
    unit: i64,
    /// The most registers in one request, 1 to 125. Default: the link's
    max_registers: Option<i64>,
    /// The byte order of values whose point names none: ABCD, BADC, CDAB or DCBA. Default: ABCD
    order: Option<String>,
    /// Which function writes registers
    #[serde(default)]
    write_with: WriteWith,
    /// How some bits of a register are written
    #[serde(default)]
    bits_with: BitsWith,
}

fn unit_default() -> i64 {
    1
}

impl DeviceOptions {
    /// Reads a device's table.
    ///
    /// # Errors
    /// All mistakes found.
    pub(crate) fn parse(options: &Json) -> Result<Self, Vec<Problem>> {
        let written: WrittenDevice = options::parse(options).map_err(|problem| vec![problem])?;
        let mut problems = vec![];
        let device = DeviceOptions {
            unit: unit(written.unit, &mut problems),
            registers_max: written.max_registers.map(|n| within("max_registers", n, 1..=REGISTERS_MAX, &mut problems)),
            order: written.order.map_or(Order::default(), |text| noted(Order::of_device(&text), &mut problems)),
            write_with: written.write_with,
            bits_with: written.bits_with,
        };
        if problems.is_empty() { Ok(device) } else { Err(problems) }
    }
}

fn unit(number: i64, problems: &mut Vec<Problem>) -> u8 {
    match u8::try_from(number) {
        Ok(unit @ (0..=247 | 255)) => unit,
        _ => {
            problems.push(Problem::key("unit", format!("{number} is not a unit id")).help("0 to 247, or 255"));
            0
        }
    }
}

/// The value; or its problem noted, and a value to go on with.
fn noted<T: Default>(value: Result<T, Problem>, problems: &mut Vec<Problem>) -> T {
    value.unwrap_or_else(|problem| {
        problems.push(problem);
        T::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(options: Json) -> Vec<String> {
        DeviceOptions::parse(&options).expect_err("wrong").iter().map(Problem::to_string).collect()
    }

    #[test]
    fn an_empty_table_is_unit_1() {
        let device = DeviceOptions::parse(&json!({})).expect("valid");
        assert_eq!((device.unit, device.registers_max), (1, None));
    }

    #[test]
    fn every_mistake_of_a_device_is_told_at_once() {
        assert_eq!(
            problems(json!({ "unit": 248, "max_registers": 126, "order": "AB" })),
            [
                "`unit`: 248 is not a unit id (0 to 247, or 255)",
                "`max_registers`: 126 is out of range (1 to 125)",
                "`order`: `AB` is not a device's order (one of `ABCD`, `BADC`, `CDAB`, `DCBA`)",
            ]
        );
    }

    #[test]
    fn a_misspelt_key_of_a_device_is_named() {
        assert_eq!(problems(json!({ "unti": 7 })), ["`unti`: unknown key `unti` (did you mean `unit`?)"]);
    }
}
