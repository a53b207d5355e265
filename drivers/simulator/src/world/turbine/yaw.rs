//! The nacelle's way into the wind.

/// It stays where it is while the wind comes from within this angle.
const DEAD_BAND_DEG: f64 = 8.0;
/// Once it turns, it turns until it is this close.
const ON_TARGET_DEG: f64 = 0.5;
const RATE_DEG_S: f64 = 0.5;
/// How long the vane's error is averaged.
const MEMORY_S: f64 = 60.0;

#[derive(Debug)]
pub(crate) struct Yaw {
    pub(crate) direction_deg: f64,
    error_deg: f64,
    turning: bool,
}

impl Default for Yaw {
    fn default() -> Self {
        Yaw { direction_deg: 240.0, error_deg: 0.0, turning: false }
    }
}

impl Yaw {
    /// Follows the wind; answers which part of it the rotor catches.
    pub(crate) fn step(&mut self, dt_s: f64, wind_deg: f64) -> f64 {
        let error = signed(wind_deg - self.direction_deg);
        self.error_deg += (error - self.error_deg) * (dt_s / MEMORY_S);
        self.turning = self.error_deg.abs() > if self.turning { ON_TARGET_DEG } else { DEAD_BAND_DEG };
        if self.turning {
            let turn = (RATE_DEG_S * dt_s).copysign(self.error_deg);
            self.direction_deg = (self.direction_deg + turn).rem_euclid(360.0);
            self.error_deg -= turn;
        }
        error.to_radians().cos().max(0.0)
    }
}

/// The same angle between -180 and 180.
fn signed(angle_deg: f64) -> f64 {
    (angle_deg + 180.0).rem_euclid(360.0) - 180.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(wind_deg: f64, seconds: usize) -> f64 {
        let mut yaw = Yaw { direction_deg: 350.0, ..Yaw::default() };
        (0..seconds * 5).for_each(|_| _ = yaw.step(0.2, wind_deg));
        yaw.direction_deg
    }

    #[test]
    fn inside_the_dead_band_it_stands_still() {
        assert_eq!(after(356.0, 600), 350.0);
    }

    #[test]
    fn it_turns_the_short_way_and_slowly() {
        assert!(signed(after(30.0, 600) - 30.0).abs() < 5.0, "{}", after(30.0, 600));
        assert!(signed(after(30.0, 60) - 350.0) < 30.1, "at most half a degree a second");
    }
}
