//! The driver as the gateway uses it, against brokers and devices that behave and some that do not.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg_attr(not(feature = "peers"), expect(dead_code, reason = "some of it is for peers alone"))]
mod bench;
mod evil;
mod hostile;
#[cfg(feature = "peers")]
mod peers;
mod site;
mod strangers;
mod wait;
