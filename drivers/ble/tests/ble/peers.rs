//! BlueZ mocked by python-dbusmock. Each test has a bus of its own, which the link is told of by its option `bus`: nothing is set
//! for the whole process.

mod advertisements;
mod away;
mod bench;
mod bluez;
mod by_hand;
mod crowd;
mod finding;
mod gatt;
mod process;

use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long anything may take on a busy machine.
const WITHIN: Duration = Duration::from_secs(30);
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
