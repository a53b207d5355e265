//! Writing one value, and reading what the device made of it.

use crate::plan::Writable;
use crate::status::{self, Read, Written};
use crate::wire::{Answer, Question, Wire};
use edgeway_payload::Document;
use edgeway_sdk::{Deadline, Fault, Quality, Value};

/// Writes a value and reads it back.
///
/// # Errors
/// A [`Fault`]. After that of a device or a link nobody knows whether the value was taken.
pub(super) async fn run(wire: &Wire, point: &Writable, value: &Value, by: Deadline) -> Result<Option<Value>, Fault> {
    let refused = |quality, reason| Fault::Point { point: point.item.point, quality, reason };
    let mapping = &point.item.options.mapping;
    let payload = mapping.encode(value).map_err(|reason| refused(Quality::BadOutOfRange, reason))?;
    let body = Some((payload.as_slice(), mapping.format().media_type()));
    let question = Question::send(point.method, &point.set, &point.headers, body);
    let answer = wire.ask(&question, by).await.map_err(|failure| failure.of_write())?;
    let said = || format!("{} answered {}", point.set, answer.said());
    match status::of_write(answer.status, &answer.headers) {
        Written::Done => Ok(read_back(wire, point, by).await),
        // What is read now may not be it yet.
        Written::Accepted => Ok(None),
        Written::Refused => Err(refused(Quality::BadDevice, said())),
        Written::NotNow => Err(Fault::Busy(said())),
        Written::Unknown => Err(Fault::Device(said())),
    }
}

/// The write was acknowledged. That the value cannot be read, or that no time is left, does not undo it.
async fn read_back(wire: &Wire, point: &Writable, by: Deadline) -> Option<Value> {
    let url = point.read.as_ref()?;
    let answer: Answer = wire.ask(&Question::get(url, &point.headers), by).await.ok()?;
    if status::of_read(answer.status, &answer.headers) != Read::Payload {
        return None;
    }
    let mapping = &point.item.options.mapping;
    let document = Document::parse(mapping.format(), &answer.body, answer.received).ok()?;
    let reading = mapping.read(&document)?;
    (!reading.quality.is_bad()).then_some(reading.value)
}
