//! Modbus RTU.
//!
//! ```text
//! unit | PDU | CRC-16, low byte first
//! ```
//!
//! On the wire a frame ends with a silence of 3.5 characters. No operating system tells of it reliably, so an answer ends
//! where its function says, and counts if its CRC is right there.

use super::{Expected, Found, Frame};
use crc::{CRC_16_MODBUS, Crc, Table};

const CRC: Crc<u16, Table<1>> = Crc::<u16, Table<1>>::new(&CRC_16_MODBUS);
/// A unit, 253 bytes of PDU and the CRC.
const LENGTH_MAX: usize = 256;
/// The number of objects of an identity stands behind unit, function, 14, code, conformity, more and next.
const IDENTITY_HEAD: usize = 8;

pub(super) fn encode(unit: u8, pdu: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.push(unit);
    out.extend(pdu);
    let crc = CRC.checksum(&out[start..]);
    out.extend(crc.to_le_bytes());
}

/// A line has noise: transmitters that are switched on or off leave a byte now and then. So if no frame begins where
/// one should, the expected one is looked for behind.
pub(super) fn decode(received: &[u8], expected: Expected) -> Found {
    match frame_at(received, 0) {
        Ok(Some(frame)) => return Found::Frame(frame),
        Err(End::At(end)) if end == received.len() && is_of(received, expected) => {
            return Found::Garbage("its checksum is wrong");
        }
        _ => {}
    }
    let behind = (1..received.len()).filter(|at| is_of(&received[*at..], expected));
    let found = behind.filter_map(|at| frame_at(received, at).ok().flatten()).next();
    match found {
        Some(frame) => Found::Frame(frame),
        None if received.len() > 2 * LENGTH_MAX => Found::Garbage("there is no frame in it"),
        None => Found::More,
    }
}

fn is_of(bytes: &[u8], expected: Expected) -> bool {
    matches!(bytes, [unit, function, ..] if *unit == expected.unit && function & 0x7f == expected.function)
}

/// Where a frame that is none would have ended.
enum End {
    At(usize),
    Nowhere,
}

/// The frame that begins there; `None` if it is not whole.
fn frame_at(received: &[u8], start: usize) -> Result<Option<Frame>, End> {
    let bytes = &received[start..];
    let length = match length(bytes) {
        Length::Known(length) if length <= LENGTH_MAX => length,
        Length::More => return Ok(None),
        _ => return Err(End::Nowhere),
    };
    let Some(frame) = bytes.get(..length) else { return Ok(None) };
    let (data, crc) = frame.split_at(length - 2);
    if CRC.checksum(data).to_le_bytes() != crc {
        return Err(End::At(start + length));
    }
    Ok(Some(Frame { transaction: 0, unit: data[0], pdu: data[1..].to_vec(), length: start + length }))
}

enum Length {
    More,
    Known(usize),
    Unknown,
}

/// How long the frame of an answer is, by its function.
fn length(bytes: &[u8]) -> Length {
    let [_, function, rest @ ..] = bytes else { return Length::More };
    match (function, rest) {
        (0x80.., _) => Length::Known(5),
        (5 | 6 | 15 | 16, _) => Length::Known(8),
        (22, _) => Length::Known(10),
        (1..=4 | 23, [count, ..]) => Length::Known(5 + usize::from(*count)),
        (43, _) => identity(bytes),
        (1..=4 | 23, []) => Length::More,
        _ => Length::Unknown,
    }
}

fn identity(bytes: &[u8]) -> Length {
    let Some(objects) = bytes.get(IDENTITY_HEAD - 1) else { return Length::More };
    let mut end = IDENTITY_HEAD;
    for _ in 0..*objects {
        let Some(length) = bytes.get(end + 1) else { return Length::More };
        end += 2 + usize::from(*length);
    }
    Length::Known(end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EXPECTED: Expected = Expected { unit: 7, function: 3 };

    fn frame(unit: u8, pdu: &[u8]) -> Vec<u8> {
        let mut bytes = vec![];
        encode(unit, pdu, &mut bytes);
        bytes
    }

    #[test]
    fn the_checksum_is_the_standards() {
        // The example of MODBUS over Serial Line V1.02, 6.2.2.
        assert_eq!(frame(2, &[7]), [2, 7, 0x41, 0x12]);
    }

    #[test]
    fn a_frame_is_whole_with_its_last_byte() {
        for pdu in [
            &[3, 2, 0, 9][..],
            &[0x83, 2],
            &[6, 0, 1, 0, 2],
            &[16, 0, 1, 0, 2],
            &[22, 0, 1, 0, 2, 0, 3],
            &[23, 2, 0, 1],
            &[43, 14, 1, 1, 0, 0, 2, 0, 1, b'A', 1, 2, b'B', b'C'],
        ] {
            let bytes = frame(7, pdu);
            for end in 0..bytes.len() {
                assert_eq!(decode(&bytes[..end], EXPECTED), Found::More, "{pdu:?} up to {end}");
            }
            let whole = Frame { transaction: 0, unit: 7, pdu: pdu.to_vec(), length: bytes.len() };
            assert_eq!(decode(&bytes, EXPECTED), Found::Frame(whole));
        }
    }

    #[test]
    fn a_wrong_checksum_is_known_at_once() {
        let mut bytes = frame(7, &[3, 2, 0, 9]);
        bytes[4] ^= 1;
        assert_eq!(decode(&bytes, EXPECTED), Found::Garbage("its checksum is wrong"));
    }

    #[test]
    fn noise_before_an_answer_is_passed_over() {
        let answer = frame(7, &[3, 2, 0, 9]);
        for noise in [&[0][..], &[0xff], &[0, 0xff, 7], &[7, 3], &[9, 3, 200, 1]] {
            let Found::Frame(found) = decode(&[noise, &answer].concat(), EXPECTED) else { panic!("{noise:?}") };
            assert_eq!((found.pdu, found.length), (vec![3, 2, 0, 9], noise.len() + answer.len()));
        }
    }

    #[test]
    fn an_answer_of_somebody_else_is_a_frame_too() {
        let Found::Frame(found) = decode(&frame(8, &[3, 2, 0, 9]), EXPECTED) else { panic!("a frame") };
        assert_eq!(found.unit, 8);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_frame_or_none(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            if let Found::Frame(found) = decode(&bytes, EXPECTED) {
                prop_assert!(found.length <= bytes.len());
            }
        }
    }
}
