//! What can happen to a file.

use arbitrary::Arbitrary;

/// Damage to one of several files.
#[derive(Debug, Arbitrary)]
pub struct Damage {
    /// Which file, counted round and round.
    pub file: u8,
    /// What happens to it, in order.
    pub edits: Vec<Edit>,
    /// What becomes of its checksums.
    pub checksums: Checksums,
}

/// Whether damage can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Arbitrary)]
pub enum Checksums {
    /// They are as they were: damage shows.
    Kept,
    /// They fit what is there now, as if somebody had meant it.
    Repaired,
}

/// One change. Places are counted round and round.
#[derive(Debug, Arbitrary)]
pub enum Edit {
    /// A bit is flipped.
    Flip { at: u32, bit: u8 },
    /// Bytes are overwritten.
    Overwrite { at: u32, bytes: Vec<u8> },
    /// Bytes are overwritten with zeros, as when a sector was never written.
    Erase { at: u32, length: u16 },
    /// Bytes of the file itself end up elsewhere in it.
    Copy { from: u32, to: u32, length: u16 },
    /// The file ends early.
    Cut { at: u32 },
    /// Bytes follow.
    Append { bytes: Vec<u8> },
}

impl Damage {
    /// The file with all that has happened to it, save the checksums.
    pub fn apply(&self, mut file: Vec<u8>) -> Vec<u8> {
        for edit in &self.edits {
            edit.apply(&mut file);
        }
        file
    }
}

impl Edit {
    fn apply(&self, file: &mut Vec<u8>) {
        let length = file.len().max(1);
        let place = |at: u32| at as usize % length;
        match self {
            Edit::Flip { at, bit } => {
                let at = place(*at);
                file.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (bit & 7));
            }
            Edit::Overwrite { at, bytes } => overwrite(file, place(*at), bytes),
            Edit::Erase { at, length } => overwrite(file, place(*at), &vec![0; usize::from(*length)]),
            Edit::Copy { from, to, length } => {
                let moved: Vec<u8> = file.iter().skip(place(*from)).take(usize::from(*length)).copied().collect();
                overwrite(file, place(*to), &moved);
            }
            Edit::Cut { at } => file.truncate(place(*at)),
            Edit::Append { bytes } => file.extend_from_slice(bytes),
        }
    }
}

fn overwrite(file: &mut [u8], at: usize, bytes: &[u8]) {
    file.iter_mut().skip(at).zip(bytes).for_each(|(old, new)| *old = *new);
}
