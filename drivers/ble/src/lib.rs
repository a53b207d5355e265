//! The Bluetooth Low Energy driver: what devices advertise, and what they hold (GATT), through BlueZ.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod address;
mod advert;
mod bluez;
mod codec;
mod config;
mod counters;
mod driver;
mod hearing;
mod plan;
mod wire;

/// The driver. See the crate's documentation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ble;
