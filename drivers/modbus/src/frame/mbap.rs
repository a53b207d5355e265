//! Modbus TCP.
//!
//! ```text
//! transaction u16 | protocol u16, 0 | length u16 of what follows | unit | PDU
//! ```

use super::{Found, Frame};

const HEADER: usize = 7;
/// A unit and a PDU of at least a function, at most 253 bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 2..=254;

pub(super) fn encode(transaction: u16, unit: u8, pdu: &[u8], out: &mut Vec<u8>) {
    out.extend(transaction.to_be_bytes());
    out.extend([0, 0]);
    out.extend((pdu.len() as u16 + 1).to_be_bytes());
    out.push(unit);
    out.extend(pdu);
}

pub(super) fn decode(received: &[u8]) -> Found {
    let Some(header) = received.get(..HEADER) else { return Found::More };
    let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    if word(2) != 0 {
        return Found::Garbage("it is of another protocol");
    }
    let length = usize::from(word(4));
    if !LENGTHS.contains(&length) {
        return Found::Garbage("its length is none");
    }
    let end = HEADER - 1 + length;
    match received.get(HEADER..end) {
        None => Found::More,
        Some(pdu) => Found::Frame(Frame { transaction: word(0), unit: header[6], pdu: pdu.to_vec(), length: end }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_whole_with_its_last_byte() {
        let mut bytes = vec![];
        encode(0x0102, 7, &[3, 2, 0, 9], &mut bytes);
        assert_eq!(bytes, [1, 2, 0, 0, 0, 5, 7, 3, 2, 0, 9]);
        for end in 0..bytes.len() {
            assert_eq!(decode(&bytes[..end]), Found::More);
        }
        let frame = Frame { transaction: 0x0102, unit: 7, pdu: vec![3, 2, 0, 9], length: 11 };
        bytes.push(0xff);
        assert_eq!(decode(&bytes), Found::Frame(frame));
    }

    #[test]
    fn what_cannot_be_a_frame_is_known_by_its_header() {
        assert_eq!(decode(&[0, 1, 0, 1, 0, 5, 7]), Found::Garbage("it is of another protocol"));
        for length in [0, 1, 255] {
            assert_eq!(decode(&[0, 1, 0, 0, 0, length, 7]), Found::Garbage("its length is none"));
        }
    }
}
