//! What a data folder remembers of its gateway: an id, and the token of the API.

use super::StartError;
use edgeway_driver_host::random_hex;
use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

/// The file of the API's token, below the data folder.
pub(crate) const TOKEN_FILE: &str = "token";

/// The secret that opens the API. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl Token {
    pub(crate) fn new(text: &str) -> Self {
        Token(text.trim().to_owned())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Compares in a time that does not tell how much was right.
    pub(crate) fn is(&self, given: &str) -> bool {
        let difference = self.0.bytes().zip(given.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
        self.0.len() == given.len() && difference == 0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}

pub(super) struct Identity {
    pub(super) gateway: Arc<str>,
    pub(super) token: Token,
}

/// Reads the id and the token of a data folder; makes the folder and both at the first start.
pub(super) fn load_or_make(data: &Path, site: &str) -> Result<Identity, StartError> {
    let refused = |error: std::io::Error| {
        let reason = match error.kind() {
            ErrorKind::PermissionDenied => format!(
                "{error}; give the user that runs Edgeway the right to write there, or set `data` in edgeway.toml"
            ),
            _ => error.to_string(),
        };
        StartError::Data { path: data.display().to_string(), reason }
    };
    fs::create_dir_all(data).map_err(refused)?;
    // Offsets begin at 0 again with a new journal; under the old id they would pass for messages already seen.
    if !data.join("journal").exists() {
        let _ = fs::remove_file(data.join("id"));
    }
    let gateway = keep(&data.join("id"), || format!("{site}-{}", &random_hex()[..8])).map_err(refused)?;
    let token = keep(&data.join(TOKEN_FILE), random_hex).map_err(refused)?;
    Ok(Identity { gateway: gateway.as_str().into(), token: Token::new(&token) })
}

/// The text of a file that only its owner may read; made if it is not there.
fn keep(path: &Path, make: impl FnOnce() -> String) -> std::io::Result<String> {
    match fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
        Ok(_) => fs::remove_file(path)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let text = make();
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_token_is_made_once_and_is_the_owners_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = load_or_make(&folder.path().join("data"), "farm").expect("writable");
        fs::create_dir(folder.path().join("data/journal")).expect("writable");
        let again = load_or_make(&folder.path().join("data"), "farm").expect("writable");
        assert_eq!(first.token, again.token);
        assert_eq!(first.gateway, again.gateway);
        assert!(first.gateway.starts_with("farm-"));
        fs::remove_dir(folder.path().join("data/journal")).expect("there");
        let new_journal = load_or_make(&folder.path().join("data"), "farm").expect("writable");
        assert_ne!(first.gateway, new_journal.gateway, "a new journal has a new id");
        let mode = fs::metadata(folder.path().join("data/token")).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn only_the_whole_token_opens() {
        let token = Token::new("abc\n");
        assert!(token.is("abc"));
        assert!(!token.is("ab") && !token.is("abd") && !token.is("") && !token.is("abcd"));
        assert_eq!(format!("{token:?}"), "Token(..)");
    }
}
