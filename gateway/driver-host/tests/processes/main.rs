//! A driver's process from start to end, through the traits that the gateway calls.

#![allow(clippy::unwrap_used, reason = "a test")]

mod house;
mod misbehaviour;
mod process;
mod remote;
