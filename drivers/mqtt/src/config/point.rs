//! A point's options.

use super::pattern;
use crate::home_assistant::Template;
use crate::topic::{DEVICE, Pattern};
use edgeway_payload::{Format, Kind, Mapping, Order, TimeUnit};
use edgeway_sdk::{Access, Json, Problem, options};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A point's options, checked.
#[derive(Debug, Clone)]
pub(crate) enum Point {
    /// A value in the messages of a topic.
    Mapped(Arc<Mapped>),
    /// A metric of Sparkplug B, by its name.
    Metric(Arc<str>),
}

/// A value in the messages of a topic.
#[derive(Debug)]
pub(crate) struct Mapped {
    pub(crate) topic: Pattern,
    pub(crate) set: Pattern,
    pub(crate) get: Option<Get>,
    pub(crate) confirm: Confirm,
    /// What makes a text of the payload, out of which the value is read.
    pub(crate) template: Option<Template>,
    pub(crate) mapping: Mapping,
    pub(crate) stamps: Option<Stamps>,
}

/// How the present value is asked for.
#[derive(Debug)]
pub(crate) struct Get {
    pub(crate) topic: Pattern,
    pub(crate) payload: String,
}

/// What confirms a write.
#[derive(serde::Deserialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Confirm {
    /// The next state that the device tells is the value read back
    State,
    /// The broker has taken the message
    Publish,
}

/// Why a state does not confirm a write to its own topic.
pub(crate) const OWN_ECHO: &str = "is the topic of the states, so what is written would come back and confirm itself";

/// Which user properties say more of a value. They are read as if they stood in a JSON object.
#[derive(Debug)]
pub(crate) struct Stamps(pub(crate) Mapping);

/// A point's options, as written.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "MQTT point")]
pub(crate) struct Written {
    /// Where in the payload: a path (`$.a.b[0]`, of which `$.` may be left out), the name of a SenML record, or a byte. Default: all of it
    at: Option<String>,
    /// How the payload is to be read
    #[serde(default)]
    format: Format,
    /// What is taken from there
    #[serde(default, rename = "type")]
    kind: Kind,
    /// The order of bytes, in binary. Default: big
    order: Option<Order>,
    /// Of text and bytes in binary, in bytes. Default: to the end
    length: Option<u32>,
    /// The device's words and the values that they stand for
    #[serde(default)]
    map: BTreeMap<String, Json>,
    /// The path of the source time in the payload
    time: Option<String>,
    /// How the source time is written
    #[serde(default)]
    time_unit: TimeUnit,
    /// The path of a quality in the payload
    quality: Option<String>,
    /// What is written, with `{value}` for the value. Default: what `at` and the format say
    payload: Option<String>,
    /// A Jinja template that makes a text of `value` or `value_json`, as Home Assistant has it; with `format = "text"`
    template: Option<String>,
    /// The topic of the messages. Default: `{topic}`, the device's
    topic: Option<String>,
    /// The topic to write to. Default: `{topic}/set`
    set: Option<String>,
    /// How the present value is asked for after connecting
    get: Option<WrittenGet>,
    /// What confirms a write. Default: `state`, of a point that is never read `publish`
    confirm: Option<Confirm>,
    /// The MQTT 5 user property that holds the source time
    time_property: Option<String>,
    /// The MQTT 5 user property that holds the quality
    quality_property: Option<String>,
    /// The name of a metric of Sparkplug B, instead of all the others
    metric: Option<String>,
}

/// How the present value is asked for, as written.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenGet {
    /// Where to ask. Default: `{topic}/get`
    topic: Option<String>,
    /// What to ask
    #[serde(default)]
    payload: String,
}

impl Point {
    /// Reads a point's table.
    ///
    /// # Errors
    /// All mistakes found.
    pub(crate) fn parse(options: &Json, access: Access) -> Result<Self, Vec<Problem>> {
        let mut written: Written = options::parse(options).map_err(|problem| vec![problem])?;
        match written.metric.take() {
            Some(metric) => metric_of(metric, options),
            None => written.mapped(access).map(|mapped| Point::Mapped(Arc::new(mapped))),
        }
    }
}

fn metric_of(metric: String, options: &Json) -> Result<Point, Vec<Problem>> {
    let others = options.as_object().into_iter().flatten().map(|(key, _)| key).filter(|key| *key != "metric");
    let mut problems: Vec<Problem> = others
        .map(|key| Problem::key(key, "Sparkplug B says that itself").help("leave it out beside `metric`"))
        .collect();
    if metric.is_empty() {
        problems.push(Problem::key("metric", "a metric has a name"));
    }
    if problems.is_empty() { Ok(Point::Metric(metric.into())) } else { Err(problems) }
}

impl Written {
    fn mapped(self, access: Access) -> Result<Mapped, Vec<Problem>> {
        let mut problems = vec![];
        let mapping = Mapping::new(&self.mapping(), access, &mut problems);
        let topic = pattern("topic", self.topic.as_deref().unwrap_or(DEVICE), &mut problems);
        let set = pattern("set", self.set.as_deref().unwrap_or("{topic}/set"), &mut problems);
        let get = self.get.as_ref().map(|get| get.checked(&mut problems));
        let stamps = self.stamps(&mut problems);
        let template = self.template(&mut problems);
        self.check_access(access, &mut problems);
        match (mapping, topic, set) {
            (Some(mapping), Some(topic), Some(set)) if problems.is_empty() => Ok(Mapped {
                topic,
                set,
                get: get.flatten(),
                confirm: self.confirm.unwrap_or(if access.reads() { Confirm::State } else { Confirm::Publish }),
                template,
                mapping,
                stamps,
            }),
            _ => Err(problems),
        }
    }

