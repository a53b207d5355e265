//! Events for protocols that have none: a property that turns from nothing to something.

use super::ageing::Ageing;
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
    /// What a report does not hold is filled from the values known, `known`.
    pub(super) fn note(&mut self, report: &Report, known: &Ageing, received: Timestamp, out: &mut Vec<Message>) {
        if self.by_property.is_empty() {
            return;
        }
        for observation in report.values.iter().filter(|o| o.quality.is_good()) {
            let Some(watching) = self.by_property.get(&(report.device, observation.property)) else { continue };
            for &at in watching {
                let before = self.last.insert(at, observation.value.clone());
                if before.is_some_and(|before| before != observation.value) && is_something(&observation.value) {
                    out.push(event(&self.events[at], report, known, observation, received));
                }
            }
        }
    }
}

fn event(site: &EventSite, report: &Report, known: &Ageing, on: &Observation, received: Timestamp) -> Message {
    let value_of = |property: PropertyIx| match report.values.iter().find(|o| o.property == property) {
        Some(read) if read.quality.is_good() => read.value.clone(),
        Some(_) => Value::Null,
        None => known.last_good(report.device, property).cloned().unwrap_or(Value::Null),
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
    use std::time::Duration;
    use tokio::time::Instant;

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

    fn nothing_known() -> Ageing {
        Ageing::new([], Instant::now())
    }

    #[test]
    fn a_field_that_is_not_in_the_report_is_filled_with_what_was_read_last() {
        let (mut happenings, on) = setting();
        let other = PropertyIx(on.0 + 1);
        happenings.events[0].output.push(("other".into(), other));
        let read = |property, value: i64| Observation {
            property,
            value: value.into(),
            quality: Quality::Good,
            source_time: Timestamp::EPOCH,
        };
        let now = Instant::now();
        let mut known = Ageing::new([(DeviceIx(0), other, Duration::from_secs(1))], now);
        known.note(DeviceIx(0), &read(other, 42), now);
        let mut out = vec![];
        for code in [0, 7] {
            let report = Report { device: DeviceIx(0), values: vec![read(on, code)] };
            happenings.note(&report, &known, Timestamp::EPOCH, &mut out);
        }
        let [Message { body: Body::Event(event), .. }] = out.as_slice() else { panic!("one event, not {out:?}") };
        assert_eq!(event.output, [("code".into(), Value::Int(7)), ("other".into(), Value::Int(42))]);
    }

    #[test]
    fn an_event_happens_when_the_property_changes_to_something() {
        let (mut happenings, on) = setting();
        let mut events_after = |value: i64, quality| {
            let observation =
                Observation { property: on, value: Value::Int(value), quality, source_time: Timestamp::EPOCH };
            let mut out = vec![];
            let report = Report { device: DeviceIx(0), values: vec![observation] };
            happenings.note(&report, &nothing_known(), Timestamp::EPOCH, &mut out);
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
