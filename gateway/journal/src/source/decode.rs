//! The items of one frame.

use crate::{
    Decoder, Entry, LossReason, LostRange, Placement, Stamp,
    entry::Event,
    frame::{FrameHeader, items, next_item_v1},
    segment::Fixed,
};
use std::sync::Arc;

/// What is in a sound body; `None` if it does not fit its header.
pub(super) fn frame<T>(
    fixed: &Fixed,
    header: &FrameHeader,
    body: &[u8],
    decoder: &dyn Decoder<T>,
) -> Option<Vec<Event<T>>> {
    if fixed.version == 1 {
        return Some(frame_v1(fixed, header, body, decoder));
    }
    let items = items(header, body)?;
    let decoded = decoder.decode(items.block(), items.places.len()).filter(|found| found.len() == items.places.len());
    let Some(decoded) = decoded else {
        return Some(vec![lost(fixed, header.first, header.end, header.count.into(), LossReason::Unreadable)]);
    };
    let entries = items.places.iter().zip(decoded).map(|((offset, mono_nanos), item)| {
        let since = mono_nanos - header.mono_nanos;
        let wall_nanos = header.wall_nanos.saturating_add(since);
        let stamp = Stamp { mono_nanos: *mono_nanos, wall_nanos, ..fixed.created };
        entry(fixed, *offset, stamp, item)
    });
    Some(entries.collect())
}

/// In version 1 each item stood for itself.
fn frame_v1<T>(fixed: &Fixed, header: &FrameHeader, mut body: &[u8], decoder: &dyn Decoder<T>) -> Vec<Event<T>> {
    let stamp = Stamp { wall_nanos: header.wall_nanos, ..fixed.created };
    let mut events = vec![];
    for offset in header.first..header.end {
        let one = |reason| lost(fixed, offset, offset + 1, 1, reason);
        let Some(item) = next_item_v1(&mut body) else {
            events.push(lost(fixed, offset, header.end, header.end - offset, LossReason::Damaged));
            break;
        };
        events.push(match item.map(|bytes| decoder.decode_v1(bytes)) {
            Some(Some(item)) => entry(fixed, offset, stamp, item),
            Some(None) => one(LossReason::Unreadable),
            None => one(LossReason::TooLarge),
        });
    }
    events
}

fn entry<T>(fixed: &Fixed, offset: u64, stamp: Stamp, item: T) -> Event<T> {
    Event::Entry(Entry { offset, item: Arc::new(item), placement: Placement::Disk(fixed.class), stamp })
}

fn lost<T>(fixed: &Fixed, from: u64, end: u64, count: u64, reason: LossReason) -> Event<T> {
    Event::Lost(LostRange { from, to: end - 1, count, class: Some(fixed.class), reason })
}
