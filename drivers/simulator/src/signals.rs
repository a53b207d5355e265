//! Where values come from that no world makes: functions of time and chance, and registers.

mod states;
mod walk;

pub(crate) use states::States;
pub(crate) use walk::{Place, Walk};

use crate::formula::Formula;
use crate::waves::{Wave, turn};
use crate::world::{Random, fraction, mix};
use edgeway_sdk::{Timestamp, Value};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Where in time a signal is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// By the clock.
    pub(crate) now: Timestamp,
    /// By the link's own time, since it was opened.
    pub(crate) passed: Duration,
}

/// Where the values of a point come from.
pub(crate) struct Source {
    pub(crate) signal: Signal,
    /// Evenly spread noise, up to so much in both directions.
    pub(crate) jitter: f64,
    /// Values are multiples of it.
    pub(crate) resolution: Option<f64>,
    /// What makes the chance of one point differ from that of another.
    pub(crate) salt: u64,
}

/// What a value is a function of.
pub(crate) enum Signal {
    Wave(Wave),
    Pulse { cycle_ns: i64, share: f64, phase: f64, amplitude: f64, base: f64 },
    Step { after: Duration, amplitude: f64, base: f64 },
    Gaussian { base: f64, deviation: f64 },
    Walk(Walk),
    Total { base: f64, rate_per_s: f64, wrap: Option<f64> },
    States(States),
    Constant(Value),
    Formula { formula: Formula, points: HashMap<String, Arc<Source>> },
    Register(Mutex<Value>),
}

impl Source {
    /// The value at a moment; `Null` if a formula has none.
    pub(crate) fn at(&self, moment: Moment) -> Value {
        self.rounded(match &self.signal {
            Signal::Wave(wave) => self.shaken(wave.at(moment.now), moment),
            Signal::Pulse { cycle_ns, share, phase, amplitude, base } => {
                let is_there = turn(moment.now, *cycle_ns, *phase) < *share;
                self.shaken(Value::Float(if is_there { base + amplitude } else { *base }), moment)
            }
            Signal::Step { after, amplitude, base } => {
                let is_there = moment.passed >= *after;
                self.shaken(Value::Float(if is_there { base + amplitude } else { *base }), moment)
            }
            Signal::Gaussian { base, deviation } => Value::Float(base + deviation * self.normal(moment)),
            Signal::Walk(walk) => Value::Float(walk.at(moment.passed)),
            Signal::Total { base, rate_per_s, wrap } => {
                let total = base + rate_per_s * moment.passed.as_secs_f64();
                Value::Float(wrap.map_or(total, |wrap| total.rem_euclid(wrap)))
            }
            Signal::States(states) => states.at(moment.now),
            Signal::Constant(value) => value.clone(),
            Signal::Formula { formula, points } => self.reckoned(formula, points, moment),
            Signal::Register(register) => held(register).clone(),
        })
    }

    /// Sets a register. False if it is none.
    pub(crate) fn set(&self, value: Value) -> bool {
        let Signal::Register(register) = &self.signal else { return false };
        *held(register) = value;
        true
    }

    pub(crate) fn is_register(&self) -> bool {
        matches!(self.signal, Signal::Register(_))
    }

    fn reckoned(&self, formula: &Formula, points: &HashMap<String, Arc<Source>>, moment: Moment) -> Value {
        let value = formula.value(|name| match name {
            "t" => Some(Value::Float(moment.passed.as_secs_f64())),
            "unix" => Some(Value::Float(moment.now.as_nanos() as f64 / 1e9)),
            "noise" => Some(Value::Float(self.even(moment))),
            "gaussian" => Some(Value::Float(self.normal(moment))),
            "PI" => Some(Value::Float(std::f64::consts::PI)),
            name => points.get(name).map(|source| source.at(moment)),
        });
        value.unwrap_or_default()
    }

    fn shaken(&self, value: Value, moment: Moment) -> Value {
        match value {
            Value::Float(float) if self.jitter > 0.0 => Value::Float(float + self.jitter * self.even(moment)),
            value => value,
        }
    }

    /// To a multiple of the resolution. Of a whole one, the values are whole numbers.
    fn rounded(&self, value: Value) -> Value {
        let (Some(resolution), Value::Float(float)) = (self.resolution, &value) else { return value };
        let steps = (float / resolution).round();
        if resolution.fract() == 0.0 && (steps * resolution).abs() < i64::MAX as f64 {
            return Value::Int((steps * resolution) as i64);
        }
        // 0.1 has no exact double: 3 * 0.1 would show as 0.30000000000000004, 3 / 10 does not.
        let per_one = (1.0 / resolution).round();
        let is_decimal = (per_one * resolution - 1.0).abs() < 1e-9;
        Value::Float(if is_decimal { steps / per_one } else { steps * resolution })
    }

