//! The Modbus driver: TCP, RTU and ASCII.
//!
//! It reads and writes coils, discrete inputs, input registers and holding registers of the units behind one TCP endpoint
//! or serial port, or of a device that dials in (functions 1 to 6, 16, 22, 23, and 43 for what a unit says of itself). Points that
//! lie close together share a request; the values of one request come from one answer. An answer is used only if its
//! transaction, unit, function and length are the ones asked for.
//!
//! **It is not** a Modbus server. It does not retry: the gateway does.
//!
//! Limits: 1 to 125 registers or 2000 bits in a request, 123 registers in a write, values of 1 to 4 registers, text of
//! up to 125 registers, 16 requests at the same time on one connection with TCP framing, else one. No late answer is taken
//! for the answer to a later question: with TCP framing by its number, else because a unit that has not answered is
//! asked nothing before `late` has passed.
//!
//! ```
//! use edgeway_driver_modbus::Modbus;
//! use edgeway_sdk::{Access, Driver};
//! use serde_json::json;
//!
//! // Two links with the same key share one wire; the gateway refuses the second.
//! assert_eq!(Modbus.check_link(&json!({ "endpoint": "tcp://PLC-1" })), Ok("tcp://plc-1:502".to_owned()));
//!
//! assert!(Modbus.check_point(&json!({ "at": "holding:100", "type": "f32" }), Access::ReadWrite).is_empty());
//!
//! let problems = Modbus.check_point(&json!({ "at": "input:3" }), Access::ReadWrite);
//! assert_eq!(problems[0].to_string(), "`at`: an input register cannot be written (use `holding`, or make the point read-only)");
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod codec;
mod config;
mod driver;
mod frame;
mod pdu;
mod plan;
pub mod solve;
mod wire;

/// The driver. See the crate's documentation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Modbus;
