//! A slot of the file `cursors`. Pure; the layout is in the crate docs.

use crate::{Error, frame::part};
use crc32c::{crc32c, crc32c_append};
use std::path::Path;

/// The format of slots that this program writes; it reads version 1 too.
const VERSION: u32 = 2;
/// How many cursors there can be.
pub(crate) const CURSORS_MAX: usize = 64;
/// Bytes of one slot; what storage writes at once.
pub(crate) const SLOT_BYTES: usize = 4096;
/// Bytes of the file: two slots for the journal's own mark and for each cursor.
pub(crate) const FILE_BYTES: u64 = ((1 + CURSORS_MAX) * 2 * SLOT_BYTES) as u64;
pub(crate) const NAME_BYTES_MAX: usize = 200;
pub(crate) const NOTE_BYTES_MAX: usize = 3000;
const NAME_AT: usize = 116;
const NOTE_AT: usize = NAME_AT + NAME_BYTES_MAX;
const MAGIC: [u8; 8] = *b"EDGEWAYC";

/// How far the journal had come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Of each class everything below this offset was durable.
    pub(crate) durable: [u64; 3],
    /// The number behind the last durable item of each class.
    pub(crate) seqs: [u64; 3],
    /// The offset of the next item.
    pub(crate) head: u64,
    pub(crate) epoch: u32,
    /// The journal was closed in order; in its own slots only.
    pub(crate) closed: bool,
}

/// What a slot says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    /// The higher one of two counts.
    pub(crate) generation: u64,
    pub(crate) positions: [u64; 3],
    /// When this was written.
    pub(crate) mark: Mark,
    /// Empty in the journal's own mark and for a removed cursor.
    pub(crate) name: &'a str,
    pub(crate) note: &'a [u8],
}

impl<'a> Record<'a> {
    pub(crate) fn bytes(&self) -> [u8; SLOT_BYTES] {
        let mut bytes = [0; SLOT_BYTES];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(0, &MAGIC);
        put(8, &VERSION.to_le_bytes());
        put(16, &self.generation.to_le_bytes());
        for class in 0..3 {
            put(24 + 8 * class, &self.positions[class].to_le_bytes());
            put(48 + 8 * class, &self.mark.durable[class].to_le_bytes());
            put(72 + 8 * class, &self.mark.seqs[class].to_le_bytes());
        }
        put(96, &self.mark.head.to_le_bytes());
        put(104, &self.mark.epoch.to_le_bytes());
        put(108, &[u8::from(self.mark.closed), self.name.len() as u8]);
        put(110, &(self.note.len() as u16).to_le_bytes());
        put(NAME_AT, self.name.as_bytes());
        put(NOTE_AT, self.note);
        let crc = crc(&bytes);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The record in `bytes`; `None` if there is no sound one.
    pub(crate) fn read(bytes: &'a [u8], path: &Path) -> Result<Option<Record<'a>>, Error> {
        if bytes[..8] != MAGIC || crc(bytes) != u32::from_le_bytes(part(bytes, 12)) {
            return Ok(None);
        }
        match u32::from_le_bytes(part(bytes, 8)) {
            1 => Ok(Record::read_v1(bytes)),
            2 => Ok(Record::read_v2(bytes)),
            found => Err(Error::Version { path: path.into(), found, known: VERSION }),
        }
    }

    fn read_v2(bytes: &'a [u8]) -> Option<Record<'a>> {
        let long = |at| u64::from_le_bytes(part(bytes, at));
        let three = |at| [long(at), long(at + 8), long(at + 16)];
        let note_bytes = usize::from(u16::from_le_bytes(part(bytes, 110)));
        let name = bytes.get(NAME_AT..NAME_AT + usize::from(bytes[109]))?;
        let mark = Mark {
            durable: three(48),
            seqs: three(72),
            head: long(96),
            epoch: u32::from_le_bytes(part(bytes, 104)),
            closed: bytes[108] != 0,
        };
        Some(Record {
            generation: long(16),
            positions: three(24),
            mark,
            name: std::str::from_utf8(name).ok()?,
            note: bytes.get(NOTE_AT..NOTE_AT + note_bytes)?,
        })
    }

    /// In version 1 there was one class, now [`Class::Normal`](crate::Class::Normal), and offsets were its numbers.
    fn read_v1(bytes: &'a [u8]) -> Option<Record<'a>> {
        let long = |at| u64::from_le_bytes(part(bytes, at));
        let (position, durable) = (long(24), long(32));
        let name = std::str::from_utf8(bytes.get(42..42 + usize::from(bytes[41]))?).ok()?;
        let (ends, closed) = ([0, durable, 0], bytes[40] != 0);
        let mark = Mark { durable: ends, seqs: ends, head: durable, epoch: 0, closed };
        Some(Record { generation: long(16), positions: [position; 3], mark, name, note: &[] })
    }
}

/// The checksum of a slot without the checksum itself.
fn crc(bytes: &[u8]) -> u32 {
    crc32c_append(crc32c(&bytes[..12]), &bytes[16..])
}
