//! Golden vectors and round trips.

use super::{Change, Format, Half, Kind, Order, TWO_63, change, encode, scaled};
use crate::config::Bits;
use edgeway_sdk::{Quality, Value};
use proptest::prelude::*;

fn format(kind: Kind, order: &str) -> Format {
    Format { kind, order: Order::of_value(order, kind).expect("an order of this kind"), absent: None }
}

fn bit(at: u8) -> Kind {
    Kind::Bits(Bits { low: at, high: at })
}

fn bits(low: u8, high: u8) -> Kind {
    Kind::Bits(Bits { low, high })
}

/// Registers as they come over the wire.
fn wire(registers: &[u16]) -> Vec<u8> {
    registers.iter().flat_map(|register| register.to_be_bytes()).collect()
}

fn decode(registers: &[u16], format: Format) -> (Value, Quality) {
    super::decode(&wire(registers), format)
}

fn good(registers: &[u16], kind: Kind, order: &str) -> Value {
    let (value, quality) = decode(registers, format(kind, order));
    assert_eq!(quality, Quality::Good);
    value
}

/// Every order of two and four bytes, and all eight of eight.
const ORDERS: [(&str, [u16; 4]); 8] = [
    ("ABCDEFGH", [0x0102, 0x0304, 0x0506, 0x0708]),
    ("BADCFEHG", [0x0201, 0x0403, 0x0605, 0x0807]),
    ("CDABGHEF", [0x0304, 0x0102, 0x0708, 0x0506]),
    ("DCBAHGFE", [0x0403, 0x0201, 0x0807, 0x0605]),
    ("EFGHABCD", [0x0506, 0x0708, 0x0102, 0x0304]),
    ("FEHGBADC", [0x0605, 0x0807, 0x0201, 0x0403]),
    ("GHEFCDAB", [0x0708, 0x0506, 0x0304, 0x0102]),
    ("HGFEDCBA", [0x0807, 0x0605, 0x0403, 0x0201]),
];

#[test]
fn all_eight_orders_of_four_registers_are_told_apart() {
    for (order, registers) in ORDERS {
        for kind in [Kind::I64, Kind::U64] {
            assert_eq!(good(&registers, kind, order), Value::Int(0x0102_0304_0506_0708), "{order}");
        }
        let float = f64::from_bits(0x0102_0304_0506_0708);
        assert_eq!(good(&registers, Kind::F64, order), Value::Float(float), "{order}");
    }
}

#[test]
fn all_four_orders_of_two_registers_are_told_apart() {
    for (order, registers) in
        [("ABCD", [0x42f6, 0xe979]), ("BADC", [0xf642, 0x79e9]), ("CDAB", [0xe979, 0x42f6]), ("DCBA", [0x79e9, 0xf642])]
    {
        assert_eq!(good(&registers, Kind::F32, order), Value::Float(f64::from(123.456_f32)), "{order}");
        assert_eq!(good(&registers, Kind::U32, order), Value::Int(0x42f6_e979), "{order}");
        assert_eq!(good(&registers, Kind::I32, order), Value::Int(0x42f6_e979), "{order}");
    }
}

#[test]
fn both_orders_of_one_register_are_told_apart() {
    for (order, register) in [("AB", 0xfffe), ("BA", 0xfeff)] {
        assert_eq!(good(&[register], Kind::I16, order), Value::Int(-2), "{order}");
        assert_eq!(good(&[register], Kind::U16, order), Value::Int(0xfffe), "{order}");
        assert_eq!(good(&[register], bit(0), order), Value::Bool(false), "{order}");
        assert_eq!(good(&[register], bit(1), order), Value::Bool(true), "{order}");
    }
}

