//! The driver as the gateway uses it, against peers that behave and peers that do not.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod host;
mod hostile;
#[cfg(feature = "peers")]
mod peers;
mod site;

use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long anything may take on a busy machine.
const WITHIN: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Waits until there is something.
///
/// # Panics
/// If there is nothing in time.
async fn wait_for<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let until = Instant::now() + WITHIN;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < until, "waited {WITHIN:?} for {what}");
        sleep(LOOK_EVERY).await;
    }
}

/// A deadline that nothing reaches.
fn soon() -> Instant {
    Instant::now() + WITHIN
}