    fn mapping(&self) -> edgeway_payload::Options {
        edgeway_payload::Options {
            at: self.at.clone(),
            format: self.format,
            kind: self.kind,
            order: self.order,
            length: self.length,
            map: self.map.clone(),
            time: self.time.clone(),
            time_unit: if self.time_property.is_some() { TimeUnit::default() } else { self.time_unit },
            quality: self.quality.clone(),
            payload: self.payload.clone(),
        }
    }

    fn template(&self, problems: &mut Vec<Problem>) -> Option<Template> {
        let text = self.template.as_ref()?;
        if self.format != Format::Text {
            problems.push(Problem::key("template", "what a template makes is a text").help("set `format = \"text\"`"));
        }
        Template::parse(text).map_err(|wrong| problems.push(Problem::key("template", wrong))).ok()
    }

    fn stamps(&self, problems: &mut Vec<Problem>) -> Option<Stamps> {
        if self.time_property.is_none() && self.quality_property.is_none() {
            return None;
        }
        let path = |name: &String| format!("$['{}']", name.replace('\\', r"\\").replace('\'', r"\'"));
        let options = edgeway_payload::Options {
            time: self.time_property.as_ref().map(path),
            time_unit: if self.time_property.is_some() { self.time_unit } else { TimeUnit::default() },
            quality: self.quality_property.as_ref().map(path),
            ..edgeway_payload::Options::default()
        };
        Mapping::new(&options, Access::Read, problems).map(Stamps)
    }

    fn check_access(&self, access: Access, problems: &mut Vec<Problem>) {
        let written = [("set", self.set.is_some()), ("confirm", self.confirm.is_some())];
        for (key, _) in written.iter().filter(|(_, is_given)| *is_given && !access.writes()) {
            problems.push(Problem::key(*key, "the point is not written").help("set `write = true`, or leave it out"));
        }
        let read = [("get", self.get.is_some()), ("confirm", self.confirm == Some(Confirm::State))];
        for (key, _) in read.iter().filter(|(_, is_given)| *is_given && !access.reads()) {
            problems.push(Problem::key(*key, "the point is never read").help("leave it out"));
        }
        let topics = [self.topic.as_deref().unwrap_or(DEVICE), self.set.as_deref().unwrap_or("{topic}/set")];
        if access == Access::ReadWrite && self.confirm != Some(Confirm::Publish) && topics[0] == topics[1] {
            problems.push(Problem::key("set", OWN_ECHO).help("set `confirm = \"publish\"`"));
        }
        if self.time.is_some() && self.time_property.is_some() {
            problems.push(
                Problem::key("time_property", "the time is in the payload already").help("`time` or `time_property`"),
            );
        }
        if self.quality.is_some() && self.quality_property.is_some() {
            problems.push(
                Problem::key("quality_property", "the quality is in the payload already")
                    .help("`quality` or `quality_property`"),
            );
        }
    }
}

impl WrittenGet {
    fn checked(&self, problems: &mut Vec<Problem>) -> Option<Get> {
        let topic = pattern("get.topic", self.topic.as_deref().unwrap_or("{topic}/get"), problems)?;
        Some(Get { topic, payload: self.payload.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(options: Json, access: Access) -> Vec<String> {
        Point::parse(&options, access).expect_err("wrong").iter().map(Problem::to_string).collect()
    }

    #[test]
    fn a_path_is_enough() {
        let Ok(Point::Mapped(point)) = Point::parse(&json!({ "at": "temperature" }), Access::ReadWrite) else {
            panic!("it is mapped")
        };
        let topics = [&point.topic, &point.set].map(|pattern| pattern.of(Some("a/b")).expect("a topic"));
        assert_eq!(topics, ["a/b", "a/b/set"]);
        assert_eq!(point.confirm, Confirm::State);
    }

    #[test]
    fn what_cannot_be_is_told_with_what_would_be_right() {
        for (options, access, problem) in [
            (
                json!({ "set": "{topic}/set" }),
                Access::Read,
                "`set`: the point is not written (set `write = true`, or leave it out)",
            ),
            (json!({ "get": {} }), Access::Write, "`get`: the point is never read (leave it out)"),
            (json!({ "confirm": "state" }), Access::Write, "`confirm`: the point is never read (leave it out)"),
            (
                json!({ "topic": "a", "set": "a" }),
                Access::ReadWrite,
                "`set`: is the topic of the states, so what is written would come back and confirm itself (set `confirm = \"publish\"`)",
            ),
            (json!({ "topic": "a\0b" }), Access::Read, "`topic`: `a\\0b` has a NUL, which no topic may have"),
            (json!({ "topic": "a/#" }), Access::Read, "`topic`: `a/#` has a wildcard, which only a filter may have"),
            (
                json!({ "metric": "a", "at": "b" }),
                Access::Read,
                "`at`: Sparkplug B says that itself (leave it out beside `metric`)",
            ),
            (
                json!({ "time": "t", "time_property": "t" }),
                Access::Read,
                "`time_property`: the time is in the payload already (`time` or `time_property`)",
            ),
            (json!({ "tpic": "a" }), Access::Read, "`tpic`: unknown key `tpic` (did you mean `topic`?)"),
        ] {
            assert_eq!(problems(options, access), [problem]);
        }
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let options = json!({ "topic": "", "set": "+", "get": { "topic": "#" }, "format": "text", "at": "a", "confirm": "state" });
        let found = problems(options, Access::Read);
        let keys: Vec<&str> = found.iter().filter_map(|text| text.split('`').nth(1)).collect();
        assert_eq!(keys, ["at", "topic", "set", "get.topic", "set", "confirm"]);
    }
}
