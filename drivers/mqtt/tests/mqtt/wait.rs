//! Waiting for something that comes soon.

use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long anything may take on a busy machine.
pub(crate) const WITHIN: Duration = Duration::from_secs(30);
/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// When everything in a test ought to have ended.
pub(crate) fn soon() -> Instant {
    Instant::now() + WITHIN
}

/// Waits until there is something.
///
/// # Panics
/// If there is nothing in time.
pub(crate) async fn wait_for<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let until = soon();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < until, "waited {WITHIN:?} for {what}");
        sleep(LOOK_EVERY).await;
    }
}
