//! The items of one frame.

use crate::{
    Decoder, Entry, LossReason, LostRange, Placement, Stamp,
    entry::Event,
    frame::{FrameHeader, items, next_item_v1},
    segment::Fixed,
};
use std::{collections::VecDeque, sync::Arc};

/// Adds what is in a sound body from offset `from` on; `None` if it does not fit its header.
pub(super) fn frame<T>(
    fixed: &Fixed,
    header: &FrameHeader,
    body: &[u8],
    decoder: &dyn Decoder<T>,
    (from, events): (u64, &mut VecDeque<Event<T>>),
) -> Option<()> {
    if fixed.version == 1 {
        let all = frame_v1(fixed, header, body, decoder);
        events.extend(all.into_iter().filter(|event| event.offset() >= from));
        return Some(());
    }
    let items = items(header, body)?;
    let decoded = decoder.decode(items.block(), items.places.len()).filter(|found| found.len() == items.places.len());
    let Some(decoded) = decoded else {
        events.push_back(lost(fixed, header.first, header.end, header.count.into(), LossReason::Unreadable));
        return Some(());
    };
    let wanted = items.places.iter().zip(decoded).skip_while(|((offset, _), _)| *offset < from);
    events.extend(wanted.map(|((offset, mono_nanos), item)| {
        let since = mono_nanos - header.mono_nanos;
        let wall_nanos = header.wall_nanos.saturating_add(since);
        let stamp = Stamp { mono_nanos: *mono_nanos, wall_nanos, ..fixed.created };
        entry(fixed, *offset, stamp, item)
    }));
    Some(())
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
