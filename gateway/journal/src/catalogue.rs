//! Which segments there are, and which of them have to go.

use crate::{
    disk::{self, bytes_on_disk},
    segment,
};
use std::{collections::VecDeque, path::Path, path::PathBuf};

/// Times before 2025 come from a clock that was not set: nothing is removed for an age counted from there.
const CLOCK_WAS_SET_NANOS: i64 = 1_735_689_600 * 1_000_000_000;

/// One segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment {
    pub(crate) first: u64,
    /// The offset behind its last one; what is missing before it is damaged.
    pub(crate) end: u64,
    /// Bytes that hold frames, or might.
    pub(crate) bytes: u64,
    pub(crate) created_nanos: i64,
    pub(crate) bytes_on_disk: u64,
}

/// All segments, oldest first. Together they cover all offsets from the first to the durable head.
#[derive(Debug)]
pub(crate) struct Catalogue {
    dir: PathBuf,
    segments: VecDeque<Segment>,
    /// The offset behind the last segment.
    end: u64,
}

impl Catalogue {
    pub(crate) fn new(dir: &Path, segments: VecDeque<Segment>, end: u64) -> Self {
        Catalogue { dir: dir.into(), segments, end }
    }

    /// The oldest offset kept.
    pub(crate) fn first(&self) -> u64 {
        self.segments.front().map_or(self.end, |segment| segment.first)
    }

    pub(crate) fn len(&self) -> usize {
        self.segments.len()
    }

    /// Blocks of all segments.
    pub(crate) fn bytes_on_disk(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes_on_disk).sum()
    }

    /// The segment with this offset.
    pub(crate) fn holding(&self, offset: u64) -> Option<Segment> {
        let behind = self.segments.partition_point(|segment| segment.first <= offset);
        let segment = *self.segments.get(behind.checked_sub(1)?)?;
        (offset < segment.end).then_some(segment)
    }

    pub(crate) fn path(&self, first: u64) -> PathBuf {
        segment::path(&self.dir, first)
    }

    /// A new, empty segment at the end.
    pub(crate) fn push(&mut self, bytes: u64, created_nanos: i64) {
        let first = self.end;
        let bytes_on_disk = bytes_on_disk(&self.path(first));
        self.segments.push_back(Segment { first, end: first, bytes, created_nanos, bytes_on_disk });
    }

    /// The last segment has grown.
    pub(crate) fn grow(&mut self, end: u64, bytes: u64) {
        self.end = end;
        if let Some(segment) = self.segments.back_mut() {
            (segment.end, segment.bytes) = (end, bytes);
        }
    }

    /// The last segment takes no more writes; returns it if there is anything in it, otherwise forgets it.
    pub(crate) fn seal(&mut self) -> Option<Segment> {
        let path = self.path(self.segments.back()?.first);
        if self.segments.back()?.end == self.segments.back()?.first {
            self.segments.pop_back();
            return None;
        }
        let segment = self.segments.back_mut()?;
        segment.bytes_on_disk = bytes_on_disk(&path);
        Some(*segment)
    }

    /// Forgets the oldest segment if its blocks are too many or its items too old; never the last one.
    pub(crate) fn expire(&mut self, bytes_max: u64, older_than_nanos: i64) -> Option<Segment> {
        let next = self.segments.get(1)?;
        let aged = next.created_nanos < older_than_nanos && next.created_nanos > CLOCK_WAS_SET_NANOS;
        (aged || self.bytes_on_disk() > bytes_max).then(|| self.segments.pop_front())?
    }
}

/// Removes the file of a segment that was forgotten.
pub(crate) fn remove(dir: &Path, segment: &Segment) {
    let path = segment::path(dir, segment.first);
    if let Err(error) = disk::remove(&path) {
        tracing::warn!(path = %path.display(), %error, "an old segment cannot be removed");
    }
}
