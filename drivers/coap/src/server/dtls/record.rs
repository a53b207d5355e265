//! Records of DTLS 1.2 (RFC 6347 section 4.1): what a datagram is made of. Pure.

pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(super) const ALERT: u8 = 21;
pub(super) const HANDSHAKE: u8 = 22;
pub(super) const APPLICATION_DATA: u8 = 23;

/// The versions as they are written: what begins a conversation is of the old one.
pub(super) const DTLS_1_0: [u8; 2] = [254, 255];
pub(super) const DTLS_1_2: [u8; 2] = [254, 253];

/// Kind, version, epoch, number and length.
pub(super) const HEADER_BYTES: usize = 13;
/// Nobody needs more in one datagram.
const RECORDS_MAX: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record<'d> {
    pub(super) kind: u8,
    pub(super) epoch: u16,
    /// 48 bits.
    pub(super) number: u64,
    pub(super) body: &'d [u8],
    /// With the header.
    pub(super) whole: &'d [u8],
}

/// The records of a datagram, at least one; `None` if it holds anything else.
pub(super) fn read(datagram: &[u8]) -> Option<Vec<Record<'_>>> {
    let (mut records, mut rest) = (vec![], datagram);
    while !rest.is_empty() {
        let (record, after) = first(rest).filter(|_| records.len() < RECORDS_MAX)?;
        records.push(record);
        rest = after;
    }
    (!records.is_empty()).then_some(records)
}

fn first(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>()?;
    let [kind @ 20..=23, 254, 253 | 255, e0, e1, n0, n1, n2, n3, n4, n5, l0, l1] = *header else { return None };
    let (body, after) = rest.split_at_checked(u16::from_be_bytes([l0, l1]).into())?;
    let (epoch, number) = (u16::from_be_bytes([e0, e1]), u64::from_be_bytes([0, 0, n0, n1, n2, n3, n4, n5]));
    Some((Record { kind, epoch, number, body, whole: &bytes[..HEADER_BYTES + body.len()] }, after))
}

/// A record that is not encrypted.
pub(super) fn write(kind: u8, version: [u8; 2], number: u64, body: &[u8]) -> Vec<u8> {
    let mut record = vec![kind];
    record.extend(version);
    // The epoch before there is a key, and 48 bits of the number.
    record.extend([0, 0]);
    record.extend(&number.to_be_bytes()[2..]);
    record.extend(u16::try_from(body.len()).expect("we write short records").to_be_bytes());
    record.extend(body);
    record
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_datagram_is_records_to_its_end_or_nothing() {
        let two = [write(HANDSHAKE, DTLS_1_0, 7, b"abc"), write(ALERT, DTLS_1_2, 8, b"")].concat();
        let records = read(&two).expect("two records");
        assert_eq!(records.iter().map(|record| (record.kind, record.number)).collect::<Vec<_>>(), [(22, 7), (21, 8)]);
        assert_eq!((records[0].body, records[0].whole), (b"abc".as_slice(), &two[..16]));
        assert_eq!(read(&two[..two.len() - 1]), None, "torn");
        assert_eq!(read(b""), None);
        assert_eq!(read(b"\x40\x03\x12\x34"), None, "CoAP in the clear");
        assert_eq!(read(&write(ALERT, DTLS_1_2, 8, b"").repeat(17)), None, "too many");
    }

    proptest! {
        #[test]
        fn any_datagram_is_read(datagram in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Some(records) = read(&datagram) {
                prop_assert_eq!(records.iter().map(|record| record.whole.len()).sum::<usize>(), datagram.len());
            }
        }
    }
}
