//! Where a point is: `holding:100`, `holding:113.4`, `40101`.

use crate::codec::BITS_IN_REGISTER;
use edgeway_sdk::{Problem, did_you_mean};
use std::fmt;

/// The four tables of a Modbus device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Table {
    Coil,
    Discrete,
    Input,
    Holding,
}

impl Table {
    /// All of them, with the words used in `at` and the digits that PLC addresses start with.
    const ALL: [(Table, &str, char); 4] = [
        (Table::Coil, "coil", '0'),
        (Table::Discrete, "discrete", '1'),
        (Table::Input, "input", '3'),
        (Table::Holding, "holding", '4'),
    ];

    /// True if an entry is one bit, not a register.
    pub(crate) fn holds_bits(self) -> bool {
        matches!(self, Table::Coil | Table::Discrete)
    }

    /// What the standard calls an entry, with its article.
    pub(crate) fn entry(self) -> &'static str {
        match self {
            Table::Coil => "a coil",
            Table::Discrete => "a discrete input",
            Table::Input => "an input register",
            Table::Holding => "a holding register",
        }
    }
}

/// The word used in `at`.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, word, _) = Table::ALL.iter().find(|(table, ..)| table == self).expect("the list holds every table");
        f.write_str(word)
    }
}

/// A place in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) table: Table,
    /// Counted from 0, as on the wire.
    pub(crate) number: u16,
    /// Some bits of the register.
    pub(crate) bits: Option<Bits>,
}

/// Neighbouring bits of a register, 0 being the least significant. Shown as `4`, or as `2-4` for several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bits {
    pub(crate) low: u8,
    pub(crate) high: u8,
}

impl fmt::Display for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.low == self.high {
            true => write!(f, "{}", self.low),
            false => write!(f, "{}-{}", self.low, self.high),
        }
    }
}

impl Address {
    /// Reads `table:number`, or a PLC address of five or six digits, each with or without `.bit` or `.low-high`.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        let (place, bits) = match text.split_once('.') {
            Some((place, bits)) => (place, Some(bits)),
            None => (text, None),
        };
        let (table, number) = match place.split_once(':') {
            Some((word, number)) => (named(word)?, counted_from_0(number)?),
            None => plc(place)?,
        };
        let bits = bits.map(|bits| register_bits(table, bits)).transpose()?;
        Ok(Address { table, number, bits })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.table, self.number)?;
        self.bits.map_or(Ok(()), |bits| write!(f, ".{bits}"))
    }
}

fn problem(message: impl Into<String>) -> Problem {
    Problem::key("at", message)
}

fn named(word: &str) -> Result<Table, Problem> {
    let found = Table::ALL.iter().find(|(_, name, _)| *name == word).map(|(table, ..)| *table);
    let words = Table::ALL.iter().map(|(_, name, _)| *name);
    found.ok_or_else(|| problem(format!("`{word}` is not a table")).maybe_help(did_you_mean(word, words)))
}

fn counted_from_0(number: &str) -> Result<u16, Problem> {
    digits(number)
        .and_then(|n| u16::try_from(n).ok())
        .ok_or_else(|| problem(format!("`{number}` is not an address")).help("0 to 65535"))
}

/// `40101` and `400101` are the 101st holding register, number 100 on the wire.
fn plc(text: &str) -> Result<(Table, u16), Problem> {
    let wrong = || {
        problem(format!("`{text}` is not an address"))
            .help("write `holding:100`, or a PLC address counted from 1 with five or six digits, `40101`")
    };
    let first = text.chars().next().ok_or_else(wrong)?;
    let (table, ..) = Table::ALL.iter().find(|(.., digit)| *digit == first).ok_or_else(wrong)?;
    if !matches!(text.len(), 5 | 6) {
        return Err(wrong());
    }
    let from_1 = digits(&text[1..]).ok_or_else(wrong)?;
    let number = from_1.checked_sub(1).and_then(|n| u16::try_from(n).ok());
    let number = number
        .ok_or_else(|| problem(format!("`{text}` is not an address")).help("PLC addresses count from 1 to 65536"))?;
    Ok((*table, number))
}

fn register_bits(table: Table, text: &str) -> Result<Bits, Problem> {
    if table.holds_bits() {
        return Err(
            problem(format!("{} is one bit and has no bit `{text}`", table.entry())).help(format!("remove `.{text}`"))
        );
    }
    let bit = |text: &str| digits(text).and_then(|bit| u8::try_from(bit).ok()).filter(|bit| *bit < BITS_IN_REGISTER);
    let bits = match text.split_once('-') {
        Some((low, high)) => bit(low).zip(bit(high)).filter(|(low, high)| low < high),
        None => bit(text).map(|bit| (bit, bit)),
    };
    let wrong = || problem(format!("`{text}` is not a bit of a register"));
    let (low, high) =
        bits.ok_or_else(|| wrong().help("0, the least significant, to 15; several bits are written `.2-4`"))?;
    Ok(Bits { low, high })
}

/// A number of nothing but digits: no sign, no space.
fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_spellings_name_the_same_place() {
        for (text, shown) in [
            ("holding:100", "holding:100"),
            ("40101", "holding:100"),
            ("400101", "holding:100"),
            ("465536", "holding:65535"),
            ("30001", "input:0"),
            ("00008", "coil:7"),
            ("100003", "discrete:2"),
            ("holding:113.4", "holding:113.4"),
            ("40114.15", "holding:113.15"),
            ("holding:113.2-4", "holding:113.2-4"),
        ] {
            assert_eq!(Address::parse(text).map(|a| a.to_string()).as_deref(), Ok(shown), "{text}");
        }
    }

    #[test]
    fn a_wrong_address_says_what_would_be_right() {
        let form = "write `holding:100`, or a PLC address counted from 1 with five or six digits, `40101`";
        let bits = "0, the least significant, to 15; several bits are written `.2-4`";
        for (text, message) in [
            ("", format!("`` is not an address ({form})")),
            ("100", format!("`100` is not an address ({form})")),
            ("20001", format!("`20001` is not an address ({form})")),
            ("4010x", format!("`4010x` is not an address ({form})")),
            ("40ü1", format!("`40ü1` is not an address ({form})")),
            ("40000", "`40000` is not an address (PLC addresses count from 1 to 65536)".into()),
            ("465537", "`465537` is not an address (PLC addresses count from 1 to 65536)".into()),
            ("holding:65536", "`65536` is not an address (0 to 65535)".into()),
            ("holding:-1", "`-1` is not an address (0 to 65535)".into()),
            ("holding:", "`` is not an address (0 to 65535)".into()),
            ("hoding:1", "`hoding` is not a table (did you mean `holding`?)".into()),
            ("holding:1.16", format!("`16` is not a bit of a register ({bits})")),
            ("holding:1.4-2", format!("`4-2` is not a bit of a register ({bits})")),
            ("coil:1.0", "a coil is one bit and has no bit `0` (remove `.0`)".into()),
        ] {
            let problem = Address::parse(text).expect_err(text);
            assert_eq!(problem.to_string(), format!("`at`: {message}"));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_address_or_a_problem(text in "\\PC{0,12}|[a-z]{0,8}:[0-9]{0,6}(\\.[0-9-]{0,5})?|[0-9]{4,7}(\\.[0-9-]{0,5})?") {
            if let Ok(address) = Address::parse(&text) {
                prop_assert_eq!(Address::parse(&address.to_string()), Ok(address));
            }
        }
    }
}
