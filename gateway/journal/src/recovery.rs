//! Opening: what is there, how far it is sound, where to go on.
//!
//! Nothing but zeros is ever cut from a segment, and no segment is ever written again: the next item begins a new one.
//! So opening cannot make damage worse, and what it did not understand can still be looked at.

use crate::{
    Error, LossReason, LostRange,
    catalogue::{Catalogue, Segment},
    cursors::Mark,
    disk::{bytes_on_disk, read_at},
    quarantine,
    scan::{Limit, Scan},
    segment::{self, Fixed, Header},
};
use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

/// What opening a journal found.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Recovery {
    /// The offset of the next item.
    pub next_offset: u64,
    /// Segments kept.
    pub segments: usize,
    /// Offsets lost in the newest segment or with segments that had to be set aside. Older segments are verified when
    /// they are read.
    pub damaged: Vec<LostRange>,
    /// Zeros cut from the end of the newest segment: space that was reserved and not used.
    pub cut_bytes: u64,
    /// Files moved to `quarantine/`.
    pub quarantined: Vec<PathBuf>,
    /// Cursors lost because neither of their slots is sound.
    pub cursors_lost: usize,
}

/// The preambles of all segments in `dir`, oldest first, each one once; none if `dir` is not there.
pub(crate) fn preambles(dir: &Path) -> Result<Vec<Vec<u8>>, Error> {
    let mut preambles = vec![];
    for (_, path) in segment_files(dir)? {
        let file = File::open(&path).map_err(Error::io("open", &path))?;
        match Header::read(&file) {
            Ok((header, _)) if preambles.contains(&header.preamble) => {}
            Ok((header, _)) => preambles.push(header.preamble),
            Err(unreadable) => unreadable.error(&path).map_or(Ok(()), Err)?,
        }
    }
    Ok(preambles)
}

/// What is in the directory, before anything is touched.
pub(crate) struct Survey {
    segments: VecDeque<Segment>,
    unreadable: Vec<u64>,
}

/// Prepares the directory for writing.
pub(crate) fn recover(dir: &Path, survey: Survey, mark: Mark) -> Result<(Catalogue, Recovery), Error> {
    let Survey { mut segments, unreadable } = survey;
    let mut recovery = Recovery { cursors_lost: mark.damaged, ..Recovery::default() };
    let mut end = mark.durable;
    for first in &unreadable {
        end = end.max(set_aside_or_remove(dir, *first, mark, &mut recovery)?);
    }
    while let Some(newest) = segments.back_mut() {
        let scanned = scan(&segment::path(dir, newest.first), mark, &mut recovery)?;
        end = end.max(scanned.end);
        if end > newest.first {
            (newest.end, newest.bytes) = (scanned.sound_end, scanned.bytes);
            break;
        }
        // Nothing in it was ever durable, and the next item will need its name.
        set_aside_or_remove(dir, newest.first, mark, &mut recovery)?;
        segments.pop_back();
    }
    note_losses(&mut segments, &unreadable, end, &mut recovery);
    recovery.next_offset = end;
    recovery.segments = segments.len();
    for segment in &mut segments {
        segment.bytes_on_disk = bytes_on_disk(&segment::path(dir, segment.first));
    }
    Ok((Catalogue::new(dir, segments, end), recovery))
}

/// Files named like segments, oldest first.
fn segment_files(dir: &Path) -> Result<Vec<(u64, PathBuf)>, Error> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        entries => entries.map_err(Error::io("read", dir))?,
    };
    let mut files = vec![];
    for entry in entries {
        let entry = entry.map_err(Error::io("read", dir))?;
        let first = entry.file_name().to_str().and_then(segment::first_offset);
        files.extend(first.map(|first| (first, entry.path())));
    }
    files.sort();
    Ok(files)
}

/// Looks at all headers before anything is touched: a version that is not known ends it here.
pub(crate) fn survey(dir: &Path) -> Result<Survey, Error> {
    let (mut segments, mut unreadable) = (VecDeque::new(), vec![]);
    for (first, path) in segment_files(dir)? {
        let file = File::open(&path).map_err(Error::io("open", &path))?;
        let bytes = file.metadata().map_err(Error::io("read", &path))?.len();
        match Fixed::read(&file) {
            Ok(Fixed { first: own, created_nanos, .. }) if own == first => {
                segments.push_back(Segment { first, end: first, bytes, created_nanos, bytes_on_disk: 0 });
            }
            Ok(_) => unreadable.push(first),
            Err(other) => other.error(&path).map_or(Ok(()), Err).map(|()| unreadable.push(first))?,
        }
    }
    Ok(Survey { segments, unreadable })
}

