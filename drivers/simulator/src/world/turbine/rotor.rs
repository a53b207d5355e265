//! Rotor, pitch and generator. Speeds and powers are parts of their rated values.

use super::{RATED_KW, RATED_MPS};

/// Kinetic energy of the rotor at rated speed over rated power: how long it could feed the grid without wind.
const INERTIA_S: f64 = 5.0;
const FEATHERED_DEG: f64 = 88.0;
const PITCH_RATE_DEG_S: f64 = 5.0;
const TRIP_RATE_DEG_S: f64 = 10.0;

/// The speed controller: degrees, and degrees a second, for a rotor that turns at twice its rated speed.
const PITCH_GAIN_DEG: f64 = 80.0;
const PITCH_INTEGRAL_DEG_S: f64 = 30.0;

/// Rotor speeds at which the generator is joined to the grid and taken off it.
const CONNECT: f64 = 0.2;
const DISCONNECT: f64 = 0.12;

/// What the turbine asks of its rotor.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Demand {
    /// Turn, and deliver up to the limit.
    Run { limit_kw: f64 },
    /// Come to rest, feeding the grid meanwhile.
    RunDown { limit_kw: f64 },
    /// Come to rest fast, off the grid at once.
    Trip,
}

#[derive(Debug)]
pub(crate) struct Rotor {
    /// 1 is rated speed.
    pub(crate) speed: f64,
    pub(crate) pitch_deg: f64,
    pub(crate) power_kw: f64,
    /// Whether the generator is on the grid.
    pub(crate) connected: bool,
    integral_deg: f64,
}

impl Default for Rotor {
    fn default() -> Self {
        Rotor { speed: 0.0, pitch_deg: FEATHERED_DEG, power_kw: 0.0, connected: false, integral_deg: 0.0 }
    }
}

impl Rotor {
    pub(crate) fn step(&mut self, dt_s: f64, wind_mps: f64, demand: Demand) {
        self.turn_blades(dt_s, demand);
        self.switch(demand);
        self.power_kw = self.generator_kw(demand);
        let driving = aerodynamic(wind_mps / RATED_MPS, self.speed, self.pitch_deg);
        let surplus = driving - self.power_kw / RATED_KW - drag(self.speed, self.pitch_deg);
        let acceleration = surplus / (2.0 * INERTIA_S * self.speed.max(0.05));
        self.speed = (self.speed + acceleration * dt_s).max(0.0);
    }

    fn turn_blades(&mut self, dt_s: f64, demand: Demand) {
        let (target, rate) = match demand {
            Demand::Run { .. } => (self.regulate(dt_s), PITCH_RATE_DEG_S),
            Demand::RunDown { .. } => (FEATHERED_DEG, PITCH_RATE_DEG_S),
            Demand::Trip => (FEATHERED_DEG, TRIP_RATE_DEG_S),
        };
        let turn = rate * dt_s;
        self.pitch_deg += (target - self.pitch_deg).clamp(-turn, turn);
    }

    /// The pitch that holds rated speed: 0 while there is too little wind for it.
    fn regulate(&mut self, dt_s: f64) -> f64 {
        let excess = self.speed - 1.0;
        self.integral_deg = (self.integral_deg + PITCH_INTEGRAL_DEG_S * excess * dt_s).clamp(0.0, FEATHERED_DEG);
        (self.integral_deg + PITCH_GAIN_DEG * excess).clamp(0.0, FEATHERED_DEG)
    }

    fn switch(&mut self, demand: Demand) {
        self.connected = match demand {
            Demand::Run { .. } if self.speed > CONNECT => true,
            Demand::Run { .. } | Demand::RunDown { .. } => self.connected && self.speed > DISCONNECT,
            Demand::Trip => false,
        };
    }

    /// Follows the best tip speed: power with the cube of the speed, up to the limit.
    fn generator_kw(&self, demand: Demand) -> f64 {
        match demand {
            Demand::Run { limit_kw } | Demand::RunDown { limit_kw } if self.connected => {
                (RATED_KW * self.speed.powi(3)).min(limit_kw)
            }
            _ => 0.0,
        }
    }
}

/// What the wind brings. Best if the rotor's speed fits the wind (`speed == wind`), less with turned blades.
fn aerodynamic(wind: f64, speed: f64, pitch_deg: f64) -> f64 {
    let tip_speed = speed / wind.max(0.01);
    let fit = (1.0 - 0.8 * (tip_speed - 1.0).powi(2)).max(-0.3);
    let turned = (1.0 + (pitch_deg / 11.5).powi(2)).powf(-1.37);
    wind.powi(3) * fit * turned
}

/// What feathered blades and the bearings take.
fn drag(speed: f64, pitch_deg: f64) -> f64 {
    0.5 * (pitch_deg / 90.0) * speed * speed + 0.002 * speed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(wind_mps: f64, limit_kw: f64) -> Rotor {
        let mut rotor = Rotor::default();
        (0..3000).for_each(|_| rotor.step(0.2, wind_mps, Demand::Run { limit_kw }));
        rotor
    }

    #[test]
    fn below_rated_wind_the_power_follows_the_cube() {
        for wind in [4.0, 6.0, 8.0, 10.0, 11.5] {
            let ideal = RATED_KW * (wind / RATED_MPS).powi(3);
            let found = settled(wind, RATED_KW).power_kw;
            assert!((found / ideal - 1.0).abs() < 0.03, "{wind} m/s: {found} instead of {ideal}");
        }
    }

    #[test]
    fn above_rated_wind_the_blades_hold_the_speed() {
        for wind in [13.0, 16.0, 20.0, 24.9] {
            let rotor = settled(wind, RATED_KW);
            assert!((rotor.speed - 1.0).abs() < 0.02 && rotor.pitch_deg > 2.0, "{wind} m/s: {rotor:?}");
            assert!((rotor.power_kw - RATED_KW).abs() < 60.0, "{wind} m/s: {rotor:?}");
        }
    }

    #[test]
    fn a_limit_is_held_with_the_blades() {
        let rotor = settled(11.0, 800.0);
        assert_eq!(rotor.power_kw, 800.0);
        assert!(rotor.pitch_deg > 3.0 && rotor.speed < 1.05, "{rotor:?}");
    }

    #[test]
    fn it_comes_to_rest_within_a_minute() {
        let mut rotor = settled(14.0, RATED_KW);
        (0..300).for_each(|_| rotor.step(0.2, 14.0, Demand::RunDown { limit_kw: RATED_KW }));
        assert!(rotor.speed < 0.15 && rotor.power_kw < 10.0, "{rotor:?}");
        let mut rotor = settled(14.0, RATED_KW);
        rotor.step(0.2, 14.0, Demand::Trip);
        assert_eq!((rotor.power_kw, rotor.connected), (0.0, false));
    }
}
