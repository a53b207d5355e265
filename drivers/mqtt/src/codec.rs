//! Messages to values: pure.

use crate::client::{Came, Heard};
use crate::config::{Mapped, Retained, Stamps};
use crate::plan::{DevicePlace, Group, Last, Listener, Topic};
use edgeway_payload::{Document, Format, Reading};
use edgeway_sdk::{Batch, Json, Quality, Timestamp, Value};
use std::hash::{DefaultHasher, Hasher};
use std::sync::atomic::Ordering::Relaxed;

/// What is known of a message beside its payload.
#[derive(Debug, Clone, Copy)]
struct Origin {
    received: Timestamp,
    age: Age,
}

/// How old the state is that a message tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    /// It was sent now.
    Live,
    /// The broker has kept it, and it was sent when we were there.
    Remembered,
    /// The broker has kept it, nobody knows since when.
    Unknown,
}

/// Where times of SenML begin; those before count from when the message was sent (RFC 8428, section 4.5.3).
const SENML_BEGIN: Timestamp = Timestamp::from_secs(1 << 28);

/// Whether a device is there, as far as it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    There,
    Gone,
    /// Nobody has said so, or not yet.
    Unknown,
}

/// Pushes what a message says of the points of its topic. What the broker has kept of a device that is gone is not told.
/// False if the payload could not be read.
pub(crate) fn read(
    topic: &Topic,
    heard: &Heard<'_>,
    now: Timestamp,
    presence: impl Fn(DevicePlace) -> Presence,
    out: &mut Batch,
) -> bool {
    let origin = Origin::of(&topic.last, heard, now);
    // An empty payload takes a retained message away, and says nothing.
    if heard.payload.is_empty() {
        return true;
    }
    let mut is_readable = true;
    for group in &topic.groups {
        is_readable &= read_group(group, heard, origin, &presence, out);
    }
    is_readable
}

fn read_group(
    group: &Group,
    heard: &Heard<'_>,
    origin: Origin,
    presence: &impl Fn(DevicePlace) -> Presence,
    out: &mut Batch,
) -> bool {
    let document = Document::parse(group.format, heard.payload, origin.counts_from());
    let mut is_readable = document.is_ok();
    for listener in &group.listeners {
        let Some(best) = listener.best(heard.came, origin.age, presence) else { continue };
        let Mapped { template, mapping, .. } = &*listener.mapped;
        let made = template.as_ref().map(|template| template.render(heard.payload));
        let before = out.len();
        let push = |reading| listener.push(origin.dated(reading, group.format), heard, origin, best, out);
        match (made, &document) {
            (Some(Ok(None)), _) => {}
            (Some(Ok(Some(text))), _) => {
                let Ok(made) = Document::parse(Format::Text, text.as_bytes(), origin.received) else { continue };
                mapping.read(&made).into_iter().for_each(push);
                mapping.explain(listener.point, &made, before, out);
            }
            (None, Ok(document)) => {
                mapping.read_all(document, push);
                mapping.explain(listener.point, document, before, out);
            }
            (Some(Err(error)), _) => {
                is_readable = false;
                out.unfit(listener.point, Quality::Bad, error.to_string(), origin.received);
            }
            (None, Err(error)) => {
                is_readable = false;
                out.unfit(listener.point, Quality::Bad, error.to_string(), origin.received);
            }
        }
    }
    is_readable
}

impl Listener {
    /// The best quality that a value without a time of its own can have; `None` if it is not told at all.
    fn best(&self, came: Came, age: Age, presence: &impl Fn(DevicePlace) -> Presence) -> Option<Quality> {
        match came {
            Came::Live => return Some(Quality::Good),
            Came::Queued => return Some(Quality::Uncertain),
            Came::Retained => {}
        }
        match (self.retained, presence(self.device), age) {
            (Retained::Ignore, ..) | (_, Presence::Gone, _) => None,
            (Retained::Good, ..) => Some(Quality::Good),
            (Retained::Auto, Presence::There, _) | (Retained::Auto, _, Age::Remembered) => Some(Quality::Good),
            (Retained::Auto | Retained::Uncertain, ..) => Some(Quality::Uncertain),
        }
    }

    fn push(&self, reading: Reading, heard: &Heard<'_>, origin: Origin, best: Quality, out: &mut Batch) {
        let reading = match &self.mapped.stamps {
            Some(stamps) => stamps.put_on(reading, heard.properties, origin.received),
            None => reading,
        };
        let quality = if reading.time.is_some() { reading.quality } else { reading.quality.max(best) };
        let time = reading.time.unwrap_or(origin.received);
        match quality {
            Quality::Good => out.good(self.point, reading.value, time),
            quality => out.push(self.point, reading.value, quality, time),
        }
    }
}

impl Stamps {
    /// The reading with the time and the quality that user properties give.
    fn put_on(&self, reading: Reading, properties: &[(String, String)], received: Timestamp) -> Reading {
        let object: Json = properties.iter().map(|(name, text)| (name.clone(), Json::from(text.as_str()))).collect();
        let document = Document::parse(Format::Json, object.to_string().as_bytes(), received).ok();
        let Some(stamp) = document.and_then(|document| self.0.read(&document)) else { return reading };
        let quality = reading.quality.max(stamp.quality);
        let value = if quality.is_bad() { Value::Null } else { reading.value };
        Reading { value, quality, time: reading.time.or(stamp.time) }
    }
}

impl Origin {
    fn of(last: &Last, heard: &Heard<'_>, now: Timestamp) -> Origin {
        let digest = digest(heard.payload);
        match (heard.came, last.at_nanos.load(Relaxed)) {
            (Came::Live, _) => {
                last.digest.store(digest, Relaxed);
                last.at_nanos.store(now.as_nanos(), Relaxed);
                Origin { received: now, age: Age::Live }
            }
            (Came::Retained, at) if at != 0 && last.digest.load(Relaxed) == digest => {
                Origin { received: Timestamp::from_nanos(at), age: Age::Remembered }
            }
            _ => Origin { received: now, age: Age::Unknown },
        }
    }

    /// What relative times count from. If nobody knows, it is so early that they can be told from others: see `dated`.
    fn counts_from(&self) -> Timestamp {
        if self.age == Age::Unknown { Timestamp::EPOCH } else { self.received }
    }

    /// A time that counts from nobody knows when is none.
    fn dated(&self, reading: Reading, format: Format) -> Reading {
        let is_relative = |time: &Timestamp| *time < SENML_BEGIN && self.age == Age::Unknown;
        match format {
            Format::SenmlJson | Format::SenmlCbor => {
                Reading { time: reading.time.filter(|time| !is_relative(time)), ..reading }
            }
            _ => reading,
        }
    }
}

fn digest(payload: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(payload);
    hasher.finish()
}

#[cfg(test)]
mod tests;
