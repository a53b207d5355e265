//! `faults = [{ kind = "offline", at = "30s", for = "10s" }]`: what goes wrong, and when.

use super::{beneath, duration, strangers, within};
use edgeway_sdk::{Json, Problem, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

const SLOW_BY: Duration = Duration::from_secs(1);
const SPIKE_SIZE: f64 = 1000.0;
const SPIKE_CHANCE: f64 = 0.1;

/// One fault as it is written.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Fault")]
pub(crate) struct Written {
    /// What goes wrong
    kind: Kind,
    /// When, by the link's time since it was opened. Default: at once
    at: Option<String>,
    /// How long. Default: for ever
    #[serde(rename = "for")]
    lasts: Option<String>,
    /// After how long it happens again. Default: never
    every: Option<String>,
    /// How much later slow devices answer, default 1s; how long offline ones are waited for, default 0s
    delay: Option<String>,
    /// What a spike adds to the value. Default: 1000
    size: Option<f64>,
    /// How probable a spike is at each reading, 0 to 1. Default: 0.1
    chance: Option<f64>,
    /// What is read instead of the value, for `value`
    #[schemars(extend("type" = ["number", "boolean", "string"]))]
    value: Option<Json>,
}

/// What can go wrong; the order is that of the numbers that a switch takes, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Offline,
    Slow,
    Busy,
    Refused,
    Stuck,
    Spike,
    Nan,
    Value,
    Bad,
    Uncertain,
    LinkLoss,
}

impl Kind {
    pub(crate) const ALL: [(&'static str, Kind); 11] = [
        ("offline", Kind::Offline),
        ("slow", Kind::Slow),
        ("busy", Kind::Busy),
        ("refused", Kind::Refused),
        ("stuck", Kind::Stuck),
        ("spike", Kind::Spike),
        ("nan", Kind::Nan),
        ("value", Kind::Value),
        ("bad", Kind::Bad),
        ("uncertain", Kind::Uncertain),
        ("link-loss", Kind::LinkLoss),
    ];

    pub(crate) fn word(self) -> &'static str {
        Kind::ALL[self as usize].0
    }

    /// The keys that have a meaning for it, in the order in which they are offered.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Kind::Offline | Kind::Slow => &["at", "for", "every", "delay"],
            Kind::Spike => &["at", "for", "every", "size", "chance"],
            Kind::Value => &["at", "for", "every", "value"],
            _ => &["at", "for", "every"],
        }
    }

    /// Whether it can befall one point alone.
    fn is_of_points(self) -> bool {
        !matches!(self, Kind::Offline | Kind::Slow | Kind::Busy | Kind::LinkLoss)
    }
}

/// What is faulty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Link,
    Device,
    Point,
}

/// A fault, and when it is there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trouble {
    pub(crate) effect: Effect,
    pub(crate) at: Duration,
    pub(crate) lasts: Option<Duration>,
    pub(crate) every: Option<Duration>,
}

/// What a fault does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// No answer, after this long.
    Offline(Duration),
    /// The answer comes this much later.
    Slow(Duration),
    Busy,
    Refused,
    /// The value that was read first stays.
    Stuck,
    /// Now and then the value is this much higher.
    Spike {
        size: f64,
        chance: f64,
    },
    Nan,
    /// Always this value.
    Value(Value),
    Bad,
    Uncertain,
    LinkLoss,
}

impl Effect {
    /// Of a fault that is switched on without further options.
    pub(crate) fn usual(kind: Kind) -> Self {
        match kind {
            Kind::Offline => Effect::Offline(Duration::ZERO),
            Kind::Slow => Effect::Slow(SLOW_BY),
            Kind::Busy => Effect::Busy,
            Kind::Refused => Effect::Refused,
            Kind::Stuck => Effect::Stuck,
            Kind::Spike => Effect::Spike { size: SPIKE_SIZE, chance: SPIKE_CHANCE },
            Kind::Nan => Effect::Nan,
            Kind::Value => Effect::Value(Value::Int(0)),
            Kind::Bad => Effect::Bad,
            Kind::Uncertain => Effect::Uncertain,
            Kind::LinkLoss => Effect::LinkLoss,
        }
    }
}

impl Trouble {
    /// Whether it is there after the link's time has run for this long.
    pub(crate) fn is_on(&self, passed: Duration) -> bool {
        let Some(since) = passed.checked_sub(self.at) else { return false };
        let since = match self.every {
            Some(every) => Duration::from_nanos((since.as_nanos() % every.as_nanos()) as u64),
            None => since,
        };
        self.lasts.is_none_or(|lasts| since < lasts)
    }
}

/// Reads a list of faults; `options` is the same list, for the keys that were really written.
///
/// # Errors
/// All mistakes found, each with its place in `faults`.
pub(super) fn read(faults: &[Written], options: &Json, level: Level) -> Result<Vec<Trouble>, Vec<Problem>> {
    let mut problems = vec![];
    let mut troubles = vec![];
    for (at, fault) in faults.iter().enumerate() {
        let mut found = fault.problems(&options[at], level);
        troubles.push(fault.trouble(&mut found));
        problems.extend(beneath(&format!("faults[{at}]"), found));
    }
    if problems.is_empty() { Ok(troubles) } else { Err(problems) }
}

