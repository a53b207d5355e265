//! Waiting for what the gateway shows of a device.

use harness::{Gateway, wait_for};
use serde_json::Value as Json;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

/// Waits until a property has this value, and is good.
pub(super) fn expect(gateway: &Gateway, device: &str, property: &str, value: impl Into<Json>) {
    let value = value.into();
    wait_for(&format!("{device}.{property} to be {value}"), SOON, || {
        let read = gateway.property(device, property);
        let same = match (read["value"].as_f64(), value.as_f64()) {
            (Some(read), Some(wanted)) => (read - wanted).abs() < 1e-3,
            _ => read["value"] == value,
        };
        (same && read["quality"] == "good").then_some(())
    });
}

/// Waits until a device is in this state.
pub(super) fn online(gateway: &Gateway, device: &str, state: &str) {
    wait_for(&format!("{device} to be {state}"), 3 * SOON, || {
        let read = gateway.json(&["device", "get", device]);
        (read["state"] == state).then_some(())
    });
}
