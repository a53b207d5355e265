//! Numbers that are probably near zero: differences to what was predicted.

use crate::coder::Probability;
use crate::stream::{Sink, Source};

/// One of `LEAVES` choices, a power of two: bit by bit, each with a probability that depends on the bits before.
pub(crate) struct Choice<const LEAVES: usize>([Probability; LEAVES]);

impl<const LEAVES: usize> Default for Choice<LEAVES> {
    fn default() -> Self {
        Choice([Probability::default(); LEAVES])
    }
}

impl<const LEAVES: usize> Choice<LEAVES> {
    #[inline]
    pub(crate) fn encode(&mut self, choice: usize, sink: &mut Sink) {
        let mut node = 1;
        for place in (0..LEAVES.ilog2()).rev() {
            let bit = choice >> place & 1;
            sink.bit(&mut self.0[node], bit == 1);
            node = node << 1 | bit;
        }
    }

    #[inline]
    pub(crate) fn decode(&mut self, source: &mut Source<'_>) -> usize {
        let mut node = 1;
        while node < LEAVES {
            node = node << 1 | usize::from(source.bit(&mut self.0[node]));
        }
        node - LEAVES
    }
}

/// How many bits a number has behind its sign: 0 for zero, up to 64.
pub(crate) type Bits = u8;

/// A number: whether it is zero, its sign, its length and its second bit as predicted bits, the rest as it is.
#[derive(Default)]
pub(crate) struct Number {
    zero: Probability,
    negative: Probability,
    length: Choice<64>,
    /// The second bit of short ones, by length.
    second: [Probability; SHORT],
}

/// Bits below the highest one from which on the second bit is as it is.
const SHORT: usize = 12;

impl Number {
    #[inline]
    pub(crate) fn encode(&mut self, number: i64, sink: &mut Sink) -> Bits {
        sink.bit(&mut self.zero, number == 0);
        if number == 0 {
            return 0;
        }
        sink.bit(&mut self.negative, number < 0);
        let magnitude = number.unsigned_abs();
        let below = magnitude.ilog2();
        self.length.encode(below as usize, sink);
        let mut plain = below;
        if (1..SHORT as u32).contains(&below) {
            plain -= 1;
            sink.bit(&mut self.second[below as usize], magnitude >> plain & 1 == 1);
        }
        sink.plain(magnitude & !(u64::MAX << plain), plain);
        below as Bits + 1
    }

    #[inline]
    pub(crate) fn decode(&mut self, source: &mut Source<'_>) -> (i64, Bits) {
        if source.bit(&mut self.zero) {
            return (0, 0);
        }
        let negative = source.bit(&mut self.negative);
        let below = self.length.decode(source) as u32;
        let (mut magnitude, mut plain) = (1_u64, below);
        if (1..SHORT as u32).contains(&below) {
            plain -= 1;
            magnitude = 2 | u64::from(source.bit(&mut self.second[below as usize]));
        }
        let magnitude = (magnitude << plain | source.plain(plain)) as i64;
        (if negative { magnitude.wrapping_neg() } else { magnitude }, below as Bits + 1)
    }
}

/// Numbers of which some are known to have been large where others were small: each range of lengths of what stood at
/// the same place before has its own probabilities.
#[derive(Default)]
pub(crate) struct Column {
    first: Number,
    after: [Number; 8],
}

impl Column {
    /// `before`: the length of the number that stood at this place before, if there was one.
    #[inline]
    pub(crate) fn after(&mut self, before: Option<Bits>) -> &mut Number {
        match before {
            None => &mut self.first,
            Some(bits) => &mut self.after[range(bits)],
        }
    }
}

fn range(bits: Bits) -> usize {
    match bits {
        0 => 0,
        1..=2 => 1,
        3..=5 => 2,
        6..=8 => 3,
        9..=12 => 4,
        13..=18 => 5,
        19..=30 => 6,
        _ => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_numbers_come_back() {
        let mut numbers = vec![0, 1, -1, i64::MIN, i64::MAX, i64::MIN + 1];
        numbers.extend((0..63).flat_map(|place| [1_i64 << place, -(1 << place), (1 << place) - 1]));
        let (mut sink, mut model) = (Sink::new(), Number::default());
        let lengths: Vec<Bits> = numbers.iter().map(|number| model.encode(*number, &mut sink)).collect();
        let mut bytes = vec![];
        sink.finish(&mut bytes);
        let (mut source, mut model) = (Source::new(&bytes).expect("sections"), Number::default());
        for (number, length) in numbers.into_iter().zip(lengths) {
            assert_eq!(model.decode(&mut source), (number, length));
        }
        assert_eq!(source.finish(), Some(&[][..]));
    }
}
