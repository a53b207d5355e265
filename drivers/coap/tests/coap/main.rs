//! The driver as the gateway uses it, against peers that behave and peers that do not.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bench;
mod device;
mod hostile;
#[cfg(feature = "peers")]
mod peers;
mod push;
mod site;
