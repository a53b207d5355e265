//! Which segments a class has, and which of them have to go.

use crate::{LossReason, Stamp, disk::bytes_on_disk, segment};
use std::{
    collections::{BTreeSet, VecDeque},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// How many removed segments are remembered.
const REMOVED_MAX: usize = 1024;

/// One segment.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub(crate) path: Arc<Path>,
    /// The offset and the number of its first item.
    pub(crate) first: u64,
    pub(crate) first_seq: u64,
    /// The offset behind the item of the class before its first one.
    pub(crate) previous_end: u64,
    /// An offset behind its last item, and the number behind it. What is missing before them is damaged.
    pub(crate) end: u64,
    /// Not known of old ones, which are not read before someone wants them.
    pub(crate) end_seq: Option<u64>,
    /// Bytes that hold frames, or might.
    pub(crate) bytes: u64,
    pub(crate) created: Stamp,
    pub(crate) bytes_on_disk: u64,
}

/// All segments of a class, oldest first.
#[derive(Debug)]
pub(crate) struct Catalogue {
    dir: PathBuf,
    segments: VecDeque<Segment>,
    /// An offset behind the last item of the class, and the number behind it.
    end: u64,
    end_seq: u64,
    /// First offsets of segments that were set aside.
    set_aside: BTreeSet<u64>,
    /// First offsets of damaged segments of which a copy was made; they go like all others.
    copied: BTreeSet<u64>,
    /// Segments removed since the journal was opened, oldest first.
    removed: VecDeque<(u64, u64)>,
}

/// Where a class ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    pub(crate) offset: u64,
    pub(crate) seq: u64,
}

impl Catalogue {
    pub(crate) fn new(dir: &Path, segments: VecDeque<Segment>, end: End, set_aside: BTreeSet<u64>) -> Self {
        let removed = VecDeque::new();
        Catalogue {
            dir: dir.into(),
            segments,
            end: end.offset,
            end_seq: end.seq,
            set_aside,
            copied: BTreeSet::new(),
            removed,
        }
    }

    /// The oldest offset kept; `None` if none is.
    pub(crate) fn first(&self) -> Option<u64> {
        self.segments.front().map(|segment| segment.first)
    }

    pub(crate) fn len(&self) -> usize {
        self.segments.len()
    }

    pub(crate) fn end(&self) -> End {
        End { offset: self.end, seq: self.end_seq }
    }

