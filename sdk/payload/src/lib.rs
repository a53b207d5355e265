//! What is in a payload: JSON, CBOR, SenML, text and binary, to values and back.
//!
//! Drivers of protocols that carry somebody else's payloads (MQTT, CoAP, HTTP, BLE) share this: a [`Document`] is decoded
//! once, and each point's [`Mapping`] reads its value out of it, or makes the payload that sets one.
//!
//! ```
//! use edgeway_payload::{Document, Format, Mapping, Options};
//! use edgeway_sdk::{Access, Timestamp, Value};
//!
//! let options = Options { at: Some("state.temperature".into()), ..Options::default() };
//! let mapping = Mapping::new(&options, Access::Read, &mut vec![]).expect("right options");
//! let document = Document::parse(Format::Json, br#"{"state": {"temperature": 21.5}}"#, Timestamp::EPOCH).unwrap();
//! assert_eq!(mapping.read(&document).unwrap().value, Value::Float(21.5));
//! ```
//!
//! **It is not** a validator of models: what a value means, its range and its unit are the gateway's business. It does no I/O
//! and reads no clock. Paths are RFC 9535's, CBOR is RFC 8949's, SenML is RFC 8428's; the codecs are libraries.
//!
//! # Limits
//!
//! | what | at most |
//! | --- | --- |
//! | a payload | 4 MiB |
//! | nesting | 32 levels |
//! | whole numbers | 64 bits, signed; larger ones have a bad quality, those of 2^64 and more in JSON are floats |
//! | points that [`Document::points`] lists | 1,000 |
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod binary;
mod cbor;
mod document;
mod format;
mod mapping;
mod meaning;
mod options;
mod place;
mod points;
mod senml;
mod time;

pub use document::{Document, Error, PAYLOAD_BYTES_MAX};
pub use format::Format;
pub use mapping::{Mapping, Reading};
pub use options::{Kind, Options, Order, TimeUnit};
