//! A random walk between two walls.

use crate::world::{fraction, mix};
use std::sync::Mutex;
use std::time::Duration;

/// A walk that was not looked at for more steps than this has stood still meanwhile.
const CATCH_UP_MAX: u64 = 100_000;

/// Steps of random length and direction, thrown back at the walls. The same salt gives the same walk, whenever it is
/// looked at.
pub(crate) struct Walk {
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// The longest step.
    pub(crate) step: f64,
    pub(crate) every: Duration,
    pub(crate) salt: u64,
    /// How many steps have been made, and where they led.
    pub(crate) place: Mutex<Place>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    pub(crate) steps: u64,
    pub(crate) value: f64,
}

impl Walk {
    /// Where it is after this time.
    pub(crate) fn at(&self, passed: Duration) -> f64 {
        let steps = u64::try_from(passed.as_nanos() / self.every.as_nanos().max(1)).unwrap_or(u64::MAX);
        let mut place = self.place.lock().expect("no thread panics while it holds this lock");
        place.steps = place.steps.max(steps.saturating_sub(CATCH_UP_MAX));
        while place.steps < steps {
            place.steps += 1;
            let swing = 2.0 * fraction(mix(self.salt ^ mix(place.steps))) - 1.0;
            place.value = self.thrown_back(place.value + self.step * swing);
        }
        place.value
    }

    /// Where a step ends that would go through a wall.
    fn thrown_back(&self, value: f64) -> f64 {
        let back = match value {
            low if low < self.min => 2.0 * self.min - low,
            high if high > self.max => 2.0 * self.max - high,
            within => within,
        };
        back.clamp(self.min, self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(salt: u64, step: f64) -> Walk {
        let place = Mutex::new(Place { steps: 0, value: 20.0 });
        Walk { min: 15.0, max: 25.0, step, every: Duration::from_secs(1), salt, place }
    }

    fn seconds(walk: &Walk, seconds: impl Iterator<Item = u64>) -> Vec<f64> {
        seconds.map(|second| walk.at(Duration::from_secs(second))).collect()
    }

    #[test]
    fn a_walk_keeps_within_its_walls_and_steps() {
        let places = seconds(&walk(1, 0.5), 0..10_000);
        assert!(places.iter().all(|place| (15.0..=25.0).contains(place)));
        assert!(places.windows(2).all(|pair| (pair[1] - pair[0]).abs() <= 0.5));
        assert!(places.iter().any(|place| *place < 16.0) && places.iter().any(|place| *place > 24.0));
    }

    #[test]
    fn a_step_wider_than_the_room_stays_in_it() {
        assert!(seconds(&walk(1, 1e6), 0..1000).iter().all(|place| (15.0..=25.0).contains(place)));
    }

    #[test]
    fn the_same_seed_gives_the_same_walk_however_often_it_is_looked_at() {
        let every_second = seconds(&walk(7, 0.5), 0..=600);
        let every_minute = seconds(&walk(7, 0.5), (0..=600).step_by(60));
        assert_eq!(every_minute, every_second.iter().step_by(60).copied().collect::<Vec<_>>());
        assert_ne!(every_second, seconds(&walk(8, 0.5), 0..=600));
    }

    /// A change here means that all recorded series of the same seed look different.
    #[test]
    fn a_walk_of_seed_7_begins_like_this() {
        let rounded: Vec<f64> = seconds(&walk(7, 0.5), 0..5).iter().map(|x| (x * 1000.0).round() / 1000.0).collect();
        assert_eq!(rounded, [20.0, 20.372, 20.82, 20.79, 20.859]);
    }

    #[test]
    fn a_walk_that_nobody_looked_at_for_a_year_is_there_at_once() {
        let walk = walk(1, 0.5);
        let value = walk.at(Duration::from_secs(365 * 24 * 3600));
        assert!((15.0..=25.0).contains(&value));
        assert_eq!(walk.place.lock().expect("unpoisoned").steps, 365 * 24 * 3600);
    }
}
