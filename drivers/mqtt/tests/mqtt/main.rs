//! The driver as the gateway uses it, against brokers and devices that behave and some that do not.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bench;
mod evil;
mod hostile;
#[cfg(feature = "peers")]
mod peers;
mod site;
mod wait;
