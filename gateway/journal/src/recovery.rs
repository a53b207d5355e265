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

/// A class that is ready to be written.
pub(crate) struct Recovered {
    pub(crate) catalogue: Catalogue,
    pub(crate) end: End,
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

/// Prepares one class for writing.
pub(crate) fn recover(
    dir: &Path,
    class: Class,
    survey: &mut Survey,
    mark: &Mark,
    recovery: &mut Recovery,
) -> Result<Recovered, Error> {
    fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
    let mut segments = std::mem::take(&mut survey.segments[class.index()]);
    let unreadable = std::mem::take(&mut survey.unreadable[class.index()]);
    let marked = End { offset: mark.durable[class.index()], seq: mark.seqs[class.index()] };
    let mut set_aside = quarantined(dir);
    let mut least = 0;
    for path in &unreadable {
        let first = survey::first_offset(path);
        let used = set_aside_or_remove(dir, path, recovery)?;
        if used > 0 && first.is_some_and(|first| set_aside.insert(first)) && !mark.closed {
            // An offset must never be used twice, and no item is shorter than a byte.
            least = least.max(first.unwrap_or(0).saturating_add(used));
        }
    }
    let mut end = End { offset: least, seq: 0 };
    while let Some(newest) = segments.back_mut() {
        if let Some(found) = scan(newest, class, mark, recovery)? {
            end = found.raise(end);
            break;
        }
        // Nothing in it was ever durable, and the next item may need its name.
        set_aside_or_remove(dir, &newest.path, recovery)?;
        segments.pop_back();
    }
    end = close(class, &mut segments, end, marked, &set_aside, recovery);
    for segment in &mut segments {
        segment.bytes_on_disk = bytes_on_disk(&segment.path);
    }
    recovery.segments += segments.len();
    Ok(Recovered { catalogue: Catalogue::new(dir, segments, end, set_aside), end })
}

impl End {
    fn raise(self, other: End) -> End {
        End { offset: self.offset.max(other.offset), seq: self.seq.max(other.seq) }
    }
}

/// Brings the end of a class to where it is known to have been, and notes what is missing before it.
fn close(
    class: Class,
    segments: &mut VecDeque<Segment>,
    found: End,
    marked: End,
    set_aside: &BTreeSet<u64>,
    recovery: &mut Recovery,
) -> End {
    let mut end = found;
    if marked.seq > found.seq {
        end = End { offset: found.offset.max(marked.offset), seq: marked.seq };
    }
    let newest = segments.back().map_or(0, |newest| newest.first + 1);
    if end.seq == found.seq && end.offset > newest && set_aside.range(newest..).next().is_some() {
        // Whatever was in it, it was something.
        end.seq += 1;
    }
    let sound = segments.back().map_or(End { offset: 0, seq: 0 }, |last| End {
        offset: last.end,
        seq: last.end_seq.unwrap_or(last.first_seq),
    });
    note(class, sound.offset, end.offset, end.seq.saturating_sub(sound.seq), recovery);
    if let Some(last) = segments.back_mut() {
        (last.end, last.end_seq) = (last.end.max(end.offset), Some(end.seq));
    }
    note_set_aside(class, segments, set_aside, recovery);
    end
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