impl Written {
    fn problems(&self, options: &Json, level: Level) -> Vec<Problem> {
        let mut problems = strangers(options, "kind", self.kind.word(), self.kind.keys());
        let misplaced = match level {
            Level::Link => None,
            Level::Device if self.kind == Kind::LinkLoss => Some("put it into the `faults` of the link"),
            Level::Point if !self.kind.is_of_points() => Some("put it into the `faults` of the device"),
            Level::Device | Level::Point => None,
        };
        problems.extend(misplaced.map(|help| {
            let what = if level == Level::Device { "device" } else { "point" };
            Problem::key("kind", format!("`{}` cannot befall a {what} alone", self.kind.word())).help(help)
        }));
        if self.kind == Kind::Value && self.value.is_none() {
            problems.push(Problem::key("value", "`value` is missing").help("what is read instead, value = 9999"));
        }
        if let Some(chance) = self.chance {
            within("chance", chance, (0.0, 1.0), &mut problems);
        }
        problems
    }

    fn trouble(&self, problems: &mut Vec<Problem>) -> Trouble {
        let mut maybe = |key: &str, text: &Option<String>| {
            text.as_deref().map(|text| duration(key, Some(text), Duration::from_secs(1), problems))
        };
        let at = maybe("at", &self.at.clone().filter(|text| text != "0s")).unwrap_or_default();
        let (lasts, every) = (maybe("for", &self.lasts), maybe("every", &self.every));
        let delay = maybe("delay", &self.delay);
        if let Some((lasts, every)) = lasts.zip(every).filter(|(lasts, every)| lasts >= every) {
            let message = format!("it lasts {lasts:?}, so it would not end before it begins again after {every:?}");
            problems.push(Problem::key("every", message).help("`every` must be longer than `for`"));
        }
        if self.every.is_some() && self.lasts.is_none() {
            problems.push(Problem::key("every", "a fault that never ends cannot begin again").help("add `for`"));
        }
        Trouble { effect: self.effect(delay), at, lasts, every }
    }

    fn effect(&self, delay: Option<Duration>) -> Effect {
        match Effect::usual(self.kind) {
            Effect::Offline(usual) => Effect::Offline(delay.unwrap_or(usual)),
            Effect::Slow(usual) => Effect::Slow(delay.unwrap_or(usual)),
            Effect::Spike { size, chance } => {
                Effect::Spike { size: self.size.unwrap_or(size), chance: self.chance.unwrap_or(chance) }
            }
            Effect::Value(_) => Effect::Value(self.value.as_ref().map(Value::from_json).unwrap_or_default()),
            usual => usual,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read_at(level: Level, faults: Json) -> Result<Vec<Trouble>, Vec<String>> {
        let written: Vec<Written> = serde_json::from_value(faults.clone()).expect("well-formed");
        read(&written, &faults, level).map_err(|problems| problems.iter().map(Problem::to_string).collect())
    }

    #[test]
    fn a_fault_comes_goes_and_comes_again() {
        let faults = json!([{"kind": "busy", "at": "30s", "for": "10s", "every": "60s"}]);
        let trouble = &read_at(Level::Device, faults).expect("valid")[0];
        let on: Vec<u64> = (0..160).filter(|second| trouble.is_on(Duration::from_secs(*second))).collect();
        assert_eq!(on, (30..40).chain(90..100).chain(150..160).collect::<Vec<u64>>());
    }

    #[test]
    fn a_fault_without_times_is_there_from_the_start_for_ever() {
        let trouble = &read_at(Level::Point, json!([{"kind": "nan", "at": "0s"}])).expect("valid")[0];
        assert!(trouble.is_on(Duration::ZERO) && trouble.is_on(Duration::from_secs(1 << 40)));
    }

    #[test]
    fn every_kind_is_at_the_place_of_its_number() {
        for (at, (word, kind)) in Kind::ALL.into_iter().enumerate() {
            assert_eq!((kind as usize, kind.word()), (at, word));
            assert_eq!(serde_json::to_value(kind).expect("a word"), word);
        }
    }

    #[test]
    fn mistakes_of_faults_say_what_would_be_right() {
        let found = read_at(
            Level::Point,
            json!([
                {"kind": "offline"},
                {"kind": "value"},
                {"kind": "spike", "chance": 2.0, "for": "2m", "every": "1m"},
                {"kind": "bad", "every": "1m"}
            ]),
        );
        let expected = [
            "`faults[0].kind`: `offline` cannot befall a point alone (put it into the `faults` of the device)",
            "`faults[1].value`: `value` is missing (what is read instead, value = 9999)",
            "`faults[2].chance`: 2 is out of range (0 to 1)",
            "`faults[2].every`: it lasts 120s, so it would not end before it begins again after 60s (`every` must be \
             longer than `for`)",
            "`faults[3].every`: a fault that never ends cannot begin again (add `for`)",
        ];
        assert_eq!(found, Err(expected.map(str::to_owned).to_vec()));
        let found = read_at(Level::Device, json!([{"kind": "link-loss"}]));
        let expected =
            "`faults[0].kind`: `link-loss` cannot befall a device alone (put it into the `faults` of the link)";
        assert_eq!(found, Err(vec![expected.to_owned()]));
    }
}
