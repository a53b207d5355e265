//! A met mast: measures, and does nothing.

use super::thing::{Described, Kind, Property};
use super::weather::Air;

#[derive(Debug, Default)]
pub(crate) struct Mast {
    pub(crate) air: Air,
    pub(crate) humidity_percent: f64,
    pub(crate) pressure_hpa: f64,
}

impl Described for Mast {
    const KIND: Kind = Kind::Mast;
    const PROPERTIES: &'static [Property<Self>] = &[
        Property::real("wind_speed", |mast| mast.air.wind_mps),
        Property::real("wind_direction", |mast| mast.air.direction_deg),
        Property::real("ambient_temperature", |mast| mast.air.temperature_c),
        Property::real("humidity", |mast| mast.humidity_percent),
        Property::real("air_pressure", |mast| mast.pressure_hpa),
    ];
}
