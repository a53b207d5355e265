//! The newest items, in memory. Pure: time is an argument.

mod pending;

pub(crate) use pending::Pending;

use crate::{Class, Entry, Level, Options, Placement, Stamp, clock::Distance, frame::Batch};
use std::{collections::VecDeque, ops::Range, sync::Arc, time::Instant};

/// An item on its way in.
pub(crate) struct Placed<T> {
    pub(crate) item: T,
    pub(crate) placement: Placement,
    /// By the codec's `size_hint`.
    pub(crate) bytes: u32,
}

/// As many of the newest items as the limits allow, for live readers, and all that wait for the disk.
pub(crate) struct Tail<T> {
    first: u64,
    slots: VecDeque<Slot<T>>,
    bytes: u64,
    pending: [Pending<T>; 3],
    distance: Distance,
}

struct Slot<T> {
    item: Arc<T>,
    placement: Placement,
    bytes: u32,
    mono_nanos: i64,
    wall_nanos: i64,
}

/// What a writer has to know of its queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due {
    pub(crate) items: usize,
    pub(crate) since: Option<Instant>,
}

impl<T> Tail<T> {
    /// An empty tail at offset `first`; the next item of each class has the number in `seqs`.
    pub(crate) fn new(first: u64, seqs: [u64; 3]) -> Self {
        let pending = seqs.map(Pending::new);
        Tail { first, slots: VecDeque::new(), bytes: 0, pending, distance: Distance::default() }
    }

    /// The oldest offset in it.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// The next offset.
    pub(crate) fn head(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    /// Everything of this class below is durable.
    pub(crate) fn durable_of(&self, class: Class) -> u64 {
        self.pending[class.index()].first().unwrap_or_else(|| self.head())
    }

    /// Everything below is durable.
    pub(crate) fn durable(&self) -> u64 {
        Class::ALL.into_iter().map(|class| self.durable_of(class)).min().unwrap_or(0)
    }

    /// The number of the first item of this class that is not durable.
    pub(crate) fn durable_seq(&self, class: Class) -> u64 {
        self.pending[class.index()].first_seq()
    }

    pub(crate) fn pending_bytes(&self, class: Class) -> u64 {
        self.pending[class.index()].bytes()
    }

    pub(crate) fn due(&self, class: Class) -> Due {
        self.pending[class.index()].due()
    }

    /// Adds items at the head, and gives back what has to leave for them; the caller drops it once the lock is free.
    pub(crate) fn push(&mut self, items: Vec<Placed<T>>, stamp: Stamp, now: Instant, options: &Options) -> Pushed<T> {
        let stamp = self.distance.steady(stamp);
        let from = self.head();
        for (offset, Placed { item, placement, bytes }) in (from..).zip(items) {
            let (mono_nanos, wall_nanos) = (stamp.mono_nanos, stamp.wall_nanos);
            let slot = Slot { item: Arc::new(item), placement, bytes, mono_nanos, wall_nanos };
            if let Some(class) = placement.class() {
                self.pending[class.index()].push(offset, &slot, now);
            }
            self.bytes += u64::from(bytes);
            self.slots.push_back(slot);
        }
        Pushed { offsets: from..self.head(), evicted: self.evict(options) }
    }

    /// Lets go of the oldest items beyond the limits.
    fn evict(&mut self, options: &Options) -> Vec<Arc<T>> {
        let mut evicted = vec![];
        while (self.slots.len() > options.tail_items || self.bytes > options.tail_bytes)
            && let Some(slot) = self.slots.pop_front()
        {
            self.bytes -= u64::from(slot.bytes);
            self.first += 1;
            evicted.push(slot.item);
        }
        evicted
    }

    /// The oldest items of a class that are not durable, about `bytes_max` of them and at least one if there is any.
    pub(crate) fn batch(&self, class: Class, bytes_max: usize) -> Batch<T> {
        self.pending[class.index()].batch(bytes_max)
    }

    /// The `count` oldest waiting items of a class are durable now. The caller drops them once the lock is free.
    pub(crate) fn settle(&mut self, class: Class, count: usize, now: Instant) -> Vec<Arc<T>> {
        self.pending[class.index()].settle(count, now)
    }

    /// Items of a class that wait for the disk, from offset `from` on.
    pub(crate) fn waiting(&self, class: Class, from: u64, items_max: usize, now: Stamp) -> Vec<Entry<T>> {
        self.pending[class.index()].entries(class, from, items_max, now)
    }

    /// The last item of a class below the offset `end` that waits for the disk.
    pub(crate) fn waits_below(&self, class: Class, end: u64) -> Option<u64> {
        self.pending[class.index()].last_below(end)
    }

    /// Up to `items_max` items of `range`, which begins in the tail and ends at its head or before, and how far that came.
    /// With a class, its items alone.
    pub(crate) fn read(&self, range: Range<u64>, wanted: Wanted, items_max: usize, now: Stamp) -> (Vec<Entry<T>>, u64) {
        let skip = (range.start - self.first) as usize;
        let mut entries = vec![];
        for (offset, slot) in range.clone().zip(self.slots.range(skip..)) {
            if wanted.includes(slot.placement) {
                entries.push(slot.entry(offset, now));
            } else if wanted.ends_at(slot.placement) {
                return (entries, offset);
            }
            if entries.len() == items_max {
                return (entries, offset + 1);
            }
        }
        (entries, range.end)
    }

    /// Where the items begin that are kept, from `from` on; the head if there are none.
    pub(crate) fn next_kept(&self, from: u64, end: u64) -> u64 {
        let skip = (from - self.first) as usize;
        let kept = self.slots.range(skip..).position(|slot| slot.placement != Placement::Memory);
        kept.map_or(end, |kept| end.min(from + kept as u64))
    }

    /// The placement of each item in `range` that is still in the tail.
    pub(crate) fn placements(&self, range: Range<u64>) -> impl Iterator<Item = (u64, Placement)> {
        let start = range.start.max(self.first);
        let skip = (start - self.first) as usize;
        let slots = self.slots.range(skip.min(self.slots.len())..);
        (start..range.end).zip(slots).map(|(offset, slot)| (offset, slot.placement))
    }
}

/// What an append gave and took.
pub(crate) struct Pushed<T> {
    pub(crate) offsets: Range<u64>,
    pub(crate) evicted: Vec<Arc<T>>,
}

/// What a reader wants of the tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Everything.
    All,
    /// What is kept on disk; the rest is reported to it.
    Kept,
    /// One class.
    Of(Class),
}

impl Wanted {
    /// What a reader of everything wants at this level.
    pub(crate) fn at(level: Level) -> Self {
        match level {
            Level::Appended => Wanted::All,
            Level::Durable => Wanted::Kept,
        }
    }

    fn includes(self, placement: Placement) -> bool {
        match self {
            Wanted::All => true,
            Wanted::Kept => placement != Placement::Memory,
            Wanted::Of(class) => placement == Placement::Disk(class),
        }
    }

    /// True if the reader has to be told that this one is not for it.
    fn ends_at(self, placement: Placement) -> bool {
        self == Wanted::Kept && placement == Placement::Memory
    }
}

impl<T> Slot<T> {
    fn entry(&self, offset: u64, now: Stamp) -> Entry<T> {
        let stamp = Stamp { mono_nanos: self.mono_nanos, wall_nanos: self.wall_nanos, ..now };
        Entry { offset, item: self.item.clone(), placement: self.placement, stamp }
    }
}
