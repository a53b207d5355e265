//! The newest items, in memory. Pure: time is an argument.

use crate::{Entry, Options};
use std::{collections::VecDeque, ops::Range, sync::Arc, time::Instant};

/// The items that live readers share: all that are not durable yet, and as many durable ones as the limits allow.
pub(crate) struct Tail<T> {
    first: u64,
    durable: u64,
    slots: VecDeque<Slot<T>>,
    bytes: u64,
    pending_bytes: u64,
    /// Encoded size of a recent item, for estimates.
    item_bytes: u32,
    pending_since: Option<Instant>,
}

struct Slot<T> {
    item: Arc<T>,
    bytes: u32,
}

impl<T> Tail<T> {
    /// An empty tail at offset `first`.
    pub(crate) fn new(first: u64) -> Self {
        let slots = VecDeque::new();
        Tail { first, durable: first, slots, bytes: 0, pending_bytes: 0, item_bytes: 256, pending_since: None }
    }

    /// The oldest offset in it.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// The next offset.
    pub(crate) fn head(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    /// Everything below is on disk.
    pub(crate) fn durable(&self) -> u64 {
        self.durable
    }

    pub(crate) fn pending_bytes(&self) -> u64 {
        self.pending_bytes
    }

    pub(crate) fn pending_items(&self) -> u64 {
        self.head() - self.durable
    }

    /// Since when the oldest item waits for the disk; `None` if none does.
    pub(crate) fn pending_since(&self) -> Option<Instant> {
        self.pending_since
    }

    /// Adds items at the head.
    pub(crate) fn push(&mut self, items: Vec<T>, now: impl FnOnce() -> Instant) -> Range<u64> {
        let from = self.head();
        let bytes = items.len() as u64 * u64::from(self.item_bytes);
        self.pending_bytes += bytes;
        self.bytes += bytes;
        let estimate = self.item_bytes;
        self.slots.extend(items.into_iter().map(|item| Slot { item: Arc::new(item), bytes: estimate }));
        if self.pending_since.is_none() && self.head() > from {
            self.pending_since = Some(now());
        }
        from..self.head()
    }

    /// The oldest items that are not durable, about `bytes_max` of them and at least one if there is any.
    pub(crate) fn pending(&self, bytes_max: usize) -> Vec<Arc<T>> {
        let skip = (self.durable - self.first) as usize;
        let most = bytes_max / self.item_bytes as usize + 1;
        self.slots.range(skip..).take(most).map(|slot| slot.item.clone()).collect()
    }

    /// The items with these encoded sizes, from the durable head on, are durable now.
    pub(crate) fn settle(&mut self, sizes: &[u32], now: Instant) {
        let skip = (self.durable - self.first) as usize;
        for (slot, size) in self.slots.range_mut(skip..).zip(sizes) {
            self.pending_bytes -= u64::from(slot.bytes);
            self.bytes = self.bytes - u64::from(slot.bytes) + u64::from(*size);
            slot.bytes = *size;
        }
        self.durable += sizes.len() as u64;
        let sum: u64 = sizes.iter().map(|size| u64::from(*size)).sum();
        let mean = sum / sizes.len().max(1) as u64;
        self.item_bytes = ((u64::from(self.item_bytes) + mean) / 2).max(16) as u32;
        self.pending_since = (self.pending_items() > 0).then_some(now);
    }

    /// Lets go of the oldest durable items beyond the limits. The caller drops them once the lock is free.
    pub(crate) fn evict(&mut self, options: &Options) -> Vec<Arc<T>> {
        let mut evicted = vec![];
        while self.first < self.durable
            && (self.slots.len() > options.tail_items || self.bytes > options.tail_bytes)
            && let Some(slot) = self.slots.pop_front()
        {
            self.bytes -= u64::from(slot.bytes);
            self.first += 1;
            evicted.push(slot.item);
        }
        evicted
    }

    /// Up to `items_max` items of `range`, which begins in the tail.
    pub(crate) fn read(&self, range: Range<u64>, items_max: usize) -> Vec<Entry<T>> {
        let skip = (range.start - self.first) as usize;
        let most = items_max.min((range.end - range.start) as usize);
        let items = self.slots.range(skip..).take(most);
        (range.start..).zip(items).map(|(offset, slot)| Entry { offset, item: slot.item.clone() }).collect()
    }
}
