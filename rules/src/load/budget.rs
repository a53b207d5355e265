//! How long a script may run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The operations that are left.
///
/// Rhai's own limit starts anew for every closure that a script hands to a function such as `map`, so loops nested
/// that way could multiply it. This count is one for the whole call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Budget(Arc<AtomicU64>);

impl Budget {
    pub(crate) fn fill(&self, operations: u64) {
        self.0.store(operations, Ordering::Relaxed);
    }

    /// Takes one operation; false when none is left.
    pub(super) fn take(&self) -> bool {
        let left = self.0.load(Ordering::Relaxed);
        self.0.store(left.saturating_sub(1), Ordering::Relaxed);
        left > 0
    }
}
