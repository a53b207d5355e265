//! A device's options.

use super::{check_duration, pattern};
use crate::topic::{DEVICE, Pattern, topic_problem};
use edgeway_payload::Mapping;
use edgeway_sdk::{Access, Json, Place, Problem, options};
use std::collections::BTreeMap;
use std::time::Duration;

/// A device's options, checked.
#[derive(Debug, Clone, Default)]
pub(crate) struct DeviceOptions {
    pub(crate) topic: Option<String>,
    pub(crate) availability: Vec<Availability>,
    pub(crate) bridge: Option<String>,
    pub(crate) home_assistant: Option<String>,
    pub(crate) sparkplug: Option<Edge>,
    pub(crate) retained: Retained,
    pub(crate) services: BTreeMap<String, Service>,
}

/// Where a device, or what stands for it, says whether it is there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Availability {
    pub(crate) topic: Pattern,
    /// Where the word is in a payload of JSON.
    pub(crate) at: Option<Mapping>,
    pub(crate) online: String,
    pub(crate) offline: String,
}

/// An edge node of Sparkplug B, or a device behind it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Edge {
    pub(crate) group: String,
    pub(crate) node: String,
    pub(crate) device: Option<String>,
}

/// What a retained message without a time of its own is worth.
#[derive(serde::Deserialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Retained {
    /// Good if the device's availability is known, else uncertain
    #[default]
    Auto,
    /// The present value, measured now
    Good,
    /// What the device has said last, nobody knows when
    Uncertain,
    /// Nothing
    Ignore,
}

/// A service of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) topic: Pattern,
    pub(crate) payload: Option<String>,
    pub(crate) response: Option<Pattern>,
    pub(crate) correlation: Option<String>,
    pub(crate) timeout: Option<Duration>,
}

/// A device's options, as written.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "MQTT device")]
pub(crate) struct Written {
    /// The device's topic, which stands for `{topic}` in the topics of its points
    topic: Option<String>,
    /// Where it is said whether the device is there; if one says that it is not, it is gone
    #[serde(default)]
    availability: Vec<WrittenAvailability>,
    /// The base topic of the Zigbee2MQTT that the device is paired with: its availability is then known by itself
    bridge: Option<String>,
    /// The identifier of the device in Home Assistant's discovery, for browsing
    home_assistant: Option<String>,
    /// `group/node` or `group/node/device`: it speaks Sparkplug B
    sparkplug: Option<String>,
    /// What a retained message without a time of its own is worth
    #[serde(default)]
    retained: Retained,
    /// What can be called, by the names that the model has for it
    #[serde(default)]
    #[schemars(extend("x-names" = "services"))]
    services: BTreeMap<String, WrittenService>,
}

/// Where a device says whether it is there, as written.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenAvailability {
    /// The topic, mostly of a last will
    topic: String,
    /// The path of the word in a payload of JSON; a bool or a number is a word too. Default: the payload is the word
    at: Option<String>,
    /// The word for being there
    #[serde(default = "online_default")]
    online: String,
    /// The word for being gone
    #[serde(default = "offline_default")]
    offline: String,
}

fn online_default() -> String {
    "online".into()
}

fn offline_default() -> String {
    "offline".into()
}

/// A service, as written.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenService {
    /// Where the request goes
    topic: String,
    /// The request, with `{name}` for each input. Default: the inputs as a JSON object
    payload: Option<String>,
    /// Where the answer comes. Default: nobody answers, and what the broker has taken is done
    response: Option<String>,
    /// The field of request and answer by which they belong together. Default: MQTT 5 has a place for that, and with 3.1.1 the next answer is taken
    correlation: Option<String>,
    /// How long the answer may take, 50ms to 60s. Default: the link's
    #[serde(default, with = "options::maybe_duration")]
    #[schemars(with = "Option<String>")]
    timeout: Option<Duration>,
}

impl DeviceOptions {
    /// Reads a device's table.
    ///
    /// # Errors
    /// All mistakes found.
    pub(crate) fn parse(options: &Json) -> Result<Self, Vec<Problem>> {
        let written: Written = options::parse(options).map_err(|problem| vec![problem])?;
        let mut problems = vec![];
        let mut device = DeviceOptions {
            sparkplug: written.sparkplug.as_deref().and_then(|text| edge(text, &mut problems)),
            availability: availabilities(written.availability, &mut problems),
            services: services(written.services, &mut problems),
            retained: written.retained,
            ..DeviceOptions::default()
        };
        for (key, text) in [("topic", &written.topic), ("bridge", &written.bridge)] {
            let problem = text.as_deref().and_then(topic_problem);
            problems.extend(problem.map(|problem| Problem::key(key, problem)));
        }
        (device.topic, device.bridge, device.home_assistant) = (written.topic, written.bridge, written.home_assistant);
        device.check_topics(&mut problems);
        device.check_together(&mut problems);
        if problems.is_empty() { Ok(device) } else { Err(problems) }
    }

