//! A point's options.

use super::{Clock, Naming, NodeAddress, Watch, check_duration, noted, within};
use edgeway_sdk::{Access, Json, Problem, options};
use opcua::types::{AttributeId, DataChangeTrigger, DeadbandType, NumericRange};
use std::time::Duration;

/// A point's options, checked.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    pub(crate) at: NodeAddress,
    pub(crate) attribute: Attribute,
    /// Which entries of an array.
    pub(crate) index: NumericRange,
    /// Fields of a structure and places in an array, from the value down.
    pub(crate) path: Vec<String>,
    pub(crate) clock: Clock,
    /// Set if the point does not follow its link.
    pub(crate) watch: Option<Watch>,
    pub(crate) monitoring: Monitoring,
}

/// How a server watches a node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Monitoring {
    /// Default: the point's period.
    pub(crate) sampling: Option<Duration>,
    pub(crate) queue: u32,
    pub(crate) trigger: Trigger,
    pub(crate) deadband: Option<Deadband>,
}

/// By how much a value has to change, or the server does not tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Deadband {
    pub(crate) kind: DeadbandType,
    pub(crate) value: f64,
}

/// Which attribute of the node.
#[derive(serde::Deserialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Attribute {
    /// Its value.
    #[default]
    Value,
    /// Its name for people.
    DisplayName,
    /// What it is, in a sentence.
    Description,
    /// Its name in paths.
    BrowseName,
}

/// What makes a server tell.
#[derive(serde::Deserialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Trigger {
    /// A new status.
    Status,
    /// A new status or value.
    #[default]
    Value,
    /// A new status, value or source time.
    Timestamp,
}

/// A point's options, as written.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "OPC UA point")]
pub(crate) struct WrittenPoint {
    /// The node: `nsu=http://example.com/plc;s=Name`, `ns=2;i=7` or, in the device's namespace, `s=Name`; with `i`, `s`, `g` or `b`
    at: String,
    /// Which attribute of the node
    #[serde(default)]
    attribute: Attribute,
    /// Which entries of an array, from 0: `2`, `0:3`, or `0:1,2` of a table. A single one is not an array any more
    index: Option<String>,
    /// A part of a structure: `Position.X`, `Axes.0.Speed`
    path: Option<String>,
    /// Whose clock the value's time is from. The other one's is taken if it is missing, and that of the arrival if both are
    #[serde(default)]
    time: Clock,
    /// Whether it is told by the server or asked for. Default: the link's
    watch: Option<Watch>,
    /// How often the server looks at the node, 0s (as fast as it can) to 1h. Default: the point's `poll`
    #[serde(default, with = "options::maybe_duration")]
    #[schemars(with = "Option<String>")]
    sampling: Option<Duration>,
    /// How many values the server keeps until it tells, 1 to 10000. With 1 the newest wins. Default: 1
    #[schemars(range(min = 1, max = 10000))]
    queue: Option<i64>,
    /// What makes the server tell. Default: value
    trigger: Option<Trigger>,
    /// The server tells only if the value has changed by more than this
    deadband_absolute: Option<f64>,
    /// The same in percent of the node's EURange, 0 to 100
    deadband_percent: Option<f64>,
}

impl Attribute {
    pub(crate) fn id(self) -> u32 {
        let id = match self {
            Attribute::Value => AttributeId::Value,
            Attribute::DisplayName => AttributeId::DisplayName,
            Attribute::Description => AttributeId::Description,
            Attribute::BrowseName => AttributeId::BrowseName,
        };
        id as u32
    }
}

impl Trigger {
    pub(crate) fn of_opcua(self) -> DataChangeTrigger {
        match self {
            Trigger::Status => DataChangeTrigger::Status,
            Trigger::Value => DataChangeTrigger::StatusValue,
            Trigger::Timestamp => DataChangeTrigger::StatusValueTimestamp,
        }
    }
}

