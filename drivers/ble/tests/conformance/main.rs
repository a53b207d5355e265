//! The driver against the conformance kit, and BlueZ restarted again and again. A program of its own, because what the process holds is
//! counted: threads, files.
#![cfg(feature = "peers")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../ble/peers/bench.rs"]
#[expect(dead_code, reason = "shared with the other tests, which use all of it")]
mod bench;
#[path = "../ble/peers/bluez.rs"]
#[expect(dead_code, reason = "shared with the other tests, which use all of it")]
mod bluez;
#[path = "../ble/peers/process.rs"]
mod process;
mod restarts;

use bluez::Bluez;
use edgeway_conformance::{Options, Outcome, Subject, run};
use edgeway_driver_ble::Ble;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

const TEXT: &str = include_str!("../../conformance.toml");
const WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Of two tests that count what the process holds, one at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

/// What `conformance.toml` says that the devices hold.
async fn with_devices() -> Bluez {
    let mut bluez = Bluez::start().await;
    let services = json!([
        { "uuid": "181a", "characteristics": [{ "uuid": "2a6e", "flags": ["read", "notify"], "value": "f608" }] },
        { "uuid": "ffe0", "characteristics": [
            { "uuid": "ffe1", "flags": ["read", "write"], "value": "d200" },
            { "uuid": "ffe2", "flags": ["write"], "value": "00" },
            { "uuid": "ffe4", "flags": ["read", "notify"], "value": "07" },
        ] },
    ]);
    for (address, services) in [("A4:C1:38:00:11:22", services), ("A4:C1:38:00:11:33", Json::Array(vec![]))] {
        bluez.set(json!({ "do": "device", "address": address })).await;
        bluez.set(json!({ "do": "gatt", "address": address, "services": services })).await;
        let repeat = json!({ "do": "repeat", "address": address, "every_ms": 100, "rssi": -61, "service": { "fcd2": "4003bf13" } });
        bluez.set(repeat).await;
    }
    bluez
}

#[tokio::test]
async fn the_driver_passes_every_part_that_needs_no_wire() {
    let _alone = ALONE.lock().await;
    let bluez = with_devices().await;
    let text = TEXT.replace("unix:path=/run/dbus/system_bus_socket", &bluez.address());
    let subject = Subject::parse(&text, env!("CARGO_MANIFEST_DIR")).unwrap_or_else(|error| panic!("{error}"));
    let report = run(Arc::new(Ble), &subject, Options::short(17), &mut |_| {}).await.expect("BlueZ is there");
    assert!(report.is_clean(), "{report}");
    let passed = report.parts.iter().filter(|part| part.outcome == Outcome::Passed).map(|part| part.name);
    let expected = ["schema", "plan", "values", "fault scope", "writes", "lifecycle", "watch"];
    assert_eq!(passed.collect::<Vec<_>>(), expected, "{report}");
}

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
