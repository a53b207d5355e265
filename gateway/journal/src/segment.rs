//! A segment: its file name and its header, written twice. The layout is in the crate docs.

mod fixed;

pub(crate) use fixed::{Fixed, Unreadable};

use crate::disk::read_at;
use crc32c::crc32c;
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// The format of segments that this program writes.
pub(crate) const VERSION: u32 = 2;
/// Most bytes of a preamble.
pub(crate) const PREAMBLE_BYTES_MAX: usize = 4 << 20;
const PAGE: u64 = 4096;

/// The name of the segment that begins with offset `first`.
pub(crate) fn path(dir: &Path, first: u64) -> PathBuf {
    dir.join(name(first))
}

/// The name of a copy of it in quarantine: the segment itself is still there.
pub(crate) fn copy_name(first: u64) -> String {
    format!("{first:020}.copy")
}

/// The file name of the segment that begins with offset `first`.
pub(crate) fn name(first: u64) -> String {
    format!("{first:020}.seg")
}

/// The first offset of the segment with this file name; `None` if it is no segment.
pub(crate) fn first_offset(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".seg")?;
    (digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// What stands at the head of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) fixed: Fixed,
    pub(crate) preamble: Vec<u8>,
}

impl Header {
    /// Both copies, and the seed for the frames behind them.
    pub(crate) fn bytes(&self) -> (Vec<u8>, u32) {
        let (fixed, seed) = self.fixed.bytes(&self.preamble);
        let mut copy = fixed.to_vec();
        copy.extend_from_slice(&self.preamble);
        copy.resize(copy_bytes(fixed.len(), self.preamble.len()) as usize, 0);
        (copy.repeat(2), seed)
    }

    /// The header of `file`, from whichever copy is sound.
    pub(crate) fn read(file: &File) -> Result<Header, Unreadable> {
        for_each_copy(file, |at, fixed| {
            let mut preamble = vec![0; fixed.preamble_bytes as usize];
            let read = read_at(file, &mut preamble, at + fixed.fixed_bytes() as u64)?;
            let sound = read == preamble.len() && crc32c(&preamble) == fixed.preamble_crc;
            Ok(sound.then_some(Header { fixed, preamble }))
        })
    }

    /// Where the frames begin.
    pub(crate) fn end(&self) -> u64 {
        2 * copy_bytes(self.fixed.fixed_bytes(), self.preamble.len())
    }
}

impl Fixed {
    /// The fixed part alone, without reading the preamble.
    pub(crate) fn read(file: &File) -> Result<Fixed, Unreadable> {
        for_each_copy(file, |_, fixed| Ok(Some(fixed)))
    }
}

/// Asks `take` about every sound fixed part until it answers. The second copy begins at a page boundary: where the
/// first one is damaged, its length cannot be trusted, so all boundaries are tried.
fn for_each_copy<T>(file: &File, take: impl Fn(u64, Fixed) -> io::Result<Option<T>>) -> Result<T, Unreadable> {
    let pages = copy_bytes(fixed::BYTES, PREAMBLE_BYTES_MAX) / PAGE;
    for at in (0..=pages).map(|page| page * PAGE) {
        let mut bytes = [0; fixed::BYTES];
        if read_at(file, &mut bytes, at).map_err(Unreadable::Io)? < fixed::BYTES {
            break;
        }
        if let Some(fixed) = Fixed::parse(&bytes)
            && let Some(taken) = take(at, fixed?).map_err(Unreadable::Io)?
        {
            return Ok(taken);
        }
    }
    Err(Unreadable::Damaged)
}

/// Bytes of one copy, whole pages.
fn copy_bytes(fixed: usize, preamble: usize) -> u64 {
    (fixed as u64 + preamble as u64).next_multiple_of(PAGE)
}
