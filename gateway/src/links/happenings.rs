//! Events for protocols that have none: a property that turns from nothing to something.

use edgeway_sdk::{DeviceIx, Timestamp, Value};
use edgeway_site::EventSite;
use edgeway_thing_models::{Body, Event, Message, Observation, PropertyIx, Report};
use std::collections::{BTreeMap, HashMap};

/// Watches the properties that events are made from.
pub(super) struct Happenings {
    events: Vec<EventSite>,
    by_property: HashMap<(DeviceIx, PropertyIx), Vec<usize>>,
    last: BTreeMap<usize, Value>,
}

impl Happenings {
    /// For the events of these devices.
    pub(super) fn new(events: Vec<EventSite>) -> Self {
        let mut by_property: HashMap<_, Vec<usize>> = HashMap::new();
        for (at, event) in events.iter().enumerate() {
            by_property.entry((event.device, event.on)).or_default().push(at);
        }
        Happenings { events, by_property, last: BTreeMap::new() }
    }

    /// Events that a report makes: a good value that differs from the last good one and is not zero, false or empty.
    /// The first value after the start makes none: nobody knows whether it is new.
    pub(super) fn note(&mut self, report: &Report, received: Timestamp, out: &mut Vec<Message>) {
        if self.by_property.is_empty() {
            return;
        }
        for observation in report.values.iter().filter(|o| o.quality.is_good()) {
            let Some(watching) = self.by_property.get(&(report.device, observation.property)) else { continue };
            for &at in watching {
                let before = self.last.insert(at, observation.value.clone());
                if before.is_some_and(|before| before != observation.value) && is_something(&observation.value) {
                    out.push(event(&self.events[at], report, observation, received));
                }
            }
        }
    }
}

fn event(site: &EventSite, report: &Report, on: &Observation, received: Timestamp) -> Message {
    let value_of = |property: PropertyIx| {
        let found = report.values.iter().find(|o| o.property == property && o.quality.is_good());
        found.map_or(Value::Null, |o| o.value.clone())
    };
    let output = site.output.iter().map(|(name, property)| (name.clone(), value_of(*property))).collect();
    let event = Event { device: report.device, event: site.event, output, source_time: on.source_time };
    Message { time: received, body: Body::Event(event) }
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Text(text) => !text.is_empty(),
        other => other.as_f64() != Some(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_sdk::Quality;
    use edgeway_thing_models::{Device, Things, ready_made};

    fn setting() -> (Happenings, PropertyIx) {
        let mut things = Things::default();
        let model = ready_made().into_iter().find(|m| &*m.name == "wind-turbine").expect("shipped");
        let (on, _) = model.property("alarm_code").expect("in the model");
        let (event, _) = model.event("alarm").expect("in the model");
        let model = things.add_model(model.into());
        let device = things.add_device(Device { id: "wt".into(), model, labels: Default::default() }).expect("new");
        let site = EventSite { device, event, on, output: vec![("code".into(), on)] };
        (Happenings::new(vec![site]), on)
    }

    #[test]
    fn an_event_happens_when_the_property_changes_to_something() {
        let (mut happenings, on) = setting();
        let mut events_after = |value: i64, quality| {
            let observation =
                Observation { property: on, value: Value::Int(value), quality, source_time: Timestamp::EPOCH };
            let mut out = vec![];
            happenings.note(&Report { device: DeviceIx(0), values: vec![observation] }, Timestamp::EPOCH, &mut out);
            out.len()
        };
        let good = Quality::Good;
        assert_eq!(events_after(7, good), 0, "the first value may be old news");
        assert_eq!(events_after(7, good), 0, "nothing changed");
        assert_eq!(events_after(9, Quality::Stale), 0, "only good values count");
        assert_eq!(events_after(0, good), 0, "back to nothing");
        assert_eq!(events_after(7, good), 1);
        assert_eq!(events_after(8, good), 1);
    }
}