impl Point {
    /// Reads a point's table, of a device that names its nodes so.
    ///
    /// # Errors
    /// All mistakes found.
    pub(crate) fn parse(options: &Json, access: Access, of: &Naming) -> Result<Self, Vec<Problem>> {
        let written: WrittenPoint = options::parse(options).map_err(|problem| vec![problem])?;
        let problems = &mut vec![];
        let at = noted(NodeAddress::parse(&written.at, "at", of), problems);
        let index = written.index(problems);
        let path = written.path(problems);
        problems.extend(written.not_writable(access));
        let monitoring = written.monitoring(problems);
        let WrittenPoint { attribute, time: clock, watch, .. } = written;
        match at {
            Some(at) if problems.is_empty() => Ok(Point { at, attribute, index, path, clock, watch, monitoring }),
            _ => Err(std::mem::take(problems)),
        }
    }
}

impl WrittenPoint {
    fn index(&self, problems: &mut Vec<Problem>) -> NumericRange {
        let Some(text) = &self.index else { return NumericRange::None };
        match text.parse() {
            Ok(range) if !text.is_empty() => range,
            _ => {
                let problem = Problem::key("index", format!("`{text}` is not a range"));
                problems.push(problem.help("`2`, `0:3`, or `0:1,2` of a table"));
                NumericRange::None
            }
        }
    }

    fn path(&self, problems: &mut Vec<Problem>) -> Vec<String> {
        let Some(text) = &self.path else { return vec![] };
        let names: Vec<String> = text.split('.').map(str::to_owned).collect();
        if names.iter().any(String::is_empty) {
            problems.push(Problem::key("path", format!("`{text}` is not a path")).help("`Position.X`, `Axes.0.Speed`"));
        }
        names
    }

    fn not_writable(&self, access: Access) -> Option<Problem> {
        let (key, what) = match (self.attribute, &self.path) {
            (Attribute::Value, None) => return None,
            (Attribute::Value, Some(_)) => ("path", "a part of a structure"),
            _ => ("attribute", "what a node says of itself"),
        };
        let help = format!("remove `{key}`, or make the point read-only");
        access.writes().then(|| Problem::key(key, format!("{what} cannot be written")).help(help))
    }

    fn monitoring(&self, problems: &mut Vec<Problem>) -> Monitoring {
        if let Some(sampling) = self.sampling {
            check_duration(problems, "sampling", sampling, Duration::ZERO..=Duration::from_secs(3600));
        }
        let queue = within("queue", self.queue.unwrap_or(1), 1..=10_000, problems);
        let deadband = self.deadband(problems);
        self.check_monitoring(problems);
        Monitoring { sampling: self.sampling, queue, trigger: self.trigger.unwrap_or_default(), deadband }
    }

    /// An option that does nothing is a mistake.
    fn check_monitoring(&self, problems: &mut Vec<Problem>) {
        let written = [
            ("sampling", self.sampling.is_some(), false),
            ("queue", self.queue.is_some(), false),
            ("trigger", self.trigger.is_some(), true),
            ("deadband_absolute", self.deadband_absolute.is_some(), true),
            ("deadband_percent", self.deadband_percent.is_some(), true),
        ];
        for (key, _, of_value) in written.into_iter().filter(|(_, is_written, _)| *is_written) {
            if self.watch == Some(Watch::Poll) {
                let help = format!("remove `{key}`, or `watch`");
                problems.push(Problem::key(key, "the server is asked for this point and does not watch it").help(help));
            } else if of_value && self.attribute != Attribute::Value {
                let help = format!("remove `{key}`, or `attribute`");
                problems.push(Problem::key(key, "only of a value the server looks at how it changes").help(help));
            }
        }
    }

