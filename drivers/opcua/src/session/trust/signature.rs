//! What is signed, and whether by whom it says.

use rustls::crypto::ring;
use rustls::pki_types::AlgorithmIdentifier;
use x509_cert::der::asn1::{Any, BitString, ObjectIdentifier};
use x509_cert::der::{Decode, Encode, Reader, Result, SliceReader};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

/// sha1WithRSAEncryption and ecdsa-with-SHA1.
const SHA1: [ObjectIdentifier; 2] =
    [ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.5"), ObjectIdentifier::new_unwrap("1.2.840.10045.4.1")];

/// A certificate or a revocation list, as it was signed: byte by byte, and not as somebody else would encode it.
pub(super) struct Signed {
    pub(super) content: Vec<u8>,
    algorithm: AlgorithmIdentifierOwned,
    signature: Vec<u8>,
}

/// Why a signature does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsigned {
    /// It is of another key, or of something else.
    Wrong,
    /// Others can make the same.
    Sha1,
    /// Of an algorithm, or of a key, that the gateway does not take.
    Unknown,
}

impl Signed {
    /// Both have the same outermost form (RFC 5280, 4.1 and 5.1).
    pub(super) fn of(der: &[u8]) -> Result<Signed> {
        SliceReader::new(der)?.sequence(|reader| {
            let content = reader.tlv_bytes()?.to_vec();
            let algorithm = AlgorithmIdentifierOwned::decode(reader)?;
            let signature = BitString::decode(reader)?;
            Ok(Signed { content, algorithm, signature: signature.as_bytes().unwrap_or_default().to_vec() })
        })
    }

    /// Whether the owner of this key has signed it.
    pub(super) fn is_by(&self, key: &SubjectPublicKeyInfoOwned) -> std::result::Result<(), Unsigned> {
        if SHA1.contains(&self.algorithm.oid) {
            return Err(Unsigned::Sha1);
        }
        let public = key.subject_public_key.as_bytes().unwrap_or_default();
        let all = ring::default_provider().signature_verification_algorithms.all;
        let mut fitting = all
            .iter()
            .filter(|one| is(&self.algorithm, one.signature_alg_id()) && is(&key.algorithm, one.public_key_alg_id()))
            .peekable();
        if fitting.peek().is_none() {
            return Err(Unsigned::Unknown);
        }
        match fitting.any(|one| one.verify_signature(public, &self.content, &self.signature).is_ok()) {
            true => Ok(()),
            false => Err(Unsigned::Wrong),
        }
    }
}

fn is(algorithm: &AlgorithmIdentifierOwned, other: AlgorithmIdentifier) -> bool {
    let encoded = algorithm.to_der().and_then(|der| Any::from_der(&der));
    encoded.is_ok_and(|encoded| encoded.value() == other.as_ref())
}
