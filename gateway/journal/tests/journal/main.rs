//! The journal and the state store from outside, by what they promise.
#![expect(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

mod classes;
mod cursors;
mod damage;
mod keeper;
mod log;
mod looking;
mod opening;
mod property;
mod retention;
mod state;
mod support;
mod upgrade;
