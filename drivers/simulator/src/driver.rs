//! The driver `simulator`: no wire at all.

mod faulty;
mod replay_link;
mod signal_link;
mod teller;
mod world_link;

use crate::World;
use crate::clock::Clock;
use crate::config::{Choice, DeviceOptions, LinkOptions, Point, Written, WrittenDevice};
use crate::world::{ROOMS, TURBINES};
use async_trait::async_trait;
use edgeway_sdk::{Access, Capabilities, Driver, Fault, Json, Link, Manifest, Problem};
use faulty::FaultyLink;
use replay_link::ReplayLink;
use signal_link::SignalLink;
use std::sync::{Arc, LazyLock};
use world_link::WorldLink;

/// The driver `simulator`. Its options are in the README.
#[derive(Debug, Clone, Copy, Default)]
pub struct Simulator;

#[async_trait]
impl Driver for Simulator {
    fn manifest(&self) -> &Manifest {
        static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
            let summary = "simulated devices: a wind farm, a hotel, signals, recordings, and their faults";
            let can = Capabilities { write: true, watch: true, call: true, browse: true, ..Capabilities::default() };
            Manifest::new("simulator", env!("CARGO_PKG_VERSION"), summary)
                .can(can)
                .options::<LinkOptions, WrittenDevice, Written>()
        });
        &MANIFEST
    }

    fn check_link(&self, options: &Json) -> Result<String, Vec<Problem>> {
        LinkOptions::read(options).map(|link| link.wire())
    }

    fn check_device(&self, options: &Json) -> Vec<Problem> {
        DeviceOptions::read(options).err().unwrap_or_default()
    }

    fn check_point(&self, options: &Json, access: Access) -> Vec<Problem> {
        Point::read(options, access).err().unwrap_or_default()
    }

    fn open(&self, options: Json) -> Result<Arc<dyn Link>, Fault> {
        let link = LinkOptions::read(&options).map_err(|problems| Fault::Config(sentence(&problems)))?;
        let clock = Clock::start(link.speed);
        let troubles = link.troubles(&options);
        let within: Arc<dyn Link> = match (link.replay, link.world) {
            (Some(replay), _) => Arc::new(ReplayLink::new(replay, link.speed)),
            (None, Choice::Waves) => Arc::new(SignalLink::new(link.seed, clock)),
            (None, Choice::WindFarm) => {
                Arc::new(WorldLink::new(World::wind_farm(link.seed, TURBINES).speed(link.speed)))
            }
            (None, Choice::Hotel) => Arc::new(WorldLink::new(World::hotel(link.seed, ROOMS).speed(link.speed))),
        };
        Ok(Arc::new(FaultyLink::new(within, clock, link.in_flight, troubles)))
    }
}

/// All mistakes in one line.
pub(crate) fn sentence(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod heard;
#[cfg(test)]
mod tests;
