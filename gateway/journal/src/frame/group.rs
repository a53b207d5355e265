//! A run of items as frames, ready to be written.

use super::{
    BODY_BYTES, FrameHeader, Frames, HEADER_BYTES, ITEM_BYTES_MAX, ITEMS_MAX, LZ4, TOO_LARGE,
    body::{compress, push_places},
};
use crate::Codec;
use crc32c::crc32c;
use std::{ops::Range, sync::Arc};

/// What a frame is filled to, as far as that can be told beforehand.
const FILL_BYTES: f32 = (BODY_BYTES - BODY_BYTES / 8) as f32;
/// Shorter bodies are not worth compressing.
const COMPRESS_FROM_BYTES: usize = 512;
/// After frames that could not be compressed, up to so many are not even tried: what is random stays so for a while.
const COMPRESS_PAUSE_MAX: u32 = 63;

/// Where and when an item was appended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meta {
    pub(crate) offset: u64,
    pub(crate) mono_nanos: i64,
    pub(crate) wall_nanos: i64,
    /// By the codec's `size_hint`.
    pub(crate) bytes: u32,
}

/// Items in order, the first of which has the number `seq` in its class.
pub(crate) struct Batch<T> {
    pub(crate) items: Vec<Arc<T>>,
    pub(crate) metas: Vec<Meta>,
    pub(crate) seq: u64,
}

/// Frames, and the buffers they are made in.
pub(crate) struct Group {
    /// The frames.
    pub(crate) bytes: Vec<u8>,
    /// How many items of the batch are in them.
    pub(crate) taken: usize,
    /// Offsets of items that are too long; they are there as a mark only.
    pub(crate) refused: Vec<u64>,
    /// Bytes of the bodies before they were compressed.
    pub(crate) raw_bytes: u64,
    scratch: Vec<u8>,
    /// How many bytes really come of one hinted byte.
    ratio: f32,
    /// How many frames are not tried after another failure, and how many that still are.
    compress_pause: u32,
    compress_in: u32,
}

impl Default for Group {
    fn default() -> Self {
        let (bytes, refused, scratch) = (vec![], vec![], vec![]);
        Group { bytes, taken: 0, refused, raw_bytes: 0, scratch, ratio: 1.0, compress_pause: 0, compress_in: 0 }
    }
}

impl Group {
    /// Encodes items of `batch` until about `bytes_max` are filled; at least one.
    pub(crate) fn fill<C: Codec>(&mut self, codec: &C, batch: &Batch<C::Item>, frames: Frames, bytes_max: usize) {
        self.bytes.clear();
        self.refused.clear();
        (self.taken, self.raw_bytes) = (0, 0);
        while self.taken < batch.metas.len() && self.bytes.len() < bytes_max {
            let count = self.fitting(&batch.metas[self.taken..]);
            let hinted: u64 =
                batch.metas[self.taken..self.taken + count].iter().map(|meta| u64::from(meta.bytes)).sum();
            let before = self.raw_bytes;
            self.push(codec, batch, frames, self.taken..self.taken + count);
            let found = (self.raw_bytes - before) as f32 / hinted.max(1) as f32;
            self.ratio = (self.ratio + (found - self.ratio) / 4.0).clamp(0.01, 100.0);
            self.taken += count;
        }
    }

    /// How many items make a frame: their wall clocks have to run alike.
    fn fitting(&self, metas: &[Meta]) -> usize {
        let distance = metas[0].wall_nanos - metas[0].mono_nanos;
        let mut filled = 0.0;
        let fitting = metas.iter().take(ITEMS_MAX).take_while(|meta| {
            filled += meta.bytes as f32 * self.ratio;
            filled <= FILL_BYTES && meta.wall_nanos - meta.mono_nanos == distance
        });
        fitting.count().max(1)
    }

    /// Adds one frame, or more if the items are longer than they seemed.
    fn push<C: Codec>(&mut self, codec: &C, batch: &Batch<C::Item>, frames: Frames, range: Range<usize>) {
        let metas = &batch.metas[range.clone()];
        let at = self.bytes.len();
        let body_at = at + HEADER_BYTES;
        self.bytes.resize(body_at, 0);
        push_places(metas, &mut self.bytes);
        codec.encode(&batch.items[range.clone()], &mut self.bytes);
        let raw = self.bytes.len() - body_at;
        if raw > BODY_BYTES && range.len() > 1 {
            self.bytes.truncate(at);
            let middle = range.start + range.len() / 2;
            self.push(codec, batch, frames, range.start..middle);
            self.push(codec, batch, frames, middle..range.end);
            return;
        }
        let flags = if raw > ITEM_BYTES_MAX {
            self.refused.push(metas[0].offset);
            self.bytes.truncate(body_at);
            TOO_LARGE
        } else {
            self.raw_bytes += raw as u64;
            self.compress(body_at)
        };
        self.seal(at, frames, metas, batch.seq + range.start as u64, flags);
    }

    /// Makes the body that begins at `body_at` shorter, if that is worth it.
    fn compress(&mut self, body_at: usize) -> u8 {
        if self.bytes.len() - body_at <= COMPRESS_FROM_BYTES {
            return 0;
        }
        if self.compress_in > 0 {
            self.compress_in -= 1;
            return 0;
        }
        self.scratch.clear();
        if compress(&self.bytes[body_at..], &mut self.scratch).is_some() {
            self.bytes.truncate(body_at);
            self.bytes.extend_from_slice(&self.scratch);
            self.compress_pause = 0;
            return LZ4;
        }
        self.compress_pause = (2 * self.compress_pause + 1).min(COMPRESS_PAUSE_MAX);
        self.compress_in = self.compress_pause;
        0
    }

    /// Writes the header of the frame that begins at `at`.
    fn seal(&mut self, at: usize, frames: Frames, metas: &[Meta], seq: u64, flags: u8) {
        let (head, body) = self.bytes[at..].split_at_mut(HEADER_BYTES);
        let (first, last) = (metas[0], metas[metas.len() - 1]);
        let header = FrameHeader {
            first: first.offset,
            end: last.offset + 1,
            seq,
            count: metas.len() as u32,
            mono_nanos: first.mono_nanos,
            wall_nanos: first.wall_nanos,
            flags,
            body_bytes: body.len() as u32,
            body_crc: crc32c(body),
        };
        frames.write(&header, head);
    }
}
