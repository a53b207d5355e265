//! An arithmetic coder of yes and no.
//!
//! It keeps an interval of 32 bits. Each bit cuts it in two parts, as wide as the bit is likely to be one or zero, and
//! keeps one of them; leading bytes on which both ends agree are written. A bit that was to be expected costs almost
//! nothing, one that was not costs several bits.

mod probability;

pub(crate) use probability::Probability;

/// Writes bits.
pub(crate) struct Encoder {
    low: u32,
    high: u32,
    out: Vec<u8>,
}

impl Encoder {
    pub(crate) fn new() -> Self {
        Encoder { low: 0, high: u32::MAX, out: vec![] }
    }

    #[inline]
    pub(crate) fn bit(&mut self, one: &mut Probability, bit: bool) {
        let middle = one.split(self.low, self.high);
        if bit {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        one.learn(bit);
        while agree(self.low, self.high) {
            self.out.push((self.high >> 24) as u8);
            (self.low, self.high) = (self.low << 8, self.high << 8 | 0xff);
        }
    }

    /// The bytes. What follows them does not matter.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let (last, count) = last_bytes(self.low, self.high);
        self.out.extend_from_slice(&last.to_be_bytes()[..count]);
        self.out
    }
}

/// Reads them back with the same probabilities.
pub(crate) struct Decoder<'a> {
    low: u32,
    high: u32,
    code: u32,
    bytes: &'a [u8],
    taken: usize,
}

/// Bytes by which the decoder is ahead.
const AHEAD: usize = size_of::<u32>();

impl<'a> Decoder<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let mut decoder = Decoder { low: 0, high: u32::MAX, code: 0, bytes, taken: 0 };
        for _ in 0..AHEAD {
            decoder.take();
        }
        decoder
    }

    #[inline]
    pub(crate) fn bit(&mut self, one: &mut Probability) -> bool {
        let middle = one.split(self.low, self.high);
        let bit = self.code <= middle;
        if bit {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        one.learn(bit);
        while agree(self.low, self.high) {
            (self.low, self.high) = (self.low << 8, self.high << 8 | 0xff);
            self.take();
        }
        bit
    }

    #[inline]
    fn take(&mut self) {
        let byte = self.bytes.get(self.taken).copied().unwrap_or(0);
        self.code = self.code << 8 | u32::from(byte);
        self.taken += 1;
    }

    /// Whether more was read than is there.
    pub(crate) fn is_short(&self) -> bool {
        self.taken - AHEAD > self.bytes.len()
    }

    /// What follows the bytes of what was read; `None` if they are not all there.
    pub(crate) fn finish(self) -> Option<&'a [u8]> {
        self.bytes.get(self.taken - AHEAD + last_bytes(self.low, self.high).1..)
    }
}

/// The fewest bytes that name a number within the interval whatever follows them.
fn last_bytes(low: u32, high: u32) -> (u32, usize) {
    let fit = |count: usize| {
        let behind = u32::MAX.checked_shr(8 * count as u32).unwrap_or(0);
        let last = low.checked_add(behind)? & !behind;
        (last | behind <= high).then_some((last, count))
    };
    (1..4).find_map(fit).unwrap_or((low, 4))
}

/// Whether the first byte is settled.
fn agree(low: u32, high: u32) -> bool {
    (low ^ high) >> 24 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(bits: &[bool]) -> usize {
        let (mut encoder, mut one) = (Encoder::new(), Probability::default());
        bits.iter().for_each(|bit| encoder.bit(&mut one, *bit));
        let bytes = encoder.finish();
        let (mut decoder, mut one) = (Decoder::new(&bytes), Probability::default());
        assert!(bits.iter().all(|bit| decoder.bit(&mut one) == *bit));
        assert_eq!(decoder.finish(), Some(&[][..]));
        bytes.len()
    }

    #[test]
    fn bits_come_back_and_use_up_exactly_the_bytes() {
        let mut random = 1_u64;
        for length in 0..500 {
            let mut bit = || {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                random >> 33 & 7 == 0
            };
            round_trip(&(0..length).map(|_| bit()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_is_expected_costs_next_to_nothing() {
        assert!(round_trip(&[false; 100_000]) < 30);
        assert!(round_trip(&[true; 100_000]) < 30);
    }

    #[test]
    fn what_follows_the_last_byte_does_not_matter() {
        for (low, high) in [(0, u32::MAX), (0x00ff_ffff, 0x0100_0000), (0x1234_5678, 0x1301_0000), (5, 0x0500_0000)] {
            let (last, count) = last_bytes(low, high);
            let behind = u32::MAX.checked_shr(8 * count as u32).unwrap_or(0);
            assert!(low <= last && last | behind <= high, "{low:x} to {high:x}: {count} of {last:x}");
        }
        assert_eq!(last_bytes(0, u32::MAX), (0, 1));
        assert_eq!(last_bytes(0x00ff_ffff, 0x0100_0000).1, 4);
    }

    #[test]
    fn missing_bytes_are_noticed() {
        let (mut decoder, mut random) = (Decoder::new(&[7, 8]), Probability::default());
        let mut bits = 0;
        while !decoder.is_short() {
            decoder.bit(&mut random);
            random = Probability::default();
            bits += 1;
        }
        assert!((16..=24).contains(&bits), "{bits} bits, each as likely one as zero, from 16");
        assert_eq!(decoder.finish(), None);
    }
}
