//! The driver as the gateway uses it, against peers that behave and peers that do not.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bench;
mod calls;
mod cases;
mod find;
mod hooks;
mod hostile;
mod logins;
mod peer;
#[cfg(feature = "peers")]
mod peers;
mod polls;
mod secure_hooks;
mod site;
mod tls;
mod writes;
