//! `simulator = { unit = 1 }`: a device, its events and its services.

use super::trouble::{self, Level};
use super::{Point, Trouble, What, Written, beneath, duration, outside};
use edgeway_sdk::{Access, Json, Problem, options};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

const UNIT: (u64, u64) = (1, 247);
const EVENT_EVERY: Duration = Duration::from_secs(60);

/// The options of a device as they are written.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Simulated device")]
pub(crate) struct WrittenDevice {
    /// Which thing of the world it is. Signals need none
    unit: Option<u64>,
    /// What switches of faults in other devices call it
    name: Option<String>,
    /// Which rows of a recording are its own: those with this text in the column of devices
    replays: Option<String>,
    /// The events that it tells of, by their names in the model
    #[schemars(extend("x-names" = "events"))]
    events: BTreeMap<String, WrittenEvent>,
    /// What it answers when a service is called, by their names in the model
    #[schemars(extend("x-names" = "services"))]
    services: BTreeMap<String, WrittenService>,
    /// What goes wrong with the device, and when
    faults: Vec<trouble::Written>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct WrittenEvent {
    /// How often it happens, on average. Default: 1m
    every: Option<String>,
    /// What it carries: a signal for each field
    output: BTreeMap<String, Written>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct WrittenService {
    /// What it answers: a signal for each field
    output: BTreeMap<String, Written>,
    /// Registers that it sets, by their names, to these values
    sets: BTreeMap<String, Json>,
}

/// The options of a device.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct DeviceOptions {
    pub(crate) unit: Option<u8>,
    pub(crate) name: Option<String>,
    pub(crate) replays: Option<String>,
    pub(crate) events: Vec<EventOptions>,
    pub(crate) services: BTreeMap<String, ServiceOptions>,
    pub(crate) faults: Vec<Trouble>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EventOptions {
    pub(crate) name: String,
    pub(crate) every: Duration,
    pub(crate) output: Vec<(String, Point)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServiceOptions {
    pub(crate) output: Vec<(String, Point)>,
    pub(crate) sets: BTreeMap<String, Json>,
}

/// What a device is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    Signals,
    World,
    Replay,
}

impl DeviceOptions {
    /// Reads the options of a device on this kind of link.
    ///
    /// # Errors
    /// All mistakes found, or that something has no meaning there.
    pub(crate) fn read_on(link: On, options: &Json) -> Result<Self, String> {
        let device = Self::read(options).map_err(|problems| crate::driver::sentence(&problems))?;
        if link != On::Replay && device.replays.is_some() {
            return Err("`replays` needs a device on a link with `replay`".into());
        }
        if link != On::Signals && !(device.events.is_empty() && device.services.is_empty()) {
            return Err(
                "`events` and `services` need a device on a link with `world = \"waves\"`, without `replay`".into()
            );
        }
        Ok(device)
    }

    pub(crate) fn read(options: &Json) -> Result<Self, Vec<Problem>> {
        let written: WrittenDevice = options::parse(options).map_err(|problem| vec![problem])?;
        let mut problems = vec![];
        if let Some(unit) = written.unit.filter(|unit| !(UNIT.0..=UNIT.1).contains(unit)) {
            problems.push(outside("unit", unit, UNIT));
        }
        let mut noted = |key: String, found: Vec<Problem>| problems.extend(beneath(&key, found));
        let mut events = vec![];
        for (name, event) in &written.events {
            let key = format!("events.{name}");
            let mut found = vec![];
            let every = duration("every", event.every.as_deref(), EVENT_EVERY, &mut found);
            let output = outputs(&options["events"][name]["output"], &mut found);
            noted(key, found);
            events.push(EventOptions { name: name.clone(), every, output });
        }
        let mut services = BTreeMap::new();
        for (name, service) in written.services {
            let mut found = vec![];
            let output = outputs(&options["services"][&name]["output"], &mut found);
            noted(format!("services.{name}"), found);
            services.insert(name, ServiceOptions { output, sets: service.sets });
        }
        let faults = trouble::read(&written.faults, &options["faults"], Level::Device).unwrap_or_else(|found| {
            problems.extend(found);
            vec![]
        });
        let unit = written.unit.and_then(|unit| u8::try_from(unit).ok());
        let device = DeviceOptions { unit, name: written.name, replays: written.replays, events, services, faults };
        if problems.is_empty() { Ok(device) } else { Err(problems) }
    }
}

/// The fields of an event or an answer, each a signal.
fn outputs(table: &Json, problems: &mut Vec<Problem>) -> Vec<(String, Point)> {
    let mut outputs = vec![];
    for (name, options) in table.as_object().into_iter().flatten() {
        let key = format!("output.{name}");
        match Point::read(options, Access::Read) {
            Ok(point) if matches!(point.what, What::Signal(_)) => {
                let of_points = ["name", "by", "faults"].into_iter().filter(|key| options.get(key).is_some());
                problems.extend(of_points.map(|of_points| {
                    Problem::key(format!("{key}.{of_points}"), format!("`{of_points}` is for points"))
                        .help("leave it out")
                }));
                outputs.push((name.clone(), point));
            }
            Ok(_) => {
                let problem = Problem::key(format!("{key}.at"), "only a signal can be carried along");
                problems.push(problem.help("such as at = \"constant\", \"states\" or \"formula\""));
            }
            Err(found) => problems.extend(beneath(&key, found)),
        }
    }
    outputs
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(options: Json) -> Vec<String> {
        DeviceOptions::read(&options).expect_err("wrong").iter().map(Problem::to_string).collect()
    }

    #[test]
    fn a_device_names_its_limits() {
        assert_eq!(problems(json!({"unit": 300})), ["`unit`: 300 is out of range (1 to 247)"]);
        assert_eq!(DeviceOptions::read(&json!({})), Ok(DeviceOptions::default()));
    }

    #[test]
    fn mistakes_within_events_and_services_keep_their_place() {
        let found = problems(json!({
            "events": {"alarm": {"every": "0s", "output": {"code": {"at": "stats"}}}},
            "services": {"stop": {"output": {"done": {"at": "register"}, "why": {"at": "sine", "by": "push"}}}},
            "faults": [{"kind": "link-loss"}],
        }));
        let expected = [
            "`events.alarm.every`: `0s` is not a duration above 0 (write \"250ms\", \"1s\" or \"5m\")",
            "`events.alarm.output.code.at`: unknown point `stats` (did you mean `states`?)",
            "`services.stop.output.done.at`: only a signal can be carried along (such as at = \"constant\", \"states\" or \
             \"formula\")",
            "`services.stop.output.why.by`: `by` is for points (leave it out)",
            "`faults[0].kind`: `link-loss` cannot befall a device alone (put it into the `faults` of the link)",
        ];
        assert_eq!(found, expected);
    }
}
