//! The driver as the gateway uses it, with BlueZ mocked by python-dbusmock, and what needs no BlueZ.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(feature = "peers")]
mod peers;
mod site;
