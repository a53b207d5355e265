//! The kit against an honest driver, which must pass, and against flawed ones, which must not.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod acme;
mod datagrams;
mod flaws;
mod honest;
mod subject;
