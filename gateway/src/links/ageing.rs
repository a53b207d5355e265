//! Values that are not read again turn stale, and keep the time when they were measured.

use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_thing_models::{Body, Message, Observation, PropertyIx, Report};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

struct Seen {
    /// It is told when it changes; as long as its device is there, it is what it was.
    watched: bool,
    last: Option<Observation>,
    read_at: Instant,
    stale_after: Duration,
}

/// The last value of every property that a link reads.
pub(super) struct Ageing {
    devices: BTreeMap<DeviceIx, BTreeMap<PropertyIx, Seen>>,
}

impl Ageing {
    /// For these properties, each with the time after which its value is stale.
    pub(super) fn new(properties: impl IntoIterator<Item = (DeviceIx, PropertyIx, Duration)>, now: Instant) -> Self {
        let mut devices: BTreeMap<DeviceIx, BTreeMap<PropertyIx, Seen>> = BTreeMap::new();
        for (device, property, stale_after) in properties {
            devices
                .entry(device)
                .or_default()
                .insert(property, Seen { watched: false, last: None, read_at: now, stale_after });
        }
        Ageing { devices }
    }

    /// These properties are told when they change.
    pub(super) fn watch(&mut self, properties: impl IntoIterator<Item = (DeviceIx, PropertyIx)>) {
        for (device, property) in properties {
            let seen = self.devices.get_mut(&device).and_then(|properties| properties.get_mut(&property));
            if let Some(seen) = seen {
                seen.watched = true;
            }
        }
    }

    /// Of devices that are there, what is told when it changes does not age.
    pub(super) fn keep(&mut self, is_there: impl Fn(DeviceIx) -> bool, now: Instant) {
        for (device, properties) in &mut self.devices {
            let watched = properties.values_mut().filter(|seen| seen.watched);
            if is_there(*device) {
                watched.for_each(|seen| seen.read_at = now);
            }
        }
    }

    /// Notes what was read.
    pub(super) fn note(&mut self, report: &Report, now: Instant) {
        let Some(properties) = self.devices.get_mut(&report.device) else { return };
        for observation in &report.values {
            if let Some(seen) = properties.get_mut(&observation.property) {
                seen.last = Some(observation.clone());
                seen.read_at = now;
            }
        }
    }

    /// Reports of the values that have turned stale since the last call.
    pub(super) fn stale(&mut self, now: Instant, time: Timestamp) -> Vec<Message> {
        let turn = |seen: &mut Seen| {
            let last = seen.last.as_mut()?;
            let old =
                matches!(last.quality, Quality::Good | Quality::Uncertain) && now - seen.read_at > seen.stale_after;
            old.then(|| {
                last.quality = Quality::Stale;
                last.clone()
            })
        };
        self.reports(time, turn)
    }

    /// Reports of the properties of a device that were never read: now it is known that they cannot be.
    pub(super) fn never_read(&mut self, device: DeviceIx, time: Timestamp) -> Option<Message> {
        let properties = self.devices.get_mut(&device)?;
        let values: Vec<Observation> = properties
            .iter_mut()
            .filter(|(_, seen)| seen.last.is_none())
            .map(|(property, seen)| {
                let unread = Observation {
                    property: *property,
                    value: Value::Null,
                    quality: Quality::BadNotConnected,
                    source_time: time,
                };
                seen.last.insert(unread).clone()
            })
            .collect();
        report(device, values, time)
    }

    fn reports(&mut self, time: Timestamp, mut turn: impl FnMut(&mut Seen) -> Option<Observation>) -> Vec<Message> {
        let of_device = |(device, properties): (&DeviceIx, &mut BTreeMap<PropertyIx, Seen>)| {
            report(*device, properties.values_mut().filter_map(&mut turn).collect(), time)
        };
        self.devices.iter_mut().filter_map(of_device).collect()
    }
}

fn report(device: DeviceIx, values: Vec<Observation>, time: Timestamp) -> Option<Message> {
    (!values.is_empty()).then_some(Message { time, body: Body::Report(Report { device, values }) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: DeviceIx = DeviceIx(3);
    const LIMIT: Duration = Duration::from_secs(3);

    fn values(message: &Message) -> &[Observation] {
        match &message.body {
            Body::Report(report) => &report.values,
            other => panic!("a report, not {other:?}"),
        }
    }

    #[test]
    fn a_value_turns_stale_once_and_keeps_its_source_time() {
        let start = Instant::now();
        let mut ageing = Ageing::new([(DEVICE, PropertyIx(0), LIMIT)], start);
        let measured = Timestamp::from_secs(100);
        let observation = Observation {
            property: PropertyIx(0),
            value: Value::Int(7),
            quality: Quality::Good,
            source_time: measured,
        };
        ageing.note(&Report { device: DEVICE, values: vec![observation] }, start);
        assert!(ageing.stale(start + LIMIT, Timestamp::EPOCH).is_empty());
        let stale = ageing.stale(start + LIMIT * 2, Timestamp::from_secs(106));
        let [message] = stale.as_slice() else { panic!("one report") };
        let [value] = values(message) else { panic!("one value") };
        assert_eq!((value.quality, value.source_time, &value.value), (Quality::Stale, measured, &Value::Int(7)));
        assert!(ageing.stale(start + LIMIT * 3, Timestamp::EPOCH).is_empty(), "reported once");
    }

    #[test]
    fn a_property_that_was_never_read_is_reported_bad_once() {
        let mut ageing = Ageing::new([(DEVICE, PropertyIx(0), LIMIT)], Instant::now());
        let message = ageing.never_read(DEVICE, Timestamp::EPOCH).expect("unread");
        assert_eq!(values(&message)[0].quality, Quality::BadNotConnected);
        assert_eq!(ageing.never_read(DEVICE, Timestamp::EPOCH), None);
    }
}
