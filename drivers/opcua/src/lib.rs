//! OPC UA
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![allow(dead_code)]

mod codec;
mod config;
mod driver;
mod plan;
mod session;

/// The driver. See the crate's documentation.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpcUa;
