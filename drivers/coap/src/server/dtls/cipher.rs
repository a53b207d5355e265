//! Keys, and what is encrypted with them: the key schedule is that of RFC 5246 with RFC 4279 and RFC 7627, the ciphers are those of
//! `webrtc-dtls`. Pure, but for the random numbers in what is sent.

use super::record::{self, Record};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use webrtc_dtls::cipher_suite::{CipherSuite, CipherSuiteId, cipher_suite_for_id};
use webrtc_dtls::content::ContentType;
use webrtc_dtls::record_layer::record_layer_header::{PROTOCOL_VERSION1_2, RecordLayerHeader};

/// The suites, and how many bytes the code at the end of their records has.
const SUITES: [(CipherSuiteId, usize); 3] = [
    (CipherSuiteId::Tls_Psk_With_Aes_128_Ccm_8, 8),
    (CipherSuiteId::Tls_Psk_With_Aes_128_Ccm, 16),
    (CipherSuiteId::Tls_Psk_With_Aes_128_Gcm_Sha256, 16),
];
/// The part of the nonce that goes before what is encrypted.
const NONCE_BYTES: usize = 8;
/// The epoch of all that is encrypted: keys are never changed.
pub(super) const EPOCH: u16 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Suite {
    id: CipherSuiteId,
    code_bytes: usize,
}

impl Suite {
    /// The first of those offered that we have: a device knows best what it is good at.
    pub(super) fn choose(offered: &[u16]) -> Option<Suite> {
        let ours = |number: &u16| SUITES.iter().find(|(id, _)| *id as u16 == *number);
        offered.iter().find_map(ours).map(|&(id, code_bytes)| Suite { id, code_bytes })
    }

    pub(super) fn number(self) -> u16 {
        self.id as u16
    }
}

/// The secret that all keys of a session come from.
pub(super) struct Master([u8; 48]);

impl Master {
    /// From a pre-shared key and either all messages so far (RFC 7627) or the random numbers of both.
    pub(super) fn of_messages(key: &[u8], messages: &[u8]) -> Self {
        Master(prf(&before_master(key), b"extended master secret", &Sha256::digest(messages)))
    }

    pub(super) fn of_randoms(key: &[u8], client: &[u8; 32], server: &[u8; 32]) -> Self {
        Master(prf(&before_master(key), b"master secret", &[client.as_slice(), server].concat()))
    }

    /// What proves that somebody has the key and has seen the same messages.
    pub(super) fn proof(&self, label: &[u8], messages: &[u8]) -> [u8; 12] {
        prf(&self.0, label, &Sha256::digest(messages))
    }
}

/// RFC 4279 section 2.
fn before_master(key: &[u8]) -> Vec<u8> {
    let length = u16::try_from(key.len()).expect("a key has 64 bytes at most").to_be_bytes();
    [length.as_slice(), &vec![0; key.len()], &length, key].concat()
}

/// RFC 5246 section 5.
fn prf<const N: usize>(secret: &[u8], label: &[u8], seed: &[u8]) -> [u8; N] {
    let code = |parts: &[&[u8]]| {
        let mut code = <Hmac<Sha256> as KeyInit>::new_from_slice(secret).expect("HMAC takes keys of any length");
        parts.iter().for_each(|part| code.update(part));
        code.finalize().into_bytes()
    };
    let (mut out, mut filled) = ([0; N], 0);
    let mut chain = code(&[label, seed]);
    while filled < N {
        let block = code(&[&chain, label, seed]);
        let taken = block.len().min(N - filled);
        out[filled..filled + taken].copy_from_slice(&block[..taken]);
        filled += taken;
        chain = code(&[&chain]);
    }
    out
}

/// The keys of a session, both ways.
pub(super) struct Cipher {
    suite: Box<dyn CipherSuite + Send + Sync>,
    code_bytes: usize,
}

impl Cipher {
    /// The server's end.
    pub(super) fn new(suite: Suite, master: &Master, client: &[u8; 32], server: &[u8; 32]) -> Self {
        Cipher::at_end(false, suite, master, [client, server])
    }

    /// The client's end, for tests.
    #[cfg(test)]
    pub(super) fn of_client(suite: Suite, master: &Master, client: &[u8; 32], server: &[u8; 32]) -> Self {
        Cipher::at_end(true, suite, master, [client, server])
    }

    fn at_end(is_client: bool, suite: Suite, master: &Master, [client, server]: [&[u8; 32]; 2]) -> Self {
        let mut keyed = cipher_suite_for_id(suite.id).expect("it is one of ours");
        keyed.init(&master.0, client, server, is_client).expect("HMAC takes keys of any length");
        Cipher { suite: keyed, code_bytes: suite.code_bytes }
    }

    /// A record with this in it.
    pub(super) fn seal(&self, kind: u8, number: u64, plain: &[u8]) -> Vec<u8> {
        let header = RecordLayerHeader {
            content_type: ContentType::from(kind),
            protocol_version: PROTOCOL_VERSION1_2,
            epoch: EPOCH,
            sequence_number: number,
            content_len: u16::try_from(plain.len()).expect("we write short records"),
        };
        let mut bytes = vec![];
        header.marshal(&mut bytes).expect("there are not so many records");
        bytes.extend(plain);
        self.suite.encrypt(&header, &bytes).expect("it has its keys")
    }

    /// What is in a record; `None` if it was not made with these keys.
    pub(super) fn open(&self, record: &Record<'_>) -> Option<Vec<u8>> {
        // `decrypt` passes this kind on as it is, and does not look whether there is room for the rest.
        let is_encrypted = record.kind != record::CHANGE_CIPHER_SPEC && record.epoch == EPOCH;
        if !is_encrypted || record.body.len() <= NONCE_BYTES + self.code_bytes {
            return None;
        }
        let bytes = self.suite.decrypt(record.whole).ok()?;
        bytes.get(record::HEADER_BYTES..).map(<[u8]>::to_vec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The vector that is passed around for this function, as RFC 5246 has none.
    #[test]
    fn the_key_schedule_is_that_of_others() {
        let bytes = |digits: &str| -> Vec<u8> {
            digits
                .as_bytes()
                .chunks(2)
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
                .collect()
        };
        let (secret, seed) = (bytes("9bbe436ba940f017b17652849a71db35"), bytes("a0ba9f936cda311827a6f796ffd5198c"));
        let expected = "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66";
        assert_eq!(prf::<100>(&secret, b"test label", &seed).to_vec(), bytes(expected));
        assert_eq!(before_master(b"abc"), b"\0\x03\0\0\0\0\x03abc");
    }

    fn cipher() -> Cipher {
        let suite = Suite::choose(&[1, 0xC0A8, 0xA8]).expect("one of them");
        assert_eq!(suite.number(), 0xC0A8);
        Cipher::new(suite, &Master([7; 48]), &[1; 32], &[2; 32])
    }

    proptest! {
        #[test]
        fn nothing_is_opened_that_is_not_sealed(body in proptest::collection::vec(any::<u8>(), 0..64), kind in 20..24_u8) {
            let mut whole = vec![kind, 254, 253, 0, 1, 0, 0, 0, 0, 0, 9, 0, body.len() as u8];
            whole.extend(&body);
            let records = record::read(&whole).expect("a record");
            prop_assert_eq!(cipher().open(&records[0]), None);
        }
    }
}
