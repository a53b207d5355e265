//! A point: a signal, a register, a property of a world's thing, a column of a recording, or the switch of faults.

mod read;

use super::trouble;
use super::{Trouble, strangers};
use crate::formula::Formula;
use crate::waves;
use crate::world::Kind;
use edgeway_sdk::{Access, Json, Problem, Value, did_you_mean, options};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The options of a point as they are written.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Simulated point")]
pub(crate) struct Written {
    /// A signal (sine, ramp, square, pulse, step, noise, gaussian, walk, counter, total, states, constant, formula), or
    /// register, or fault, or column:NAME of a recording, or a property of the thing by name
    at: String,
    /// How formulas and services of the same device call this point
    name: Option<String>,
    /// How long one cycle takes. Default: 10s, of a counter 1s
    cycle: Option<String>,
    /// The signal stays between base - amplitude and base + amplitude; how high a pulse or a step is. Default: 1
    amplitude: Option<f64>,
    /// The middle of the signal; where a walk, a total or a register begins. Default: 0, of a walk its middle
    base: Option<f64>,
    /// Where in its cycle the signal is at the start of 1970, 0 to 1. Default: drawn from seed and point
    phase: Option<f64>,
    /// How long the pulse is there. Default: half a cycle
    width: Option<String>,
    /// How long after the link was opened the step comes. Default: 10s
    after: Option<String>,
    /// The standard deviation. Default: 1
    deviation: Option<f64>,
    /// The lowest value of a walk. Default: 0
    min: Option<f64>,
    /// The highest value of a walk. Default: 100
    max: Option<f64>,
    /// The largest change of a walk in one step. Default: a hundredth of its range
    step: Option<f64>,
    /// How often a walk makes a step. Default: 1s
    every: Option<String>,
    /// How much a total grows in a second. Default: 1
    rate: Option<f64>,
    /// Where a counter or a total begins at 0 again. Default: never
    wrap: Option<f64>,
    /// What a constant is, or a register at first
    #[schemars(extend("type" = ["number", "boolean", "string"]))]
    value: Option<Json>,
    /// The values that come one after the other
    values: Option<Vec<Json>>,
    /// How long each of them stays, as many as there are values. Default: as `each` says
    lasts: Option<Vec<String>>,
    /// How long every one of them stays. Default: 10s
    each: Option<String>,
    /// An expression of t and other points, such as "20 + 5 * sin(t / 60)"
    formula: Option<String>,
    /// Evenly spread noise that is added, up to so much in both directions. Default: 0
    jitter: Option<f64>,
    /// Values are multiples of this; if it is a whole number, they are whole numbers
    resolution: Option<f64>,
    /// What chance is drawn from. Default: seed of the link, and another for each point
    seed: Option<u64>,
    /// Whether the point is asked for, or the device says by itself when it has changed
    by: Option<By>,
    /// What the cells of the column are. Default: auto
    #[serde(rename = "type")]
    column_type: Option<ColumnType>,
    /// What an empty cell means. Default: bad
    missing: Option<Missing>,
    /// The column with the quality of each value: good, uncertain, stale, bad, bad:timeout, ...
    quality: Option<String>,
    /// Whose fault is switched: the `name` in the options of another device. Default: this device's
    of: Option<String>,
    /// How long a fault lasts that is switched on. Default: until another one is
    #[serde(rename = "for")]
    switched_for: Option<String>,
    /// How the switch shows the fault: by its word or by its number. Default: word
    form: Option<Form>,
    /// What goes wrong with this point, and when
    #[serde(default)]
    faults: Vec<trouble::Written>,
}

/// Who begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum By {
    #[default]
    Poll,
    Push,
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ColumnType {
    // What each looks like.
    #[default]
    Auto,
    Number,
    Bool,
    Text,
}

/// What an empty cell means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Missing {
    // There was no value.
    #[default]
    Bad,
    // Nothing new: the value before stays.
    Keep,
}

/// How a switch shows the fault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Form {
    #[default]
    Word,
    Number,
}

/// What a point is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    pub(crate) what: What,
    /// How formulas and services of the device call it.
    pub(crate) name: Option<String>,
    pub(crate) by: By,
    pub(crate) faults: Vec<Trouble>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    /// A function of time and chance.
    Signal(SignalOptions),
    /// It keeps what was written to it.
    Register { value: Value },
    /// A property of a thing in a world, by name.
    Property { name: String },
    /// A column of a recording.
    Column(Column),
    /// Switches a fault on and off.
    Switch(Switch),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SignalOptions {
    pub(crate) shape: Shape,
    pub(crate) jitter: f64,
    pub(crate) resolution: Option<f64>,
    pub(crate) seed: Option<u64>,
}

