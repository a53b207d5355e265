//! Which addresses, types, orders and scales explain a value that is seen on a device's display. Pure.

use crate::codec::{self, Format, Half, Kind, Order};
use crate::config::{Address, Table};
use edgeway_sdk::{Json, Problem, Value};
use serde_json::json;

/// One way to read the value.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// How far behind the first register, in registers.
    pub offset: u16,
    /// The option `type`.
    pub value_type: &'static str,
    /// The option `order`; empty where there is nothing to order.
    pub order: &'static str,
    /// The option `byte`, for a value that is half a register.
    pub byte: Option<&'static str>,
    /// What the raw value is multiplied by.
    pub scale: f64,
    /// The value, read and scaled so.
    pub value: f64,
    /// The less, the likelier.
    pub cost: u32,
}

/// A type with its words in the options, and how unlikely it is.
type Candidate = (Kind, &'static str, Option<&'static str>, u32);

const CANDIDATES: [Candidate; 16] = [
    (Kind::F32, "f32", None, 0),
    (Kind::U16, "u16", None, 0),
    (Kind::I16, "i16", None, 1),
    (Kind::U32, "u32", None, 2),
    (Kind::I32, "i32", None, 3),
    (Kind::F64, "f64", None, 2),
    (Kind::U64, "u64", None, 5),
    (Kind::I64, "i64", None, 6),
    (Kind::Bcd { registers: 1 }, "bcd16", None, 4),
    (Kind::Bcd { registers: 2 }, "bcd32", None, 5),
    (Kind::Bcd { registers: 4 }, "bcd64", None, 7),
    (Kind::F16, "f16", None, 6),
    (Kind::U8(Half::High), "u8", Some("high"), 6),
    (Kind::U8(Half::Low), "u8", Some("low"), 6),
    (Kind::I8(Half::High), "i8", Some("high"), 7),
    (Kind::I8(Half::Low), "i8", Some("low"), 7),
];
const ORDERS_OF_1: [(&str, u32); 2] = [("AB", 0), ("BA", 4)];
const ORDERS_OF_2: [(&str, u32); 4] = [("ABCD", 0), ("CDAB", 1), ("DCBA", 4), ("BADC", 5)];
const ORDERS_OF_4: [(&str, u32); 8] = [
    ("ABCDEFGH", 0),
    ("GHEFCDAB", 1),
    ("HGFEDCBA", 4),
    ("BADCFEHG", 5),
    ("CDABGHEF", 6),
    ("EFGHABCD", 6),
    ("DCBAHGFE", 7),
    ("FEHGBADC", 7),
];
const SCALES_OF_WHOLE: [(f64, u32); 7] =
    [(1.0, 0), (0.1, 1), (0.01, 2), (0.001, 3), (10.0, 3), (100.0, 4), (1000.0, 4)];
const SCALES_OF_FLOAT: [(f64, u32); 3] = [(1.0, 0), (0.001, 3), (1000.0, 4)];
/// A display that cuts off is rarer than one that rounds.
const CUT_OFF: u32 = 2;
/// A wide whole number whose upper half is empty is mostly a narrow one.
const HALF_EMPTY: u32 = 4;

/// The options of a point for every register of a range, to read it with.
///
/// # Errors
/// If the address is not that of a register.
pub fn registers(at: &str, count: u16) -> Result<Vec<Json>, Problem> {
    let address = Address::parse(at)?;
    if address.table.holds_bits() || address.bits.is_some() {
        return Err(Problem::key("at", format!("`{at}` is no register")).help("`holding:0` or `input:0`"));
    }
    let numbers = (0..count).map_while(|offset| address.number.checked_add(offset));
    Ok(numbers.map(|number| json!({ "at": place(address.table, number) })).collect())
}

