//! Peers of other makes: pymodbus, libmodbus, modbus-serial and jsmodbus. Each test starts its own, on a free port or
//! on a serial line made of two pseudo-terminals.

mod jsmodbus;
mod late;
mod libmodbus;
mod modbus_serial;
mod polled;
mod process;
mod proxy;
mod pymodbus;
mod serial_line;

use serde_json::{Value as Json, json};
use std::path::PathBuf;
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

/// The folder with the scripts of all peers.
fn scripts() -> PathBuf {
    repository().join("tests/peers")
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The options of a link to a port of this machine.
fn tcp(port: u16, framing: &str) -> Json {
    json!({ "endpoint": format!("tcp://127.0.0.1:{port}"), "framing": framing, "timeout": "3s" })
}
