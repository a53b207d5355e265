//! The contract of drivers that are processes of their own.
//!
//! [`proto`] is `proto/driver.proto` as Rust. [`columns`] and [`words`] turn its messages into what `edgeway-sdk` calls
//! the same things, and back; the gateway uses them too. [`serve`] makes a process of any [`Driver`](edgeway_sdk::Driver):
//!
//! ```
//! fn serve(driver: impl edgeway_sdk::Driver) -> std::process::ExitCode {
//!     edgeway_sdk_wire::serve(driver)
//! }
//! ```
//!
//! **It is not** needed to write a driver that is compiled into the gateway: that takes `edgeway-sdk` alone. How a
//! process begins, what it must keep to, and what the gateway does when it does not, is in this package's README.

pub mod columns;
mod serve;
pub mod words;

pub use serve::{serve, serve_with};

/// The messages and the service, as they are generated.
#[expect(clippy::allow_attributes_without_reason, reason = "generated; the contract says what they mean")]
pub mod proto {
    tonic::include_proto!("edgeway.driver.v1");
}

/// The version of the contract.
pub const API: u32 = 1;
/// The longest frame that the gateway takes, in bytes.
pub const TO_GATEWAY_MAX: usize = 16 << 20;
/// The longest frame that a driver has to take, in bytes: the plan of a large link.
pub const TO_DRIVER_MAX: usize = 64 << 20;

/// The environment of a driver's process.
pub mod environment {
    /// Where to dial: `unix:/path` or `https://host:port`.
    pub const SOCKET: &str = "EDGEWAY_SOCKET";
    /// Says who dials.
    pub const TOKEN: &str = "EDGEWAY_TOKEN";
    /// Counts the starts.
    pub const EPOCH: &str = "EDGEWAY_EPOCH";
    /// The file with the authorities to trust.
    pub const CA: &str = "EDGEWAY_TLS_CA";
    /// The file with the driver's certificate.
    pub const CERT: &str = "EDGEWAY_TLS_CERT";
    /// The file with the driver's key.
    pub const KEY: &str = "EDGEWAY_TLS_KEY";
}
