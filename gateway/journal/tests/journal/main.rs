//! The journal and the state store from outside, by what they promise.
#![expect(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

mod cursors;
mod damage;
mod log;
mod opening;
mod retention;
mod state;
mod support;
