//! TLS as a target sees it: the site's files, and errors in a target's words.

use crate::TargetError;
use edgeway_site::TlsFiles;
use edgeway_tls::{Files, TlsError};
use rustls::ClientConfig;

/// As the files say, which are read each time.
///
/// # Errors
/// [`TargetError::Denied`], with its path, if a file is missing or holds something else.
pub(crate) fn client(files: &TlsFiles) -> Result<ClientConfig, TargetError> {
    let files = Files { ca: files.ca.clone(), identity: files.identity.clone() };
    edgeway_tls::client(&files).map_err(TargetError::from)
}

/// What an error says if the two ends do not trust each other; `None` if it is of another kind.
pub(crate) fn refusal(error: &(dyn std::error::Error + 'static)) -> Option<TargetError> {
    edgeway_tls::refusal(error).map(TargetError::from)
}

impl From<TlsError> for TargetError {
    fn from(error: TlsError) -> Self {
        match error {
            TlsError::Away(reason) => TargetError::Away(reason),
            other => TargetError::Denied(other.to_string()),
        }
    }
}
