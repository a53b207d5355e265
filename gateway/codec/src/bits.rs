//! Bits as they are, for what cannot be predicted.

/// Writes them, the lowest bit of the first byte first.
#[derive(Default)]
pub(crate) struct BitWriter {
    bytes: Vec<u8>,
    /// Fewer than 8 bits that do not fill a byte yet.
    open: u64,
    open_bits: u32,
}

impl BitWriter {
    /// The lowest `count` bits, at most 63. All others have to be zero.
    #[inline]
    pub(crate) fn put(&mut self, bits: u64, count: u32) {
        if count > 32 {
            self.put_some(bits & 0xffff_ffff, 32);
            self.put_some(bits >> 32, count - 32);
        } else {
            self.put_some(bits, count);
        }
    }

    #[inline]
    fn put_some(&mut self, bits: u64, count: u32) {
        self.open |= bits << self.open_bits;
        self.open_bits += count;
        while self.open_bits >= 8 {
            self.bytes.push(self.open as u8);
            self.open >>= 8;
            self.open_bits -= 8;
        }
    }

    /// The bytes; the last one is filled with zeros.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        if self.open_bits > 0 {
            self.bytes.push(self.open as u8);
        }
        self.bytes
    }
}

/// Reads them back.
pub(crate) struct BitReader<'a> {
    bytes: &'a [u8],
    open: u64,
    open_bits: u32,
    short: bool,
}

impl<'a> BitReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        BitReader { bytes, open: 0, open_bits: 0, short: false }
    }

    /// The next `count` bits, at most 63; zeros behind the end.
    #[inline]
    pub(crate) fn take(&mut self, count: u32) -> u64 {
        if count > 32 { self.take_some(32) | self.take_some(count - 32) << 32 } else { self.take_some(count) }
    }

    #[inline]
    fn take_some(&mut self, count: u32) -> u64 {
        while self.open_bits < count {
            let byte = self.bytes.split_off_first();
            self.short |= byte.is_none();
            self.open |= u64::from(byte.copied().unwrap_or(0)) << self.open_bits;
            self.open_bits += 8;
        }
        let bits = self.open & ((1 << count) - 1);
        self.open >>= count;
        self.open_bits -= count;
        bits
    }

    /// Whether more was read than is there.
    pub(crate) fn is_short(&self) -> bool {
        self.short
    }

    /// Whether exactly all of it was read, up to the zeros in the last byte.
    pub(crate) fn is_used_up(&self) -> bool {
        !self.short && self.bytes.is_empty() && self.open == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_of_all_lengths_come_back() {
        let all: Vec<(u64, u32)> = (0..=63).map(|count| (0x5aa5_1234_9876_fedc & ((1 << count) - 1), count)).collect();
        let mut writer = BitWriter::default();
        all.iter().for_each(|(bits, count)| writer.put(*bits, *count));
        let bytes = writer.finish();
        let mut reader = BitReader::new(&bytes);
        assert!(all.iter().all(|(bits, count)| reader.take(*count) == *bits));
        assert!(reader.is_used_up());
        assert!(!BitReader::new(&bytes).is_used_up());
    }

    #[test]
    fn behind_the_end_there_are_zeros_and_it_is_known() {
        let mut reader = BitReader::new(&[0xff]);
        assert_eq!((reader.take(12), reader.is_short()), (0xff, true));
    }
}
