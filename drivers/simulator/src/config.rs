//! The options of a link, a device and a point: read, then checked.

use crate::waves::Shape;
use crate::world::Kind;
use edgeway_sdk::{Access, Json, Problem, did_you_mean, options};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The fastest and the slowest that time may pass.
const SPEED: (f64, f64) = (0.001, 100.0);
const UNIT: (u64, u64) = (1, 247);
const COUNTER_CYCLE: Duration = Duration::from_secs(1);
const WAVE_CYCLE: Duration = Duration::from_secs(10);

/// The options of a link.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Simulator link")]
pub(crate) struct LinkOptions {
    /// What is simulated
    pub(crate) world: Choice,
    /// The same seed gives the same world
    pub(crate) seed: u64,
    /// How many times as fast as the clock its time passes, 0.001 to 100
    #[schemars(range(min = 0.001, max = 100.0))]
    pub(crate) speed: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Choice {
    // No world: points are wave forms and registers.
    Waves,
    WindFarm,
    Hotel,
}

impl Default for LinkOptions {
    fn default() -> Self {
        LinkOptions { world: Choice::Waves, seed: 1, speed: 1.0 }
    }
}

impl LinkOptions {
    pub(crate) fn read(options: &Json) -> Result<Self, Vec<Problem>> {
        let link: LinkOptions = options::parse(options).map_err(|problem| vec![problem])?;
        if !(SPEED.0..=SPEED.1).contains(&link.speed) {
            return Err(vec![outside("speed", link.speed, SPEED)]);
        }
        Ok(link)
    }

    /// Two links of one seed would be the same world twice, which is never meant.
    pub(crate) fn wire(&self) -> String {
        let world = match self.world {
            Choice::Waves => "waves",
            Choice::WindFarm => "wind-farm",
            Choice::Hotel => "hotel",
        };
        format!("{world} of seed {}", self.seed)
    }
}

/// The options of a device.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Simulated device")]
pub(crate) struct DeviceOptions {
    /// Which thing of the world it is. Wave forms need none
    unit: Option<u64>,
}

impl DeviceOptions {
    pub(crate) fn read(options: &Json) -> Result<Self, Vec<Problem>> {
        let device: DeviceOptions = options::parse(options).map_err(|problem| vec![problem])?;
        match device.unit {
            Some(unit) if !(UNIT.0..=UNIT.1).contains(&unit) => Err(vec![outside("unit", unit, UNIT)]),
            _ => Ok(device),
        }
    }

    pub(crate) fn unit(&self) -> Option<u8> {
        self.unit.and_then(|unit| u8::try_from(unit).ok())
    }
}

/// The options of a point as they are written.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Simulated point")]
pub(crate) struct PointOptions {
    /// A property of the thing by name, or one of sine, ramp, square, noise, counter, register
    at: String,
    /// How long one cycle of the wave takes. Default: 10s, of a counter 1s
    cycle: Option<String>,
    /// The wave stays between base - amplitude and base + amplitude. Default: 1
    amplitude: Option<f64>,
    /// The middle of the wave; the first value of a register. Default: 0
    base: Option<f64>,
    /// Where in its cycle the wave is at the start of 1970, 0 to 1. Default: drawn from seed and point
    phase: Option<f64>,
}

/// What a point is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Point {
    /// A function of time.
    Wave { shape: Shape, cycle: Duration, amplitude: f64, base: f64, phase: Option<f64> },
    /// It keeps what was written to it.
    Register { base: f64 },
    /// A property of a thing in a world, by name.
    Property { name: String },
}

impl Point {
    pub(crate) fn read(options: &Json, access: Access) -> Result<Self, Vec<Problem>> {
        let written: PointOptions = options::parse(options).map_err(|problem| vec![problem])?;
        let mut problems = written.problems();
        problems.extend(written.access_problem(access));
        if problems.is_empty() { Ok(written.point()) } else { Err(problems) }
    }
}

impl PointOptions {
    fn problems(&self) -> Vec<Problem> {
        let known = names().any(|name| name == self.at);
        let unknown = || Problem::key("at", format!("unknown point `{}`", self.at)).maybe_help(nearest(&self.at));
        let strangers = if known { self.strangers() } else { vec![unknown()] };
        let cycle = self.cycle.as_deref().filter(|text| cycle(text).is_none());
        let cycle = cycle.map(|text| {
            let message = format!("`{text}` is not a duration above 0");
            Problem::key("cycle", message).help("write \"250ms\", \"1s\" or \"5m\"")
        });
        let phase = self.phase.filter(|phase| !(0.0..=1.0).contains(phase));
        strangers.into_iter().chain(cycle).chain(phase.map(|phase| outside("phase", phase, (0.0, 1.0)))).collect()
    }

