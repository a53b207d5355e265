//! A driver's process from start to end, through the traits that the gateway calls.

#![expect(clippy::unwrap_used, reason = "a test")]

mod house;
mod misbehaviour;
mod process;
mod raw;
mod remote;
