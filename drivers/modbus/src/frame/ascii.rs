//! Modbus ASCII.
//!
//! ```text
//! : | unit, PDU and LRC as upper-case hexadecimal digits | CR LF
//! ```

use super::{Found, Frame};

const START: u8 = b':';
const END: u8 = b'\n';
/// A colon, 255 bytes in two digits each, and the end of the line.
const LENGTH_MAX: usize = 513;

pub(super) fn encode(unit: u8, pdu: &[u8], out: &mut Vec<u8>) {
    out.push(START);
    let sum = sum(std::iter::once(&unit).chain(pdu));
    for byte in std::iter::once(&unit).chain(pdu).chain([&sum.wrapping_neg()]) {
        out.extend(format!("{byte:02X}").as_bytes());
    }
    out.extend(b"\r\n");
}

/// Whatever stands before a colon is noise, and a colon always begins anew.
pub(super) fn decode(received: &[u8]) -> Found {
    let Some(end) = received.iter().position(|byte| *byte == END) else {
        return if received.len() > 2 * LENGTH_MAX { Found::Garbage("there is no frame in it") } else { Found::More };
    };
    let Some(start) = received[..end].iter().rposition(|byte| *byte == START) else {
        return Found::Garbage("it is a line without a colon");
    };
    let digits = received[start + 1..end].trim_ascii_end();
    match bytes(digits).as_deref() {
        None => Found::Garbage("it is not hexadecimal"),
        Some(line) if sum(line) != 0 => Found::Garbage("its checksum is wrong"),
        Some([unit, pdu @ .., _]) if !pdu.is_empty() => {
            Found::Frame(Frame { transaction: 0, unit: *unit, pdu: pdu.to_vec(), length: end + 1 })
        }
        Some(_) => Found::Garbage("it is too short"),
    }
}

fn sum<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> u8 {
    bytes.into_iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

fn bytes(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    digits.chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_is_whole_with_its_end() {
        let mut line = vec![];
        encode(1, &[3, 0, 0x6b, 0, 3], &mut line);
        assert_eq!(line, b":0103006B00038E\r\n");
        for end in 0..line.len() {
            assert_eq!(decode(&line[..end]), Found::More);
        }
        let frame = Frame { transaction: 0, unit: 1, pdu: vec![3, 0, 0x6b, 0, 3], length: line.len() };
        assert_eq!(decode(&line), Found::Frame(frame));
    }

    #[test]
    fn noise_before_a_colon_is_passed_over() {
        let Found::Frame(frame) = decode(b"\xff:010:0183027A\r\n") else { panic!("a frame") };
        assert_eq!(frame.pdu, [0x83, 2]);
        assert_eq!(decode(b":01830279\r\n"), Found::Garbage("its checksum is wrong"));
        assert_eq!(decode(b":01830z79\r\n"), Found::Garbage("it is not hexadecimal"));
        assert_eq!(decode(b"0183027A\r\n"), Found::Garbage("it is a line without a colon"));
        assert_eq!(decode(b":\r\n"), Found::Garbage("it is too short"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_frame_or_none(bytes in prop::collection::vec(any::<u8>(), 0..1200)) {
            if let Found::Frame(found) = decode(&bytes) {
                prop_assert!(found.length <= bytes.len());
            }
        }
    }
}
