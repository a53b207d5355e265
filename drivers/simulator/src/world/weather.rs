//! The air over a wind farm.

use super::daytime::Daytime;
use super::random::{Drift, Random};
use std::collections::VecDeque;
use std::f64::consts::TAU;

/// Standard deviation of the wind speed over ten minutes, as a part of its mean.
const TURBULENCE: f64 = 0.12;
/// How much of the turbulence's variance is one front that passes every place, the rest is local.
const SHARED: f64 = 0.6;
/// How long ago a front may have passed the first place and still be on its way to the last.
const FRONT_KEPT_S: f64 = 900.0;

/// What a thing feels.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Air {
    pub(crate) wind_mps: f64,
    /// Where the wind comes from, 0 = north, 90 = east.
    pub(crate) direction_deg: f64,
    pub(crate) temperature_c: f64,
}

/// Wind with a slowly wandering mean, turbulence and gusts that travel with the wind; temperature, humidity, pressure.
pub(crate) struct Weather {
    random: Random,
    day: Daytime,
    mean: Drift,
    direction: Drift,
    eddy: Drift,
    gust: Gust,
    temperature: Drift,
    humidity: Drift,
    pressure: Drift,
    /// Deviation from the mean at the windward edge, newest first, one entry a tick.
    front: VecDeque<f64>,
}

impl Weather {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed, 0);
        let mut drift = |sigma, memory_s| Drift::new(sigma, memory_s, &mut random);
        Weather {
            day: Daytime::default(),
            mean: drift(1.8, 3.0 * 3600.0),
            direction: drift(20.0, 2.0 * 3600.0),
            eddy: drift(1.0, 25.0),
            temperature: drift(1.5, 4.0 * 3600.0),
            humidity: drift(5.0, 3600.0),
            pressure: drift(6.0, 12.0 * 3600.0),
            gust: Gust::default(),
            front: VecDeque::new(),
            random,
        }
    }

    pub(crate) fn step(&mut self, dt_s: f64) {
        self.day.step(dt_s);
        let slow = [&mut self.mean, &mut self.direction, &mut self.temperature, &mut self.humidity, &mut self.pressure];
        for drift in slow {
            drift.step(dt_s, &mut self.random);
        }
        let eddy = self.eddy.step(dt_s, &mut self.random) * TURBULENCE * SHARED.sqrt() * self.mean_mps();
        let gust = self.gust.step(dt_s, &mut self.random);
        self.front.push_front(eddy + gust);
        self.front.truncate((FRONT_KEPT_S / dt_s) as usize);
    }

    /// The mean wind speed, with more wind in the afternoon.
    pub(crate) fn mean_mps(&self) -> f64 {
        (9.0 + 1.2 * self.day.wave() + self.mean.value()).max(2.0)
    }

    pub(crate) fn direction_deg(&self) -> f64 {
        240.0 + self.direction.value()
    }

    pub(crate) fn temperature_c(&self) -> f64 {
        11.0 + 5.0 * self.day.wave() + self.temperature.value()
    }

    pub(crate) fn humidity_percent(&self) -> f64 {
        (72.0 - 12.0 * self.day.wave() + self.humidity.value()).clamp(15.0, 100.0)
    }

    pub(crate) fn pressure_hpa(&self) -> f64 {
        1013.0 + self.pressure.value()
    }

    /// What the front does to the wind this many metres downwind of the windward edge.
    fn front_mps(&self, downwind_m: f64, dt_s: f64) -> f64 {
        let newest = self.front.len().saturating_sub(1);
        let age = (downwind_m.max(0.0) / self.mean_mps() / dt_s) as usize;
        self.front.get(age.min(newest)).copied().unwrap_or(0.0)
    }
}

/// A gust now and then: the wind dips, rises, dips, and is as before (the "Mexican hat" of IEC 61400-1).
#[derive(Debug, Default)]
struct Gust {
    peak_mps: f64,
    age_s: f64,
}

impl Gust {
    const LENGTH_S: f64 = 10.5;
    const INTERVAL_S: f64 = 420.0;

    fn step(&mut self, dt_s: f64, random: &mut Random) -> f64 {
        if self.peak_mps == 0.0 && random.chance(dt_s / Gust::INTERVAL_S) {
            *self = Gust { peak_mps: random.between(2.0, 4.5), age_s: 0.0 };
        }
        self.age_s += dt_s;
        if self.age_s >= Gust::LENGTH_S {
            self.peak_mps = 0.0;
        }
        let turn = self.age_s / Gust::LENGTH_S;
        -0.37 * self.peak_mps * (3.0 * std::f64::consts::PI * turn).sin() * (1.0 - (TAU * turn).cos())
    }
}

/// A place in the farm with its own small eddies.
pub(crate) struct Place {
    random: Random,
    east_m: f64,
    north_m: f64,
    eddy: Drift,
    swing: Drift,
}

impl Place {
    pub(crate) fn new(seed: u64, stream: u64, east_m: f64, north_m: f64) -> Self {
        let mut random = Random::new(seed, stream);
        let eddy = Drift::new(1.0, 12.0, &mut random);
        let swing = Drift::new(3.0, 30.0, &mut random);
        Place { random, east_m, north_m, eddy, swing }
    }

    /// How far downwind of the farm's middle this place lies.
    pub(crate) fn downwind_m(&self, direction_deg: f64) -> f64 {
        let (sin, cos) = direction_deg.to_radians().sin_cos();
        -self.east_m * sin - self.north_m * cos
    }

    /// The air here, `downwind_m` behind the windward edge.
    pub(crate) fn air(&mut self, weather: &Weather, downwind_m: f64, dt_s: f64) -> Air {
        let mean = weather.mean_mps();
        let local = self.eddy.step(dt_s, &mut self.random) * TURBULENCE * (1.0 - SHARED).sqrt() * mean;
        let swing = self.swing.step(dt_s, &mut self.random);
        Air {
            wind_mps: (mean + local + weather.front_mps(downwind_m, dt_s)).clamp(0.0, 60.0),
            direction_deg: (weather.direction_deg() + swing).rem_euclid(360.0),
            temperature_c: weather.temperature_c(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turbulence_is_about_12_percent() {
        let mut weather = Weather::new(3);
        let mut place = Place::new(3, 1, 0.0, 0.0);
        let (mut squares, mut count) = (0.0, 0.0);
        for _ in 0..6 * 3600 {
            weather.step(1.0);
            squares += (place.air(&weather, 0.0, 1.0).wind_mps / weather.mean_mps() - 1.0).powi(2);
            count += 1.0;
        }
        let intensity = f64::sqrt(squares / count);
        assert!((0.11..0.15).contains(&intensity), "{intensity}");
    }

    #[test]
    fn a_front_reaches_places_downwind_later() {
        let mut weather = Weather::new(5);
        (0..1000).for_each(|_| weather.step(0.2));
        let seen_at_the_edge = weather.front_mps(0.0, 0.2);
        (0..100).for_each(|_| weather.step(0.2));
        let covered_m = weather.mean_mps() * 20.1;
        assert_eq!(weather.front_mps(covered_m, 0.2), seen_at_the_edge);
    }
}
