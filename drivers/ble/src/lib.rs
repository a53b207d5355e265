//! The Bluetooth Low Energy driver: what devices advertise, and what they hold (GATT), through BlueZ on Linux.
//!
//! It listens to the devices that are configured, and to no others: BTHome version 2 (also encrypted), RuuviTag formats 3 and 5,
//! iBeacon, Eddystone (UID, URL, TLM), signal strength, and any bytes of a company or a service. It connects devices to read,
//! write and be notified of characteristics. BlueZ is spoken to over D-Bus, in Rust alone: nothing has to be installed to build it.
//!
//! **It is not** a Bluetooth stack, it does not pair, and it is no peripheral. It does not do Bluetooth Classic or Mesh.
//!
//! Limits: one adapter for each link; 1 to 32 devices connected at the same time; 32 characteristics in one step; 1,024
//! signals of BlueZ wait at most. 10,000 advertisements a second of strangers cost no memory: each is dropped as soon as its address
//! is known, before it is looked into.
//!
//! ```
//! use edgeway_driver_ble::Ble;
//! use edgeway_sdk::{Access, Driver};
//! use serde_json::json;
//!
//! // Two links with the same key share one adapter; the gateway refuses the second.
//! assert_eq!(Ble.check_link(&json!({ "adapter": "hci0" })), Ok("ble hci0".to_owned()));
//!
//! assert!(Ble.check_device(&json!({ "address": "A4:C1:38:00:11:22" })).is_empty());
//! assert!(Ble.check_point(&json!({ "at": "gatt:181a/2a6e", "type": "i16" }), Access::ReadWrite).is_empty());
//!
//! let problems = Ble.check_point(&json!({ "at": "bthome:temprature" }), Access::Read);
//! assert_eq!(problems[0].to_string(), "`at`: `temprature` is not a field of bthome (did you mean `temperature`?)");
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod address;
mod advert;
mod bluez;
mod codec;
mod config;
mod counters;
mod driver;
#[doc(hidden)]
pub mod fuzz;
mod hearing;
mod plan;
mod wire;

/// The driver. See the crate's documentation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ble;