/// What a signal looks like.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Wave { shape: waves::Shape, cycle: Duration, amplitude: f64, base: f64, phase: Option<f64>, wrap: Option<i64> },
    Pulse { cycle: Duration, width: Duration, amplitude: f64, base: f64, phase: Option<f64> },
    Step { after: Duration, amplitude: f64, base: f64 },
    Gaussian { base: f64, deviation: f64 },
    Walk { base: f64, min: f64, max: f64, step: f64, every: Duration },
    Total { base: f64, rate_per_s: f64, wrap: Option<f64> },
    States { values: Vec<Value>, lasts: Vec<Duration>, phase: Option<f64> },
    Constant(Value),
    Formula(Formula),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) quality: Option<String>,
    pub(crate) column_type: ColumnType,
    pub(crate) missing: Missing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Switch {
    /// The `name` of the device whose fault it is; its own if `None`.
    pub(crate) of: Option<String>,
    pub(crate) lasts: Option<Duration>,
    pub(crate) form: Form,
}

const REGISTER: &str = "register";
const SWITCH: &str = "fault";
const COLUMN: &str = "column:";

/// What stands in `at` without a world or a recording, and the keys that then have a meaning besides it.
const CHOICES: [(&str, &[&str]); 15] = [
    ("sine", &["name", "cycle", "amplitude", "base", "phase", "jitter", "resolution", "seed", "by", "faults"]),
    ("ramp", &["name", "cycle", "amplitude", "base", "phase", "jitter", "resolution", "seed", "by", "faults"]),
    ("square", &["name", "cycle", "amplitude", "base", "phase", "jitter", "resolution", "seed", "by", "faults"]),
    ("noise", &["name", "amplitude", "base", "resolution", "seed", "by", "faults"]),
    ("counter", &["name", "cycle", "wrap", "by", "faults"]),
    (REGISTER, &["name", "base", "value", "by", "faults"]),
    (
        "pulse",
        &["name", "cycle", "width", "amplitude", "base", "phase", "jitter", "resolution", "seed", "by", "faults"],
    ),
    ("step", &["name", "after", "amplitude", "base", "jitter", "resolution", "seed", "by", "faults"]),
    ("gaussian", &["name", "base", "deviation", "resolution", "seed", "by", "faults"]),
    ("walk", &["name", "base", "min", "max", "step", "every", "resolution", "seed", "by", "faults"]),
    ("total", &["name", "base", "rate", "wrap", "resolution", "by", "faults"]),
    ("states", &["name", "values", "lasts", "each", "phase", "seed", "by", "faults"]),
    ("constant", &["name", "value", "by", "faults"]),
    ("formula", &["name", "formula", "resolution", "seed", "by", "faults"]),
    (SWITCH, &["of", "for", "form"]),
];
const OF_COLUMN: &[&str] = &["type", "missing", "quality", "faults"];
const OF_PROPERTY: &[&str] = &["faults"];

impl Point {
    pub(crate) fn read(options: &Json, access: Access) -> Result<Self, Vec<Problem>> {
        let written: Written = options::parse(options).map_err(|problem| vec![problem])?;
        let mut problems = match keys(&written.at) {
            Some(keys) => strangers(options, "at", &written.at, keys),
            None => {
                let message = format!("unknown point `{}`", written.at);
                return Err(vec![Problem::key("at", message).maybe_help(nearest(&written.at))]);
            }
        };
        let (what, found) = written.what();
        problems.extend(found);
        let faults = trouble::read(&written.faults, &options["faults"], trouble::Level::Point);
        let faults = faults.unwrap_or_else(|found| {
            problems.extend(found);
            vec![]
        });
        problems.extend(written.access_problem(access));
        match what.filter(|_| problems.is_empty()) {
            Some(what) => Ok(Point { what, name: written.name, by: written.by.unwrap_or_default(), faults }),
            None => Err(problems),
        }
    }
}

impl Written {
    fn access_problem(&self, access: Access) -> Option<Problem> {
        let is_writable = [REGISTER, SWITCH].contains(&self.at.as_str())
            || properties().any(|(name, writable)| name == self.at && writable);
        let refused = access.writes() && !is_writable;
        refused.then(|| Problem::key("at", format!("`{}` cannot be written", self.at)).help("make the point read-only"))
    }
}

/// The keys that have a meaning for this point, besides `at`; `None` if there is no such point.
fn keys(at: &str) -> Option<&'static [&'static str]> {
    let choice = CHOICES.iter().find(|(name, _)| *name == at).map(|(_, keys)| *keys);
    let column = || at.strip_prefix(COLUMN).filter(|name| !name.is_empty()).map(|_| OF_COLUMN);
    choice.or_else(column).or_else(|| properties().any(|(name, _)| name == at).then_some(OF_PROPERTY))
}

/// The properties of all kinds of things, and whether they can be written.
fn properties() -> impl Iterator<Item = (&'static str, bool)> {
    Kind::ALL.into_iter().flat_map(Kind::properties).map(|about| (about.name, about.takes.is_some()))
}

/// The name that was probably meant; failing that, what there is without a world.
fn nearest(found: &str) -> Option<String> {
    let choices = || CHOICES.iter().map(|(name, _)| *name);
    did_you_mean(found, choices().chain(properties().map(|(name, _)| name)))
        .or_else(|| did_you_mean(found, choices().chain([COLUMN])))
}

#[cfg(test)]
mod tests;