    /// Blocks of all segments.
    pub(crate) fn bytes_on_disk(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes_on_disk).sum()
    }

    /// Items in all segments, with those that are damaged.
    pub(crate) fn items_kept(&self) -> u64 {
        let items = |segment: &Segment| segment.end_seq.unwrap_or(self.end_seq).saturating_sub(segment.first_seq);
        self.segments.iter().map(items).sum()
    }

    /// The segment with this first offset.
    pub(crate) fn get(&self, first: u64) -> Option<&Segment> {
        let index = self.segments.partition_point(|segment| segment.first < first);
        self.segments.get(index).filter(|segment| segment.first == first)
    }

    /// The segment that may hold this offset; if none does, the next one.
    pub(crate) fn at_or_behind(&self, offset: u64) -> Option<&Segment> {
        let behind = self.segments.partition_point(|segment| segment.first <= offset);
        let holding = behind.checked_sub(1).and_then(|index| self.segments.get(index));
        holding.filter(|segment| offset < segment.end).or(self.segments.get(behind))
    }

    /// The segment behind the one that begins with `first`.
    pub(crate) fn behind(&self, first: u64) -> Option<&Segment> {
        self.segments.get(self.segments.partition_point(|segment| segment.first <= first))
    }

    /// Why items are missing between offset `after` and the segment that begins with `next`: a segment that was set aside
    /// was damaged, and any other one was removed.
    pub(crate) fn reason(&self, after: u64, next: u64) -> LossReason {
        let set_aside = after < next && self.set_aside.range(after..next).any(|first| self.get(*first).is_none());
        if set_aside { LossReason::Damaged } else { LossReason::Retention }
    }

    /// A number that no item from `offset` on can be below, as far as that is known.
    pub(crate) fn seq_floor(&self, offset: u64) -> u64 {
        let behind = self.removed.partition_point(|(first, _)| *first <= offset);
        let removed = behind.checked_sub(1).map_or(0, |index| self.removed[index].1);
        let behind = self.segments.partition_point(|segment| segment.first <= offset);
        let before = behind.checked_sub(1).and_then(|index| self.segments[index].end_seq);
        removed.max(before.unwrap_or(0))
    }

    /// A new, empty segment at the end.
    pub(crate) fn push(&mut self, first: u64, bytes: u64, created: Stamp) {
        let path: Arc<Path> = segment::path(&self.dir, first).into();
        let (first_seq, previous_end) = (self.end_seq, self.end);
        let (end, end_seq, bytes_on_disk) = (first, Some(first_seq), bytes_on_disk(&path));
        let segment = Segment { path, first, first_seq, previous_end, end, end_seq, bytes, created, bytes_on_disk };
        self.segments.push_back(segment);
    }

    /// The last segment has grown.
    pub(crate) fn grow(&mut self, end: u64, end_seq: u64, bytes: u64) {
        (self.end, self.end_seq) = (end, end_seq);
        if let Some(segment) = self.segments.back_mut() {
            (segment.end, segment.end_seq, segment.bytes) = (end, Some(end_seq), bytes);
        }
    }

    /// The last segment takes no more writes; it is forgotten if there is nothing in it.
    pub(crate) fn seal(&mut self) -> Sealed {
        let Some(segment) = self.segments.back_mut() else { return Sealed::Empty };
        if segment.end_seq == Some(segment.first_seq) {
            self.segments.pop_back();
            return Sealed::Empty;
        }
        segment.bytes_on_disk = bytes_on_disk(&segment.path);
        Sealed::Kept
    }

    /// Forgets a segment whose file goes.
    pub(crate) fn remove(&mut self, first: u64) {
        let index = self.segments.partition_point(|segment| segment.first < first);
        let Some(segment) = self.segments.remove(index) else { return };
        if let Some(before) = index.checked_sub(1).and_then(|before| self.segments.get_mut(before)) {
            before.end_seq.get_or_insert(segment.first_seq);
        }
        self.removed.push_back((segment.first, segment.first_seq));
        self.removed.make_contiguous().sort_unstable();
        if self.removed.len() > REMOVED_MAX {
            self.removed.pop_front();
        }
    }

    /// Segments that are to go if they may, oldest first; never the last one.
    pub(crate) fn expendable(&self, bytes_max: u64, age_max: Duration, now: &Stamp) -> Vec<Expendable> {
        let full = self.bytes_on_disk() > bytes_max;
        let pairs = self.segments.iter().zip(self.segments.iter().skip(1));
        let expendable = pairs.map(|(segment, next)| Expendable {
            segment: segment.clone(),
            end: next.previous_end.min(next.first).max(segment.first + 1),
            items: segment.end_seq.unwrap_or(next.first_seq).saturating_sub(segment.first_seq),
            aged: next.created.age(now) > age_max,
        });
        expendable.filter(|one| one.aged || full).collect()
    }

    /// A copy of a segment was set aside; false if that was done before.
    pub(crate) fn note_copied(&mut self, first: u64) -> bool {
        self.copied.insert(first)
    }
}

/// What sealing found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sealed {
    Kept,
    Empty,
}

/// A segment that may have to go.
#[derive(Debug)]
pub(crate) struct Expendable {
    pub(crate) segment: Segment,
    /// An offset behind its last item.
    pub(crate) end: u64,
    /// How many items it holds, as long as nothing behind it is missing.
    pub(crate) items: u64,
    /// True if it goes for its age.
    pub(crate) aged: bool,
}
