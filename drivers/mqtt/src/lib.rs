//! The MQTT driver: devices behind a broker.
//!
//! It subscribes to what the points of a link need, reads values out of the messages (JSON, CBOR, SenML, text, binary), publishes
//! to write, and calls services that answer on a topic. It knows how Zigbee2MQTT and Home Assistant's discovery describe devices, and
//! speaks Sparkplug B as a host. MQTT 3.1.1 and 5, with and without TLS.
//!
//! **It is not** a broker (the gateway has one), nor a bridge between brokers. It does not reconnect: the gateway does, and then
//! everything is subscribed anew, whatever session the broker has kept.
//!
//! Limits: messages of up to 4 MiB, 1 MiB unless said otherwise; topics of 65,535 bytes; 20 publishes under way, with MQTT 5 and
//! a kept session 65,535. A message is looked at once, however many points read it. Each message that has come is told in its
//! order; the gateway merges what it cannot take in time.
//!
//! ```
//! use edgeway_driver_mqtt::Mqtt;
//! use edgeway_sdk::{Access, Driver};
//! use serde_json::json;
//!
//! let link = json!({ "endpoint": "mqtt://10.0.0.5", "client_id": "gateway-1" });
//! assert!(Mqtt.check_link(&link).is_ok());
//! let point = json!({ "topic": "{topic}/state", "at": "temprature", "quallity": "q" });
//! let problems = Mqtt.check_point(&point, Access::Read);
//! assert_eq!(problems[0].to_string(), "`quallity`: unknown key `quallity` (did you mean `quality`?)");
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]
mod client;
mod codec;
mod config;
mod driver;
#[doc(hidden)]
pub mod fuzz;
mod home_assistant;
mod plan;
mod sparkplug;
mod topic;
mod zigbee2mqtt;

/// The driver. See the crate's documentation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mqtt;
