//! A slot of the file `cursors`. Pure; the layout is in the crate docs.

use crate::{Error, frame::part};
use crc32c::{crc32c, crc32c_append};
use std::path::Path;

/// The format of slots that this program writes and knows.
const VERSION: u32 = 1;
/// How many cursors there can be.
pub(crate) const CURSORS_MAX: usize = 64;
/// Bytes of one slot; what storage writes at once.
pub(crate) const SLOT_BYTES: usize = 4096;
/// Bytes of the file: two slots for the journal's own mark and for each cursor.
pub(crate) const FILE_BYTES: u64 = ((1 + CURSORS_MAX) * 2 * SLOT_BYTES) as u64;
pub(crate) const NAME_BYTES_MAX: usize = 200;
const MAGIC: [u8; 8] = *b"EDGEWAYC";

/// What a slot says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    /// The higher one of two counts.
    pub(crate) generation: u64,
    pub(crate) position: u64,
    /// How far the journal was durable when this was written.
    pub(crate) durable: u64,
    /// The journal was closed in order; in its own mark only.
    pub(crate) closed: bool,
    /// Empty in the journal's own mark and for a removed cursor.
    pub(crate) name: &'a str,
}

impl<'a> Record<'a> {
    pub(crate) fn bytes(&self) -> [u8; SLOT_BYTES] {
        let mut bytes = [0; SLOT_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.generation.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.position.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.durable.to_le_bytes());
        bytes[40] = u8::from(self.closed);
        bytes[41] = self.name.len() as u8;
        bytes[42..42 + self.name.len()].copy_from_slice(self.name.as_bytes());
        let crc = crc(&bytes);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The record in `bytes`; `None` if there is no sound one.
    pub(crate) fn read(bytes: &'a [u8], path: &Path) -> Result<Option<Record<'a>>, Error> {
        if bytes[..8] != MAGIC || crc(bytes) != u32::from_le_bytes(part(bytes, 12)) {
            return Ok(None);
        }
        let version = u32::from_le_bytes(part(bytes, 8));
        if version != VERSION {
            return Err(Error::Version { path: path.into(), found: version, known: VERSION });
        }
        let name = std::str::from_utf8(&bytes[42..42 + usize::from(bytes[41])]);
        Ok(name.ok().map(|name| Record {
            generation: u64::from_le_bytes(part(bytes, 16)),
            position: u64::from_le_bytes(part(bytes, 24)),
            durable: u64::from_le_bytes(part(bytes, 32)),
            closed: bytes[40] != 0,
            name,
        }))
    }
}

/// The checksum of a slot without the checksum itself.
fn crc(bytes: &[u8]) -> u32 {
    crc32c_append(crc32c(&bytes[..12]), &bytes[16..])
}
