//! The newest segment of a class, which may not have been closed in order.

use super::{Recovery, Tail, note};
use crate::{
    Class, Error,
    catalogue::{End, Segment},
    disk::read_at,
    frame::END,
    scan::Scan,
    segment::{Fixed, Header},
    slot::Mark,
};
use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
};

/// Reads all of a segment, notes what is damaged in its middle, cuts the zeros from its end, and says where the class ends
/// with it; `None` if nothing is in it.
pub(super) fn scan(
    segment: &mut Segment,
    class: Class,
    mark: &Mark,
    recovery: &mut Recovery,
) -> Result<Option<Tail>, Error> {
    let path = segment.path.clone();
    let io = |action| Error::io(action, &*path);
    let file = OpenOptions::new().read(true).write(true).open(&path).map_err(io("open"))?;
    let length = file.metadata().map_err(io("read"))?.len();
    let handle = file.try_clone().map_err(io("open"))?;
    let mut scan = match Scan::new(handle) {
        Ok((scan, _)) => scan,
        Err(unreadable) => {
            return unreadable.error(&path).map_or_else(|| unreadable_preamble(&file, segment, mark), Err);
        }
    };
    let (mut known_bytes, mut end) = (scan.at(), End { offset: segment.first, seq: segment.first_seq });
    let mut sound = end;
    while let Some(found) = scan.next(length).map_err(io("read"))? {
        let header = found.header;
        end = End { offset: header.end, seq: header.end_seq() };
        known_bytes = scan.at();
        if header.has(END) || scan.body(&found).map_err(io("read"))?.is_some() {
            note(class, sound.offset, header.first, header.seq - sound.seq, recovery);
            sound = end;
        }
    }
    let used = used_bytes(&file, known_bytes).map_err(io("read"))?;
    let mut unknown = 0;
    if used > known_bytes && !mark.closed {
        match scan.torn(length).map_err(io("read"))? {
            Some(header) => end = End { offset: header.end, seq: header.end_seq() },
            None => unknown = used - known_bytes,
        }
    }
    if unknown == 0 && end.seq == segment.first_seq && mark.seqs[class.index()] <= end.seq {
        return Ok(None);
    }
    (segment.end, segment.end_seq, segment.bytes) = (sound.offset, Some(sound.seq), used.max(known_bytes));
    recovery.cut_bytes += length.saturating_sub(segment.bytes);
    if length > segment.bytes {
        file.set_len(segment.bytes).map_err(io("shorten"))?;
    }
    // What was found is about to be called durable; after a kill it may be in the system's cache only.
    file.sync_all().map_err(io("sync"))?;
    Ok(Some(Tail { end, unknown }))
}

/// A segment whose fixed header is sound but neither of its preambles is: kept, and reported by whoever reads it.
fn unreadable_preamble(file: &File, segment: &mut Segment, mark: &Mark) -> Result<Option<Tail>, Error> {
    segment.bytes = used_bytes(file, 0).map_err(Error::io("read", &*segment.path))?;
    let end = End { offset: segment.end, seq: segment.end_seq.unwrap_or(segment.first_seq) };
    let unknown = if mark.closed || segment.end_seq.is_some() { 0 } else { segment.bytes };
    (segment.end, segment.end_seq) = (segment.first, Some(segment.first_seq));
    Ok(Some(Tail { end, unknown }))
}

/// Bytes in use behind the header of a segment, or behind nothing if it has none.
pub(super) fn used_behind_header(path: &Path) -> Result<u64, Error> {
    let file = File::open(path).map_err(Error::io("open", path))?;
    let from = match Header::read(&file) {
        Ok(header) => header.end(),
        Err(_) if Fixed::read(&file).is_ok() => 1,
        Err(_) => 0,
    };
    Ok(used_bytes(&file, from).map_err(Error::io("read", path))? - from)
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
