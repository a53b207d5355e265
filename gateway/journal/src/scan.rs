//! Reading the frames of one segment in order, past whatever is damaged.

use crate::{
    disk::read_at,
    frame::{FrameHeader, HEADER_BYTES, MAGIC},
    segment::{Header, Unreadable},
};
use std::{fs::File, io, ops::Range};

const WINDOW_BYTES: usize = 64 << 10;

/// A place in a segment.
pub(crate) struct Scan {
    file: File,
    seed: u32,
    at: u64,
    /// Offsets below this cannot come any more.
    offset: u64,
    window: Vec<u8>,
    window_at: u64,
    /// Bytes from here on may still change and are not kept in the window.
    end: u64,
}

/// Where to look: bytes below `bytes`, offsets below `offset`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) bytes: u64,
    pub(crate) offset: u64,
}

/// A frame as it was found.
pub(crate) struct Found {
    pub(crate) header: FrameHeader,
    /// Its place in the file.
    pub(crate) at: u64,
    /// False if its items are damaged; which ones they were is known all the same.
    pub(crate) sound: bool,
}

impl Scan {
    /// Begins before the first frame of `file`.
    pub(crate) fn new(file: File) -> Result<(Scan, Header), Unreadable> {
        let (header, seed) = Header::read(&file)?;
        let scan = Scan { file, seed, at: header.end(), offset: header.first, window: vec![], window_at: 0, end: 0 };
        Ok((scan, header))
    }

    /// The next frame that holds offsets from `from` on. Frames below are skipped without reading their items.
    pub(crate) fn next(&mut self, from: u64, limit: Limit) -> io::Result<Option<Found>> {
        self.end = limit.bytes;
        while self.at + HEADER_BYTES as u64 <= limit.bytes {
            let Some(header) = self.header(limit)? else {
                self.resync(limit.bytes)?;
                continue;
            };
            let at = self.at;
            self.at += header.bytes();
            self.offset = header.end();
            if header.end() > from {
                let sound = header.matches(self.bytes(Self::body(at, &header))?);
                return Ok(Some(Found { header, at, sound }));
            }
        }
        Ok(None)
    }

    /// The header here, if it is one and the frame as a whole lies inside the limit.
    fn header(&mut self, limit: Limit) -> io::Result<Option<FrameHeader>> {
        let (at, seed, offset) = (self.at, self.seed, self.offset);
        let header = FrameHeader::read(self.bytes(at..at + HEADER_BYTES as u64)?, seed);
        Ok(header.filter(|h| h.first >= offset && h.end() <= limit.offset && at + h.bytes() <= limit.bytes))
    }

    /// The items of a frame.
    pub(crate) fn items(&mut self, found: &Found) -> io::Result<&[u8]> {
        self.bytes(Self::body(found.at, &found.header))
    }

    fn body(at: u64, header: &FrameHeader) -> Range<u64> {
        at + HEADER_BYTES as u64..at + header.bytes()
    }

    /// Goes back, so that `found` is the next frame again.
    pub(crate) fn unread(&mut self, found: &Found) {
        self.at = found.at;
        self.offset = found.header.first;
    }

    /// Where the next frame is looked for.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// Moves to the next place behind this one that looks like a frame.
    fn resync(&mut self, end: u64) -> io::Result<()> {
        let mut at = self.at + 1;
        while at < end {
            let chunk = self.bytes(at..end.min(at + WINDOW_BYTES as u64))?;
            if let Some(found) = find_magic(chunk) {
                self.at = at + found as u64;
                return Ok(());
            }
            if chunk.len() < MAGIC.len() {
                break;
            }
            at += (chunk.len() - (MAGIC.len() - 1)) as u64;
        }
        self.at = end;
        Ok(())
    }

    /// The bytes of `range`, fewer at the end of the file.
    fn bytes(&mut self, range: Range<u64>) -> io::Result<&[u8]> {
        let length = (range.end - range.start) as usize;
        let window = self.window_at..self.window_at + self.window.len() as u64;
        if range.start < window.start || range.end > window.end {
            let most = self.end.saturating_sub(range.start) as usize;
            self.window.resize(length.max(WINDOW_BYTES).min(most), 0);
            let read = read_at(&self.file, &mut self.window, range.start);
            self.window.truncate(*read.as_ref().unwrap_or(&0));
            self.window.shrink_to(4 * WINDOW_BYTES);
            self.window_at = range.start;
            read?;
        }
        let from = (range.start - self.window_at) as usize;
        Ok(&self.window[from..self.window.len().min(from + length)])
    }
}

fn find_magic(bytes: &[u8]) -> Option<usize> {
    bytes.windows(MAGIC.len()).position(|window| window == MAGIC)
}