/// Moves a segment that cannot be used away; one without anything in it is removed. Returns the offset behind
/// everything it may have held.
fn set_aside_or_remove(dir: &Path, first: u64, mark: Mark, recovery: &mut Recovery) -> Result<u64, Error> {
    let path = segment::path(dir, first);
    let file = File::open(&path).map_err(Error::io("open", &path))?;
    let frames = Header::read(&file).map_or(0, |(header, _)| header.end());
    let used = used_bytes(&file, frames).map_err(Error::io("read", &path))?;
    if used == frames {
        fs::remove_file(&path).map_err(Error::io("remove", &path))?;
        return Ok(0);
    }
    tracing::warn!(path = %path.display(), "a segment that cannot be used is set aside");
    recovery.quarantined.push(quarantine::set_aside(dir, &path, &format!("{first:020}.seg"))?);
    Ok(if mark.closed { 0 } else { first.saturating_add(used) })
}

/// What a newest segment holds.
struct Scanned {
    /// The offset behind the last item that can be read.
    sound_end: u64,
    /// The offset behind everything that was ever in it, as far as that can be known.
    end: u64,
    /// Bytes in use.
    bytes: u64,
}

/// Reads all of a segment, notes what is damaged in its middle, and cuts the zeros from its end.
fn scan(path: &Path, mark: Mark, recovery: &mut Recovery) -> Result<Scanned, Error> {
    let io = |action| Error::io(action, path);
    let file = OpenOptions::new().read(true).write(true).open(path).map_err(io("open"))?;
    let length = file.metadata().map_err(io("read"))?.len();
    let handle = file.try_clone().map_err(io("open"))?;
    let (mut scan, header) = match Scan::new(handle) {
        Ok(opened) => opened,
        Err(unreadable) => return unreadable.error(path).map_or_else(|| unreadable_preamble(&file, path), Err),
    };
    let mut scanned = Scanned { sound_end: header.first, end: header.first, bytes: header.end() };
    let mut known_bytes = header.end();
    let limit = Limit { bytes: length, offset: u64::MAX };
    while let Some(found) = scan.next(header.first, limit).map_err(io("read"))? {
        scanned.end = found.header.end();
        known_bytes = scan.at();
        if found.sound {
            note_gap(scanned.sound_end, found.header.first, recovery);
            scanned.sound_end = found.header.end();
        }
    }
    let used = used_bytes(&file, known_bytes).map_err(io("read"))?;
    if used > known_bytes && !mark.closed {
        // Bytes that say nothing about themselves. An offset must never be used twice, and no item is shorter than a byte.
        scanned.end = scanned.end.saturating_add(used - known_bytes);
    }
    scanned.bytes = used.max(known_bytes);
    recovery.cut_bytes += length.saturating_sub(scanned.bytes);
    if length > scanned.bytes {
        file.set_len(scanned.bytes).map_err(io("shorten"))?;
    }
    // What was found is about to be called durable; after a kill it may be in the system's cache only.
    file.sync_all().map_err(io("sync"))?;
    Ok(scanned)
}

/// A segment whose fixed header is sound but neither of its preambles is: kept, and reported by whoever reads it.
fn unreadable_preamble(file: &File, path: &Path) -> Result<Scanned, Error> {
    let fixed = Fixed::read(file).map_err(|unreadable| unreadable.error(path).unwrap_or(Error::Closed))?;
    let bytes = used_bytes(file, 0).map_err(Error::io("read", path))?;
    Ok(Scanned { sound_end: fixed.first, end: fixed.first + bytes, bytes })
}

fn note_gap(from: u64, end: u64, recovery: &mut Recovery) {
    if from < end {
        recovery.damaged.push(LostRange::until(from, end, LossReason::Damaged));
    }
}

/// Makes the segments cover all offsets, and notes those that nothing holds any more.
fn note_losses(segments: &mut VecDeque<Segment>, unreadable: &[u64], end: u64, recovery: &mut Recovery) {
    let newest = segments.back().map_or(0, |newest| newest.first);
    for first in unreadable.iter().filter(|first| **first < newest) {
        let next = segments.iter().map(|segment| segment.first).find(|next| next > first);
        note_gap(*first, next.unwrap_or(end), recovery);
    }
    match segments.back_mut() {
        Some(newest) => {
            note_gap(newest.end, end, recovery);
            newest.end = end;
        }
        None => unreadable.first().into_iter().for_each(|first| note_gap(*first, end, recovery)),
    }
    for index in 1..segments.len() {
        segments[index - 1].end = segments[index].first;
    }
}

/// The length up to the last byte that is not zero, or `from` if all behind it are.
fn used_bytes(file: &File, from: u64) -> io::Result<u64> {
    let mut chunk = vec![0; 64 << 10];
    let (mut at, mut used) = (from, from);
    loop {
        let read = read_at(file, &mut chunk, at)?;
        if read == 0 {
            return Ok(used);
        }
        if let Some(last) = chunk[..read].iter().rposition(|byte| *byte != 0) {
            used = at + last as u64 + 1;
        }
        at += read as u64;
    }
}
