//! Opening: what is there, how far it is sound, where to go on.
//!
//! Nothing but zeros is ever cut from a segment, and no segment is ever written again: the next item begins a new one.
//! So opening cannot make damage worse, and what it did not understand can still be looked at.

mod newest;
mod survey;

pub(crate) use survey::{Survey, preambles, survey};

use crate::{
    Class, Error, LossReason, LostRange,
    catalogue::{Catalogue, End, Segment},
    disk::{bytes_on_disk, sync_dir},
    quarantine, segment,
    slot::Mark,
};
use newest::{scan, used_behind_header};
use std::{
    collections::{BTreeSet, VecDeque},
    fs,
    path::{Path, PathBuf},
};

/// What opening a journal found.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Recovery {
    /// The offset of the next item.
    pub next_offset: u64,
    /// How often the journal has been opened, with this time.
    pub epoch: u32,
    /// Segments kept, of all classes.
    pub segments: usize,
    /// Items lost in the newest segment of a class or with segments that had to be set aside. Older segments are verified
    /// when they are read.
    pub damaged: Vec<LostRange>,
    /// Zeros cut from the end of the newest segments: space that was reserved and not used.
    pub cut_bytes: u64,
    /// Files moved to `quarantine/`.
    pub quarantined: Vec<PathBuf>,
    /// Cursors lost because neither of their slots is sound.
    pub cursors_lost: usize,
    /// Segments of format version 1 that were moved to class normal.
    pub upgraded: usize,
}

/// Moves what format version 1 left to where it is looked for now. May be cut short anywhere and done again.
pub(crate) fn upgrade(dir: &Path, survey: &mut Survey, recovery: &mut Recovery) -> Result<(), Error> {
    let normal = dir.join(Class::Normal.as_str());
    for path in survey.misplaced() {
        fs::create_dir_all(&normal).map_err(Error::io("create", &normal))?;
        let to = normal.join(path.file_name().unwrap_or_default());
        fs::rename(&path, &to).map_err(Error::io("move", &path))?;
        recovery.upgraded += 1;
    }
    if recovery.upgraded > 0 {
        let _ = fs::remove_file(dir.join("spare"));
        let _ = fs::rename(dir.join("quarantine"), normal.join("quarantine"));
        sync_dir(&normal).and_then(|()| sync_dir(dir)).map_err(Error::io("sync", dir))?;
        *survey = survey::survey(dir)?;
    }
    Ok(())
}

/// A class whose segments were looked at.
pub(crate) struct Scanned {
    class: Class,
    segments: VecDeque<Segment>,
    set_aside: BTreeSet<u64>,
    tail: Tail,
}

/// Where a class ends, as far as its files and the marks say.
#[derive(Debug, Clone, Copy)]
struct Tail {
    end: End,
    /// Bytes behind that, in which there were items that nothing is known of. An offset must never be used twice, and no
    /// item is shorter than a byte.
    unknown: u64,
}

/// Looks at the segments of one class, and sets aside what cannot be used.
pub(crate) fn scan_class(
    dir: &Path,
    class: Class,
    survey: &mut Survey,
    mark: &Mark,
    recovery: &mut Recovery,
) -> Result<Scanned, Error> {
    fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
    let mut segments = std::mem::take(&mut survey.segments[class.index()]);
    let mut tail = Tail { end: End { offset: 0, seq: 0 }, unknown: 0 };
    let mut set_aside = quarantined(dir);
    for path in std::mem::take(&mut survey.unreadable[class.index()]) {
        let used = set_aside_or_remove(dir, &path, recovery)?;
        let first = survey::first_offset(&path).filter(|_| used > 0);
        let newest = segments.back().is_none_or(|newest| first > Some(newest.first));
        if first.is_some_and(|first| set_aside.insert(first)) && newest && !mark.closed {
            tail.unknown = tail.unknown.saturating_add(used);
        }
    }
    while let Some(newest) = segments.back_mut() {
        if let Some(found) = scan(newest, class, mark, recovery)? {
            tail = Tail { unknown: tail.unknown.saturating_add(found.unknown), ..found };
            break;
        }
        // Nothing in it was ever durable, and the next item may need its name.
        set_aside_or_remove(dir, &newest.path, recovery)?;
        segments.pop_back();
    }
    let (offset, seq) = (mark.durable[class.index()], mark.seqs[class.index()]);
    if seq > tail.end.seq {
        tail = Tail { end: End { offset: offset.max(tail.end.offset), seq }, unknown: 0 };
    }
    Ok(Scanned { class, segments, set_aside, tail })
}

impl Scanned {
    /// The offset behind everything that is known of.
    pub(crate) fn end(&self) -> u64 {
        self.tail.end.offset
    }

    /// Prepares the class for writing. `head` is behind the offsets that any class is known to have, and is moved behind
    /// those that it may have had.
    pub(crate) fn finish(mut self, dir: &Path, head: &mut u64, recovery: &mut Recovery) -> Catalogue {
        let Tail { mut end, unknown } = self.tail;
        if unknown > 0 {
            *head = head.saturating_add(unknown);
            end = End { offset: *head, seq: end.seq + 1 };
        }
        let sound = self.segments.back().map_or(End { offset: 0, seq: 0 }, |last| End {
            offset: last.end,
            seq: last.end_seq.unwrap_or(last.first_seq),
        });
        note(self.class, sound.offset, end.offset, end.seq.saturating_sub(sound.seq), recovery);
        if let Some(last) = self.segments.back_mut() {
            (last.end, last.end_seq) = (last.end.max(end.offset), Some(end.seq));
        }
        note_set_aside(self.class, &self.segments, &self.set_aside, recovery);
        for segment in &mut self.segments {
            segment.bytes_on_disk = bytes_on_disk(&segment.path);
        }
        recovery.segments += self.segments.len();
        Catalogue::new(dir, self.segments, end, self.set_aside)
    }
}

/// Notes what was in segments between others that had to be set aside at this opening.
fn note_set_aside(class: Class, segments: &VecDeque<Segment>, set_aside: &BTreeSet<u64>, recovery: &mut Recovery) {
    if recovery.quarantined.is_empty() {
        return;
    }
    let none = (0, 0);
    let ends = segments.iter().map(|segment| (segment.end, segment.end_seq.unwrap_or(segment.first_seq)));
    for ((end, end_seq), next) in std::iter::once(none).chain(ends).zip(segments) {
        if set_aside.range(end..next.first).next().is_some() {
            note(class, end, next.previous_end, next.first_seq.saturating_sub(end_seq), recovery);
        }
    }
}

fn note(class: Class, from: u64, end: u64, count: u64, recovery: &mut Recovery) {
    recovery.damaged.extend(LostRange::of(class, from, end, count, LossReason::Damaged));
}

/// First offsets of the segments that were set aside, now or earlier.
fn quarantined(dir: &Path) -> BTreeSet<u64> {
    quarantine::names(dir).iter().filter_map(|name| segment::first_offset(name)).collect()
}

/// Moves a segment that cannot be used away; one without anything in it is removed. Returns how many bytes are in use.
fn set_aside_or_remove(dir: &Path, path: &Path, recovery: &mut Recovery) -> Result<u64, Error> {
    let used = used_behind_header(path)?;
    if used == 0 {
        fs::remove_file(path).map_err(Error::io("remove", path))?;
        return Ok(0);
    }
    tracing::warn!(path = %path.display(), "a segment that cannot be used is set aside");
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("segment");
    recovery.quarantined.push(quarantine::set_aside(dir, path, name)?);
    Ok(used)
}
