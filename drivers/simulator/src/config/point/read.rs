//! From what is written to what it means, with everything that is wrong with it.

use super::super::{duration, within};
use super::{COLUMN, Column, Shape, SignalOptions, Switch, What, Written};
use crate::formula::Formula;
use crate::waves;
use edgeway_sdk::{Json, Problem, Value};
use std::time::Duration;

const COUNTER_CYCLE: Duration = Duration::from_secs(1);
const WAVE_CYCLE: Duration = Duration::from_secs(10);
const STEP_AFTER: Duration = Duration::from_secs(10);
const WALK_EVERY: Duration = Duration::from_secs(1);
const WALK_EVERY_MIN: Duration = Duration::from_millis(10);
const WALK_RANGE: (f64, f64) = (0.0, 100.0);
const STATE_LASTS: Duration = Duration::from_secs(10);

impl Written {
    /// What the point is, as far as it can be told, and all that is wrong.
    pub(super) fn what(&self) -> (Option<What>, Vec<Problem>) {
        let mut problems = vec![];
        let what = self.read(&mut problems);
        (what, problems)
    }

    fn read(&self, problems: &mut Vec<Problem>) -> Option<What> {
        if let Some(name) = self.at.strip_prefix(COLUMN) {
            return Some(What::Column(self.column(name)));
        }
        Some(match self.at.as_str() {
            "register" => What::Register { value: self.register(problems) },
            "fault" => What::Switch(self.switch(problems)),
            "sine" => self.wave(waves::Shape::Sine, problems),
            "ramp" => self.wave(waves::Shape::Ramp, problems),
            "square" => self.wave(waves::Shape::Square, problems),
            "noise" => self.wave(waves::Shape::Noise, problems),
            "counter" => self.wave(waves::Shape::Counter, problems),
            "pulse" => self.signal(self.pulse(problems), problems),
            "step" => self.signal(self.step(problems), problems),
            "gaussian" => self.signal(self.gaussian(problems), problems),
            "walk" => self.signal(self.walk(problems), problems),
            "total" => self.signal(self.total(problems), problems),
            "states" => self.signal(self.states(problems)?, problems),
            "constant" => self.signal(Shape::Constant(self.constant(problems)?), problems),
            "formula" => self.signal(self.formula(problems)?, problems),
            property => What::Property { name: property.to_owned() },
        })
    }

    fn signal(&self, shape: Shape, problems: &mut Vec<Problem>) -> What {
        self.positive("resolution", self.resolution, problems);
        if let Some(jitter) = self.jitter {
            within("jitter", jitter, (0.0, f64::MAX), problems);
        }
        What::Signal(SignalOptions {
            shape,
            jitter: self.jitter.unwrap_or(0.0),
            resolution: self.resolution,
            seed: self.seed,
        })
    }

    fn wave(&self, shape: waves::Shape, problems: &mut Vec<Problem>) -> What {
        let usual = if shape == waves::Shape::Counter { COUNTER_CYCLE } else { WAVE_CYCLE };
        let cycle = duration("cycle", self.cycle.as_deref(), usual, problems);
        let wrap = self.wrap.filter(|_| shape == waves::Shape::Counter);
        if let Some(wrap) = wrap.filter(|wrap| !(*wrap >= 1.0 && wrap.fract() == 0.0 && *wrap <= i64::MAX as f64)) {
            let problem = Problem::key("wrap", format!("a counter cannot begin again at {wrap}"));
            problems.push(problem.help("a whole number above 0"));
        }
        let wave = Shape::Wave {
            shape,
            cycle,
            amplitude: self.amplitude.unwrap_or(1.0),
            base: self.base.unwrap_or(0.0),
            phase: self.phase(problems),
            wrap: wrap.map(|wrap| wrap as i64),
        };
        self.signal(wave, problems)
    }

    fn phase(&self, problems: &mut Vec<Problem>) -> Option<f64> {
        if let Some(phase) = self.phase {
            within("phase", phase, (0.0, 1.0), problems);
        }
        self.phase
    }

    fn pulse(&self, problems: &mut Vec<Problem>) -> Shape {
        let cycle = duration("cycle", self.cycle.as_deref(), WAVE_CYCLE, problems);
        let width = duration("width", self.width.as_deref(), cycle / 2, problems);
        if width >= cycle {
            let message = format!("a pulse of {width:?} does not fit a cycle of {cycle:?}");
            problems.push(Problem::key("width", message).help("`width` must be shorter than `cycle`"));
        }
        let (amplitude, base) = (self.amplitude.unwrap_or(1.0), self.base.unwrap_or(0.0));
        Shape::Pulse { cycle, width, amplitude, base, phase: self.phase(problems) }
    }

    fn step(&self, problems: &mut Vec<Problem>) -> Shape {
        let after = duration("after", self.after.as_deref(), STEP_AFTER, problems);
        Shape::Step { after, amplitude: self.amplitude.unwrap_or(1.0), base: self.base.unwrap_or(0.0) }
    }

