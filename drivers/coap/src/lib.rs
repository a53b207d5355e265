//! The CoAP driver: a client with observe, block-wise transfer and DTLS, and a server for devices that push.
//!
//! A link is one endpoint. As a client it polls resources with GET or observes them (RFC 7641), reads and writes what is longer than
//! a datagram in blocks (RFC 7959), writes with PUT or POST, calls services, and finds out what there is (RFC 6690). As a server
//! (`listen://`) it takes what devices PUT or POST. Points of one resource share one answer. Payloads are JSON, CBOR, SenML, text
//! or binary; `edgeway-payload` reads them.
//!
//! **It is not** a proxy, and it sends no multicast. It repeats a message as RFC 7252 section 4.2 has it, with the same number, and
//! nothing else: the gateway decides when to ask again.
//!
//! An answer is used only if it comes from the endpoint and has the token of the question, and the message number too where it comes
//! with the acknowledgement. The transactions are the driver's own, on the codec of `coap-lite` and the DTLS of `webrtc-dtls`.
//!
//! ```
//! use edgeway_driver_coap::Coap;
//! use edgeway_sdk::{Access, Driver};
//! use serde_json::json;
//!
//! // Two links with the same key share one endpoint; the gateway refuses the second.
//! assert_eq!(Coap.check_link(&json!({ "endpoint": "coap://Thermostat-7" })), Ok("coap://thermostat-7:5683".to_owned()));
//!
//! assert!(Coap.check_point(&json!({ "path": "/temp", "watch": "observe" }), Access::Read).is_empty());
//!
//! let problems = Coap.check_point(&json!({ "path": "/temp", "watch": "observed" }), Access::Read);
//! assert_eq!(problems[0].to_string(), "`watch`: unknown choice `observed` (did you mean `observe`?)");
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod codec;
mod config;
mod driver;
#[doc(hidden)]
pub mod fuzz;
mod plan;
mod reading;
mod server;
mod transfer;
mod wire;

/// The driver. See the crate's documentation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Coap;
