//! Checksums that fit what is there, as the journal's crate docs lay them out.

use crc32c::{crc32c, crc32c_append};

const PAGE: usize = 4096;
const FRAME: [u8; 4] = [0xED, 0x9E, 0x4A, 0xF1];

/// Repairs both headers of a segment and all frames.
pub fn segment(file: &mut [u8]) {
    let Some((fixed, preamble_bytes)) = header(file, 0) else { return };
    let copy = (fixed + preamble_bytes).next_multiple_of(PAGE);
    header(file, copy);
    let Some(seed) = word(file, 12) else { return };
    let head = if fixed == 48 { 36 } else { 48 };
    let mut at = 2 * copy;
    while at + head <= file.len() {
        at = if file[at..at + 4] == FRAME { frame(file, at, head, seed) } else { at + 1 };
    }
}

/// Repairs one header; its length and that of its preamble.
fn header(file: &mut [u8], at: usize) -> Option<(usize, usize)> {
    let version = word(file, at + 8)?;
    let fixed: usize = if version == 1 { 48 } else { 96 };
    let preamble_bytes = word(file, at + 32)? as usize;
    let header = file.get_mut(at..)?;
    let preamble = crc32c(header.get(fixed..fixed.checked_add(preamble_bytes)?)?);
    header[36..40].copy_from_slice(&preamble.to_le_bytes());
    if fixed == 96 {
        let more = crc32c(&header[48..96]);
        header[40..44].copy_from_slice(&more.to_le_bytes());
    }
    let seed = crc32c_append(crc32c(&header[..12]), &header[16..48]);
    header[12..16].copy_from_slice(&seed.to_le_bytes());
    Some((fixed, preamble_bytes))
}

/// Repairs the frame here; where to go on.
fn frame(file: &mut [u8], at: usize, head: usize, seed: u32) -> usize {
    let mask = if head == 36 { u32::MAX } else { 0x00FF_FFFF };
    let body_bytes = (word(file, at + 4).unwrap_or(0) & mask) as usize;
    let end = (at + head).saturating_add(body_bytes).min(file.len());
    let body = crc32c(&file[at + head..end]);
    file[at + 8..at + 12].copy_from_slice(&body.to_le_bytes());
    let crc = crc32c_append(seed, &file[at..at + head - 4]);
    file[at + head - 4..at + head].copy_from_slice(&crc.to_le_bytes());
    end
}

/// Repairs all slots of a file of cursors that are not empty.
pub fn slots(file: &mut [u8]) {
    for slot in file.chunks_exact_mut(PAGE).filter(|slot| slot.iter().any(|byte| *byte != 0)) {
        let crc = crc32c_append(crc32c(&slot[..12]), &slot[16..]);
        slot[12..16].copy_from_slice(&crc.to_le_bytes());
    }
}

fn word(file: &[u8], at: usize) -> Option<u32> {
    file.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}
