//! The embedded MQTT broker: for the demo, for trying things out, and for devices of a small site.
//!
//! It keeps nothing on disk. By default it listens on loopback, where anybody may connect; bound elsewhere it is as open
//! as the network it is on.

use rmqtt::context::ServerContext;
use rmqtt::net::Builder;
use rmqtt::server::MqttServer;
use std::net::SocketAddr;
use std::num::NonZeroU16;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

/// The most messages that wait for a client that does not take them.
const QUEUE_MAX: usize = 10_000;
/// The largest packet, in bytes.
const PACKET_BYTES_MAX: u32 = 1 << 20;
/// The most publishes to one client that are under way at a time.
const INFLIGHT_MAX: NonZeroU16 = NonZeroU16::new(256).expect("256 is not zero");

/// A broker whose port is open.
pub(crate) struct Broker {
    server: MqttServer,
    pub(crate) address: SocketAddr,
}

/// Opens the broker's port.
///
/// # Errors
/// If the address cannot be listened on.
pub(crate) async fn open(address: SocketAddr) -> Result<Broker, String> {
    let refused = |error: rmqtt::Error| format!("the broker cannot listen on {address}: {error}");
    let builder =
        Builder::new().name("edgeway").laddr(address).allow_anonymous(true).nodelay(true).reuseaddr(Some(true));
    let builder = builder.max_inflight(INFLIGHT_MAX).max_mqueue_len(QUEUE_MAX).max_packet_size(PACKET_BYTES_MAX);
    let listener = builder.bind().and_then(|bound| bound.tcp()).map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let context = ServerContext::new().build().await;
    // The port may have been chosen by the system, so it cannot serve as the listener's id.
    Ok(Broker { server: MqttServer::new(context).listener_by_id(listener, 1).build(), address })
}

/// Runs the broker until told to stop.
pub(crate) async fn run(broker: Broker, stop: CancellationToken) {
    info!(address = %broker.address, "The embedded broker listens.");
    tokio::select! {
        () = stop.cancelled() => {}
        ended = broker.server.run() => error!(?ended, "The embedded broker has ended."),
    }
}
