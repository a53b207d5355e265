//! The time of day.

use std::f64::consts::TAU;

const DAY_S: f64 = 86_400.0;

/// A clock that is set to ten in the morning when a world begins.
#[derive(Debug)]
pub(crate) struct Daytime {
    since_midnight_s: f64,
}

impl Default for Daytime {
    fn default() -> Self {
        Daytime { since_midnight_s: 10.0 * 3600.0 }
    }
}

impl Daytime {
    pub(crate) fn step(&mut self, dt_s: f64) {
        self.since_midnight_s = (self.since_midnight_s + dt_s) % DAY_S;
    }

    /// Day and night as a wave: -1 at three in the morning, 1 at three in the afternoon.
    pub(crate) fn wave(&self) -> f64 {
        (TAU * (self.since_midnight_s / DAY_S - 0.375)).sin()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_warmest_at_three_in_the_afternoon() {
        let mut day = Daytime::default();
        day.step(5.0 * 3600.0);
        assert!((day.wave() - 1.0).abs() < 1e-9);
        day.step(12.0 * 3600.0);
        assert!((day.wave() + 1.0).abs() < 1e-9);
    }
}
