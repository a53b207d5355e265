//! Who the gateway is, to a NATS server.

use crate::TargetError;
use async_nats::{Auth, AuthError};
use edgeway_site::NatsTarget as NatsSite;
use nkeys::KeyPair;
use std::path::Path;
use std::sync::Arc;

/// What is said to each server that asks.
#[derive(Clone)]
pub(super) enum Login {
    /// User, password, token: whatever there is.
    Plain(Auth),
    /// A JWT, and the key that proves it is ours.
    Signed { jwt: String, key: Arc<KeyPair> },
}

impl Login {
    /// As the site says. A `.creds` file is read each time, so that a renewed one is used without a restart.
    ///
    /// # Errors
    /// [`TargetError::Denied`], with its path, if the file is missing or holds something else.
    pub(super) fn of(site: &NatsSite) -> Result<Login, TargetError> {
        if let Some(path) = &site.credentials {
            return read(path);
        }
        let mut auth = Auth::new();
        if let Some((user, password)) = &site.user {
            auth.username = Some(user.clone());
            auth.password = Some(password.reveal().to_owned());
        }
        auth.token = site.token.as_ref().map(|token| token.reveal().to_owned());
        Ok(Login::Plain(auth))
    }

    /// The answer to a server's nonce.
    pub(super) fn answer(&self, nonce: &[u8]) -> Result<Auth, AuthError> {
        match self {
            Login::Plain(auth) => Ok(auth.clone()),
            Login::Signed { jwt, key } => {
                let mut auth = Auth::new();
                auth.jwt = Some(jwt.clone());
                auth.signature = Some(key.sign(nonce).map_err(AuthError::new)?);
                Ok(auth)
            }
        }
    }
}

fn read(path: &Path) -> Result<Login, TargetError> {
    let bad = |error: &dyn std::fmt::Display| TargetError::Denied(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| bad(&error))?;
    let jwt = section(&text, "USER JWT").ok_or_else(|| bad(&"it holds no user JWT"))?;
    let seed = section(&text, "USER NKEY SEED").ok_or_else(|| bad(&"it holds no user NKEY seed"))?;
    let key = KeyPair::from_seed(seed).map_err(|error| bad(&error))?;
    Ok(Login::Signed { jwt: jwt.to_owned(), key: Arc::new(key) })
}

/// The line behind `-----BEGIN ...-----`. The number of dashes has varied over the years.
fn section<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| {
        line.starts_with('-')
            && line.trim_matches('-').trim_start_matches("BEGIN NATS ").trim_start_matches("BEGIN ") == name
    })?;
    lines.find(|line| !line.is_empty()).filter(|line| !line.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("our own file");
        file
    }

    fn creds(seed: &str) -> String {
        format!(
            "-----BEGIN NATS USER JWT-----\neyJ0.e30.c2ln\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        )
    }

    #[test]
    fn a_credentials_file_signs_the_nonce() {
        let key = KeyPair::new_user();
        let file = file(&creds(&key.seed().unwrap()));
        let auth = read(file.path()).unwrap().answer(b"nonce").unwrap();
        assert_eq!(auth.jwt.as_deref(), Some("eyJ0.e30.c2ln"));
        key.verify(b"nonce", &auth.signature.unwrap()).unwrap();
    }

    #[test]
    fn a_bad_credentials_file_is_named() {
        for text in ["", "-----BEGIN NATS USER JWT-----\nx\n", &creds("SUNOSEED")] {
            let file = file(text);
            let Err(error) = read(file.path()) else { panic!("{text} is no credentials file") };
            assert!(error.to_string().contains(&file.path().display().to_string()), "{error}");
        }
    }
}
