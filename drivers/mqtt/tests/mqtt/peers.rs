//! Peers of other makes: mosquitto as the broker, Paho as devices, pysparkplug as an edge node. Each test starts its own,
//! on a free port.

mod away;
mod broker;
mod certificates;
mod home_assistant;
mod plain;
mod process;
mod rules;
mod sparkplug;
mod tls;
mod zigbee2mqtt;

use std::path::PathBuf;

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}