#[test]
fn signs_reach_as_far_as_the_type() {
    assert_eq!(good(&[0x8000], Kind::I16, "AB"), Value::Int(i16::MIN.into()));
    assert_eq!(good(&[0x8000, 0], Kind::I32, "ABCD"), Value::Int(i32::MIN.into()));
    assert_eq!(good(&[0xffff, 0xffff], Kind::I32, "ABCD"), Value::Int(-1));
    assert_eq!(good(&[0xffff, 0xffff], Kind::U32, "ABCD"), Value::Int(u32::MAX.into()));
    assert_eq!(good(&[0x8000, 0, 0, 0], Kind::I64, "ABCDEFGH"), Value::Int(i64::MIN));
    assert_eq!(good(&[0xc2f6, 0xe979], Kind::F32, "ABCD"), Value::Float(f64::from(-123.456_f32)));
}

#[test]
fn what_a_value_cannot_hold_is_out_of_range_and_never_a_number() {
    let out_of_range = (Value::Null, Quality::BadOutOfRange);
    assert_eq!(decode(&[0x8000, 0, 0, 0], format(Kind::U64, "ABCDEFGH")), out_of_range);
    assert_eq!(decode(&[0x7fc0, 0], format(Kind::F32, "ABCD")), out_of_range);
    assert_eq!(decode(&[0xff80, 0], format(Kind::F32, "ABCD")), out_of_range);
    assert_eq!(decode(&[0x7ff8, 0, 0, 0], format(Kind::F64, "ABCDEFGH")), out_of_range);
}

#[test]
fn text_ends_at_nul_and_loses_trailing_blanks() {
    let kind = Kind::Text { registers: 3 };
    assert_eq!(good(&[0x5754, 0x2d37, 0x0000], kind, "AB"), "WT-7".into());
    assert_eq!(good(&[0x5457, 0x372d, 0x0000], kind, "BA"), "WT-7".into());
    assert_eq!(good(&[0x5754, 0x2d37, 0x2020], kind, "AB"), "WT-7".into());
    assert_eq!(good(&[0x5700, 0x2d37, 0x3838], kind, "AB"), "W".into());
    assert_eq!(good(&[0, 0, 0], kind, "AB"), "".into());
}

#[test]
fn text_that_is_not_utf_8_is_uncertain() {
    let (value, quality) = decode(&[0x57ff], format(Kind::Text { registers: 1 }, "AB"));
    assert_eq!((value, quality), ("W\u{fffd}".into(), Quality::Uncertain));
}

#[test]
fn a_device_order_means_the_same_for_every_length() {
    for (device, pair, quad, single) in [
        ("ABCD", "ABCD", "ABCDEFGH", "AB"),
        ("BADC", "BADC", "BADCFEHG", "BA"),
        ("CDAB", "CDAB", "GHEFCDAB", "AB"),
        ("DCBA", "DCBA", "HGFEDCBA", "BA"),
    ] {
        let order = Order::of_device(device).expect("an order");
        for (kind, name) in [(Kind::U16, single), (Kind::U32, pair), (Kind::I64, quad)] {
            let registers = &[0x0102, 0x0304, 0x0506, 0x0708][..usize::from(kind.registers())];
            assert_eq!(
                decode(registers, Format { kind, order, absent: None }).0,
                good(registers, kind, name),
                "{device}"
            );
        }
    }
}

/// Every kind but text, with every order of its bytes.
fn numbers() -> impl Iterator<Item = Format> {
    use Kind::{F32, F64, I16, I32, I64, U16, U32, U64};
    let parts = [bits(2, 13), Kind::I8(Half::High), Kind::U8(Half::Low)];
    let decimals = [1, 2, 4].map(|registers| Kind::Bcd { registers });
    let of_kind = |kind: Kind| {
        let order = move |(name, _): (&str, _)| Order::of_value(&name[..kind.ordered_bytes()], kind).ok();
        ORDERS.into_iter().filter_map(order).map(move |order| Format { kind, order, absent: None })
    };
    [I16, U16, I32, U32, I64, U64, F32, F64].into_iter().chain(parts).chain(decimals).flat_map(of_kind)
}

