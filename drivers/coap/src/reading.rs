//! Payloads to the values of points. Pure.

use crate::codec::Told;
use crate::config::Point;
use edgeway_payload::{Document, Format, Mapping, Options, Reading};
use edgeway_sdk::{Access, Batch, PointIx, Quality, Timestamp, Value};
use std::sync::{Arc, Mutex};

/// What a device has said of a resource. Decoded once for each format that is asked for.
#[derive(Debug)]
pub(crate) struct Payload<'p> {
    bytes: &'p [u8],
    told: Told,
    received: Timestamp,
    /// What relative times count from.
    base: Timestamp,
    documents: Vec<(Format, Result<Document, String>)>,
}

impl<'p> Payload<'p> {
    pub(crate) fn new(bytes: &'p [u8], told: Told, received: Timestamp) -> Self {
        Payload { bytes, told, received, base: received, documents: vec![] }
    }

    /// The same that came at `base`, which the device has said now to be as it was.
    pub(crate) fn unchanged(bytes: &'p [u8], told: Told, base: Timestamp, received: Timestamp) -> Self {
        Payload { base, ..Payload::new(bytes, told, received) }
    }

    /// Why it is not of this format, if it is not.
    fn document(&mut self, format: Format) -> Result<&Document, Unfit> {
        let known = self.documents.iter().position(|(known, _)| *known == format);
        let at = known.unwrap_or_else(|| {
            let document = Document::parse(format, self.bytes, self.base).map_err(|error| error.to_string());
            self.documents.push((format, document));
            self.documents.len() - 1
        });
        self.documents[at].1.as_ref().map_err(|error| (Quality::Bad, error.clone()))
    }

    /// Whether it could be read as what it was taken for.
    pub(crate) fn is_readable(&self) -> bool {
        self.documents.iter().any(|(_, document)| document.is_ok())
    }
}

/// That a payload cannot be read at all for a point, and why.
type Unfit = (Quality, String);
/// Why a payload that can be read has no good value for a point; `None` if it has, or the device itself says that it has none.
type Misfit = Option<String>;

/// Where a point's value is in the payloads of its resource.
#[derive(Debug)]
pub(crate) struct Reader {
    mapping: Mapping,
    as_told: Option<Box<AsTold>>,
}

/// For a point that does not name a format: what it takes from an answer that does.
#[derive(Debug)]
struct AsTold {
    options: Options,
    /// Of the format that was told last, if it is another than that of the point's own mapping.
    last: Mutex<Option<Mapping>>,
}

impl Reader {
    pub(crate) fn new(point: &Point) -> Self {
        let as_told = point
            .as_told
            .as_ref()
            .map(|options| Box::new(AsTold { options: Options::clone(options), last: Mutex::default() }));
        Reader { mapping: point.mapping.clone(), as_told }
    }

    /// What to send in order to write.
    pub(crate) fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// Everything that a payload says of the point.
    fn read(&self, payload: &mut Payload<'_>, each: impl FnMut(Reading)) -> Result<Misfit, Unfit> {
        let Some(as_told) = &self.as_told else { return read_with(&self.mapping, payload, each) };
        match payload.told {
            Told::Nothing => read_with(&self.mapping, payload, each),
            Told::Known(format) if format == self.mapping.format() => read_with(&self.mapping, payload, each),
            Told::Known(format) => as_told.read(format, payload, each),
            Told::Other(number) => Err((
                Quality::BadConfig,
                format!(
                    "the device answers in content format {number}, which is none that can be read; say which with `format`"
                ),
            )),
        }
    }
}

impl AsTold {
    fn read(&self, format: Format, payload: &mut Payload<'_>, each: impl FnMut(Reading)) -> Result<Misfit, Unfit> {
        let mut last = self.last.lock().expect("no thread panics while it holds this lock");
        if last.as_ref().is_none_or(|mapping| mapping.format() != format) {
            // What is sent in order to write says nothing of what is read.
            let options = Options { format, payload: None, ..self.options.clone() };
            *last = Mapping::new(&options, Access::Read, &mut vec![]);
        }
        let unfit = || {
            let names = format!("{format:?}").to_lowercase();
            (Quality::BadConfig, format!("the device answers in {names}, with which the point's options do not go"))
        };
        read_with(last.as_ref().ok_or_else(unfit)?, payload, each)
    }
}

fn read_with(mapping: &Mapping, payload: &mut Payload<'_>, mut each: impl FnMut(Reading)) -> Result<Misfit, Unfit> {
    let document = payload.document(mapping.format())?;
    let mut is_good = false;
    mapping.read_all(document, |reading| {
        is_good = !reading.quality.is_bad();
        each(reading);
    });
    Ok(if is_good { None } else { mapping.misfit(document) })
}

/// A point of a resource.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) point: PointIx,
    pub(crate) reader: Arc<Reader>,
}

/// Puts the newest value of every point into the batch; a bad one if the payload says nothing of it.
pub(crate) fn unpack(items: &[Item], payload: &mut Payload<'_>, out: &mut Batch) {
    for item in items {
        let mut newest: Option<Reading> = None;
        let read = item.reader.read(payload, |reading| {
            if newest.as_ref().is_none_or(|newest| newest.is_older_than(&reading)) {
                newest = Some(reading);
            }
        });
        match (read, newest) {
            (Ok(misfit), Some(reading)) => {
                push(item.point, reading, payload.received, out);
                out.reasons.extend(misfit.map(|misfit| (item.point, misfit)));
            }
            (Ok(misfit), None) => nothing(item.point, misfit, payload.received, out),
            (Err((quality, reason)), _) => out.unfit(item.point, quality, reason, payload.received),
        }
    }
}

