//! What is counted of what devices send.

use crate::wire::Counter;

/// What is counted of what devices send.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) taken: Counter,
    /// Known by their number, and not counted as taken.
    pub(crate) repeated: Counter,
    /// Those with a status of 400 and above.
    pub(crate) refused: Counter,
    /// Taken, and no point was in them.
    pub(crate) without_values: Counter,
    /// Connections that ended before TLS was agreed on.
    pub(crate) handshakes_failed: Counter,
    /// How often certificates had changed and could not be used.
    pub(crate) files_unusable: Counter,
}

impl Counters {
    pub(crate) fn list(&self) -> [(&'static str, u64); 6] {
        [
            ("hooks_taken", self.taken.get()),
            ("hooks_repeated", self.repeated.get()),
            ("hooks_refused", self.refused.get()),
            ("hooks_without_values", self.without_values.get()),
            ("hooks_handshakes_failed", self.handshakes_failed.get()),
            ("hooks_files_unusable", self.files_unusable.get()),
        ]
    }
}
