//! How often the database was written, kept outside of it.
//!
//! sled has been seen to open a database with one flipped bit as it was a while ago, whole in itself and without a word.
//! So each write counts up a number in the database, and, once it is synced, in a file beside it. A database that is
//! behind that file has gone back and is set aside.
//!
//! The file has two slots of 512 bytes, written in turns: the number, 8 bytes, and its CRC32C, 4 bytes; then zeros. It is
//! allocated when it is made, so that writing it never needs space.

use crate::disk::read_at;
use crc32c::crc32c;
use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::Path,
};

const SLOT_BYTES: usize = 512;
const RECORD_BYTES: usize = 12;

/// The file.
#[derive(Debug)]
pub(super) struct Generation {
    file: File,
    /// The highest number in it.
    pub(super) known: u64,
}

impl Generation {
    /// Opens the file in the folder of a database, or makes it.
    pub(super) fn open(folder: &Path) -> io::Result<Generation> {
        let path = folder.join("generation");
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = [0; 2 * SLOT_BYTES];
        if read_at(&file, &mut bytes, 0)? < bytes.len() {
            file.write_all_at(&bytes, 0)?;
            file.sync_all()?;
        }
        let known = bytes.chunks(SLOT_BYTES).filter_map(read).max().unwrap_or(0);
        Ok(Generation { file, known })
    }

    /// Everything up to `number` is in the database, and synced.
    pub(super) fn write(&self, number: u64) -> io::Result<()> {
        let number = number.to_le_bytes();
        let mut record = [0; RECORD_BYTES];
        record[..8].copy_from_slice(&number);
        record[8..].copy_from_slice(&crc32c(&number).to_le_bytes());
        let slot = u64::from(number[0] & 1) * SLOT_BYTES as u64;
        self.file.write_all_at(&record, slot)?;
        self.file.sync_data()
    }
}

fn read(slot: &[u8]) -> Option<u64> {
    let number: [u8; 8] = slot[..8].try_into().ok()?;
    let crc: [u8; 4] = slot[8..RECORD_BYTES].try_into().ok()?;
    (crc32c(&number).to_le_bytes() == crc).then(|| u64::from_le_bytes(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_sound_number_counts() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || Generation::open(folder.path()).expect("opens");
        assert_eq!(open().known, 0);
        for number in [6, 7] {
            open().write(number).expect("writes");
        }
        assert_eq!(open().known, 7);
        open().file.write_all_at(&[0xFF], 512).expect("our own file");
        assert_eq!(open().known, 6, "the slot of 7 is damaged");
    }
}
