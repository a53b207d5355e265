//! Peers and a gateway as processes, on free loopback ports, gone when the test is.
//!
//! Every wait has a deadline and says what it waited for. What a process prints is shown when a test fails.
#![forbid(unsafe_code)]

#[path = "harness/acme.rs"]
mod acme;
#[path = "harness/certificates.rs"]
mod certificates;
#[path = "harness/gateway.rs"]
mod gateway;
#[path = "harness/hotel.rs"]
mod hotel;
#[path = "harness/http.rs"]
mod http;
#[path = "harness/modbus.rs"]
mod modbus;
#[path = "harness/mosquitto.rs"]
mod mosquitto;
#[path = "harness/process.rs"]
mod process;
#[path = "harness/site_copy.rs"]
mod site_copy;
#[path = "harness/turbines.rs"]
mod turbines;
#[path = "harness/usage.rs"]
mod usage;

pub use acme::{AcmeDevice, example as acme_example};
pub use certificates::Certificates;
pub use edgeway_conformance::free_port;
pub use gateway::{Gateway, edgeway};
pub use hotel::{HotelSite, HotelThings};
pub use http::WebService;
pub use modbus::ModbusServer;
pub use mosquitto::{Broker, Message, Subscriber};
pub use site_copy::SiteCopy;
pub use turbines::{Turbines, WindFarm};
pub use usage::Usage;

use std::time::{Duration, Instant};

/// The Python that the peers are installed in.
pub fn python() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../.venv/bin/python")
}

/// Sends a signal by its name, `KILL`.
///
/// # Panics
/// If there is no such process.
pub fn signal(pid: u64, signal: &str) {
    let sent = std::process::Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "process {pid} cannot be signalled");
}

/// Tries again until `attempt` gives something.
///
/// # Panics
/// If that takes longer than `within`.
pub fn wait_for<T>(what: &str, within: Duration, mut attempt: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(start.elapsed() < within, "waited {within:?} for {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}
