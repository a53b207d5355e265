//! A frame: the unit that is verified as a whole. Pure; the layout is in the crate docs.

use crate::Codec;
use crc32c::{crc32c, crc32c_append};
use std::sync::Arc;

/// Most bytes of items in a frame, so that a flipped bit costs no more. A single longer item has a frame of its own.
pub(crate) const BODY_BYTES: usize = 32 << 10;
/// Most bytes of one item.
pub(crate) const ITEM_BYTES_MAX: usize = 1 << 20;
/// Most bytes of the items of any frame: one item of the largest size and its length.
pub(crate) const BODY_BYTES_MAX: usize = ITEM_BYTES_MAX + 4;
pub(crate) const HEADER_BYTES: usize = 36;
/// Not valid UTF-8, and neither its first nor its last byte repeats.
pub(crate) const MAGIC: [u8; 4] = [0xED, 0x9E, 0x4A, 0xF1];

/// What stands before the items of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub(crate) body_bytes: u32,
    pub(crate) body_crc: u32,
    pub(crate) first: u64,
    pub(crate) count: u32,
    pub(crate) time_nanos: i64,
}

impl FrameHeader {
    /// The header at the head of `bytes`, if one of the segment with this `seed` stands there undamaged.
    pub(crate) fn read(bytes: &[u8], seed: u32) -> Option<FrameHeader> {
        let bytes: &[u8; HEADER_BYTES] = bytes.first_chunk()?;
        let (covered, crc) = bytes.split_at(32);
        if bytes[..4] != MAGIC || crc != crc32c_append(seed, covered).to_le_bytes() {
            return None;
        }
        let header = FrameHeader {
            body_bytes: u32::from_le_bytes(part(bytes, 4)),
            body_crc: u32::from_le_bytes(part(bytes, 8)),
            first: u64::from_le_bytes(part(bytes, 12)),
            count: u32::from_le_bytes(part(bytes, 20)),
            time_nanos: i64::from_le_bytes(part(bytes, 24)),
        };
        let sound = header.body_bytes as usize <= BODY_BYTES_MAX && header.count > 0;
        (sound && header.first.checked_add(header.count.into()).is_some()).then_some(header)
    }

    fn write(&self, seed: u32, out: &mut [u8]) {
        out[..4].copy_from_slice(&MAGIC);
        out[4..8].copy_from_slice(&self.body_bytes.to_le_bytes());
        out[8..12].copy_from_slice(&self.body_crc.to_le_bytes());
        out[12..20].copy_from_slice(&self.first.to_le_bytes());
        out[20..24].copy_from_slice(&self.count.to_le_bytes());
        out[24..32].copy_from_slice(&self.time_nanos.to_le_bytes());
        let crc = crc32c_append(seed, &out[..32]);
        out[32..36].copy_from_slice(&crc.to_le_bytes());
    }

    /// The offset behind its last item.
    pub(crate) fn end(&self) -> u64 {
        self.first + u64::from(self.count)
    }

    /// Header and items.
    pub(crate) fn bytes(&self) -> u64 {
        HEADER_BYTES as u64 + u64::from(self.body_bytes)
    }

    pub(crate) fn matches(&self, body: &[u8]) -> bool {
        body.len() == self.body_bytes as usize && crc32c(body) == self.body_crc
    }
}

/// The `N` bytes from `at` on.
pub(crate) fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("a slice of N bytes")
}

/// A run of items as frames, ready to be written.
#[derive(Default)]
pub(crate) struct Group {
    /// The frames.
    pub(crate) bytes: Vec<u8>,
    /// Encoded size of each item in it.
    pub(crate) sizes: Vec<u32>,
    /// Offsets of items that are too long; they are in it as a mark only.
    pub(crate) refused: Vec<u64>,
    frame: Option<(usize, FrameHeader)>,
    scratch: Vec<u8>,
}

impl Group {
    /// Encodes `items`, the first of which has offset `first`, until about `bytes_max` are filled.
    pub(crate) fn fill<C: Codec>(&mut self, codec: &C, items: &[Arc<C::Item>], bytes_max: usize, stamp: Stamp) {
        self.clear();
        for (offset, item) in (stamp.first..).zip(items) {
            if self.bytes.len() >= bytes_max {
                break;
            }
            self.scratch.clear();
            codec.encode(item, &mut self.scratch);
            self.push(offset, stamp);
        }
        self.close_frame(stamp.seed);
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.sizes.clear();
        self.refused.clear();
    }

    /// Adds the item in `scratch`.
    fn push(&mut self, offset: u64, stamp: Stamp) {
        let fits = self.scratch.len() <= ITEM_BYTES_MAX;
        let length = if fits { self.scratch.len() } else { 0 };
        if self.frame.is_some_and(|(at, _)| self.bytes.len() - at - HEADER_BYTES + length + 4 > BODY_BYTES) {
            self.close_frame(stamp.seed);
        }
        let (_, header) = self.frame.get_or_insert_with(|| {
            let at = self.bytes.len();
            self.bytes.resize(at + HEADER_BYTES, 0);
            let time_nanos = stamp.time_nanos;
            (at, FrameHeader { body_bytes: 0, body_crc: 0, first: offset, count: 0, time_nanos })
        });
        header.count += 1;
        if fits {
            push_varint(length as u32 + 1, &mut self.bytes);
            self.bytes.extend_from_slice(&self.scratch);
        } else {
            push_varint(0, &mut self.bytes);
            self.refused.push(offset);
        }
        self.sizes.push(length as u32 + 1);
    }

    fn close_frame(&mut self, seed: u32) {
        let Some((at, mut header)) = self.frame.take() else { return };
        let (head, body) = self.bytes[at..].split_at_mut(HEADER_BYTES);
        header.body_bytes = body.len() as u32;
        header.body_crc = crc32c(body);
        header.write(seed, head);
    }
}

/// What the frames of a group have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    /// Offset of the first item.
    pub(crate) first: u64,
    pub(crate) time_nanos: i64,
    /// The checksum of the segment's header; see [`crate::segment`].
    pub(crate) seed: u32,
}

/// Takes the next item off the body of a frame: `Some(None)` stands for one that was too long.
pub(crate) fn next_item<'a>(body: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let length = take_varint(body)?;
    let Some(length) = length.checked_sub(1) else { return Some(None) };
    let (item, rest) = body.split_at_checked(length as usize)?;
    *body = rest;
    Some(Some(item))
}

fn push_varint(mut value: u32, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Option<u32> {
    let mut value = 0;
    for shift in [0, 7, 14, 21] {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u32::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