    fn deadband(&self, problems: &mut Vec<Problem>) -> Option<Deadband> {
        let (key, kind, value, most) = match (self.deadband_absolute, self.deadband_percent) {
            (None, None) => return None,
            (Some(value), None) => ("deadband_absolute", DeadbandType::Absolute, value, f64::MAX),
            (None, Some(value)) => ("deadband_percent", DeadbandType::Percent, value, 100.0),
            (Some(_), Some(_)) => {
                problems
                    .push(Problem::key("deadband_percent", "there is `deadband_absolute` already").help("remove one"));
                return None;
            }
        };
        if !(0.0..=most).contains(&value) {
            let help = if most == 100.0 { "0 to 100" } else { "0 or more" };
            problems.push(Problem::key(key, format!("{value} is out of range")).help(help));
        }
        if self.trigger == Some(Trigger::Status) {
            problems.push(
                Problem::key(key, "with `trigger = \"status\"` no value is looked at").help(format!("remove `{key}`")),
            );
        }
        Some(Deadband { kind, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(options: Json, access: Access) -> Vec<String> {
        let problems = Point::parse(&options, access, &Naming::STANDARD).expect_err("wrong");
        problems.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn every_mistake_of_a_point_is_told_at_once() {
        assert_eq!(
            problems(
                json!({ "at": "Power", "index": "3:1", "path": "a..b", "sampling": "2h", "queue": 0, "deadband_percent": 101.0 }),
                Access::ReadWrite
            ),
            [
                "`at`: `Power` is not a node id: it has none of `i=`, `s=`, `g=` and `b=` (write `nsu=http://example.com/plc;s=Name`, `ns=2;i=7` or, in the device's namespace, `s=Name`)",
                "`index`: `3:1` is not a range (`2`, `0:3`, or `0:1,2` of a table)",
                "`path`: `a..b` is not a path (`Position.X`, `Axes.0.Speed`)",
                "`path`: a part of a structure cannot be written (remove `path`, or make the point read-only)",
                "`sampling`: 7200s is out of range (0s to 3600s)",
                "`queue`: 0 is out of range (1 to 10000)",
                "`deadband_percent`: 101 is out of range (0 to 100)",
            ]
        );
    }

    #[test]
    fn names_and_descriptions_are_watched_too() {
        let options = json!({ "at": "i=1", "attribute": "description", "sampling": "1m", "queue": 2 });
        assert!(Point::parse(&options, Access::Read, &Naming::STANDARD).is_ok());
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for (options, access, problem) in [
            (
                json!({ "at": "i=1", "attribute": "description" }),
                Access::Write,
                "`attribute`: what a node says of itself cannot be written (remove `attribute`, or make the point read-only)",
            ),
            (
                json!({ "at": "i=1", "deadband_absolute": 1.0, "deadband_percent": 1.0 }),
                Access::Read,
                "`deadband_percent`: there is `deadband_absolute` already (remove one)",
            ),
            (
                json!({ "at": "i=1", "deadband_absolute": -1.0 }),
                Access::Read,
                "`deadband_absolute`: -1 is out of range (0 or more)",
            ),
            (
                json!({ "at": "i=1", "deadband_absolute": 1.0, "trigger": "status" }),
                Access::Read,
                "`deadband_absolute`: with `trigger = \"status\"` no value is looked at (remove `deadband_absolute`)",
            ),
            (
                json!({ "at": "i=1", "watch": "poll", "sampling": "1s" }),
                Access::Read,
                "`sampling`: the server is asked for this point and does not watch it (remove `sampling`, or `watch`)",
            ),
            (
                json!({ "at": "i=1", "watch": "poll", "queue": 1 }),
                Access::Read,
                "`queue`: the server is asked for this point and does not watch it (remove `queue`, or `watch`)",
            ),
            (
                json!({ "at": "i=1", "attribute": "description", "trigger": "timestamp" }),
                Access::Read,
                "`trigger`: only of a value the server looks at how it changes (remove `trigger`, or `attribute`)",
            ),
            (
                json!({ "at": "i=1", "atribute": "value" }),
                Access::Read,
                "`atribute`: unknown key `atribute` (did you mean `attribute`?)",
            ),
        ] {
            assert_eq!(problems(options, access), [problem]);
        }
    }
}