proptest! {
    #[test]
    fn what_fits_is_read_again_as_it_was_written(number in prop_oneof![any::<i64>(), -70_000..70_000_i64, 0..2_i64]) {
        let mut fitted = 0;
        for format in numbers().filter(|format| !matches!(format.kind, Kind::F32 | Kind::F64)) {
            if let Ok(registers) = encode(&Value::Int(number), format) {
                prop_assert_eq!(registers.len(), usize::from(format.kind.registers()));
                prop_assert_eq!(decode(&registers, format), (Value::Int(number), Quality::Good));
                fitted += 1;
            }
        }
        prop_assert!(fitted >= 8, "every number fits i64, in eight orders");
    }

    #[test]
    fn a_fraction_is_read_again_as_it_was_written(wide in proptest::num::f64::NORMAL, narrow in proptest::num::f32::NORMAL) {
        for format in numbers() {
            let number = match format.kind {
                Kind::F32 => f64::from(narrow),
                Kind::F64 => wide,
                _ => continue,
            };
            let registers = encode(&Value::Float(number), format).expect("a finite number fits");
            prop_assert_eq!(decode(&registers, format), (Value::Float(number), Quality::Good));
        }
    }

    #[test]
    fn text_is_read_again_as_it_was_written(text in "[^\\x00]{0,8}[!-~]") {
        for order in ["AB", "BA"] {
            let format = format(Kind::Text { registers: 20 }, order);
            let registers = encode(&Value::from(&*text), format).expect("nine characters of at most four bytes fit");
            prop_assert_eq!(decode(&registers, format), (Value::from(&*text), Quality::Good));
        }
    }

    #[test]
    fn whatever_a_device_sends_is_a_value_or_bad(registers: [u16; 4]) {
        for format in numbers().chain([format(Kind::Text { registers: 4 }, "AB"), format(bit(15), "BA")]) {
            let (value, quality) = decode(&registers[..usize::from(format.kind.registers())], format);
            prop_assert_eq!(value == Value::Null, quality.is_bad());
            prop_assert!(value.as_f64().is_none_or(f64::is_finite));
        }
    }
}

#[test]
fn what_does_not_fit_is_not_written() {
    for (value, kind, order, reason) in [
        (Value::Int(70_000), Kind::U16, "AB", "`70000` does not fit u16, 0 to 65535"),
        (Value::Int(-1), Kind::U32, "ABCD", "`-1` does not fit u32, 0 to 4294967295"),
        (Value::Float(f64::NAN), Kind::I16, "AB", "`NaN` does not fit i16, -32768 to 32767"),
        (
            Value::Float(TWO_63),
            Kind::I64,
            "ABCDEFGH",
            "`9223372036854776000` does not fit i64, -9223372036854775808 to 9223372036854775807",
        ),
        (Value::Float(f64::INFINITY), Kind::F64, "ABCDEFGH", "`inf` is not a finite number"),
        (Value::Float(f64::MAX), Kind::F32, "ABCD", &format!("`{}` does not fit f32", f64::MAX)),
        (Value::from("on"), bit(0), "AB", "`on` is not a bool"),
        (Value::Int(2), bit(0), "AB", "`2` is not a bool"),
        (Value::Int(5), bits(2, 3), "AB", "`5` does not fit 2 bits, 0 to 3"),
        (Value::Int(128), Kind::I8(Half::Low), "AB", "`128` does not fit i8, -128 to 127"),
        (Value::Int(10_000), Kind::Bcd { registers: 1 }, "AB", "`10000` does not fit bcd16, 0 to 9999"),
        (Value::Float(70_000.0), Kind::F16, "AB", "`70000` does not fit f16"),
        (Value::Int(2), Kind::Text { registers: 1 }, "AB", "`2` is not text"),
        (Value::from("abc"), Kind::Text { registers: 1 }, "AB", "the text has 3 bytes, but there is room for 2"),
    ] {
        assert_eq!(encode(&value, format(kind, order)), Err(reason.to_owned()));
    }
}

