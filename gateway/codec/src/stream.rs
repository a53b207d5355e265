//! The three streams of a block: predicted bits, bits as they are, and whole bytes.

use crate::bits::{BitReader, BitWriter};
use crate::coder::{Decoder, Encoder, Probability};
use crate::length;

/// Where a block is written.
pub(crate) struct Sink {
    coder: Encoder,
    bits: BitWriter,
    /// Texts, and what serde writes.
    pub(crate) bytes: Vec<u8>,
}

impl Sink {
    pub(crate) fn new() -> Self {
        Sink { coder: Encoder::new(), bits: BitWriter::default(), bytes: vec![] }
    }

    #[inline]
    pub(crate) fn bit(&mut self, one: &mut Probability, bit: bool) {
        self.coder.bit(one, bit);
    }

    /// The lowest `count` bits, at most 63, as they are.
    #[inline]
    pub(crate) fn plain(&mut self, bits: u64, count: u32) {
        self.bits.put(bits, count);
    }

    /// Appends everything. The predicted bits come last because they need no length.
    pub(crate) fn finish(self, out: &mut Vec<u8>) {
        for section in [self.bytes, self.bits.finish()] {
            length::write(section.len(), out);
            out.extend_from_slice(&section);
        }
        out.extend_from_slice(&self.coder.finish());
    }
}

/// Where a block is read.
///
/// Bits behind the end are whatever they are; [`is_short`](Source::is_short) tells, and has to be asked now and then.
pub(crate) struct Source<'a> {
    coder: Decoder<'a>,
    bits: BitReader<'a>,
    /// Texts, and what serde writes, that were not read yet.
    pub(crate) bytes: &'a [u8],
}

impl<'a> Source<'a> {
    pub(crate) fn new(block: &'a [u8]) -> Option<Self> {
        let (bytes, rest) = section(block)?;
        let (bits, coded) = section(rest)?;
        Some(Source { coder: Decoder::new(coded), bits: BitReader::new(bits), bytes })
    }

    #[inline]
    pub(crate) fn bit(&mut self, one: &mut Probability) -> bool {
        self.coder.bit(one)
    }

    #[inline]
    pub(crate) fn plain(&mut self, count: u32) -> u64 {
        self.bits.take(count)
    }

    /// The next so many bytes.
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        self.bytes.split_off(..count)
    }

    /// Whether more was read than is there.
    pub(crate) fn is_short(&self) -> bool {
        self.bits.is_short() || self.coder.is_short()
    }

    /// What follows, if exactly all that was written has been read.
    pub(crate) fn finish(self) -> Option<&'a [u8]> {
        let all = self.bytes.is_empty() && self.bits.is_used_up();
        self.coder.finish().filter(|_| all)
    }
}

/// A section of bytes behind its length, and what follows.
fn section(mut bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = length::read(&mut bytes)?;
    bytes.split_at_checked(length)
}