    fn gaussian(&self, problems: &mut Vec<Problem>) -> Shape {
        self.positive("deviation", self.deviation, problems);
        Shape::Gaussian { base: self.base.unwrap_or(0.0), deviation: self.deviation.unwrap_or(1.0) }
    }

    fn walk(&self, problems: &mut Vec<Problem>) -> Shape {
        let (min, max) = (self.min.unwrap_or(WALK_RANGE.0), self.max.unwrap_or(WALK_RANGE.1));
        if min >= max {
            let message = format!("a walk between {min} and {max} has nowhere to go");
            problems.push(Problem::key("max", message).help("`max` must be above `min`"));
        }
        self.positive("step", self.step, problems);
        let every = duration("every", self.every.as_deref(), WALK_EVERY, problems);
        if every < WALK_EVERY_MIN {
            let problem = Problem::key("every", format!("a walk cannot make a step every {every:?}"));
            problems.push(problem.help("10ms is the shortest"));
        }
        let base = self.base.unwrap_or((min + max) / 2.0);
        if min < max {
            within("base", base, (min, max), problems);
        }
        Shape::Walk { base, min, max, step: self.step.unwrap_or((max - min) / 100.0), every }
    }

    fn total(&self, problems: &mut Vec<Problem>) -> Shape {
        self.positive("wrap", self.wrap, problems);
        Shape::Total { base: self.base.unwrap_or(0.0), rate_per_s: self.rate.unwrap_or(1.0), wrap: self.wrap }
    }

    fn states(&self, problems: &mut Vec<Problem>) -> Option<Shape> {
        let Some(values) = self.values.as_ref().filter(|values| !values.is_empty()) else {
            let message = if self.values.is_some() { "there is no value" } else { "`values` is missing" };
            problems.push(Problem::key("values", message).help("write values = [0, 1, 2]"));
            return None;
        };
        let each = duration("each", self.each.as_deref(), STATE_LASTS, problems);
        let lasts = match &self.lasts {
            None => vec![each; values.len()],
            Some(lasts) => {
                if self.each.is_some() {
                    problems.push(Problem::key("each", "`each` says again what `lasts` does").help("leave one out"));
                }
                lasts.iter().map(|text| duration("lasts", Some(text), each, problems)).collect()
            }
        };
        if lasts.len() != values.len() {
            let message = format!("{} durations for {} values", lasts.len(), values.len());
            problems.push(Problem::key("lasts", message).help("one for each value, in the same order"));
        }
        let values = values.iter().map(|value| scalar("values", value, problems)).collect();
        Some(Shape::States { values, lasts, phase: self.phase(problems) })
    }

    fn constant(&self, problems: &mut Vec<Problem>) -> Option<Value> {
        if self.value.is_none() {
            problems.push(Problem::key("value", "`value` is missing").help("write value = 42"));
        }
        self.value.as_ref().map(|value| scalar("value", value, problems))
    }

    fn formula(&self, problems: &mut Vec<Problem>) -> Option<Shape> {
        let Some(text) = &self.formula else {
            let problem = Problem::key("formula", "`formula` is missing");
            problems.push(problem.help("write formula = \"20 + 5 * sin(t / 60)\""));
            return None;
        };
        match Formula::compile(text) {
            Ok(formula) => Some(Shape::Formula(formula)),
            Err(problem) => {
                problems.push(problem);
                None
            }
        }
    }

    fn register(&self, problems: &mut Vec<Problem>) -> Value {
        match (&self.value, self.base) {
            (Some(value), None) => scalar("value", value, problems),
            (None, base) => Value::Float(base.unwrap_or(0.0)),
            (Some(_), Some(_)) => {
                problems.push(Problem::key("base", "`base` says again what `value` does").help("leave one out"));
                Value::Null
            }
        }
    }

    fn switch(&self, problems: &mut Vec<Problem>) -> Switch {
        let lasts = self.switched_for.as_deref().map(|text| duration("for", Some(text), STATE_LASTS, problems));
        Switch { of: self.of.clone(), lasts, form: self.form.unwrap_or_default() }
    }

    fn column(&self, name: &str) -> Column {
        Column {
            name: name.to_owned(),
            quality: self.quality.clone(),
            column_type: self.column_type.unwrap_or_default(),
            missing: self.missing.unwrap_or_default(),
        }
    }

    fn positive(&self, key: &str, number: Option<f64>, problems: &mut Vec<Problem>) {
        if let Some(number) = number.filter(|number| !(*number > 0.0 && number.is_finite())) {
            problems.push(Problem::key(key, format!("{number} is out of range")).help("a number above 0"));
        }
    }
}

/// A value of any kind but none.
fn scalar(key: &str, json: &Json, problems: &mut Vec<Problem>) -> Value {
    let value = Value::from_json(json);
    if value == Value::Null {
        problems.push(Problem::key(key, format!("`{json}` is no value")).help("a number, a text, true or false"));
    }
    value
}
