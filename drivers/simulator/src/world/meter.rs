//! The energy meter of a hotel floor.

use super::random::{Drift, Random};
use super::thing::{Described, Kind, Property};

pub(crate) const PHASES: usize = 3;

/// What the cables to the floor take: volts for every ampere.
const CABLE_OHM: f64 = 0.1;

#[derive(Debug)]
pub(crate) struct Meter {
    random: Random,
    grid: [Drift; PHASES],
    grid_frequency: Drift,
    factor: Drift,
    voltage: [f64; PHASES],
    current_a: [f64; PHASES],
    power_w: f64,
    import_kwh: f64,
}

impl Meter {
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut random = Random::new(seed, stream);
        Meter {
            grid: std::array::from_fn(|_| Drift::new(1.5, 600.0, &mut random)),
            grid_frequency: Drift::new(0.015, 60.0, &mut random),
            factor: Drift::new(0.01, 120.0, &mut random),
            voltage: [230.0; PHASES],
            current_a: [0.0; PHASES],
            power_w: 0.0,
            import_kwh: random.between(2.0e4, 9.0e4),
            random,
        }
    }

    /// Measures what each phase draws.
    pub(crate) fn step(&mut self, dt_s: f64, phases_w: [f64; PHASES]) {
        self.grid_frequency.step(dt_s, &mut self.random);
        self.factor.step(dt_s, &mut self.random);
        for (phase, power_w) in phases_w.into_iter().enumerate() {
            let grid = 230.0 + self.grid[phase].step(dt_s, &mut self.random);
            self.voltage[phase] = grid - CABLE_OHM * self.current_a[phase];
            self.current_a[phase] = power_w / (self.voltage[phase] * self.power_factor());
        }
        self.power_w = phases_w.iter().sum();
        self.import_kwh += self.power_w * dt_s / 3.6e6;
    }

    fn power_factor(&self) -> f64 {
        (0.95 + self.factor.value()).clamp(0.8, 1.0)
    }
}

impl Described for Meter {
    const KIND: Kind = Kind::Meter;
    const PROPERTIES: &'static [Property<Self>] = &[
        Property::real("voltage_l1", |meter| meter.voltage[0]),
        Property::real("voltage_l2", |meter| meter.voltage[1]),
        Property::real("voltage_l3", |meter| meter.voltage[2]),
        Property::real("current_l1", |meter| meter.current_a[0]),
        Property::real("current_l2", |meter| meter.current_a[1]),
        Property::real("current_l3", |meter| meter.current_a[2]),
        Property::real("active_power", |meter| meter.power_w),
        Property::real("power_factor", Meter::power_factor),
        Property::real("frequency", |meter| 50.0 + meter.grid_frequency.value()),
        Property::real("energy_import", |meter| meter.import_kwh),
        // Nothing on the floor makes electricity.
        Property::real("energy_export", |_| 0.0),
    ];
}