    /// Keys that are there and have no meaning for this point.
    fn strangers(&self) -> Vec<Problem> {
        let given = [
            ("cycle", self.cycle.is_some()),
            ("amplitude", self.amplitude.is_some()),
            ("base", self.base.is_some()),
            ("phase", self.phase.is_some()),
        ];
        let allowed = self.keys();
        let stranger = |(key, _): (&'static str, bool)| {
            let help = match allowed {
                [] => format!("`{}` takes no options", self.at),
                keys => {
                    format!("it takes {}", keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", "))
                }
            };
            Problem::key(key, format!("`{key}` has no meaning for `{}`", self.at)).help(help)
        };
        given.into_iter().filter(|(key, there)| *there && !allowed.contains(key)).map(stranger).collect()
    }

    /// The keys that have a meaning for this point, besides `at`.
    fn keys(&self) -> &'static [&'static str] {
        match shape(&self.at) {
            Some(Shape::Sine | Shape::Ramp | Shape::Square) => &["cycle", "amplitude", "base", "phase"],
            Some(Shape::Noise) => &["amplitude", "base"],
            Some(Shape::Counter) => &["cycle"],
            None if self.at == REGISTER => &["base"],
            None => &[],
        }
    }

    fn access_problem(&self, access: Access) -> Option<Problem> {
        let is_property = properties().any(|(name, _)| name == self.at);
        let is_writable = self.at == REGISTER || properties().any(|(name, writable)| name == self.at && writable);
        let refused = access.writes() && !is_writable && (is_property || shape(&self.at).is_some());
        refused.then(|| Problem::key("at", format!("`{}` cannot be written", self.at)).help("make the point read-only"))
    }

    fn point(self) -> Point {
        let base = self.base.unwrap_or(0.0);
        let Some(shape) = shape(&self.at) else {
            return if self.at == REGISTER { Point::Register { base } } else { Point::Property { name: self.at } };
        };
        let usual = if shape == Shape::Counter { COUNTER_CYCLE } else { WAVE_CYCLE };
        let cycle = self.cycle.as_deref().and_then(cycle).unwrap_or(usual);
        Point::Wave { shape, cycle, amplitude: self.amplitude.unwrap_or(1.0), base, phase: self.phase }
    }
}

const REGISTER: &str = "register";
const SHAPES: [(&str, Shape); 5] = [
    ("sine", Shape::Sine),
    ("ramp", Shape::Ramp),
    ("square", Shape::Square),
    ("noise", Shape::Noise),
    ("counter", Shape::Counter),
];

fn shape(name: &str) -> Option<Shape> {
    SHAPES.iter().find(|(known, _)| *known == name).map(|(_, shape)| *shape)
}

/// The properties of all kinds of things, and whether they can be written.
fn properties() -> impl Iterator<Item = (&'static str, bool)> {
    Kind::ALL.into_iter().flat_map(Kind::properties).map(|about| (about.name, about.takes.is_some()))
}

fn names() -> impl Iterator<Item = &'static str> {
    SHAPES.iter().map(|(name, _)| *name).chain([REGISTER]).chain(properties().map(|(name, _)| name))
}

/// The name that was probably meant; failing that, what there is without a world.
fn nearest(found: &str) -> Option<String> {
    did_you_mean(found, names()).or_else(|| did_you_mean(found, SHAPES.iter().map(|(name, _)| *name).chain([REGISTER])))
}

fn cycle(text: &str) -> Option<Duration> {
    options::duration::parse(text).filter(|cycle| !cycle.is_zero())
}

fn outside<T: std::fmt::Display>(key: &str, found: T, (low, high): (T, T)) -> Problem {
    Problem::key(key, format!("{found} is out of range")).help(format!("{low} to {high}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn point(options: Json) -> Vec<String> {
        Point::read(&options, Access::Read).err().into_iter().flatten().map(|problem| problem.to_string()).collect()
    }

    #[test]
    fn a_misspelt_point_is_answered_with_the_right_one() {
        assert_eq!(point(json!({"at": "wind_sped"})), ["`at`: unknown point `wind_sped` (did you mean `wind_speed`?)"]);
        assert_eq!(point(json!({"at": "sin"})), ["`at`: unknown point `sin` (did you mean `sine`?)"]);
        let far = "`at`: unknown point `40001` (one of `sine`, `ramp`, `square`, `noise`, `counter`, `register`)";
        assert_eq!(point(json!({"at": "40001"})), [far]);
        assert_eq!(point(json!({"att": "sine"})), ["`att`: unknown key `att` (did you mean `at`?)"]);
    }

    #[test]
    fn all_mistakes_of_a_point_are_told() {
        let found = point(json!({"at": "counter", "cycle": "0s", "base": 1.0, "phase": 2.0}));
        let expected = [
            "`base`: `base` has no meaning for `counter` (it takes `cycle`)",
            "`phase`: `phase` has no meaning for `counter` (it takes `cycle`)",
            "`cycle`: `0s` is not a duration above 0 (write \"250ms\", \"1s\" or \"5m\")",
            "`phase`: 2 is out of range (0 to 1)",
        ];
        assert_eq!(found, expected);
        let found = point(json!({"at": "setpoint", "amplitude": 1.0}));
        assert_eq!(found, ["`amplitude`: `amplitude` has no meaning for `setpoint` (`setpoint` takes no options)"]);
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        let write =
            |at: &str| Point::read(&json!({"at": at}), Access::ReadWrite).map_err(|problems| problems[0].to_string());
        assert_eq!(write("sine"), Err("`at`: `sine` cannot be written (make the point read-only)".into()));
        assert_eq!(write("wind_speed"), Err("`at`: `wind_speed` cannot be written (make the point read-only)".into()));
        assert_eq!(write("power_limit"), Ok(Point::Property { name: "power_limit".into() }));
        assert_eq!(write("register"), Ok(Point::Register { base: 0.0 }));
    }

    #[test]
    fn links_and_devices_name_their_limits() {
        let link = |options| LinkOptions::read(&options).map_err(|problems| problems[0].to_string());
        assert_eq!(link(json!({})), Ok(LinkOptions::default()));
        assert_eq!(link(json!({"speed": 0.0})), Err("`speed`: 0 is out of range (0.001 to 100)".into()));
        let unknown = "`world`: unknown choice `windfarm` (did you mean `wind-farm`?)";
        assert_eq!(link(json!({"world": "windfarm"})), Err(unknown.into()));
        let unit = DeviceOptions::read(&json!({"unit": 300})).map_err(|problems| problems[0].to_string());
        assert_eq!(unit, Err("`unit`: 300 is out of range (1 to 247)".into()));
    }
}
