//! Values that are not read again turn stale, and keep the time when they were measured.

use super::changes::Overdue;
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

    /// Notes what was read, whether it is reported or not.
    pub(super) fn note(&mut self, device: DeviceIx, read: &Observation, now: Instant) {
        let seen = self.devices.get_mut(&device).and_then(|properties| properties.get_mut(&read.property));
        if let Some(seen) = seen {
            seen.last = Some(read.clone());
            seen.read_at = now;
        }
    }

    /// The value of a property that was read last, if it was good and is not stale.
    pub(super) fn last_good(&self, device: DeviceIx, property: PropertyIx) -> Option<&Value> {
        let last = self.devices.get(&device)?.get(&property)?.last.as_ref()?;
        last.quality.is_good().then_some(&last.value)
    }

    /// Reports of what was read since it was told last, as it was read last: one for each device.
    pub(super) fn again(&self, overdue: &[Overdue], time: Timestamp) -> Vec<Message> {
        let read_since = |overdue: &Overdue| {
            let seen = self.devices.get(&overdue.device)?.get(&overdue.property)?;
            seen.last.clone().filter(|_| seen.read_at > overdue.told_at)
        };
        let of_device =
            |group: &[Overdue]| report(group[0].device, group.iter().filter_map(read_since).collect(), time);
        overdue.chunk_by(|a, b| a.device == b.device).filter_map(of_device).collect()
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
        ageing.note(DEVICE, &observation, start);
        assert!(ageing.stale(start + LIMIT, Timestamp::EPOCH).is_empty());
        let stale = ageing.stale(start + LIMIT * 2, Timestamp::from_secs(106));
        let [message] = stale.as_slice() else { panic!("one report") };
        let [value] = values(message) else { panic!("one value") };
        assert_eq!((value.quality, value.source_time, &value.value), (Quality::Stale, measured, &Value::Int(7)));
        assert!(ageing.stale(start + LIMIT * 3, Timestamp::EPOCH).is_empty(), "reported once");
    }

    #[test]
    fn what_was_read_since_it_was_told_is_told_again_and_what_was_not_is_not() {
        let start = Instant::now();
        let mut ageing = Ageing::new([0, 1].map(|property| (DEVICE, PropertyIx(property), LIMIT)), start);
        let read = |property, value: i64| Observation {
            property: PropertyIx(property),
            value: value.into(),
            quality: Quality::Good,
            source_time: Timestamp::from_secs(value),
        };
        ageing.note(DEVICE, &read(0, 7), start + LIMIT);
        ageing.note(DEVICE, &read(1, 8), start);
        let overdue = [0, 1].map(|property| Overdue { device: DEVICE, property: PropertyIx(property), told_at: start });
        let again = ageing.again(&overdue, Timestamp::EPOCH);
        let [message] = again.as_slice() else { panic!("one report, not {again:?}") };
        assert_eq!(values(message), [read(0, 7)], "as it was read, with its time");
    }

    #[test]
    fn a_property_that_was_never_read_is_reported_bad_once() {
        let mut ageing = Ageing::new([(DEVICE, PropertyIx(0), LIMIT)], Instant::now());
        let message = ageing.never_read(DEVICE, Timestamp::EPOCH).expect("unread");
        assert_eq!(values(&message)[0].quality, Quality::BadNotConnected);
        assert_eq!(ageing.never_read(DEVICE, Timestamp::EPOCH), None);
    }
}
