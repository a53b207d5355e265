//! What a floating-point number really is.
//!
//! Most numbers of sensors are short decimals: a register divided by ten. As 64 bits of binary fraction they look like
//! noise; as the whole number that was in the register they are small, and so are their differences. A [`Form`] maps
//! numbers to integers and back, and holds a number only if all of its bits come back.

/// How a number becomes an integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// An integer divided by ten to this power, at most 15.
    Decimal(u8),
    /// The same, then rounded to 32 bits: 7.1 in a register of 32 bits is 7.099999904632568.
    SingleDecimal(u8),
    /// A number of 32 bits.
    Single,
    /// Any number.
    Double,
}

/// Decimals longer than this are not looked for.
const PLACES_MAX: u8 = 9;
/// A form with more decimals than this is not used for the next number without a look for a shorter one.
const PLACES_LASTING: u8 = 6;
/// From here on integers are not exact in 64 bits of binary fraction.
const INTEGER_MAX: u64 = 1 << 53;
/// Longer decimals than this are no shorter than a number of 32 bits.
const SINGLE_INTEGER_MAX: u64 = 1 << 20;

const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

impl Form {
    /// The form to write a number in: that of the number that stood at its place before, if it lasts, or the shortest. A
    /// number that is short both in 32 and in 64 bits gets the kind of the `last` one.
    pub(crate) fn choose(number: f64, before: Option<Form>, last: Form) -> Form {
        match before {
            Some(form) if form.lasts() && form.holds(number) => form,
            _ if number.is_nan() => Form::Double,
            _ if !Form::Single.holds(number) => shortest(number, INTEGER_MAX, Form::Decimal).unwrap_or(Form::Double),
            _ if last.is_single() => short_single(number, Form::SingleDecimal, Form::Decimal),
            _ => short_single(number, Form::Decimal, Form::SingleDecimal),
        }
    }

    fn lasts(self) -> bool {
        match self {
            Form::Decimal(places) | Form::SingleDecimal(places) => places <= PLACES_LASTING,
            Form::Single => true,
            Form::Double => false,
        }
    }

    fn is_single(self) -> bool {
        matches!(self, Form::Single | Form::SingleDecimal(_))
    }

    fn holds(self, number: f64) -> bool {
        !number.is_nan() && self.number(self.integer(number)).to_bits() == number.to_bits()
    }

    /// The integer of a number; of one that the form does not hold, one near it.
    #[inline]
    pub(crate) fn integer(self, number: f64) -> i64 {
        match self {
            Form::Decimal(places) | Form::SingleDecimal(places) => rounded(number * power(places)),
            Form::Single if number.is_nan() => 0,
            Form::Single => i64::from(ordered_single((number as f32).to_bits() as i32)),
            Form::Double => ordered_double(number.to_bits() as i64),
        }
    }

    /// The number of an integer.
    #[inline]
    pub(crate) fn number(self, integer: i64) -> f64 {
        match self {
            Form::Decimal(places) => integer as f64 / power(places),
            Form::SingleDecimal(places) => f64::from((integer as f64 / power(places)) as f32),
            Form::Single => f64::from(f32::from_bits(ordered_single(integer as i32) as u32)),
            Form::Double => f64::from_bits(ordered_double(integer) as u64),
        }
    }

    /// Its number in a block, below 64.
    pub(crate) fn code(self) -> usize {
        match self {
            Form::Decimal(places) => usize::from(places),
            Form::SingleDecimal(places) => 16 | usize::from(places),
            Form::Single => 32,
            Form::Double => 33,
        }
    }

    pub(crate) fn from_code(code: usize) -> Option<Form> {
        match code {
            0..16 => Some(Form::Decimal(code as u8)),
            16..32 => Some(Form::SingleDecimal(code as u8 & 15)),
            32 => Some(Form::Single),
            33 => Some(Form::Double),
            _ => None,
        }
    }
}

fn power(places: u8) -> f64 {
    POWERS[usize::from(places & 15)]
}