/// The options of the point that an explanation stands for, behind this first register.
///
/// # Errors
/// If the address is not one.
pub fn point(at: &str, explanation: &Explanation) -> Result<Json, Problem> {
    let address = Address::parse(at)?;
    let number = address.number.saturating_add(explanation.offset);
    let mut point = json!({ "at": place(address.table, number), "type": explanation.value_type });
    if !explanation.order.is_empty() {
        point["order"] = json!(explanation.order);
    }
    if let Some(byte) = explanation.byte {
        point["byte"] = json!(byte);
    }
    Ok(point)
}

fn place(table: Table, number: u16) -> String {
    format!("{table}:{number}")
}

/// All explanations of what a display shows, the likeliest first. Registers that could not be read are `None`. How precisely
/// the display shows it counts: `21.50` is not `21.5`.
///
/// # Errors
/// If the text is no number.
pub fn solve(registers: &[Option<u16>], shown: &str) -> Result<Vec<Explanation>, Problem> {
    let (value, unit) = number(shown).ok_or_else(|| Problem::new(format!("`{shown}` is not a number")))?;
    let mut found = vec![];
    for candidate in &CANDIDATES {
        for (order_name, order_cost) in orders(candidate.0) {
            let order = Order::of_value(order_name, candidate.0).map_err(|problem| Problem::new(problem.message))?;
            let format = Format { kind: candidate.0, order, absent: None };
            for offset in 0..registers.len() {
                let Some(raw) = raw(registers, offset, candidate.0) else { continue };
                let order = (*order_name, *order_cost);
                Try { candidate: *candidate, order, format, offset, raw: &raw }.explain(value, unit, &mut found);
            }
        }
    }
    found.sort_by(|a, b| a.cost.cmp(&b.cost).then(a.offset.cmp(&b.offset)));
    Ok(found)
}

fn orders(kind: Kind) -> &'static [(&'static str, u32)] {
    match kind.registers() {
        1 => &ORDERS_OF_1,
        2 => &ORDERS_OF_2,
        _ => &ORDERS_OF_4,
    }
}

/// The bytes of a value that starts there, if all of them were read.
fn raw(registers: &[Option<u16>], offset: usize, kind: Kind) -> Option<Vec<u8>> {
    let range = registers.get(offset..offset + usize::from(kind.registers()))?;
    let words: Option<Vec<u16>> = range.iter().copied().collect();
    Some(words?.into_iter().flat_map(u16::to_be_bytes).collect())
}

/// A way to read registers, at one place.
struct Try<'r> {
    candidate: Candidate,
    order: (&'static str, u32),
    format: Format,
    offset: usize,
    raw: &'r [u8],
}

impl Try<'_> {
    /// Every scale with which it gives what is shown.
    fn explain(&self, shown: f64, unit: f64, found: &mut Vec<Explanation>) {
        let (kind, value_type, byte, kind_cost) = self.candidate;
        let (order, order_cost) = self.order;
        let (read, _) = codec::decode(self.raw, self.format);
        let Some(number) = read.as_f64() else { return };
        let is_whole = matches!(read, Value::Int(_));
        let scales: &[(f64, u32)] = if is_whole { &SCALES_OF_WHOLE } else { &SCALES_OF_FLOAT };
        let empty = if is_whole && is_half_empty(kind, number) { HALF_EMPTY } else { 0 };
        for (scale, scale_cost) in scales {
            let value = if *scale < 1.0 { number / (1.0 / scale).round() } else { number * scale };
            let Some(precision_cost) = shows(value, shown, unit) else { continue };
            found.push(Explanation {
                offset: self.offset as u16,
                value_type,
                // The order of one register is only named if it is not the usual one.
                order: if order == "AB" { "" } else { order },
                byte,
                scale: *scale,
                value,
                cost: kind_cost + order_cost + scale_cost + precision_cost + empty,
            });
        }
    }
}

