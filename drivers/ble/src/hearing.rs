//! What comes of advertisements: values, events, who is there. No I/O; the time is an argument.

mod packets;

use crate::address::Address;
use crate::advert::Advert;
use crate::codec::bthome::{self, Event, Packet};
use crate::codec::{Beacon, Field};
use crate::config::{DeviceOptions, Place};
use crate::counters::Counters;
use crate::plan::{Target, Work, by_device};
use edgeway_payload::{Document, Format, Mapping};
use edgeway_sdk::{Batch, DeviceIx, Quality, Sink, Timestamp, Value, options::duration};
use packets::{Heard, Packets};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::time::Instant;

/// A moment, on the clock that people read and on the one that only goes forward.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    pub(crate) time: Timestamp,
    pub(crate) instant: Instant,
}

impl Now {
    pub(crate) fn read() -> Self {
        Now { time: Timestamp::now(), instant: Instant::now() }
    }
}

/// The devices that are listened to.
pub(crate) struct Hearing {
    ears: Vec<Ear>,
    /// Two devices may share one address: parts of one thing.
    by_address: HashMap<Address, Vec<usize>>,
    counters: Arc<Counters>,
}

/// One device, as far as it advertises.
struct Ear {
    device: DeviceIx,
    options: Arc<DeviceOptions>,
    targets: Vec<Target>,
    presence: Presence,
    packets: Packets,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    /// Heard then, or waited for since then.
    Near(Instant),
    /// A connected device need not advertise.
    Connected,
    Gone,
}

impl Hearing {
    pub(crate) fn new(work: &Work, counters: Arc<Counters>, now: Now) -> Self {
        let mut hearing = Hearing { ears: vec![], by_address: HashMap::new(), counters };
        for (device, targets) in by_device(&work.heard) {
            let options = work.devices[&device].clone();
            hearing.by_address.entry(options.address).or_default().push(hearing.ears.len());
            let presence = Presence::Near(now.instant);
            hearing.ears.push(Ear { device, options, targets, presence, packets: Packets::default() });
        }
        hearing
    }

    /// Tells what an advertisement says.
    pub(crate) fn hear(&mut self, address: Address, advert: &Advert, now: Now, sink: &dyn Sink) {
        for &at in self.by_address.get(&address).into_iter().flatten() {
            let ear = &mut self.ears[at];
            if ear.presence != Presence::Connected {
                ear.is_near(now, sink);
            }
            let mut telling = Telling { now, batch: Batch::default(), sink, counters: &self.counters };
            ear.hear(advert, &mut telling);
            if !telling.batch.is_empty() {
                sink.data(telling.batch);
            }
        }
    }

    pub(crate) fn set_connected(&mut self, address: Address, is_connected: IsConnected, now: Now, sink: &dyn Sink) {
        for &at in self.by_address.get(&address).into_iter().flatten() {
            let ear = &mut self.ears[at];
            ear.is_near(now, sink);
            if is_connected == IsConnected::Yes {
                ear.presence = Presence::Connected;
            }
        }
    }

