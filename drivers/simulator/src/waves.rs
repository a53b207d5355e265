//! Values that are a function of seed, point and time.

use crate::world::{fraction, mix};
use edgeway_sdk::{PointIx, Timestamp, Value};
use std::f64::consts::TAU;

/// A wave form, with everything worked out that does not depend on time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Wave {
    pub(crate) shape: Shape,
    /// How long one cycle takes, above 0.
    pub(crate) cycle_ns: i64,
    /// Where in its cycle the wave is at the start of 1970, 0 to 1.
    pub(crate) phase: f64,
    pub(crate) amplitude: f64,
    pub(crate) base: f64,
    /// Where a counter begins at 0 again.
    pub(crate) wrap: Option<i64>,
    /// What makes the noise of one point differ from that of another.
    pub(crate) salt: u64,
}

/// What a wave looks like. All but the counter stay between `base - amplitude` and `base + amplitude`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Begins at `base`, and rises first.
    Sine,
    /// Rises evenly from the lowest value to the highest, and falls back at once.
    Ramp,
    /// The highest value for half a cycle, then the lowest.
    Square,
    /// Another number for every nanosecond, evenly spread.
    Noise,
    /// How many cycles have passed since 1970.
    Counter,
}

impl Wave {
    /// The value at a time.
    pub(crate) fn at(&self, time: Timestamp) -> Value {
        let swing = match self.shape {
            Shape::Counter => return Value::Int(self.count(time)),
            Shape::Sine => (TAU * self.turn(time)).sin(),
            Shape::Ramp => 2.0 * self.turn(time) - 1.0,
            Shape::Square if self.turn(time) < 0.5 => 1.0,
            Shape::Square => -1.0,
            Shape::Noise => 2.0 * fraction(mix(self.salt ^ mix(time.as_nanos() as u64))) - 1.0,
        };
        Value::Float(self.base + self.amplitude * swing)
    }

    fn count(&self, time: Timestamp) -> i64 {
        let cycles = time.as_nanos().div_euclid(self.cycle_ns);
        self.wrap.map_or(cycles, |wrap| cycles.rem_euclid(wrap))
    }

    /// How much of the present cycle has passed, from 0 up to 1.
    fn turn(&self, time: Timestamp) -> f64 {
        turn(time, self.cycle_ns, self.phase)
    }
}

/// How much of a cycle has passed at a time, from 0 up to 1.
pub(crate) fn turn(time: Timestamp, cycle_ns: i64, phase: f64) -> f64 {
    let passed = time.as_nanos().rem_euclid(cycle_ns) as f64 / cycle_ns as f64 + phase;
    passed - passed.floor()
}

/// A number of its own for each point of each seed.
pub(crate) fn salt(seed: u64, point: PointIx) -> u64 {
    mix(mix(seed) ^ u64::from(point.0))
}

/// Spreads the points of a link over their cycles, so that they do not all move alike.
pub(crate) fn phase(salt: u64) -> f64 {
    fraction(salt)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(shape: Shape, millis: i64) -> f64 {
        let wave = Wave { shape, cycle_ns: 1_000_000_000, phase: 0.0, amplitude: 2.0, base: 10.0, wrap: None, salt: 1 };
        wave.at(Timestamp::from_millis(millis)).as_f64().expect("a number")
    }

    #[test]
    fn every_shape_has_its_values() {
        assert!((at(Shape::Sine, 250) - 12.0).abs() < 1e-9 && (at(Shape::Sine, 750) - 8.0).abs() < 1e-9);
        assert_eq!([at(Shape::Ramp, 0), at(Shape::Ramp, 500), at(Shape::Ramp, 1000)], [8.0, 10.0, 8.0]);
        assert_eq!([at(Shape::Square, 499), at(Shape::Square, 500), at(Shape::Square, 1000)], [12.0, 8.0, 12.0]);
        assert_eq!([at(Shape::Counter, 999), at(Shape::Counter, 7000), at(Shape::Counter, -1)], [0.0, 7.0, -1.0]);
    }

    #[test]
    fn a_counter_that_wraps_begins_at_0_again() {
        let cycle_ns = 1_000_000_000;
        let wave =
            Wave { shape: Shape::Counter, cycle_ns, phase: 0.0, amplitude: 1.0, base: 0.0, wrap: Some(3), salt: 1 };
        let counts: Vec<Value> = (0..5).map(|second| wave.at(Timestamp::from_secs(second))).collect();
        assert_eq!(counts, [0, 1, 2, 0, 1].map(Value::Int));
    }

    #[test]
    fn noise_fills_its_band_and_repeats_itself() {
        let numbers: Vec<f64> = (0..1000).map(|millis| at(Shape::Noise, millis)).collect();
        assert!(numbers.iter().all(|number| (8.0..12.0).contains(number)));
        assert!((numbers.iter().sum::<f64>() / 1000.0 - 10.0).abs() < 0.15);
        assert_eq!(numbers, (0..1000).map(|millis| at(Shape::Noise, millis)).collect::<Vec<_>>());
    }

    #[test]
    fn seed_and_point_move_the_phase() {
        let phases = [(1, 0), (1, 1), (2, 0)].map(|(seed, point)| phase(salt(seed, PointIx(point))));
        assert!(
            phases[0] != phases[1] && phases[0] != phases[2] && phases.iter().all(|phase| (0.0..1.0).contains(phase))
        );
    }
}
