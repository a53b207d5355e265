//! Simulated sites, deterministic from a seed.
//!
//! Pure: no clock, no socket, no file. Time is what [`World::step`] is told. The same seed and the same steps give the
//! same values bit by bit, on the same build; how the time is cut into steps makes no difference.

mod daytime;
mod farm;
mod guest;
mod hotel;
mod mast;
mod meter;
mod random;
mod room;
mod shared;
mod thing;
mod turbine;
mod weather;

pub use shared::SharedWorld;
pub use thing::Kind;

pub(crate) use mast::Mast;
pub(crate) use meter::Meter;
pub(crate) use random::{Random, fraction, mix};
pub(crate) use room::Room;
pub(crate) use shared::Manner;
pub(crate) use thing::{Form, PropertyAt, Thing};
pub(crate) use turbine::Turbine;

use crate::Error;
use edgeway_sdk::Value;
use farm::Farm;
use hotel::Hotel;
use std::time::Duration;

/// The inner time step. Values change at most this often, in the world's own time.
pub const TICK: Duration = Duration::from_millis(200);

/// How many turbines and rooms a world of the driver has.
pub(crate) const TURBINES: u8 = 8;
pub(crate) const ROOMS: u8 = 12;

/// The most turbines of a wind farm: unit ids 1 to 19, below the mast's.
pub const TURBINES_MAX: u8 = farm::MAST_UNIT - 1;

/// The most rooms of a hotel: unit ids 1 to 49, below the meter's.
pub const ROOMS_MAX: u8 = hotel::METER_UNIT - 1;

/// A simulated site. Its things are found by unit id, their properties by name.
pub struct World {
    site: Site,
    speed: f64,
    time: Duration,
    owed: Duration,
}

enum Site {
    Farm(Farm),
    Hotel(Hotel),
}

impl World {
    /// A wind farm in operation: turbines of 3 MW as units 1, 2, ... (at most [`TURBINES_MAX`], further ones are left
    /// out), and a met mast as unit 20.
    pub fn wind_farm(seed: u64, turbines: u8) -> Self {
        World::new(Site::Farm(Farm::new(seed, turbines.min(TURBINES_MAX))))
    }

    /// A hotel floor in operation: rooms as units 1, 2, ... (at most [`ROOMS_MAX`], further ones are left out), and
    /// the floor's energy meter as unit 50.
    pub fn hotel(seed: u64, rooms: u8) -> Self {
        World::new(Site::Hotel(Hotel::new(seed, rooms.min(ROOMS_MAX))))
    }

    fn new(site: Site) -> Self {
        World { site, speed: 1.0, time: Duration::ZERO, owed: Duration::ZERO }
    }

    /// The same world, in which time passes this many times as fast as it is told (1 at first).
    ///
    /// # Panics
    /// If the factor is negative or not finite.
    pub fn speed(mut self, factor: f64) -> Self {
        assert!(factor.is_finite() && factor >= 0.0, "time does not run at {factor}");
        self.speed = factor;
        self
    }

    /// The same world, in which guests live this many times as fast as the walls warm up (60 at first: a guest's day
    /// lasts 24 minutes, and a floor of 12 rooms sees about 6 comings, goings and windows a minute). No effect on a
    /// wind farm.
    ///
    /// # Panics
    /// If the factor is negative or not finite.
    pub fn guest_pace(mut self, factor: f64) -> Self {
        assert!(factor.is_finite() && factor >= 0.0, "guests do not live at {factor}");
        if let Site::Hotel(hotel) = &mut self.site {
            hotel.guest_pace = factor;
        }
        self
    }

    /// Lets time pass. What is left over of a [`TICK`] is kept for the next call.
    pub fn step(&mut self, dt: Duration) {
        self.owed += dt.mul_f64(self.speed);
        while self.owed >= TICK {
            self.owed -= TICK;
            self.time += TICK;
            match &mut self.site {
                Site::Farm(farm) => farm.step(TICK.as_secs_f64()),
                Site::Hotel(hotel) => hotel.step(TICK.as_secs_f64()),
            }
        }
    }

    /// How much time has passed in this world.
    pub fn time(&self) -> Duration {
        self.time
    }

    /// The unit ids in use, in order, with what is there.
    pub fn units(&self) -> impl Iterator<Item = (u8, Kind)> {
        (0..=u8::MAX).filter_map(|unit| Some((unit, self.thing(unit)?.kind())))
    }

    /// All properties of a unit with their values, in the order of the model; empty if there is no such unit.
    pub fn properties(&self, unit: u8) -> impl Iterator<Item = (&'static str, Value)> {
        self.thing(unit).into_iter().flat_map(|thing| {
            let names = thing.kind().properties().into_iter().map(|about| about.name);
            names.filter_map(|name| Some((name, thing.value(thing.kind().find(name)?))))
        })
    }

    /// A property's value.
    pub fn get(&self, unit: u8, property: &str) -> Option<Value> {
        let thing = self.thing(unit)?;
        Some(thing.value(thing.kind().find(property)?))
    }

    /// Sets a property or gives a command, at once.
    ///
    /// # Errors
    /// If there is no such unit or property, or it does not take this value. Nothing has changed then.
    pub fn set(&mut self, unit: u8, property: &str, value: impl Into<Value>) -> Result<(), Error> {
        let thing = self.thing_mut(unit).ok_or(Error::UnknownUnit(unit))?;
        let kind = thing.kind();
        let at = kind.find(property).ok_or_else(|| Error::UnknownProperty { kind, property: property.into() })?;
        set(thing, at, &value.into())
    }

    /// The same world for several tasks.
    pub fn share(self) -> SharedWorld {
        SharedWorld::new(self)
    }

    pub(crate) fn thing(&self, unit: u8) -> Option<&dyn Thing> {
        match &self.site {
            Site::Farm(farm) => farm.thing(unit),
            Site::Hotel(hotel) => hotel.thing(unit),
        }
    }

    pub(crate) fn thing_mut(&mut self, unit: u8) -> Option<&mut dyn Thing> {
        match &mut self.site {
            Site::Farm(farm) => farm.thing_mut(unit),
            Site::Hotel(hotel) => hotel.thing_mut(unit),
        }
    }
}

/// Sets a property of a thing to a value of any type that is a number.
pub(crate) fn set(thing: &mut dyn Thing, at: PropertyAt, value: &Value) -> Result<(), Error> {
    let property = thing.about(at).name;
    let number = value.as_f64().ok_or_else(|| Error::NotANumber { property, found: value.to_string() })?;
    thing.set(at, number)
}

/// The things of a list have unit ids from 1.
fn place(unit: u8) -> Option<usize> {
    usize::from(unit).checked_sub(1)
}

#[cfg(test)]
mod tests;
