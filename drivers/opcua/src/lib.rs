//! The OPC UA driver: a client of one server over `opc.tcp`.
//!
//! The server tells what is new of the points that it watches; others are read together. Nodes are named by the URI of their
//! namespace, whose number is looked up in every session. Values are written in the type of their node and read back; services
//! are methods, events come with the fields that were asked for. All security policies that have RSA, with a folder of
//! certificates that are trusted; users by password or certificate.
//!
//! A session is made anew after every loss, with everything in it, and closed before: nothing of an old one is carried on, and
//! the server has one session of a link at a time.
//!
//! **It is not** an OPC UA server. It reads no history, follows no certificate authorities and no redundant servers, and does
//! not retry: the gateway does.
//!
//! Limits: 500 nodes in a request unless set (1 to 10,000, and what the server allows), 16 requests at the same time, 4 MiB in
//! a message of the server unless set (64 KiB to 64 MiB), structures in 8 levels, 10,000 nodes in a browse of 16 levels, 100
//! fields of an event.
//!
//! ```
//! use edgeway_driver_opcua::OpcUa;
//! use edgeway_sdk::{Access, Driver};
//! use serde_json::json;
//!
//! // Two links with the same key share one wire; the gateway refuses the second.
//! assert_eq!(OpcUa.check_link(&json!({ "endpoint": "opc.tcp://PLC-1" })), Ok("opc.tcp://plc-1:4840".to_owned()));
//!
//! assert!(OpcUa.check_point(&json!({ "at": "nsu=http://lab;s=WTG01.Power" }), Access::ReadWrite).is_empty());
//!
//! let problems = OpcUa.check_point(&json!({ "at": "s=WTG01.Power", "queue": 0 }), Access::Read);
//! assert_eq!(problems[0].to_string(), "`queue`: 0 is out of range (1 to 10000)");
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod codec;
mod config;
mod driver;
mod plan;
mod session;

/// The driver. See the crate's documentation.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpcUa;