#[test]
fn a_fraction_is_rounded_for_a_whole_number() {
    assert_eq!(encode(&Value::Float(123.000_000_000_01), format(Kind::U16, "AB")), Ok(vec![123]));
    assert_eq!(encode(&Value::Float(-2.6), format(Kind::I16, "AB")), Ok(vec![0xfffd]));
}

#[test]
fn a_part_of_a_register_changes_and_its_neighbours_stay() {
    let after = |register, kind, order, value: Value| {
        change(&value, format(kind, order)).map(|change: Change| change.of(register))
    };
    assert_eq!(after(0b1010, bit(0), "AB", true.into()), Ok(0b1011));
    assert_eq!(after(0b1010, bit(3), "AB", false.into()), Ok(0b0010));
    assert_eq!(after(0x0000, bit(0), "BA", true.into()), Ok(0x0100));
    assert_eq!(after(0xffff, bits(4, 7), "AB", Value::Int(5)), Ok(0xff5f));
    assert_eq!(after(0x1234, Kind::U8(Half::High), "AB", Value::Int(0xab)), Ok(0xab34));
    assert_eq!(after(0x1234, Kind::I8(Half::Low), "AB", Value::Int(-1)), Ok(0x12ff));
    assert_eq!(after(0x1234, Kind::U8(Half::High), "BA", Value::Int(0xab)), Ok(0x12ab));
}

#[test]
fn parts_of_a_register_are_read_alone() {
    assert_eq!(good(&[0xab5c], bits(4, 7), "AB"), Value::Int(5));
    assert_eq!(good(&[0xab5c], Kind::U8(Half::High), "AB"), Value::Int(0xab));
    assert_eq!(good(&[0xabfe], Kind::I8(Half::Low), "AB"), Value::Int(-2));
    assert_eq!(good(&[0xabfe], Kind::U8(Half::High), "BA"), Value::Int(0xfe));
}

#[test]
fn decimals_have_a_digit_in_four_bits() {
    assert_eq!(good(&[0x1234], Kind::Bcd { registers: 1 }, "AB"), Value::Int(1234));
    assert_eq!(good(&[0x5678, 0x1234], Kind::Bcd { registers: 2 }, "CDAB"), Value::Int(12_345_678));
    assert_eq!(good(&[0x9999; 4], Kind::Bcd { registers: 4 }, "ABCDEFGH"), Value::Int(9_999_999_999_999_999));
    let wrong = decode(&[0x12a4], format(Kind::Bcd { registers: 1 }, "AB"));
    assert_eq!(wrong, (Value::Null, Quality::BadOutOfRange), "a is no digit");
}

#[test]
fn half_floats_are_read() {
    assert_eq!(good(&[0x3555], Kind::F16, "AB"), Value::Float(0.333_251_953_125));
    assert_eq!(decode(&[0x7c00], format(Kind::F16, "AB")), (Value::Null, Quality::BadOutOfRange));
    assert_eq!(encode(&Value::Float(-2.0), format(Kind::F16, "AB")), Ok(vec![0xc000]));
}

#[test]
fn the_number_that_stands_for_none_is_no_value() {
    let format = Format { absent: Some(-32768), ..format(Kind::I16, "AB") };
    assert_eq!(decode(&[0x8000], format), (Value::Null, Quality::Bad));
    assert_eq!(decode(&[0x8001], format), (Value::Int(-32767), Quality::Good));
}

#[test]
fn a_power_of_ten_keeps_whole_numbers_whole_where_it_can() {
    assert_eq!(scaled(&Value::Int(215), -1), Value::Float(21.5));
    assert_eq!(scaled(&Value::Int(215), 0), Value::Int(215));
    assert_eq!(scaled(&Value::Int(215), 2), Value::Int(21_500));
    assert_eq!(scaled(&Value::Int(i64::MAX), 1), Value::Null);
    assert_eq!(scaled(&Value::Float(1.5), 1), Value::Float(15.0));
    assert_eq!(super::exponent(&[0xff, 0xfe]), Some(-2));
    assert_eq!(super::exponent(&[0x80, 0x00]), None, "SunSpec's \"not implemented\"");
}
