//! The body of a frame: where and when its items were appended, by column, then the items as the codec wrote them.

use super::{BODY_BYTES_MAX, FrameHeader, LZ4, Meta, varint};
use lz4_flex::block::{compress_into, decompress as decompress_block, get_maximum_output_size};
use std::borrow::Cow;

/// A body taken apart.
pub(crate) struct Items<'a> {
    /// Offset and `mono_nanos` of each item.
    pub(crate) places: Vec<(u64, i64)>,
    raw: Cow<'a, [u8]>,
    block_at: usize,
}

impl Items<'_> {
    /// What the codec wrote.
    pub(crate) fn block(&self) -> &[u8] {
        &self.raw[self.block_at..]
    }
}

/// Takes a body apart; `None` if it does not fit its header.
pub(crate) fn items<'a>(header: &FrameHeader, body: &'a [u8]) -> Option<Items<'a>> {
    let raw = if header.has(LZ4) { Cow::Owned(decompress(body)?) } else { Cow::Borrowed(body) };
    let mut rest = &raw[..];
    let places = places(header, &mut rest)?;
    let block_at = raw.len() - rest.len();
    Some(Items { places, raw, block_at })
}

fn decompress(body: &[u8]) -> Option<Vec<u8>> {
    let (length, packed) = body.split_first_chunk()?;
    let length = u32::from_le_bytes(*length) as usize;
    let raw = (length <= BODY_BYTES_MAX).then(|| decompress_block(packed, length).ok())??;
    (raw.len() == length).then_some(raw)
}

/// Appends `raw` in fewer bytes and says how many; nothing if that does not save an eighth.
pub(super) fn compress(raw: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let at = out.len();
    out.extend_from_slice(&(raw.len() as u32).to_le_bytes());
    out.resize(at + 4 + get_maximum_output_size(raw.len()), 0);
    let packed = compress_into(raw, &mut out[at + 4..]).ok().map(|packed| packed + 4);
    let packed = packed.filter(|packed| packed + raw.len() / 8 <= raw.len());
    out.truncate(at + packed.unwrap_or(0));
    packed
}

/// The columns in front of the block: nothing at all for a single item.
pub(super) fn push_places(metas: &[Meta], out: &mut Vec<u8>) {
    let pairs = || metas.windows(2).map(|pair| (&pair[0], &pair[1]));
    varint::push_runs(pairs().map(|(before, after)| after.offset - before.offset), out);
    varint::push_runs(pairs().map(|(before, after)| varint::zigzag(after.mono_nanos - before.mono_nanos)), out);
}

fn places(header: &FrameHeader, bytes: &mut &[u8]) -> Option<Vec<(u64, i64)>> {
    let count = header.count as usize;
    // A header is trusted, but not with memory.
    let mut places = Vec::with_capacity(count.min(super::ITEMS_MAX));
    places.push((header.first, header.mono_nanos));
    let mut offset = header.first;
    varint::take_runs(bytes, count - 1, |delta| {
        offset = offset.checked_add(delta).filter(|offset| delta > 0 && *offset < header.end)?;
        places.push((offset, 0));
        Some(())
    })?;
    let (mut mono_nanos, mut index) = (header.mono_nanos, 0);
    varint::take_runs(bytes, count - 1, |delta| {
        mono_nanos = mono_nanos.checked_add(varint::unzigzag(delta))?;
        index += 1;
        places[index].1 = mono_nanos;
        Some(())
    })?;
    (offset + 1 == header.end).then_some(places)
}

/// Takes the next item off the body of a frame of version 1: `Some(None)` stands for one that was too long.
pub(crate) fn next_item_v1<'a>(body: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let Some(length) = varint::take(body)?.checked_sub(1) else { return Some(None) };
    let (item, rest) = body.split_at_checked(usize::try_from(length).ok()?)?;
    *body = rest;
    Some(Some(item))
}