    /// Topics that need the device's.
    fn check_topics(&self, problems: &mut Vec<Problem>) {
        let availability = self.availability.iter().enumerate();
        let availability = availability.map(|(at, one)| (format!("availability[{at}].topic"), &one.topic));
        let services = self.services.iter().flat_map(|(name, service)| {
            let response = service.response.as_ref().map(|pattern| (format!("services.{name}.response"), pattern));
            [Some((format!("services.{name}.topic"), &service.topic)), response].into_iter().flatten()
        });
        for (key, pattern) in availability.chain(services) {
            if let Err(reason) = pattern.of(self.topic.as_deref()) {
                problems.push(Problem::key(key, reason).help("give `topic`, or write the topic out"));
            }
        }
    }

    fn check_together(&mut self, problems: &mut Vec<Problem>) {
        if self.bridge.is_some() && self.topic.is_none() {
            problems.push(Problem::key("topic", "a device of Zigbee2MQTT has one").help("`BRIDGE/FRIENDLY_NAME`"));
        }
        let is_mapped = self.topic.is_some() || self.bridge.is_some() || !self.availability.is_empty();
        if self.sparkplug.is_some() && is_mapped {
            let problem = Problem::key("sparkplug", "Sparkplug B has topics of its own, and says itself who is there");
            problems.push(problem.help("leave `topic`, `bridge` and `availability` out"));
        }
        if let Some(bridge) = &self.bridge {
            self.availability.extend(of_bridge(bridge));
        }
    }
}

/// What Zigbee2MQTT says of itself and, if it is set to, of each device.
fn of_bridge(bridge: &str) -> Vec<Availability> {
    let said = |topic: &str| {
        let (at, online, offline) = (place("", "state", &mut vec![]), online_default(), offline_default());
        Pattern::parse(topic).ok().map(|topic| Availability { topic, at, online, offline })
    };
    [said(&format!("{bridge}/bridge/state")), said(&format!("{DEVICE}/availability"))].into_iter().flatten().collect()
}

/// The path of a word. Anything that is wrong with it is noted.
fn place(key: &str, path: &str, problems: &mut Vec<Problem>) -> Option<Mapping> {
    let options = edgeway_payload::Options { at: Some(path.to_owned()), ..edgeway_payload::Options::default() };
    let mut wrong = vec![];
    let mapping = Mapping::new(&options, Access::Read, &mut wrong);
    problems.extend(wrong.into_iter().map(|problem| Problem { place: Place::Key(key.to_owned()), ..problem }));
    mapping
}

fn availabilities(written: Vec<WrittenAvailability>, problems: &mut Vec<Problem>) -> Vec<Availability> {
    let mut all = vec![];
    for (at, written) in written.into_iter().enumerate() {
        let topic = pattern(&format!("availability[{at}].topic"), &written.topic, problems);
        let WrittenAvailability { at: path, online, offline, .. } = written;
        let place = path.and_then(|path| place(&format!("availability[{at}].at"), &path, problems));
        if online == offline {
            let problem = Problem::key(format!("availability[{at}].offline"), "is the same word as `online`");
            problems.push(problem);
        }
        all.extend(topic.map(|topic| Availability { topic, at: place, online, offline }));
    }
    all
}

fn services(written: BTreeMap<String, WrittenService>, problems: &mut Vec<Problem>) -> BTreeMap<String, Service> {
    let mut all = BTreeMap::new();
    for (name, written) in written {
        let key = |key: &str| format!("services.{name}.{key}");
        let topic = pattern(&key("topic"), &written.topic, problems);
        let response = written.response.as_deref().and_then(|text| pattern(&key("response"), text, problems));
        if let Some(timeout) = written.timeout {
            check_duration(problems, &key("timeout"), timeout, Duration::from_millis(50)..=Duration::from_secs(60));
        }
        if written.correlation.is_some() && written.response.is_none() {
            problems.push(Problem::key(key("correlation"), "belongs to an answer").help("give `response`"));
        }
        let asked = written.correlation.as_ref().map(|field| format!("{{{field}}}"));
        if let (Some(asked), Some(payload)) = (asked, &written.payload)
            && !payload.contains(&asked)
        {
            let problem = Problem::key(key("payload"), format!("has no place for the correlation: `{asked}`"));
            problems.push(problem.help("no answer could be told from others"));
        }
        let WrittenService { payload, correlation, timeout, .. } = written;
        all.extend(topic.map(|topic| (name, Service { topic, payload, response, correlation, timeout })));
    }
    all
}

