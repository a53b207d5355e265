//! A segment: its file name and its header, written twice. The layout is in the crate docs.

use crate::{Error, disk::read_at, frame::part};
use crc32c::{crc32c, crc32c_append};
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// The format of segments that this program writes and knows.
pub(crate) const VERSION: u32 = 1;
/// Most bytes of a preamble.
pub(crate) const PREAMBLE_BYTES_MAX: usize = 4 << 20;
const MAGIC: [u8; 8] = *b"EDGEWAYJ";
const FIXED_BYTES: usize = 48;
const PAGE: u64 = 4096;

/// The name of the segment that begins with offset `first`.
pub(crate) fn path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:020}.seg"))
}

/// The first offset of the segment with this file name; `None` if it is no segment.
pub(crate) fn first_offset(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".seg")?;
    (digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// What stands at the head of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) first: u64,
    pub(crate) created_nanos: i64,
    pub(crate) preamble: Vec<u8>,
}

/// The fixed part of a header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fixed {
    pub(crate) first: u64,
    pub(crate) created_nanos: i64,
    preamble_bytes: u32,
    preamble_crc: u32,
    /// Its checksum. Every frame header of the segment is checked with it as a seed, so that bytes of other segments,
    /// or a frame inside an item, never pass for a frame of this one.
    pub(crate) seed: u32,
}

/// Why a header could not be read.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// Neither copy is sound.
    Damaged,
    /// Sound, but of a version that this program does not know.
    Version(u32),
    Io(io::Error),
}

impl Unreadable {
    /// As an error about `path`; `None` for damage, which is no error.
    pub(crate) fn error(self, path: &Path) -> Option<Error> {
        match self {
            Unreadable::Damaged => None,
            Unreadable::Version(found) => Some(Error::Version { path: path.into(), found, known: VERSION }),
            Unreadable::Io(source) => Some(Error::Io { action: "read", path: path.into(), source }),
        }
    }
}

impl Header {
    /// Both copies, and the seed for the frames behind them.
    pub(crate) fn bytes(&self) -> (Vec<u8>, u32) {
        let mut copy = vec![0; FIXED_BYTES];
        copy[..8].copy_from_slice(&MAGIC);
        copy[8..12].copy_from_slice(&VERSION.to_le_bytes());
        copy[16..24].copy_from_slice(&self.first.to_le_bytes());
        copy[24..32].copy_from_slice(&self.created_nanos.to_le_bytes());
        copy[32..36].copy_from_slice(&(self.preamble.len() as u32).to_le_bytes());
        copy[36..40].copy_from_slice(&crc32c(&self.preamble).to_le_bytes());
        let seed = fixed_crc(&copy);
        copy[12..16].copy_from_slice(&seed.to_le_bytes());
        copy.extend_from_slice(&self.preamble);
        copy.resize(copy_bytes(self.preamble.len()) as usize, 0);
        (copy.repeat(2), seed)
    }

    /// The header of `file`, from whichever copy is sound.
    pub(crate) fn read(file: &File) -> Result<(Header, u32), Unreadable> {
        for_each_copy(file, |at, fixed| {
            let mut preamble = vec![0; fixed.preamble_bytes as usize];
            let read = read_at(file, &mut preamble, at + FIXED_BYTES as u64)?;
            let sound = read == preamble.len() && crc32c(&preamble) == fixed.preamble_crc;
            let Fixed { first, created_nanos, seed, .. } = fixed;
            Ok(sound.then_some((Header { first, created_nanos, preamble }, seed)))
        })
    }

    /// Where the frames begin.
    pub(crate) fn end(&self) -> u64 {
        2 * copy_bytes(self.preamble.len())
    }
}

impl Fixed {
    /// The fixed part alone, without reading the preamble.
    pub(crate) fn read(file: &File) -> Result<Fixed, Unreadable> {
        for_each_copy(file, |_, fixed| Ok(Some(fixed)))
    }

    fn parse(bytes: &[u8]) -> Option<Result<Fixed, Unreadable>> {
        let seed = u32::from_le_bytes(part(bytes, 12));
        if bytes[..8] != MAGIC || fixed_crc(bytes) != seed {
            return None;
        }
        let version = u32::from_le_bytes(part(bytes, 8));
        if version != VERSION {
            return Some(Err(Unreadable::Version(version)));
        }
        let fixed = Fixed {
            first: u64::from_le_bytes(part(bytes, 16)),
            created_nanos: i64::from_le_bytes(part(bytes, 24)),
            preamble_bytes: u32::from_le_bytes(part(bytes, 32)),
            preamble_crc: u32::from_le_bytes(part(bytes, 36)),
            seed,
        };
        (fixed.preamble_bytes as usize <= PREAMBLE_BYTES_MAX).then_some(Ok(fixed))
    }
}

/// Asks `take` about every sound fixed part until it answers. The second copy begins at a page boundary: where the
/// first one is damaged, its length cannot be trusted, so all boundaries are tried.
fn for_each_copy<T>(file: &File, take: impl Fn(u64, Fixed) -> io::Result<Option<T>>) -> Result<T, Unreadable> {
    let pages = copy_bytes(PREAMBLE_BYTES_MAX) / PAGE;
    for at in (0..=pages).map(|page| page * PAGE) {
        let mut bytes = [0; FIXED_BYTES];
        if read_at(file, &mut bytes, at).map_err(Unreadable::Io)? < FIXED_BYTES {
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

/// The checksum of the fixed part without the checksum itself.
fn fixed_crc(bytes: &[u8]) -> u32 {
    crc32c_append(crc32c(&bytes[..12]), &bytes[16..FIXED_BYTES])
}

/// Bytes of one copy, whole pages.
fn copy_bytes(preamble: usize) -> u64 {
    (FIXED_BYTES as u64 + preamble as u64).next_multiple_of(PAGE)
}
