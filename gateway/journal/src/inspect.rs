//! Looking into a journal's directory without opening the journal.
//!
//! Nothing is changed and no lock is taken: this works on a directory that another process has open, on a copy, and on one
//! that nobody has. What another process is writing at this moment is not seen.
//!
//! ```no_run
//! # fn main() -> Result<(), edgeway_journal::Error> {
//! use edgeway_journal::inspect;
//!
//! for segment in inspect::segments("data/journal", inspect::Depth::Headers)? {
//!     println!("{} {} items", segment.path.display(), segment.items);
//! }
//! let findings = inspect::verify("data/journal", &mut |_, _| ())?;
//! assert!(findings.is_empty(), "{findings:?}");
//! # Ok(())
//! # }
//! ```

mod entries;
mod verify;

pub use entries::{Entries, entries};
pub use verify::{Finding, verify};

use crate::{
    Class, Error, Place, Stamp,
    catalogue::{End, Segment},
    cursors::read_file,
    disk::bytes_on_disk,
    frame::{END, LZ4, part},
    recovery::{Survey, survey},
    scan::Scan,
    segment::Fixed,
};
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// How closely segments are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Headers of segments, and the frames of the newest ones. Reads about 10 KiB for each segment.
    Headers,
    /// Every byte.
    Frames,
}

/// What is known of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SegmentInfo {
    /// Its file.
    pub path: PathBuf,
    /// Whose items it holds.
    pub class: Class,
    /// Its format version.
    pub version: u32,
    /// The offset of its first item.
    pub first: u64,
    /// An offset behind its last item.
    pub end: u64,
    /// How many items it holds, with those that are damaged.
    pub items: u64,
    /// Bytes it takes on disk, in real blocks.
    pub bytes_on_disk: u64,
    /// Bytes of its items before they were compressed; at [`Depth::Frames`] only.
    pub raw_bytes: Option<u64>,
    /// When it was begun.
    pub created: Stamp,
    /// How it is.
    pub condition: Condition,
}

/// How a segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Its frames were not looked at.
    Unchecked,
    /// Every byte is as it was written.
    Sound,
    /// Something in it is not as it was written; [`verify()`] says what.
    Damaged,
}

impl Condition {
    /// In one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Condition::Unchecked => "unchecked",
            Condition::Sound => "sound",
            Condition::Damaged => "damaged",
        }
    }
}

/// All segments whose header can be read, by class, oldest first. None if `dir` is not there.
pub fn segments(dir: impl AsRef<Path>, depth: Depth) -> Result<Vec<SegmentInfo>, Error> {
    let survey = complete(dir.as_ref())?;
    let all = Class::ALL.into_iter().flat_map(|class| survey.segments[class.index()].iter().map(move |s| (class, s)));
    all.map(|(class, segment)| info(class, segment, depth)).collect()
}

/// The cursors and where they are on disk.
pub fn cursors(dir: impl AsRef<Path>) -> Result<Vec<(String, Place)>, Error> {
    read_file(&dir.as_ref().join("cursors"))
}

fn info(class: Class, segment: &Segment, depth: Depth) -> Result<SegmentInfo, Error> {
    let io = |action| Error::io(action, &*segment.path);
    let version = File::open(&segment.path).map_err(io("open"))?;
    let version = Fixed::read(&version).map_or(0, |fixed| fixed.version);
    let (condition, raw_bytes) = match depth {
        Depth::Headers => (Condition::Unchecked, None),
        Depth::Frames => {
            let findings = verify::segment(segment, &mut |_| ());
            let condition = if findings.is_empty() { Condition::Sound } else { Condition::Damaged };
            (condition, Some(raw_bytes(segment).map_err(io("read"))?))
        }
    };
    Ok(SegmentInfo {
        path: segment.path.to_path_buf(),
        class,
        version,
        first: segment.first,
        end: segment.end,
        items: segment.end_seq.unwrap_or(segment.first_seq).saturating_sub(segment.first_seq),
        bytes_on_disk: bytes_on_disk(&segment.path),
        raw_bytes,
        created: segment.created,
        condition,
    })
}

/// Bytes of all bodies before they were compressed.
fn raw_bytes(segment: &Segment) -> io::Result<u64> {
    let Ok((mut scan, _)) = Scan::new(File::open(&segment.path)?) else { return Ok(0) };
    let mut bytes = 0;
    while let Some(found) = scan.next(segment.bytes)? {
        let body = if found.header.has(LZ4) { scan.body(&found)? } else { None };
        let raw = body.filter(|body| body.len() >= 4).map(|body| u32::from_le_bytes(part(body, 0)));
        bytes += u64::from(raw.unwrap_or(found.header.body_bytes));
    }
    Ok(bytes)
}

/// A survey that knows where the newest segments end, as far as they can be read.
fn complete(dir: &Path) -> Result<Survey, Error> {
    let mut survey = survey(dir)?;
    for segments in &mut survey.segments {
        if let Some(newest) = segments.back_mut().filter(|newest| newest.end_seq.is_none()) {
            let (end, bytes) = end_of(newest).map_err(Error::io("read", &*newest.path))?;
            (newest.end, newest.end_seq, newest.bytes) = (end.offset, Some(end.seq), bytes);
        }
    }
    Ok(survey)
}

/// Where a segment ends that may still be written: behind its last frame.
fn end_of(segment: &Segment) -> io::Result<(End, u64)> {
    let mut end = End { offset: segment.first, seq: segment.first_seq };
    let Ok((mut scan, _)) = Scan::new(File::open(&segment.path)?) else { return Ok((end, segment.bytes)) };
    let mut bytes = scan.at();
    while let Some(found) = scan.next(segment.bytes)? {
        // A frame whose body is not there yet is being written.
        let whole = found.header.has(END) || scan.body(&found)?.is_some();
        if whole {
            end = End { offset: found.header.end, seq: found.header.end_seq() };
            bytes = scan.at();
        }
    }
    Ok((end, bytes))
}
