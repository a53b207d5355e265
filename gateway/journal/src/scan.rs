//! Reading the frames of one segment in order, past whatever is damaged.

use crate::{
    disk::read_at,
    frame::{FrameHeader, Frames, MAGIC},
    segment::{Header, Unreadable},
};
use std::{fs::File, io, ops::Range};

const WINDOW_BYTES: usize = 64 << 10;

/// A place in a segment.
pub(crate) struct Scan {
    file: File,
    frames: Frames,
    at: u64,
    /// Where the last frame ends.
    frames_end: u64,
    /// Lower offsets and numbers cannot come any more.
    offset: u64,
    seq: u64,
    window: Vec<u8>,
    window_at: u64,
    /// Bytes from here on may still change and are not kept in the window.
    end: u64,
}

/// A frame as it was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) header: FrameHeader,
    /// Its place in the file.
    pub(crate) at: u64,
    /// Where the bytes before it begin that say nothing.
    pub(crate) garbage_at: Option<u64>,
    /// One bit of its header was wrong.
    pub(crate) mended: bool,
}

impl Scan {
    /// Begins before the first frame of `file`.
    pub(crate) fn new(file: File) -> Result<(Scan, Header), Unreadable> {
        let header = Header::read(&file)?;
        let frames = header.fixed.frames();
        let (offset, seq) = (frames.first, frames.first_seq);
        let (at, frames_end) = (header.end(), header.end());
        Ok((Scan { file, frames, at, frames_end, offset, seq, window: vec![], window_at: 0, end: 0 }, header))
    }

    /// The next frame below byte `end`. Its body is not looked at.
    pub(crate) fn next(&mut self, end: u64) -> io::Result<Option<Found>> {
        self.end = end;
        let mut garbage_at = None;
        while self.at + self.header_bytes() <= end {
            let (read, mended) = match self.header(Frames::read)? {
                None if garbage_at.is_none() => (self.header(Frames::mend)?, true),
                read => (read, false),
            };
            let Some(header) = read else {
                garbage_at.get_or_insert(self.at);
                self.resync(end)?;
                continue;
            };
            let at = self.at;
            self.at += self.header_bytes() + u64::from(header.body_bytes);
            (self.offset, self.seq, self.frames_end) = (header.end, header.end_seq(), self.at);
            return Ok(Some(Found { header, at, garbage_at, mended }));
        }
        Ok(None)
    }

    fn header_bytes(&self) -> u64 {
        self.frames.header_bytes() as u64
    }

    /// The header here, if it is one and the frame as a whole lies before the end.
    fn header(&mut self, read: impl Fn(&Frames, &[u8]) -> Option<FrameHeader>) -> io::Result<Option<FrameHeader>> {
        let (at, frames, length) = (self.at, self.frames, self.header_bytes());
        let header = read(&frames, self.bytes(at..at + length)?);
        let fits = |h: &FrameHeader| {
            h.first >= self.offset && h.seq >= self.seq && at + length + u64::from(h.body_bytes) <= self.end
        };
        Ok(header.filter(fits))
    }

    /// The body of a frame; `None` if it is damaged.
    pub(crate) fn body(&mut self, found: &Found) -> io::Result<Option<&[u8]>> {
        let start = found.at + self.header_bytes();
        let body = self.bytes(start..start + u64::from(found.header.body_bytes))?;
        Ok(found.header.matches(body).then_some(body))
    }

    /// The header behind the last frame, if its body does not fit below byte `end`.
    pub(crate) fn torn(&mut self, end: u64) -> io::Result<Option<FrameHeader>> {
        self.end = end;
        let (at, frames, length) = (self.frames_end, self.frames, self.header_bytes());
        let header = frames.read(self.bytes(at..at + length)?);
        Ok(header.filter(|header| header.first >= self.offset && header.seq >= self.seq))
    }

    /// The format version of its frames.
    pub(crate) fn version(&self) -> u32 {
        self.frames.version
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
