//! The items of one class that wait for the disk.

use super::{Due, Slot};
use crate::{Class, Entry, Placement, Stamp, frame::Batch, frame::Meta};
use std::{collections::VecDeque, sync::Arc, time::Instant};

/// A queue, oldest first.
pub(crate) struct Pending<T> {
    items: VecDeque<(Meta, Arc<T>)>,
    /// The number of the next item appended.
    next_seq: u64,
    bytes: u64,
    since: Option<Instant>,
}

impl<T> Pending<T> {
    pub(super) fn new(next_seq: u64) -> Self {
        Pending { items: VecDeque::new(), next_seq, bytes: 0, since: None }
    }

    /// The offset of the oldest item.
    pub(super) fn first(&self) -> Option<u64> {
        self.items.front().map(|(meta, _)| meta.offset)
    }

    /// The offset of the last item below `end`.
    pub(super) fn last_below(&self, end: u64) -> Option<u64> {
        let below = self.items.partition_point(|(meta, _)| meta.offset < end);
        below.checked_sub(1).map(|index| self.items[index].0.offset)
    }

    pub(super) fn first_seq(&self) -> u64 {
        self.next_seq - self.items.len() as u64
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn due(&self) -> Due {
        Due { items: self.items.len(), since: self.since }
    }

    pub(super) fn push(&mut self, offset: u64, slot: &Slot<T>, now: Instant) {
        let Slot { bytes, mono_nanos, wall_nanos, .. } = *slot;
        self.items.push_back((Meta { offset, mono_nanos, wall_nanos, bytes }, slot.item.clone()));
        self.next_seq += 1;
        self.bytes += u64::from(bytes);
        self.since.get_or_insert(now);
    }

    pub(super) fn batch(&self, bytes_max: usize) -> Batch<T> {
        let mut filled = 0;
        let most = self.items.iter().take_while(|(meta, _)| {
            let fits = filled < bytes_max as u64;
            filled += u64::from(meta.bytes);
            fits
        });
        let (metas, items) = most.map(|(meta, item)| (*meta, item.clone())).unzip();
        Batch { items, metas, seq: self.first_seq() }
    }

    pub(super) fn settle(&mut self, count: usize, now: Instant) -> Vec<Arc<T>> {
        let settled = self.items.drain(..count).map(|(meta, item)| {
            self.bytes -= u64::from(meta.bytes);
            item
        });
        let settled = settled.collect();
        self.since = (!self.items.is_empty()).then_some(now);
        if self.items.is_empty() {
            // A burst may have made it large.
            self.items.shrink_to(4096);
        }
        settled
    }

    pub(super) fn entries(&self, class: Class, from: u64, items_max: usize, now: Stamp) -> Vec<Entry<T>> {
        let skip = self.items.partition_point(|(meta, _)| meta.offset < from);
        let items = self.items.range(skip..).take(items_max);
        let entry = |(meta, item): &(Meta, Arc<T>)| Entry {
            offset: meta.offset,
            item: item.clone(),
            placement: Placement::Disk(class),
            stamp: Stamp { mono_nanos: meta.mono_nanos, wall_nanos: meta.wall_nanos, ..now },
        };
        items.map(entry).collect()
    }
}
