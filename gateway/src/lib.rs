//! Edgeway: an edge gateway in one binary.
//!
//! `gateway/README.md` is the map: the way of the data, the invariants, and where to find what.
#![forbid(unsafe_code)]

mod api;
mod app;
mod backoff;
mod bench;
mod broker;
mod cli;
mod client;
mod clock;
mod deadletters;
mod demo;
mod desk;
mod downlink;
mod links;
mod program;
mod queries;
mod router;
mod scenes;
mod spine;
mod subjects;
mod telemetry;
mod twins;
mod usage;

pub use cli::main;
