//! The driver `simulator`: no wire at all.

mod wave_link;
mod world_link;

use crate::World;
use crate::config::{Choice, DeviceOptions, LinkOptions, Point, PointOptions};
use crate::world::{ROOMS, TURBINES};
use async_trait::async_trait;
use edgeway_sdk::{Access, Capabilities, Driver, Fault, Json, Link, Manifest, Problem};
use std::sync::{Arc, LazyLock};
use wave_link::WaveLink;
use world_link::WorldLink;

/// The driver `simulator`. Its options are in the README.
#[derive(Debug, Clone, Copy, Default)]
pub struct Simulator;

#[async_trait]
impl Driver for Simulator {
    fn manifest(&self) -> &Manifest {
        static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
            let summary = "a simulated wind farm, a simulated hotel, or wave forms";
            Manifest::new("simulator", env!("CARGO_PKG_VERSION"), summary)
                .can(Capabilities { write: true, browse: true, ..Capabilities::default() })
                .options::<LinkOptions, DeviceOptions, PointOptions>()
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
        Ok(match link.world {
            Choice::Waves => Arc::new(WaveLink::new(link.seed, link.speed)),
            Choice::WindFarm => Arc::new(WorldLink::new(World::wind_farm(link.seed, TURBINES).speed(link.speed))),
            Choice::Hotel => Arc::new(WorldLink::new(World::hotel(link.seed, ROOMS).speed(link.speed))),
        })
    }
}

/// All mistakes in one line.
fn sentence(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
