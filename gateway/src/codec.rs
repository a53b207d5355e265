//! How messages become the journal's bytes.
//!
//! A segment begins with the [`Names`] that its numbers stand for, so it can be read after the site has changed. A
//! message is [postcard](https://postcard.jamesmunns.com/wire-format): integers as varints, no field names. Reports, nearly
//! all of the traffic, are packed further: source times are kept as differences to the first, one byte each as a rule.
//!
//! Layout of an item, version 1: one byte kind (0 report, 1 anything else), then postcard of [`PackedReport`] or
//! [`Message`].

use edgeway_journal::{Codec, Decoder};
use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_thing_models::{Body, Message, Names, Observation, PropertyIx, Report, Things, Translator};
use serde::{Deserialize, Serialize, Serializer};
use std::sync::Arc;

const REPORT: u8 = 0;
const OTHER: u8 = 1;

/// The codec of one loaded site.
pub(crate) struct MessageCodec {
    things: Arc<Things>,
    preamble: Vec<u8>,
}

impl MessageCodec {
    pub(crate) fn new(things: Arc<Things>) -> Self {
        let preamble = postcard::to_stdvec(&Names::of(&things)).expect("names serialise to memory");
        MessageCodec { things, preamble }
    }
}

/// The names at the head of a segment; `None` if they were not written by this version.
pub(crate) fn names(preamble: &[u8]) -> Option<Names> {
    postcard::from_bytes(preamble).ok()
}

impl Codec for MessageCodec {
    type Item = Message;

    fn preamble(&self) -> Vec<u8> {
        self.preamble.clone()
    }

    fn encode(&self, message: &Message, out: &mut Vec<u8>) {
        let done = match &message.body {
            Body::Report(report) => {
                out.push(REPORT);
                postcard::to_io(&PackedReport::of(message.time, report), &mut *out).map(drop)
            }
            _ => {
                out.push(OTHER);
                postcard::to_io(message, &mut *out).map(drop)
            }
        };
        done.expect("messages serialise to memory");
    }

    fn decoder(&self, preamble: &[u8]) -> Result<Box<dyn Decoder<Message>>, String> {
        let names = names(preamble).ok_or("the names at the head of the segment cannot be read")?;
        Ok(Box::new(MessageDecoder(Translator::new(&names, &self.things))))
    }
}

struct MessageDecoder(Translator);

impl Decoder<Message> for MessageDecoder {
    fn decode(&self, bytes: &[u8]) -> Option<Message> {
        let (kind, rest) = bytes.split_first()?;
        let message = match *kind {
            REPORT => postcard::from_bytes::<UnpackedReport>(rest).ok()?.message()?,
            OTHER => postcard::from_bytes(rest).ok()?,
            _ => return None,
        };
        self.0.translate(message)
    }
}

/// A report for writing: borrowed, with source times as differences.
#[derive(Serialize)]
struct PackedReport<'a> {
    time: Timestamp,
    device: DeviceIx,
    first_source_time: Timestamp,
    #[serde(serialize_with = "packed_values")]
    values: &'a [Observation],
}

impl<'a> PackedReport<'a> {
    fn of(time: Timestamp, report: &'a Report) -> Self {
        let first_source_time = report.values.first().map_or(time, |first| first.source_time);
        PackedReport { time, device: report.device, first_source_time, values: &report.values }
    }
}

fn packed_values<S: Serializer>(values: &&[Observation], serializer: S) -> Result<S::Ok, S::Error> {
    let first = values.first().map_or(0, |first| first.source_time.as_nanos());
    serializer.collect_seq(
        values.iter().map(|o| (o.property, &o.value, o.quality, o.source_time.as_nanos().wrapping_sub(first))),
    )
}

/// The same for reading.
#[derive(Deserialize)]
struct UnpackedReport {
    time: Timestamp,
    device: DeviceIx,
    first_source_time: Timestamp,
    values: Vec<(PropertyIx, Value, Quality, i64)>,
}

impl UnpackedReport {
    fn message(self) -> Option<Message> {
        let first = self.first_source_time.as_nanos();
        let values = self.values.into_iter().map(|(property, value, quality, difference)| Observation {
            property,
            value,
            quality,
            source_time: Timestamp::from_nanos(first.wrapping_add(difference)),
        });
        let values: Vec<Observation> = values.collect();
        (!values.is_empty())
            .then_some(Message { time: self.time, body: Body::Report(Report { device: self.device, values }) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_thing_models::{Device, ready_made};

    fn things() -> Arc<Things> {
        let mut things = Things::default();
        let model = ready_made().into_iter().find(|m| &*m.name == "wind-turbine").expect("shipped");
        let model = things.add_model(Arc::new(model));
        things.add_device(Device { id: "wt-01".into(), model, labels: Default::default() });
        Arc::new(things)
    }

    fn report() -> Message {
        let at = Timestamp::from_millis(1_800_000_000_123);
        let observation = |property, value, quality, source_time| Observation { property, value, quality, source_time };
        let values = vec![
            observation(PropertyIx(0), Value::Float(7.25), Quality::Good, at),
            observation(PropertyIx(3), Value::Null, Quality::BadTimeout, at - std::time::Duration::from_secs(5)),
        ];
        Message { time: at, body: Body::Report(Report { device: DeviceIx(0), values }) }
    }

    #[test]
    fn a_message_comes_back_as_it_was() {
        let codec = MessageCodec::new(things());
        let decoder = codec.decoder(&codec.preamble()).expect("own preamble");
        let notice = edgeway_thing_models::Notice { channel: "on-call".into(), text: "x".into(), scene: "s".into() };
        for message in [report(), Message { time: Timestamp::EPOCH, body: Body::Notice(notice) }] {
            let mut bytes = vec![];
            codec.encode(&message, &mut bytes);
            assert_eq!(decoder.decode(&bytes), Some(message));
        }
    }

    #[test]
    fn damaged_bytes_are_refused_and_never_panic() {
        let codec = MessageCodec::new(things());
        let decoder = codec.decoder(&codec.preamble()).expect("own preamble");
        let mut bytes = vec![];
        codec.encode(&report(), &mut bytes);
        for cut in 0..bytes.len() {
            assert_eq!(decoder.decode(&bytes[..cut]), None, "cut at {cut}");
        }
        assert_eq!(decoder.decode(&[9, 1, 2]), None);
    }
}
