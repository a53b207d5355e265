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

/// A port that nobody listened to a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}
