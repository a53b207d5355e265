//! Items of version 1, each with bytes of its own. They are only read.
//!
//! One byte kind, then [postcard](https://postcard.jamesmunns.com/wire-format): kind 0 is a report, with source times as
//! differences to the first; kind 1 is a whole message.

use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_thing_models::{Body, Message, Observation, PropertyIx, Report};
use serde::Deserialize;

const REPORT: u8 = 0;
const OTHER: u8 = 1;

/// The message; `None` if these are not its bytes. Trailing bytes were allowed then.
pub(crate) fn decode(bytes: &[u8]) -> Option<Message> {
    let (kind, rest) = bytes.split_first()?;
    match *kind {
        REPORT => postcard::from_bytes::<PackedReport>(rest).ok()?.message(),
        OTHER => postcard::from_bytes(rest).ok(),
        _ => None,
    }
}

#[derive(Deserialize)]
struct PackedReport {
    time: Timestamp,
    device: DeviceIx,
    first_source_time: Timestamp,
    values: Vec<(PropertyIx, Value, Quality, i64)>,
}

impl PackedReport {
    fn message(self) -> Option<Message> {
        let first = self.first_source_time.as_nanos();
        let values = self.values.into_iter().map(|(property, value, quality, difference)| Observation {
            property,
            value,
            quality,
            source_time: Timestamp::from_nanos(first.wrapping_add(difference)),
        });
        let values: Vec<Observation> = values.collect();
        let report = Report { device: self.device, values };
        (!report.values.is_empty()).then_some(Message { time: self.time, body: Body::Report(report) })
    }
}
