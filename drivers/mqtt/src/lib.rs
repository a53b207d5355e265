//! MQTT driver: devices behind a broker, with Zigbee2MQTT, Home Assistant discovery and Sparkplug B.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
mod client;
mod codec;
mod config;
mod driver;
mod home_assistant;
mod plan;
mod sparkplug;
mod topic;
mod zigbee2mqtt;

/// The driver. See the crate's documentation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mqtt;