    /// Evenly spread between -1 and 1, another number for every nanosecond.
    fn even(&self, moment: Moment) -> f64 {
        2.0 * fraction(mix(self.salt ^ mix(moment.now.as_nanos() as u64))) - 1.0
    }

    fn normal(&self, moment: Moment) -> f64 {
        Random::new(self.salt, moment.now.as_nanos() as u64).normal()
    }
}

fn held(register: &Mutex<Value>) -> std::sync::MutexGuard<'_, Value> {
    register.lock().expect("no thread panics while it holds this lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(signal: Signal) -> Source {
        Source { signal, jitter: 0.0, resolution: None, salt: 7 }
    }

    fn after(seconds: f64) -> Moment {
        let passed = Duration::from_secs_f64(seconds);
        Moment { now: Timestamp::EPOCH + passed, passed }
    }

    fn floats(source: &Source, count: u32) -> Vec<f64> {
        (0..count).filter_map(|second| source.at(after(f64::from(second))).as_f64()).collect()
    }

    #[test]
    fn pulses_steps_and_totals_have_their_values() {
        let pulse =
            source(Signal::Pulse { cycle_ns: 4_000_000_000, share: 0.25, phase: 0.0, amplitude: 5.0, base: 1.0 });
        assert_eq!(floats(&pulse, 6), [6.0, 1.0, 1.0, 1.0, 6.0, 1.0]);
        let step = source(Signal::Step { after: Duration::from_secs(2), amplitude: -3.0, base: 1.0 });
        assert_eq!(floats(&step, 4), [1.0, 1.0, -2.0, -2.0]);
        let total = source(Signal::Total { base: 8.0, rate_per_s: 1.5, wrap: Some(10.0) });
        assert_eq!(floats(&total, 4), [8.0, 9.5, 1.0, 2.5]);
    }

    #[test]
    fn gaussian_noise_has_its_mean_and_deviation_and_repeats_itself() {
        let gaussian = source(Signal::Gaussian { base: 50.0, deviation: 2.0 });
        let numbers = floats(&gaussian, 20_000);
        let mean = numbers.iter().sum::<f64>() / 20_000.0;
        let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!((mean - 50.0).abs() < 0.1 && (variance - 4.0).abs() < 0.2, "{mean} {variance}");
        assert_eq!(numbers, floats(&gaussian, 20_000));
    }

    #[test]
    fn jitter_stays_within_its_limits() {
        let still = Signal::Step { after: Duration::ZERO, amplitude: 0.0, base: 10.0 };
        let numbers = floats(&Source { jitter: 0.5, ..source(still) }, 1000);
        assert!(numbers.iter().all(|x| (9.5..=10.5).contains(x)) && numbers.iter().any(|x| *x < 9.6));
    }

    #[test]
    fn values_are_multiples_of_the_resolution() {
        let of = |resolution, value| {
            Source { resolution: Some(resolution), ..source(Signal::Constant(Value::Float(value))) }.at(after(0.0))
        };
        assert_eq!(of(0.1, 0.3004), Value::Float(0.3));
        assert_eq!(of(0.25, 0.3), Value::Float(0.25));
        assert_eq!(of(1.0, 41.6), Value::Int(42));
        assert_eq!(of(50.0, 41.6), Value::Int(50));
        assert_eq!(of(1.5, 4.0), Value::Float(4.5));
    }

    #[test]
    fn a_formula_sees_time_chance_and_other_points() {
        let power = Arc::new(source(Signal::Total { base: 100.0, rate_per_s: 1.0, wrap: None }));
        let formula = Formula::compile("power / 2 + t + 0 * (noise + gaussian + unix)").expect("valid");
        let points = HashMap::from([("power".to_owned(), power)]);
        assert_eq!(source(Signal::Formula { formula, points }).at(after(10.0)), Value::Float(65.0));
    }

    #[test]
    fn only_a_register_can_be_set() {
        let register = source(Signal::Register(Mutex::new(Value::Int(1))));
        assert!(register.set("new".into()) && register.at(after(0.0)) == "new".into());
        assert!(!source(Signal::Constant(Value::Int(1))).set(Value::Int(2)));
    }
}
