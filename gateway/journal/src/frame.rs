//! A frame: the unit that is verified as a whole. Pure; the layout is in the crate docs.

mod body;
mod group;
mod varint;

pub(crate) use body::{items, next_item_v1};
pub(crate) use group::{Batch, Group, Meta};

use crc32c::{crc32c, crc32c_append};

/// Most bytes of a frame before they are compressed, so that a flipped bit costs no more. A single longer item has a frame
/// of its own.
pub(crate) const BODY_BYTES: usize = 32 << 10;
/// Most bytes of one item.
pub(crate) const ITEM_BYTES_MAX: usize = 1 << 20;
/// Most bytes of any frame: one item of the largest size and what stands before it.
pub(crate) const BODY_BYTES_MAX: usize = ITEM_BYTES_MAX + 16;
/// Most items of a frame.
pub(crate) const ITEMS_MAX: usize = 4096;
pub(crate) const HEADER_BYTES: usize = 48;
const HEADER_BYTES_V1: usize = 36;
/// Not valid UTF-8, and neither its first nor its last byte repeats.
pub(crate) const MAGIC: [u8; 4] = [0xED, 0x9E, 0x4A, 0xF1];

/// The body is compressed.
pub(crate) const LZ4: u8 = 1;
/// The one item was too long: there is no body.
pub(crate) const TOO_LARGE: u8 = 2;
/// The last frame of a segment that was closed in order: it holds no item and says where the next one goes on.
pub(crate) const END: u8 = 4;

/// What all frames of a segment have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frames {
    pub(crate) version: u32,
    pub(crate) seed: u32,
    pub(crate) first: u64,
    pub(crate) first_seq: u64,
}

/// What stands before the items of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    /// Offset of the first item.
    pub(crate) first: u64,
    /// The offset behind the last item.
    pub(crate) end: u64,
    /// Number of the first item within its class.
    pub(crate) seq: u64,
    /// How many items.
    pub(crate) count: u32,
    /// When the first item was appended.
    pub(crate) mono_nanos: i64,
    pub(crate) wall_nanos: i64,
    pub(crate) flags: u8,
    pub(crate) body_bytes: u32,
    pub(crate) body_crc: u32,
}

impl Frames {
    /// Bytes of a frame's header.
    pub(crate) fn header_bytes(&self) -> usize {
        if self.version == 1 { HEADER_BYTES_V1 } else { HEADER_BYTES }
    }

    /// The header at the head of `bytes`, if one of this segment stands there undamaged.
    pub(crate) fn read(&self, bytes: &[u8]) -> Option<FrameHeader> {
        let bytes = bytes.get(..self.header_bytes())?;
        if !self.is_sealed(bytes) {
            return None;
        }
        let header = if self.version == 1 { FrameHeader::parse_v1(bytes) } else { self.parse(bytes) };
        header.filter(|header| header.body_bytes as usize <= BODY_BYTES_MAX)
    }

    /// The header at the head of `bytes` if a single bit of it is wrong. CRC32C tells any two headers of this length
    /// apart by six bits, so it is the only one that this can have been.
    pub(crate) fn mend(&self, bytes: &[u8]) -> Option<FrameHeader> {
        let mut bytes = bytes.get(..self.header_bytes())?.to_vec();
        let distance: u32 = bytes.iter().zip(MAGIC).map(|(byte, magic)| (byte ^ magic).count_ones()).sum();
        if distance > 1 {
            return None;
        }
        (0..bytes.len() * 8).find_map(|bit| {
            bytes[bit / 8] ^= 1 << (bit % 8);
            let header = self.read(&bytes);
            bytes[bit / 8] ^= 1 << (bit % 8);
            header
        })
    }

    fn is_sealed(&self, bytes: &[u8]) -> bool {
        let (covered, crc) = bytes.split_at(bytes.len() - 4);
        covered[..4] == MAGIC && crc == crc32c_append(self.seed, covered).to_le_bytes()
    }

