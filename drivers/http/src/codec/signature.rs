//! Signatures of payloads: HMAC (RFC 2104) with SHA-2.

use crate::config::{Encoding, Hash, Signature};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};

impl Signature {
    /// Whether this is the signature of the payload. Takes as long for one that is nearly right as for any other.
    pub(crate) fn is_right(&self, written: &str, payload: &[u8]) -> bool {
        let tag = written.strip_prefix(self.prefix.as_str()).and_then(|text| self.encoding.bytes(text.trim()));
        tag.is_some_and(|tag| match self.hash {
            Hash::Sha256 => verified::<Hmac<Sha256>>(&self.secret, payload, &tag),
            Hash::Sha512 => verified::<Hmac<Sha512>>(&self.secret, payload, &tag),
        })
    }
}

fn verified<M: Mac + KeyInit>(secret: &str, payload: &[u8], tag: &[u8]) -> bool {
    let mut mac = <M as KeyInit>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(payload);
    mac.verify_slice(tag).is_ok()
}

impl Encoding {
    fn bytes(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Encoding::Hex => hex(text),
            Encoding::Base64 => STANDARD.decode(text).ok(),
        }
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 4231, section 4.3.
    const PAYLOAD: &[u8] = b"what do ya want for nothing?";
    const SHA256: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    const SHA512: &str = "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737";

    fn signature(hash: Hash, encoding: Encoding, prefix: &str) -> Signature {
        let header = "x-signature".parse().expect("a name");
        Signature { header, secret: "Jefe".into(), hash, encoding, prefix: prefix.into() }
    }

    #[test]
    fn the_examples_of_rfc_4231_are_right() {
        assert!(signature(Hash::Sha256, Encoding::Hex, "").is_right(SHA256, PAYLOAD));
        assert!(signature(Hash::Sha256, Encoding::Hex, "").is_right(&SHA256.to_uppercase(), PAYLOAD));
        assert!(signature(Hash::Sha512, Encoding::Hex, "sha512=").is_right(&format!("sha512={SHA512}"), PAYLOAD));
        let base64 = STANDARD.encode(hex(SHA256).expect("hexadecimal"));
        assert!(signature(Hash::Sha256, Encoding::Base64, "").is_right(&base64, PAYLOAD));
    }

    #[test]
    fn anything_else_is_wrong() {
        let sha256 = signature(Hash::Sha256, Encoding::Hex, "sha256=");
        let right = format!("sha256={SHA256}");
        assert!(sha256.is_right(&right, PAYLOAD));
        for wrong in [
            "",
            "sha256=",
            SHA256,
            &right[..right.len() - 1],
            &right[..right.len() - 2],
            &format!("{right}00"),
            "sha256=zz",
        ] {
            assert!(!sha256.is_right(wrong, PAYLOAD), "{wrong}");
        }
        assert!(!sha256.is_right(&right, b"what do ya want for nothing!"));
    }
}
