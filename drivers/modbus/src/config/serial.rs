//! The options of a serial line.

use super::check_duration;
use edgeway_sdk::{Problem, options};
use std::time::Duration;

/// A character on the wire: a start bit, eight bits or seven, a parity bit or none, one stop bit or two.
const CHARACTERS_SILENT: f64 = 3.5;
/// Above 19,200 baud the silence between frames does not get shorter (MODBUS over Serial Line V1.02, 2.5.1.1).
const SILENCE_MIN: Duration = Duration::from_micros(1_750);
const BAUD: std::ops::RangeInclusive<u32> = 300..=4_000_000;

/// How a serial line is spoken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SerialOptions {
    pub(crate) baud: u32,
    pub(crate) data_bits: DataBits,
    pub(crate) parity: Parity,
    pub(crate) stop_bits: u8,
    pub(crate) rs485: Option<Rs485>,
}

/// The parity bit of a character.
#[derive(serde::Deserialize, serde::Serialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Parity {
    None,
    Even,
    Odd,
}

/// How many bits of a character are data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataBits {
    Seven,
    Eight,
}

/// Direction control of a half-duplex line by the kernel's driver of the port (Linux).
#[derive(serde::Deserialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rs485 {
    /// From switching the transmitter on to the first bit, 0s to 1s. Default: 0s
    #[serde(default, with = "options::duration")]
    #[schemars(with = "String", default)]
    pub(crate) before: Duration,
    /// From the last bit to switching the transmitter off, 0s to 1s. Default: 0s
    #[serde(default, with = "options::duration")]
    #[schemars(with = "String", default)]
    pub(crate) after: Duration,
    /// The transmitter is on while RTS is low, not high.
    #[serde(default)]
    pub(crate) invert: bool,
    /// The receiver stays on while sending.
    #[serde(default)]
    pub(crate) full_duplex: bool,
    /// The port puts its termination resistor between the lines.
    #[serde(default)]
    pub(crate) terminate: bool,
}

/// The keys of a serial line, as written. Each is set only where there is a serial line.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) baud: Option<i64>,
    pub(super) data_bits: Option<i64>,
    pub(super) parity: Option<Parity>,
    pub(super) stop_bits: Option<i64>,
    pub(super) rs485: Option<Rs485>,
}

impl Written {
    /// The first key that is set, if any is.
    pub(super) fn first_key(&self) -> Option<&'static str> {
        let set = [
            ("baud", self.baud.is_some()),
            ("data_bits", self.data_bits.is_some()),
            ("parity", self.parity.is_some()),
            ("stop_bits", self.stop_bits.is_some()),
            ("rs485", self.rs485.is_some()),
        ];
        set.into_iter().find(|(_, set)| *set).map(|(key, _)| key)
    }

    /// The options; whatever is wrong with them is noted.
    pub(super) fn check(&self, data_bits_default: DataBits, problems: &mut Vec<Problem>) -> SerialOptions {
        if let Some(rs485) = &self.rs485 {
            for (key, delay) in [("rs485.before", rs485.before), ("rs485.after", rs485.after)] {
                check_duration(problems, key, delay, Duration::ZERO..=Duration::from_secs(1));
            }
        }
        SerialOptions {
            baud: baud(self.baud.unwrap_or(19_200), problems),
            data_bits: self.data_bits.map_or(data_bits_default, |bits| data_bits(bits, problems)),
            parity: self.parity.unwrap_or(Parity::Even),
            stop_bits: self.stop_bits.map_or(1, |bits| stop_bits(bits, problems)),
            rs485: self.rs485,
        }
    }
}

fn baud(written: i64, problems: &mut Vec<Problem>) -> u32 {
    match u32::try_from(written) {
        Ok(baud) if BAUD.contains(&baud) => baud,
        _ => {
            let problem = Problem::key("baud", format!("{written} is out of range"));
            problems.push(problem.help(format!("{} to {}", BAUD.start(), BAUD.end())));
            *BAUD.start()
        }
    }
}

fn data_bits(written: i64, problems: &mut Vec<Problem>) -> DataBits {
    match written {
        7 => DataBits::Seven,
        8 => DataBits::Eight,
        _ => {
            problems.push(Problem::key("data_bits", format!("{written} is out of range")).help("7 or 8"));
            DataBits::Eight
        }
    }
}

fn stop_bits(written: i64, problems: &mut Vec<Problem>) -> u8 {
    match written {
        1 => 1,
        2 => 2,
        _ => {
            problems.push(Problem::key("stop_bits", format!("{written} is out of range")).help("1 or 2"));
            1
        }
    }
}

impl SerialOptions {
    /// How long so many characters take.
    pub(crate) fn takes(&self, characters: f64) -> Duration {
        let data = if self.data_bits == DataBits::Seven { 7 } else { 8 };
        let bits = 1 + data + u32::from(self.parity != Parity::None) + u32::from(self.stop_bits);
        Duration::from_secs_f64(characters * f64::from(bits) / f64::from(self.baud))
    }

    /// The silence that ends a frame.
    pub(crate) fn silence(&self) -> Duration {
        self.takes(CHARACTERS_SILENT).max(SILENCE_MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(baud: i64) -> SerialOptions {
        Written { baud: Some(baud), ..Written::default() }.check(DataBits::Eight, &mut vec![])
    }

    #[test]
    fn a_character_of_8e1_has_11_bits() {
        assert_eq!(line(9600).takes(1.0), Duration::from_secs_f64(11.0 / 9600.0));
    }

    #[test]
    fn the_silence_is_three_and_a_half_characters_but_not_less_than_1750_us() {
        assert_eq!(line(9600).silence().as_micros(), 4010);
        assert_eq!(line(115_200).silence().as_micros(), 1750);
    }
}