/// What it costs that a display with this unit in its last place shows `shown` for a value; `None` if it would not.
fn shows(value: f64, shown: f64, unit: f64) -> Option<u32> {
    let off = (value - shown).abs();
    let slack = unit * 1e-6;
    match () {
        () if off <= slack => Some(0),
        () if off <= unit / 2.0 + slack => Some(1),
        () if off < unit && value.abs() > shown.abs() => Some(CUT_OFF),
        () => None,
    }
}

fn is_half_empty(kind: Kind, number: f64) -> bool {
    match kind {
        Kind::U32 | Kind::I32 => (0.0..65_536.0).contains(&number),
        Kind::U64 | Kind::I64 => (0.0..4_294_967_296.0).contains(&number),
        Kind::Bcd { registers: 2 } => number < 10_000.0,
        Kind::Bcd { registers: 4 } => number < 100_000_000.0,
        _ => false,
    }
}

/// A number and the unit of its last place.
fn number(text: &str) -> Option<(f64, f64)> {
    let text = text.trim();
    let plain = text.trim_start_matches(['-', '+']);
    let is_plain = !plain.is_empty() && plain.chars().all(|c| c.is_ascii_digit() || c == '.');
    let value: f64 = is_plain.then(|| text.parse().ok())??;
    let decimals = plain.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    Some((value, 10_f64.powi(-(decimals as i32))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(registers: &[u16], shown: &str) -> (u16, &'static str, &'static str, f64) {
        let registers: Vec<Option<u16>> = registers.iter().copied().map(Some).collect();
        let found = solve(&registers, shown).expect("a number");
        let first = found.first().unwrap_or_else(|| panic!("{shown} is explained"));
        (first.offset, first.value_type, first.order, first.scale)
    }

    #[test]
    fn a_value_is_found_in_whatever_way_it_lies() {
        let float = 21.53_f32.to_bits();
        let (high, low) = ((float >> 16) as u16, float as u16);
        assert_eq!(best(&[7, 9, high, low, 3], "21.5"), (2, "f32", "ABCD", 1.0));
        assert_eq!(best(&[7, 9, low, high, 3], "21.53"), (2, "f32", "CDAB", 1.0));
        assert_eq!(best(&[7, 215, 3], "21.5"), (1, "u16", "", 0.1));
        assert_eq!(best(&[7, (-215_i16) as u16, 3], "-21.5"), (1, "i16", "", 0.1));
        assert_eq!(best(&[7, 2, 0x49f0, 3], "150000"), (1, "u32", "ABCD", 1.0));
        assert_eq!(best(&[7, 0x0215, 3], "21.5"), (1, "bcd16", "", 0.1));
        let double = 1234.5678_f64.to_bits().to_be_bytes();
        let words: Vec<u16> = double.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        assert_eq!(best(&words, "1234.5678"), (0, "f64", "ABCDEFGH", 1.0));
    }

    #[test]
    fn a_register_that_was_not_read_explains_nothing() {
        let found = solve(&[None, Some(215), None], "21.5").expect("a number");
        assert!(found.iter().all(|found| found.offset == 1 && found.value_type != "f32"), "{found:?}");
    }

    #[test]
    fn how_precisely_the_display_shows_it_counts() {
        let registers: Vec<Option<u16>> = vec![Some(2154)];
        let at_two_places = solve(&registers, "21.50").expect("a number");
        assert!(at_two_places.iter().all(|found| found.scale != 0.01), "{at_two_places:?}");
        let at_one_place = solve(&registers, "21.5").expect("a number");
        assert!(at_one_place.iter().any(|found| found.scale == 0.01), "{at_one_place:?}");
        assert!(solve(&registers, "21,5").is_err() && solve(&registers, "1e3").is_err());
    }

    #[test]
    fn a_range_ends_with_the_table() {
        assert_eq!(registers("holding:65534", 5).expect("registers").len(), 2);
        assert_eq!(
            registers("coil:1", 5).expect_err("bits").to_string(),
            "`at`: `coil:1` is no register (`holding:0` or `input:0`)"
        );
    }
}
