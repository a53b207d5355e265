//! Simulated devices: a wind farm, a hotel, signals, recordings, and a virtual fleet of any model.
//!
//! Four things, each usable alone:
//!
//! - [`World`]: a wind farm or a hotel floor, deterministic from a seed, with physics good enough to link scenes and ask
//!   queries of. Pure: time is an argument.
//! - [`modbus`]: a world as real Modbus TCP devices on a listener, with faults to order (a unit falls silent, an
//!   address is refused).
//! - [`Simulator`]: the driver `simulator`, in process. Its points are properties of a world, columns of a recording, or
//!   signals that are functions of seed, point and time and cost next to nothing: 100,000 values a second of wave forms are
//!   a few thousandths of a core. Links, devices and points fail to order.
//! - [`fleet`]: the configuration of many such devices from a thing model alone.
//!
//! **It is not** a model of a particular turbine or building, and not a load generator for Modbus: [`modbus::serve`]
//! answers one request at a time on each connection. Worlds have at most 19 turbines or 49 rooms, and values that
//! change at most every 200 ms of their own time.
//!
//! ```
//! use edgeway_driver_simulator::World;
//! use edgeway_sdk::Value;
//! use std::time::Duration;
//!
//! let mut world = World::wind_farm(1, 8);
//! world.set(1, "power_limit", 500)?;
//! world.step(Duration::from_secs(10));
//! let Some(Value::Float(power_kw)) = world.get(1, "active_power") else { panic!("unit 1 is a turbine") };
//! assert!(power_kw <= 500.0);
//! # Ok::<(), edgeway_driver_simulator::Error>(())
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod build;
mod clock;
mod config;
mod driver;
mod error;
pub mod fleet;
mod formula;
pub mod modbus;
mod plan;
mod replay;
mod signals;
mod waves;
mod world;

pub use driver::Simulator;
pub use error::Error;
pub use world::{Kind, ROOMS_MAX, SharedWorld, TICK, TURBINES_MAX, World};