/// The form of this kind with the fewest decimals that holds the number in an integer below the limit.
fn shortest(number: f64, integer_max: u64, kind: impl Fn(u8) -> Form) -> Option<Form> {
    (0..=PLACES_MAX)
        .map(kind)
        .take_while(|form| form.integer(number).unsigned_abs() < integer_max)
        .find(|form| form.holds(number))
}

/// The same for a number of 32 bits, with a kind that is preferred.
fn short_single(number: f64, first: impl Fn(u8) -> Form, second: impl Fn(u8) -> Form) -> Form {
    let short = |kind: &dyn Fn(u8) -> Form| shortest(number, SINGLE_INTEGER_MAX, kind);
    short(&first).or_else(|| short(&second)).unwrap_or(Form::Single)
}

/// To the nearest integer. Large numbers may miss it by one; then they have no short form.
#[inline]
fn rounded(number: f64) -> i64 {
    (number + 0.5_f64.copysign(number)) as i64
}

/// The bits of a number as an integer that grows with the number, and back.
#[inline]
fn ordered_single(bits: i32) -> i32 {
    bits ^ (bits >> 31) & i32::MAX
}

/// The same for 64 bits.
#[inline]
fn ordered_double(bits: i64) -> i64 {
    bits ^ (bits >> 63) & i64::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(number: f64) -> Form {
        let form = Form::choose(number, None, Form::Decimal(0));
        assert_eq!(form.number(form.integer(number)).to_bits(), number.to_bits(), "{number} in {form:?}");
        assert_eq!(Form::from_code(form.code()), Some(form));
        form
    }

    #[test]
    fn a_decimal_is_its_integer() {
        for (number, expected) in [
            (0.0, Form::Decimal(0)),
            (7.1, Form::Decimal(1)),
            (21.5, Form::Decimal(1)),
            (-0.07, Form::Decimal(2)),
            (1999.999, Form::Decimal(3)),
            (4_503_599_627_370.495, Form::Decimal(3)),
            (f64::from(7.1_f32), Form::SingleDecimal(1)),
            (f64::from(-1234.5_f32), Form::Decimal(1)),
        ] {
            assert_eq!(form(number), expected, "{number}");
        }
        assert_eq!(Form::Decimal(2).integer(21.5), 2150);
    }

    #[test]
    fn what_is_no_short_decimal_keeps_its_bits() {
        for (number, expected) in [
            (0.1 + 0.2, Form::Double),
            (1.0 / 3.0, Form::Double),
            (f64::from(1.0_f32 / 3.0), Form::Single),
            (-0.0, Form::Single),
            (f64::INFINITY, Form::Single),
            (f64::NAN, Form::Double),
            (f64::from_bits(0x7ff0_0000_dead_beef), Form::Double),
            (f64::MIN_POSITIVE / 3.0, Form::Double),
            (f64::MAX, Form::Double),
        ] {
            assert_eq!(form(number), expected, "{number}");
        }
    }

    #[test]
    fn a_form_lasts_while_it_holds_the_numbers() {
        let choose = |number, before| Form::choose(number, Some(before), Form::Decimal(0));
        assert_eq!(choose(7.1, Form::Decimal(2)), Form::Decimal(2));
        assert_eq!(choose(7.125, Form::Decimal(2)), Form::Decimal(3));
        assert_eq!(choose(7.1, Form::Double), Form::Decimal(1), "one NaN does not spoil the rest");
        assert_eq!(choose(7.1, Form::Decimal(9)), Form::Decimal(1), "nor does one long fraction");
    }

    #[test]
    fn integers_grow_with_numbers() {
        let numbers = [f64::NEG_INFINITY, -1e9, -1.5, -0.0, 0.0, 1e-9, 2.5, 1e300];
        for form in [Form::Single, Form::Double] {
            assert!(numbers.map(|number| form.integer(number)).is_sorted(), "{form:?}");
        }
    }
}
