//! The Acme line protocol over TCP: one line asks for one register, one line answers.
//!
//! ```text
//! R 7 12         register 12 of unit 7?       7 12 3405      it holds 3405
//! W 7 50 21      write 21 into register 50    7 50 21        done, it holds 21
//!                                             7 12 !2        refused: there is no such register
//! ```
//!
//! A line has no number of its own: a late answer looks like the answer to a later question about the same register. So the
//! connection is closed after every timeout, and opened anew for the next question.

mod codec;
mod config;
mod driver;
mod plan;

pub use driver::Acme;