    fn parse(&self, bytes: &[u8]) -> Option<FrameHeader> {
        let word = |at| u32::from_le_bytes(part(bytes, at));
        let (flags, count) = (bytes[7], word(24));
        let first = self.first.checked_add(word(12).into())?;
        let header = FrameHeader {
            first,
            end: first.checked_add(word(16).into())?,
            seq: self.first_seq.checked_add(word(20).into())?,
            count,
            mono_nanos: i64::from_le_bytes(part(bytes, 28)),
            wall_nanos: i64::from_le_bytes(part(bytes, 36)),
            flags,
            body_bytes: word(4) & 0x00FF_FFFF,
            body_crc: word(8),
        };
        let sound = match flags & END {
            0 => (1..=ITEMS_MAX as u32).contains(&count) && header.end - first >= count.into(),
            _ => count == 0 && header.body_bytes == 0,
        };
        sound.then_some(header)
    }

    /// Writes a header of this segment.
    pub(crate) fn write(&self, header: &FrameHeader, out: &mut [u8]) {
        let mut put = |at: usize, field: &[u8]| out[at..at + field.len()].copy_from_slice(field);
        put(0, &MAGIC);
        put(4, &(header.body_bytes | u32::from(header.flags) << 24).to_le_bytes());
        put(8, &header.body_crc.to_le_bytes());
        put(12, &((header.first - self.first) as u32).to_le_bytes());
        put(16, &((header.end - header.first) as u32).to_le_bytes());
        put(20, &((header.seq - self.first_seq) as u32).to_le_bytes());
        put(24, &header.count.to_le_bytes());
        put(28, &header.mono_nanos.to_le_bytes());
        put(36, &header.wall_nanos.to_le_bytes());
        let crc = crc32c_append(self.seed, &out[..44]);
        out[44..48].copy_from_slice(&crc.to_le_bytes());
    }

    /// True if items up to the offset `end` with the number `seq` can be written down in this segment.
    pub(crate) fn reaches(&self, end: u64, seq: u64) -> bool {
        let far = |from: u64, to: u64| to - from > u64::from(u32::MAX / 2);
        !far(self.first, end) && !far(self.first_seq, seq)
    }

    /// The last frame of a segment whose next item would have had this number and an offset from `end` on.
    pub(crate) fn end_frame(&self, end: u64, seq: u64) -> [u8; HEADER_BYTES] {
        let (mono_nanos, wall_nanos) = (0, 0);
        let header = FrameHeader {
            first: end,
            end,
            seq,
            count: 0,
            mono_nanos,
            wall_nanos,
            flags: END,
            body_bytes: 0,
            body_crc: 0,
        };
        let mut bytes = [0; HEADER_BYTES];
        self.write(&header, &mut bytes);
        bytes
    }
}

impl FrameHeader {
    fn parse_v1(bytes: &[u8]) -> Option<FrameHeader> {
        let first = u64::from_le_bytes(part(bytes, 12));
        let count = u32::from_le_bytes(part(bytes, 20));
        let header = FrameHeader {
            first,
            end: first.checked_add(count.into())?,
            seq: first,
            count,
            mono_nanos: 0,
            wall_nanos: i64::from_le_bytes(part(bytes, 24)),
            flags: 0,
            body_bytes: u32::from_le_bytes(part(bytes, 4)),
            body_crc: u32::from_le_bytes(part(bytes, 8)),
        };
        (count > 0).then_some(header)
    }

    /// The number behind its last item.
    pub(crate) fn end_seq(&self) -> u64 {
        self.seq + u64::from(self.count)
    }

    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    pub(crate) fn matches(&self, body: &[u8]) -> bool {
        body.len() == self.body_bytes as usize && crc32c(body) == self.body_crc
    }
}

/// The `N` bytes from `at` on.
pub(crate) fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("a slice of N bytes")
}

#[cfg(test)]
mod tests;
