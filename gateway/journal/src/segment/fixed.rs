//! The part of a segment's header that has the same length in all segments of a format version.

use super::{PREAMBLE_BYTES_MAX, VERSION};
use crate::{Class, Error, Stamp, frame::Frames, frame::part};
use crc32c::{crc32c, crc32c_append};
use std::{io, path::Path};

/// Bytes of it in version 2.
pub(crate) const BYTES: usize = 96;
const BYTES_V1: usize = 48;
const MAGIC: [u8; 8] = *b"EDGEWAYJ";

/// The fixed part of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fixed {
    pub(crate) version: u32,
    /// Version 1 knew one class.
    pub(crate) class: Class,
    /// The offset of its first item, and its number within the class.
    pub(crate) first: u64,
    pub(crate) first_seq: u64,
    /// The offset behind the item of the class before it.
    pub(crate) previous_end: u64,
    pub(crate) created: Stamp,
    pub(crate) preamble_bytes: u32,
    pub(crate) preamble_crc: u32,
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

impl Fixed {
    /// Its bytes in front of `preamble`, and their seed.
    pub(super) fn bytes(&self, preamble: &[u8]) -> ([u8; BYTES], u32) {
        let mut bytes = [0; BYTES];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(0, &MAGIC);
        put(8, &VERSION.to_le_bytes());
        put(16, &self.first.to_le_bytes());
        put(24, &self.created.wall_nanos.to_le_bytes());
        put(32, &(preamble.len() as u32).to_le_bytes());
        put(36, &crc32c(preamble).to_le_bytes());
        put(48, &self.first_seq.to_le_bytes());
        put(56, &self.previous_end.to_le_bytes());
        put(64, &self.created.mono_nanos.to_le_bytes());
        put(72, &self.created.boot);
        put(88, &self.created.epoch.to_le_bytes());
        put(92, &[self.class as u8]);
        let more = crc32c(&bytes[BYTES_V1..]);
        bytes[40..44].copy_from_slice(&more.to_le_bytes());
        let seed = checksum(&bytes);
        bytes[12..16].copy_from_slice(&seed.to_le_bytes());
        (bytes, seed)
    }

    /// The fixed part in `bytes`; `None` if there is no sound one.
    pub(super) fn parse(bytes: &[u8; BYTES]) -> Option<Result<Fixed, Unreadable>> {
        let seed = u32::from_le_bytes(part(bytes, 12));
        if bytes[..8] != MAGIC || checksum(bytes) != seed {
            return None;
        }
        let fixed = match u32::from_le_bytes(part(bytes, 8)) {
            1 => Fixed::parse_v1(bytes, seed),
            2 => Fixed::parse_v2(bytes, seed)?,
            other => return Some(Err(Unreadable::Version(other))),
        };
        (fixed.preamble_bytes as usize <= PREAMBLE_BYTES_MAX).then_some(Ok(fixed))
    }

    /// What is the same in both versions. In version 1 offsets had no gaps and counted the one class there was.
    fn parse_v1(bytes: &[u8; BYTES], seed: u32) -> Fixed {
        let first = u64::from_le_bytes(part(bytes, 16));
        let wall_nanos = i64::from_le_bytes(part(bytes, 24));
        Fixed {
            version: 1,
            class: Class::Normal,
            first,
            first_seq: first,
            previous_end: first,
            created: Stamp { epoch: 0, boot: [0; 16], mono_nanos: 0, wall_nanos },
            preamble_bytes: u32::from_le_bytes(part(bytes, 32)),
            preamble_crc: u32::from_le_bytes(part(bytes, 36)),
            seed,
        }
    }

    fn parse_v2(bytes: &[u8; BYTES], seed: u32) -> Option<Fixed> {
        let common = Fixed::parse_v1(bytes, seed);
        let sound = u32::from_le_bytes(part(bytes, 40)) == crc32c(&bytes[BYTES_V1..]);
        let created = Stamp {
            epoch: u32::from_le_bytes(part(bytes, 88)),
            boot: part(bytes, 72),
            mono_nanos: i64::from_le_bytes(part(bytes, 64)),
            ..common.created
        };
        let (first_seq, previous_end) = (u64::from_le_bytes(part(bytes, 48)), u64::from_le_bytes(part(bytes, 56)));
        let class = *Class::ALL.get(usize::from(bytes[92]))?;
        sound.then_some(Fixed { version: 2, class, first_seq, previous_end, created, ..common })
    }

    /// Its length.
    pub(crate) fn fixed_bytes(&self) -> usize {
        if self.version == 1 { BYTES_V1 } else { BYTES }
    }

    /// What is needed to understand the frames behind it.
    pub(crate) fn frames(&self) -> Frames {
        Frames { version: self.version, seed: self.seed, first: self.first, first_seq: self.first_seq }
    }
}

/// The checksum of the part that all versions have, without the checksum itself.
fn checksum(bytes: &[u8]) -> u32 {
    crc32c_append(crc32c(&bytes[..12]), &bytes[16..BYTES_V1])
}
