//! The simulated devices, served over Modbus TCP.

use edgeway_driver_simulator::{TICK, World, modbus};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const TURBINES: u8 = 8;
const ROOMS: u8 = 12;
/// Guests come and go this many times faster than in a real hotel, so that there is something to see in half a minute.
const GUEST_PACE: f64 = 240.0;

/// Where the devices listen.
pub(super) struct Wires {
    pub(super) farm: SocketAddr,
    pub(super) hotel: SocketAddr,
}

/// Starts both worlds.
pub(super) async fn serve(seed: u64, stop: &CancellationToken) -> std::io::Result<Wires> {
    let farm = one(World::wind_farm(seed, TURBINES), stop).await?;
    let hotel = one(World::hotel(seed, ROOMS).guest_pace(GUEST_PACE), stop).await?;
    Ok(Wires { farm, hotel })
}

async fn one(world: World, stop: &CancellationToken) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let world = world.share();
    tokio::spawn(modbus::run(world.clone(), TICK, stop.clone().cancelled_owned()));
    tokio::spawn(modbus::serve(world, listener, stop.clone().cancelled_owned()));
    Ok(address)
}
