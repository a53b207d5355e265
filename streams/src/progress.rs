//! How far a query has come.

use edgeway_sdk::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How far one query has come. All that has to be kept of it: the open windows are made again from the journal.
///
/// After a restart the host calls [`Queries::restore`](crate::Queries::restore), then pushes what the journal holds
/// from the lowest `resume_offset` on. The query makes its open windows again and does not tell again what it told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The query.
    pub query: Arc<str>,
    /// Of its SQL and that of the queries which feed it, without comments and white space. A query whose fingerprint
    /// has changed starts anew.
    pub fingerprint: u64,
    /// The lowest offset that still matters: the first message of the oldest open window, or the message after the last
    /// one seen.
    pub resume_offset: u64,
    /// All windows that end at or before this time are told.
    pub closed_until: Timestamp,
}

/// A 64-bit FNV-1a hash: the same in every build, unlike the standard library's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fingerprint(pub(crate) u64);

impl Fingerprint {
    pub(crate) fn new() -> Self {
        Fingerprint(0xcbf2_9ce4_8422_2325)
    }

    /// With one more word; words do not run into each other.
    pub(crate) fn with(self, word: &str) -> Self {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        Fingerprint(word.bytes().chain([0xff]).fold(self.0, step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_do_not_run_into_each_other() {
        assert_ne!(Fingerprint::new().with("ab").with("c").0, Fingerprint::new().with("a").with("bc").0);
    }
}
