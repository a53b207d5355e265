//! What is in a file in PEM, or in words what is wrong with it. Pure.

use rustls::pki_types::pem::{Error, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// All certificates, at least one.
pub(crate) fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let all = CertificateDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>().map_err(reason)?;
    if all.is_empty() { Err("it holds no certificate in PEM".into()) } else { Ok(all) }
}

/// The first private key.
pub(crate) fn key(text: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(text).map_err(|error| match error {
        Error::NoItemsFound => "it holds no private key in PEM; one with a password cannot be used".into(),
        other => reason(other),
    })
}

/// Without the bytes of the file: they may be those of a key.
fn reason(error: Error) -> String {
    match error {
        Error::MissingSectionEnd { .. } => "it ends before its `-----END` line".into(),
        Error::IllegalSectionStart { .. } => "it has a `-----BEGIN` line that is not whole".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_in_words() {
        let half = b"-----BEGIN CERTIFICATE-----\nAAAA\n";
        assert_eq!(certificates(half), Err("it ends before its `-----END` line".into()));
        assert_eq!(certificates(b"-----BEGIN CERT"), Err("it has a `-----BEGIN` line that is not whole".into()));
        assert_eq!(certificates(b""), Err("it holds no certificate in PEM".into()));
        let locked = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let reason = "it holds no private key in PEM; one with a password cannot be used";
        assert_eq!(key(locked).map(|_| ()), Err(reason.into()));
    }
}
