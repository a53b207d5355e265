//! A wind farm: turbines in two rows, a met mast, and one weather for all.

use super::weather::{Place, Weather};
use super::{Mast, Thing, Turbine, place};

pub(crate) const MAST_UNIT: u8 = 20;

/// Long enough for the rotors to be at speed, the nacelles in the wind, the oil warm, and the fronts under way.
const WARM_UP_S: f64 = 1200.0;
const TICK_S: f64 = super::TICK.as_millis() as f64 / 1000.0;
const ROW_M: f64 = 600.0;
const SPACING_M: f64 = 450.0;

pub(crate) struct Farm {
    weather: Weather,
    turbines: Vec<(Place, Turbine)>,
    mast_place: Place,
    mast: Mast,
}

impl Farm {
    pub(crate) fn new(seed: u64, turbines: u8) -> Self {
        let turbine = |number: u8| {
            let (row, column) = (number % 2, number / 2);
            let (east_m, north_m) = (f64::from(column) * SPACING_M, f64::from(row) * ROW_M);
            let stream = u64::from(number) + 1;
            (Place::new(seed, stream, east_m, north_m), Turbine::new(seed, 1000 + stream))
        };
        let mut farm = Farm {
            weather: Weather::new(seed),
            turbines: (0..turbines).map(turbine).collect(),
            mast_place: Place::new(seed, 999, -SPACING_M, ROW_M / 2.0),
            mast: Mast::default(),
        };
        farm.warm_up();
        farm
    }

    /// Runs without faults, so that every farm is whole when it is first seen.
    fn warm_up(&mut self) {
        let mut left_s = WARM_UP_S;
        while left_s > 0.0 {
            left_s -= TICK_S;
            self.step(TICK_S);
            self.turbines.iter_mut().for_each(|(_, turbine)| turbine.spare());
        }
    }

    pub(crate) fn step(&mut self, dt_s: f64) {
        self.weather.step(dt_s);
        let direction = self.weather.direction_deg();
        let places = self.turbines.iter().map(|(place, _)| place).chain([&self.mast_place]);
        let edge = places.map(|place| place.downwind_m(direction)).fold(f64::INFINITY, f64::min);
        for (place, turbine) in &mut self.turbines {
            let behind = place.downwind_m(direction) - edge;
            turbine.step(dt_s, place.air(&self.weather, behind, dt_s));
        }
        let behind = self.mast_place.downwind_m(direction) - edge;
        let air = self.mast_place.air(&self.weather, behind, dt_s);
        self.mast =
            Mast { air, humidity_percent: self.weather.humidity_percent(), pressure_hpa: self.weather.pressure_hpa() };
    }

    pub(crate) fn thing(&self, unit: u8) -> Option<&dyn Thing> {
        if unit == MAST_UNIT {
            return Some(&self.mast);
        }
        self.turbines.get(place(unit)?).map(|(_, turbine)| turbine as &dyn Thing)
    }

    pub(crate) fn thing_mut(&mut self, unit: u8) -> Option<&mut dyn Thing> {
        if unit == MAST_UNIT {
            return Some(&mut self.mast);
        }
        self.turbines.get_mut(place(unit)?).map(|(_, turbine)| turbine as &mut dyn Thing)
    }
}