fn edge(text: &str, problems: &mut Vec<Problem>) -> Option<Edge> {
    let parts: Vec<&str> = text.split('/').collect();
    let is_fine = |part: &&str| !part.is_empty() && !part.contains(['+', '#', '\0']);
    match parts[..] {
        [group, node, ref device @ ..] if device.len() < 2 && parts.iter().all(is_fine) => Some(Edge {
            group: group.to_owned(),
            node: node.to_owned(),
            device: device.first().map(|&device| device.to_owned()),
        }),
        _ => {
            let problem = Problem::key("sparkplug", format!("`{text}` is not an edge node or a device"));
            problems.push(problem.help("`group/node` or `group/node/device`"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(options: Json) -> Vec<String> {
        DeviceOptions::parse(&options).expect_err("wrong").iter().map(Problem::to_string).collect()
    }

    #[test]
    fn a_bridge_says_who_is_there() {
        let options = json!({ "topic": "zigbee2mqtt/hall/door", "bridge": "zigbee2mqtt" });
        let device = DeviceOptions::parse(&options).expect("right");
        let topics: Vec<String> =
            device.availability.iter().map(|a| a.topic.of(device.topic.as_deref()).expect("a topic")).collect();
        assert_eq!(topics, ["zigbee2mqtt/bridge/state", "zigbee2mqtt/hall/door/availability"]);
    }

    #[test]
    fn what_cannot_be_is_told_with_what_would_be_right() {
        for (options, problem) in [
            (json!({ "topic": "a/+" }), "`topic`: `a/+` has a wildcard, which only a filter may have"),
            (json!({ "bridge": "z" }), "`topic`: a device of Zigbee2MQTT has one (`BRIDGE/FRIENDLY_NAME`)"),
            (
                json!({ "sparkplug": "group" }),
                "`sparkplug`: `group` is not an edge node or a device (`group/node` or `group/node/device`)",
            ),
            (
                json!({ "sparkplug": "g/n", "topic": "t" }),
                "`sparkplug`: Sparkplug B has topics of its own, and says itself who is there (leave `topic`, `bridge` and `availability` out)",
            ),
            (
                json!({ "availability": [{ "topic": "t", "online": "x", "offline": "x" }] }),
                "`availability[0].offline`: is the same word as `online`",
            ),
            (
                json!({ "services": { "reset": { "topic": "t", "correlation": "id" } } }),
                "`services.reset.correlation`: belongs to an answer (give `response`)",
            ),
            (
                json!({ "availability": [{ "topic": "t" }, { "topic": "{topic}/lwt" }] }),
                "`availability[1].topic`: `{topic}/lwt` needs the `topic` of the device, which has none (give `topic`, or write the topic out)",
            ),
            (
                json!({ "services": { "reset": { "topic": "t", "response": "{topic}/answer" } } }),
                "`services.reset.response`: `{topic}/answer` needs the `topic` of the device, which has none (give `topic`, or write the topic out)",
            ),
            (
                json!({ "services": { "reset": { "topic": "t", "response": "r", "correlation": "id", "payload": "{x}" } } }),
                "`services.reset.payload`: has no place for the correlation: `{id}` (no answer could be told from others)",
            ),
            (
                json!({ "services": { "reset": { "topic": "t", "respnse": "r" } } }),
                "`services.reset.respnse`: unknown key `respnse` (did you mean `response`?)",
            ),
        ] {
            assert_eq!(problems(options), [problem]);
        }
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let found = problems(json!({
            "topic": "", "sparkplug": "x",
            "availability": [{ "topic": "{name}", "at": "]" }],
            "services": { "s": { "topic": "#", "response": "+", "timeout": "1h" } },
        }));
        let keys: Vec<&str> = found.iter().filter_map(|text| text.split('`').nth(1)).collect();
        let expected = [
            "sparkplug",
            "availability[0].topic",
            "availability[0].at",
            "services.s.topic",
            "services.s.response",
            "services.s.timeout",
            "topic",
        ];
        assert_eq!(keys, expected);
    }
}
