//! The simulated devices, served over Modbus TCP.

use edgeway_driver_simulator::{SharedWorld, TICK, World, modbus};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const TURBINES: u8 = 8;
const ROOMS: u8 = 12;
/// Guests come and go this many times faster than in a real hotel, so that there is something to see in half a minute.
const GUEST_PACE: f64 = 600.0;
/// The turbine that falls silent, wt-05, when it does for the first time, how often, and for how long.
const OUTAGE_UNIT: u8 = 5;
const OUTAGE_FIRST: Duration = Duration::from_secs(8);
const OUTAGE_EVERY: Duration = Duration::from_secs(60);
const OUTAGE: Duration = Duration::from_secs(8);

/// Where the devices listen.
pub(super) struct Wires {
    pub(super) farm: SocketAddr,
    pub(super) hotel: SocketAddr,
}

/// Starts both worlds.
pub(super) async fn serve(seed: u64, stop: &CancellationToken) -> std::io::Result<Wires> {
    let farm_world = World::wind_farm(seed, TURBINES).share();
    let hotel_world = World::hotel(seed, ROOMS).guest_pace(GUEST_PACE).share();
    let farm = one(farm_world.clone(), stop).await?;
    let hotel = one(hotel_world, stop).await?;
    tokio::spawn(outages(farm_world, stop.clone()));
    Ok(Wires { farm, hotel })
}

/// Lets a turbine's controller fall silent now and then, so that there is an outage to see.
async fn outages(world: SharedWorld, stop: CancellationToken) {
    let mut rest = OUTAGE_FIRST;
    while stop.run_until_cancelled(tokio::time::sleep(rest)).await.is_some() {
        world.silence(OUTAGE_UNIT);
        stop.run_until_cancelled(tokio::time::sleep(OUTAGE)).await;
        world.restore(OUTAGE_UNIT);
        rest = OUTAGE_EVERY - OUTAGE;
    }
}

async fn one(world: SharedWorld, stop: &CancellationToken) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(modbus::run(world.clone(), TICK, stop.clone().cancelled_owned()));
    tokio::spawn(modbus::serve(world, listener, stop.clone().cancelled_owned()));
    Ok(address)
}
