//! Drivers that are processes of their own.
//!
//! A [`ProcessDriver`] is a [`Driver`](edgeway_sdk::Driver) like any other; behind it is a process in any language that
//! speaks the contract of `edgeway-sdk-wire`. The [`DriverHost`] starts it, waits for it to dial in, and watches it: what
//! crashes, hangs, floods or takes too much is killed and started anew, and its links say why they are down. Other links
//! are untouched.
//!
//! ```text
//! ProcessDriver --- Seat --- Session (one stream)      link.rs, driver.rs: questions as the traits ask them
//!                    |
//!                supervisor.rs (one child at a time)   server.rs: who dials in, and whether it may sit down
//! ```
//!
//! **It is not** a sandbox: a driver runs as the gateway's user. What an epoch, a credit and a quarantine are, and every
//! number, is in the README of `edgeway-sdk-wire`.
//!
//! # What survives which crash
//!
//! Nothing here is on disk. A driver that dies loses what it had not said; its links are opened, planned and connected
//! again at the next one. A write that was under way is a [`Fault::Link`](edgeway_sdk::Fault::Link): nobody knows, and
//! nobody repeats it. When the gateway dies, drivers see the end of their standard input and exit.

mod checks;
mod driver;
mod host;
mod launch;
mod lines;
mod link;
mod resources;
mod seat;
mod server;
mod session;
mod status;
mod supervisor;
pub mod usage;

pub use driver::ProcessDriver;
pub use host::{DriverHost, HostError, Listen};
pub use launch::{Launch, manifest};
pub use status::{Condition, Status};
pub use supervisor::random_hex;
