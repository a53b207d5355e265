//! A pre-shared key and its name.

use edgeway_sdk::Problem;
use std::fmt;

/// A key that both ends have, and its name.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret {
    pub(crate) identity: String,
    pub(crate) key: Vec<u8>,
}

/// A secret is not shown.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// The bytes of a key.
///
/// # Errors
/// If it is none. The text is not shown: it may be nearly right.
pub(super) fn key(text: &str) -> Result<Vec<u8>, Problem> {
    let bytes = match text.strip_prefix("hex:") {
        None => Some(text.as_bytes().to_vec()),
        Some(digits) => bytes(digits),
    };
    bytes
        .filter(|bytes| (1..=64).contains(&bytes.len()))
        .ok_or_else(|| Problem::key("secret", "this is no key").help("1 to 64 bytes: text, or bytes as `hex:00ff10`"))
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digit = |digit: char| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let digits: Vec<u8> = digits.chars().map(digit).collect::<Option<_>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}