    /// Tells who has not been heard for too long.
    pub(crate) fn look_for_silence(&mut self, now: Now, sink: &dyn Sink) {
        for ear in &mut self.ears {
            let Presence::Near(since) = ear.presence else { continue };
            let patience = ear.options.gone_after;
            if now.instant.saturating_duration_since(since) > patience {
                ear.presence = Presence::Gone;
                let reason = format!("no advertisement for {} (`gone_after`)", duration::show(patience));
                sink.online(ear.device, Some(&reason));
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IsConnected {
    Yes,
    No,
}

impl Ear {
    fn is_near(&mut self, now: Now, sink: &dyn Sink) {
        if self.presence == Presence::Gone {
            sink.online(self.device, None);
        }
        self.presence = Presence::Near(now.instant);
    }

    fn hear(&mut self, advert: &Advert, telling: &mut Telling<'_>) {
        for target in &self.targets {
            if let Some((value, quality)) = plain(target, advert, telling.now) {
                telling.push(target, value, quality);
            }
        }
        for beacon in Beacon::ALL {
            match beacon.find(advert) {
                Some(data) if beacon == Beacon::BtHome => self.read_bthome(data, telling),
                Some(data) => self.read(beacon, data, telling),
                None => {}
            }
        }
    }

    fn read(&mut self, beacon: Beacon, data: &[u8], telling: &mut Telling<'_>) {
        let heard = self.packets.note(beacon, data, telling.now.instant);
        if heard != Heard::New && beacon.is_numbered(data) {
            return;
        }
        match beacon.fields(data) {
            Some(fields) => self.tell(beacon, &fields, telling),
            // Eddystone has frames that are left alone.
            None if beacon == Beacon::Eddystone => {}
            None => telling.counters.malformed.add(),
        }
    }

    fn read_bthome(&mut self, data: &[u8], telling: &mut Telling<'_>) {
        let opened = match bthome::open(data, self.options.key.as_ref()) {
            Ok(opened) => opened,
            Err(bthome::Sealed::Strange) => return telling.counters.malformed.add(),
            Err(sealed) => return self.tell_unreadable(sealed, telling),
        };
        // After it was opened: what anybody could have made says nothing of what the device has sent.
        let heard = match opened.counter {
            Some(counter) => self.packets.note_sealed(counter, telling.now.instant),
            None => self.packets.note(Beacon::BtHome, data, telling.now.instant),
        };
        if heard == Heard::Old {
            return telling.counters.replayed.add();
        }
        let packet = bthome::parse(&opened.objects);
        if packet.is_cut {
            telling.counters.malformed.add();
        }
        if heard != Heard::New && (packet.is_numbered || opened.counter.is_some()) {
            return;
        }
        self.tell(Beacon::BtHome, &packet.fields, telling);
        // What somebody does once is sent several times.
        if heard != Heard::Again {
            self.tell_events(&packet, telling);
        }
    }

    fn tell(&self, beacon: Beacon, fields: &[Field], telling: &mut Telling<'_>) {
        for target in &self.targets {
            let Place::Field { beacon: wanted, name, nth } = target.point.place else { continue };
            let found = fields.iter().find(|field| wanted == beacon && field.name == name && field.nth == nth);
            if let Some(field) = found {
                telling.push(target, field.value.clone(), field.quality);
            }
        }
    }

    /// Somebody has to set another key.
    fn tell_unreadable(&self, sealed: bthome::Sealed, telling: &mut Telling<'_>) {
        telling.counters.unreadable.add();
        for target in &self.targets {
            if matches!(target.point.place, Place::Field { beacon: Beacon::BtHome, .. }) {
                telling.batch.unfit(target.ix, Quality::BadConfig, sealed.to_string(), telling.now.time);
            }
        }
    }

    fn tell_events(&self, packet: &Packet, telling: &mut Telling<'_>) {
        for event in packet.events.iter().filter(|event| event.is_one()) {
            telling.sink.event(self.device, event.name, output(event), telling.now.time);
            let place = Place::Field { beacon: Beacon::BtHome, name: event.name, nth: event.nth };
            for target in self.targets.iter().filter(|target| target.point.place == place) {
                telling.push(target, event.value(), Quality::Good);
            }
        }
    }
}

/// What one advertisement gives rise to.
struct Telling<'a> {
    now: Now,
    batch: Batch,
    sink: &'a dyn Sink,
    counters: &'a Counters,
}

impl Telling<'_> {
    fn push(&mut self, target: &Target, value: Value, quality: Quality) {
        self.batch.push(target.ix, value, quality, self.now.time);
    }
}

/// `{ "number": 1, "action": "press" }`, of a dimmer with its steps.
fn output(event: &Event) -> edgeway_sdk::Json {
    match event.steps {
        None => json!({ "number": event.nth, "action": event.action }),
        Some(steps) => json!({ "number": event.nth, "action": event.action, "steps": steps }),
    }
}

/// What an advertisement says of a point that has no format of its own.
fn plain(target: &Target, advert: &Advert, now: Now) -> Option<(Value, Quality)> {
    let number = |number: i16| (Value::Int(number.into()), Quality::Good);
    let mapped = |data| target.point.mapping.as_ref().map(|mapping| mapped(mapping, data, now.time));
    match target.point.place {
        Place::Rssi => advert.rssi.map(number),
        Place::TxPower => advert.tx_power.map(number),
        Place::Manufacturer(company) => advert.of_company(company).and_then(mapped),
        Place::Service(service) => advert.of_service(service).and_then(mapped),
        Place::Field { .. } | Place::Gatt(_) => None,
    }
}

/// What bytes say; bad if they are too few.
pub(crate) fn mapped(mapping: &Mapping, data: &[u8], time: Timestamp) -> (Value, Quality) {
    let document = Document::parse(Format::Binary, data, time).ok();
    let reading = document.and_then(|document| mapping.read(&document));
    reading.map_or((Value::Null, Quality::Bad), |reading| (reading.value, reading.quality))
}

#[cfg(test)]
mod tests;