/// Puts all that a payload tells into the batch: series in their order, and nothing of points that it does not speak of.
pub(crate) fn unpack_all(items: &[Item], payload: &mut Payload<'_>, out: &mut Batch) {
    items.iter().for_each(|item| drop(unpack_each(item, payload, out)));
}

/// Puts all that a payload tells of a point into the batch. If that is nothing, why.
fn unpack_each(item: &Item, payload: &mut Payload<'_>, out: &mut Batch) -> Misfit {
    let (received, before) = (payload.received, out.len());
    match item.reader.read(payload, |reading| push(item.point, reading, received, out)) {
        Ok(misfit) if out.len() == before => misfit,
        Ok(misfit) => {
            out.reasons.extend(misfit.map(|misfit| (item.point, misfit)));
            None
        }
        Err((quality, reason)) => {
            out.unfit(item.point, quality, reason, received);
            None
        }
    }
}

/// Puts all that a resource holds into the batch: series in their order, and a bad value for a point that it does not speak of.
pub(crate) fn unpack_whole(items: &[Item], payload: &mut Payload<'_>, out: &mut Batch) {
    for item in items {
        let before = out.len();
        let misfit = unpack_each(item, payload, out);
        if out.len() == before {
            nothing(item.point, misfit, payload.received, out);
        }
    }
}

fn nothing(point: PointIx, misfit: Misfit, received: Timestamp, out: &mut Batch) {
    match misfit {
        Some(misfit) => out.unfit(point, Quality::Bad, misfit, received),
        None => out.bad(point, Quality::Bad, received),
    }
}

/// The value of one point; `None` if the payload has none that can be trusted.
pub(crate) fn value(item: &Item, payload: &mut Payload<'_>) -> Option<Value> {
    let mut out = Batch::default();
    unpack(std::slice::from_ref(item), payload, &mut out);
    out.values.pop().filter(|_| !out.qualities[0].is_bad())
}

fn push(point: PointIx, reading: Reading, received: Timestamp, out: &mut Batch) {
    let time = reading.time.unwrap_or(received);
    match reading.quality {
        Quality::Good => out.good(point, reading.value, time),
        quality => out.push(point, reading.value, quality, time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    fn item(options: Json) -> Item {
        let point = Point::parse(&options, Access::Read).expect("right options");
        Item { point: PointIx(0), reader: Reader::new(&point).into() }
    }

    fn read(options: Json, told: Told, bytes: &[u8]) -> (Value, Quality) {
        let mut out = Batch::default();
        unpack(&[item(options)], &mut Payload::new(bytes, told, Timestamp::EPOCH), &mut out);
        (out.values.remove(0), out.qualities[0])
    }

    #[test]
    fn a_point_without_a_format_follows_the_answer() {
        let good = |value: Value| (value, Quality::Good);
        assert_eq!(read(json!({ "at": "t" }), Told::Nothing, br#"{"t": 1}"#), good(Value::Int(1)));
        assert_eq!(read(json!({ "at": "t" }), Told::Known(Format::Cbor), b"\xa1\x61t\x02"), good(Value::Int(2)));
        assert_eq!(read(json!({}), Told::Known(Format::Text), b"21.5"), good(Value::Float(21.5)));
        let written = json!({ "at": "t", "payload": r#"{"t": {value}}"# });
        assert_eq!(read(written, Told::Known(Format::Cbor), b"\xa1\x61t\x02"), good(Value::Int(2)));
        let pack = br#"[{"n": "t", "v": 3}]"#;
        assert_eq!(read(json!({ "at": "t" }), Told::Known(Format::SenmlJson), pack), good(Value::Int(3)));
    }

    #[test]
    fn what_cannot_be_read_is_bad() {
        assert_eq!(read(json!({}), Told::Other(40), b"1").1, Quality::BadConfig);
        assert_eq!(read(json!({ "at": "t" }), Told::Known(Format::Text), b"1").1, Quality::BadConfig);
        assert_eq!(read(json!({ "at": "t" }), Told::Nothing, b"{").1, Quality::Bad);
        assert_eq!(read(json!({ "at": "t" }), Told::Nothing, b"{}").1, Quality::Bad);
        // What is configured is believed, whatever the answer says.
        assert_eq!(read(json!({ "format": "json" }), Told::Known(Format::Text), b"7").0, Value::Int(7));
    }

    #[test]
    fn a_series_is_told_in_its_order_and_its_newest_is_read() {
        let pack = br#"[{"n": "t", "t": 1700000001, "v": 1}, {"n": "t", "t": 1700000003, "v": 3}, {"n": "t", "t": 1700000002, "v": 2}]"#;
        let items =
            [item(json!({ "at": "t", "format": "senml-json" })), item(json!({ "at": "u", "format": "senml-json" }))];
        let mut payload = Payload::new(pack, Told::Nothing, Timestamp::from_secs(1_700_000_100));
        let mut all = Batch::default();
        unpack_all(&items, &mut payload, &mut all);
        assert_eq!(all.values, [1, 3, 2].map(Value::Int));
        let mut whole = Batch::default();
        unpack_whole(&items, &mut payload, &mut whole);
        assert_eq!(whole.values[..3], all.values);
        assert_eq!(whole.qualities[3..], [Quality::Bad], "it does not speak of it");
        assert_eq!(value(&items[0], &mut payload), Some(Value::Int(3)));
        assert_eq!(value(&items[1], &mut payload), None);
    }
}
