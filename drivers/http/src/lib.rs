//! The HTTP driver: polls, and webhooks.
//!
//! It asks a server for resources and takes values out of the answers; points of one resource share one request, and the
//! values of one answer belong together. Or it listens, and takes what devices send by themselves. JSON, CBOR, SenML, text and
//! binary; HTTP/1.1 (RFC 9110, 9112), both with and without TLS.
//!
//! **It is not** a browser: no cookies, no scripts, no compression, no proxies, and it goes nowhere but to the server that is
//! configured. It does not retry: the gateway does.
//!
//! Limits: 64 requests at the same time, 10 redirections on the same server, bodies of up to 4 MiB (1 MiB unless
//! configured), 10 s for an answer, 1024 connections of devices that send. An answer without its end gives no value, and its
//! connection is not used again.
//!
//! ```
//! use edgeway_driver_http::Http;
//! use edgeway_sdk::{Access, Driver};
//! use serde_json::json;
//!
//! // Two links with the same key share one wire; the gateway refuses the second.
//! assert_eq!(Http.check_link(&json!({ "endpoint": "http://Meter:80/api/" })), Ok("http://meter/api".to_owned()));
//!
//! assert!(Http.check_point(&json!({ "path": "/status", "at": "power.total" }), Access::Read).is_empty());
//!
//! let problems = Http.check_link(&json!({ "endpoint": "http://meter", "username": "gateway" })).unwrap_err();
//! assert_eq!(problems[0].to_string(), "`password`: it is missing (`username` needs one)");
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod codec;
mod config;
mod driver;
mod hooks;
mod plan;
mod status;
mod template;
mod wire;

/// The driver. See the crate's documentation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Http;
