//! Binary coded decimals: a decimal digit in every four bits.

const DIGITS_IN_REGISTER: u32 = 4;

/// The largest number that so many registers hold.
pub(super) fn most(registers: u16) -> i64 {
    10_i64.pow(u32::from(registers) * DIGITS_IN_REGISTER) - 1
}

/// The number; `None` if four bits are no digit.
pub(super) fn decode(bits: u64, registers: u16) -> Option<i64> {
    let digits = (0..u32::from(registers) * DIGITS_IN_REGISTER).rev().map(|at| (bits >> (4 * at) & 0xf) as i64);
    digits.into_iter().try_fold(0, |number, digit| (digit < 10).then(|| number * 10 + digit))
}

/// The digits of a number that is not negative.
pub(super) fn encode(mut number: i64) -> u64 {
    let (mut bits, mut at) = (0, 0);
    while number > 0 {
        bits |= (number % 10) as u64 * (1 << at);
        number /= 10;
        at += 4;
    }
    bits
}
