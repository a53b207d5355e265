//! The journal and the state store from outside, by what they promise.

mod cursors;
mod damage;
mod log;
mod opening;
mod retention;
mod state;
mod support;
