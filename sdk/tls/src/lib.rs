//! TLS with ring, for what dials out and for what listens: whom to trust, who we are, and what an error means.
//!
//! **It is not** a choice of what people may choose wrongly: TLS 1.2 and 1.3 with rustls' defaults, host names always
//! checked.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod pem;
mod server;

pub use server::{Renewal, Server, ServerFiles};

use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files that a connection to a server needs, all in PEM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// Certificates to trust; those of the system unless given.
    pub ca: Option<PathBuf>,
    /// Our own certificate, with its chain, and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// Somebody has to do something about it.
    #[error("{0}")]
    Denied(String),
    /// It may mend itself: a certificate that is not valid at this time may be renewed, or the clock not set yet.
    #[error("{0}")]
    Away(String),
}

/// Whom to trust and who we are, as the files say. They are read each time, so that renewed certificates are used without
/// a restart.
///
/// # Errors
/// [`TlsError::Denied`], with its path, if a file is missing or holds something else.
pub fn client(files: &Files) -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(denied)?
        .with_root_certificates(roots(files.ca.as_deref())?);
    match &files.identity {
        None => Ok(builder.with_no_client_auth()),
        Some((certificate, key)) => {
            let chain = of_file(certificate, pem::certificates)?;
            let key = of_file(key, pem::key)?;
            builder.with_client_auth_cert(chain, key).map_err(|error| bad_file(certificate, error))
        }
    }
}

/// What an error says if the two ends do not trust each other; `None` if it is of another kind.
pub fn refusal(error: &(dyn std::error::Error + 'static)) -> Option<TlsError> {
    match rustls_error(error)? {
        rustls::Error::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => Some(TlsError::Away(error.to_string())),
        found @ (rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => Some(denied(found)),
        rustls::Error::AlertReceived(alert) if blames_us(*alert) => {
            Some(denied(format!("the peer does not accept this gateway's certificate: {alert:?}")))
        }
        _ => None,
    }
}

fn blames_us(alert: AlertDescription) -> bool {
    use AlertDescription as Alert;
    matches!(
        alert,
        Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::CertificateRequired
            | Alert::UnknownCA
            | Alert::DecryptError
            | Alert::AccessDenied
    )
}

/// The error of rustls in a chain of errors. `io::Error` leaves what it holds out of its chain.
fn rustls_error<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e rustls::Error> {
    if let Some(found) = error.downcast_ref::<rustls::Error>() {
        return Some(found);
    }
    let held = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    match held {
        Some(held) => rustls_error(held),
        None => rustls_error(error.source()?),
    }
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    let Some(ca) = ca else {
        // One bad file among the system's certificates must not take away the others.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return if roots.is_empty() { Err(denied("this system trusts no certificates; give `ca`")) } else { Ok(roots) };
    };
    for certificate in of_file(ca, pem::certificates)? {
        roots.add(certificate).map_err(|error| bad_file(ca, error))?;
    }
    Ok(roots)
}

fn of_file<T>(path: &Path, parse: impl FnOnce(&[u8]) -> Result<T, String>) -> Result<T, TlsError> {
    let text = std::fs::read(path).map_err(|error| bad_file(path, error))?;
    parse(&text).map_err(|error| bad_file(path, error))
}

fn bad_file(path: &Path, error: impl std::fmt::Display) -> TlsError {
    denied(format!("{}: {error}", path.display()))
}

fn denied(error: impl std::fmt::Display) -> TlsError {
    TlsError::Denied(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_named() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let files = Files { ca: Some(file.path().to_owned()), identity: None };
        let error = client(&files).expect_err("it is empty");
        assert!(error.to_string().contains(&file.path().display().to_string()), "{error}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let files = Files { ca: Some("/nowhere/ca.pem".into()), identity: None };
        let error = client(&files).expect_err("there is none");
        assert!(error.to_string().contains("/nowhere/ca.pem"), "{error}");
    }
}
