//! Values by column: a [`Batch`] as [`Data`], and back.

use crate::proto::{Data, Kind, Rejection};
use edgeway_sdk::{Batch, PointIx, Quality, Timestamp, Value};
use std::fmt;

/// Data that cannot be what its sender meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(String);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}

/// A batch as it is sent. The usual, good numbers of one moment, takes the two columns that it needs.
pub fn encode(link: u32, batch: &Batch) -> Data {
    let mut data = Data { link, points: batch.points.iter().map(|point| point.0).collect(), ..Data::default() };
    if batch.values.iter().all(|value| matches!(value, Value::Float(_))) {
        data.floats = batch.values.iter().filter_map(Value::as_f64).collect();
    } else {
        data.kinds = batch.values.iter().map(|value| put(value, &mut data)).collect();
    }
    if batch.qualities.iter().any(|quality| !quality.is_good()) {
        data.qualities = batch.qualities.iter().map(|quality| quality.number()).collect();
    }
    let times = &batch.source_times;
    data.time_ns = times.first().map_or(0, |time| time.as_nanos());
    if times.iter().any(|time| time.as_nanos() != data.time_ns) {
        data.times_ns = times.iter().map(|time| time.as_nanos().saturating_sub(data.time_ns)).collect();
    }
    let reasons = batch.reasons.iter();
    data.reasons = reasons.map(|(point, reason)| Rejection { point: point.0, reason: reason.clone() }).collect();
    data
}

/// Puts a value into the column of its kind, and says which that is.
fn put(value: &Value, data: &mut Data) -> u8 {
    let kind = match value {
        Value::Null => Kind::Null,
        Value::Bool(value) => {
            data.bools.push(*value);
            Kind::Bool
        }
        Value::Int(value) => {
            data.ints.push(*value);
            Kind::Int
        }
        Value::Float(value) => {
            data.floats.push(*value);
            Kind::Float
        }
        Value::Text(text) => {
            data.texts.push(text.to_string());
            Kind::Text
        }
        Value::Bytes(bytes) => {
            data.blobs.push(bytes.to_vec());
            Kind::Bytes
        }
        nested @ (Value::Array(_) | Value::Struct(_)) => {
            data.jsons.push(nested.to_json().to_string());
            Kind::Json
        }
    };
    kind as u8
}

/// What was sent, added to a batch. What has no time of its own gets `now`. A number that is none is bad.
///
/// # Errors
/// If the columns do not belong together, or hold what the contract does not know. Nothing has been added then.
pub fn decode(data: Data, now: Timestamp, batch: &mut Batch) -> Result<(), Malformed> {
    let count = data.points.len();
    let values = values(&data, count)?;
    let qualities = qualities(&data.qualities, count)?;
    let times = times(&data, count, now)?;
    batch.points.extend(data.points.into_iter().map(PointIx));
    batch.source_times.extend(times);
    for (value, quality) in values.into_iter().zip(qualities) {
        let (value, quality) = match value {
            Value::Float(f) if !f.is_finite() => (Value::Null, worse(quality, Quality::BadOutOfRange)),
            Value::Null => (Value::Null, worse(quality, Quality::Bad)),
            value => (value, quality),
        };
        batch.values.push(value);
        batch.qualities.push(quality);
    }
    batch.reasons.extend(data.reasons.into_iter().map(|one| (PointIx(one.point), one.reason)));
    Ok(())
}

/// No value is never good.
fn worse(said: Quality, at_least: Quality) -> Quality {
    if said.is_bad() { said } else { at_least }
}

fn values(data: &Data, count: usize) -> Result<Vec<Value>, Malformed> {
    if data.kinds.is_empty() {
        length("floats", data.floats.len(), count)?;
        return Ok(data.floats.iter().map(|&float| Value::Float(float)).collect());
    }
    length("kinds", data.kinds.len(), count)?;
    let mut columns = Columns {
        bools: data.bools.iter(),
        ints: data.ints.iter(),
        floats: data.floats.iter(),
        texts: data.texts.iter(),
        blobs: data.blobs.iter(),
        jsons: data.jsons.iter(),
    };
    data.kinds.iter().map(|&kind| columns.next(kind)).collect()
}

struct Columns<'d> {
    bools: std::slice::Iter<'d, bool>,
    ints: std::slice::Iter<'d, i64>,
    floats: std::slice::Iter<'d, f64>,
    texts: std::slice::Iter<'d, String>,
    blobs: std::slice::Iter<'d, Vec<u8>>,
    jsons: std::slice::Iter<'d, String>,
}

impl Columns<'_> {
    /// The next value of this kind.
    fn next(&mut self, kind: u8) -> Result<Value, Malformed> {
        let kind = Kind::try_from(i32::from(kind)).map_err(|_| Malformed(format!("there is no kind {kind}")))?;
        let value = match kind {
            Kind::Null => Some(Value::Null),
            Kind::Bool => self.bools.next().map(|&value| Value::Bool(value)),
            Kind::Int => self.ints.next().map(|&value| Value::Int(value)),
            Kind::Float => self.floats.next().map(|&value| Value::Float(value)),
            Kind::Text => self.texts.next().map(|text| Value::from(text.as_str())),
            Kind::Bytes => self.blobs.next().map(|bytes| Value::Bytes(bytes.as_slice().into())),
            Kind::Json => return json(self.jsons.next()),
        };
        value.ok_or_else(|| Malformed(format!("there are fewer values than kinds say: {} is missing", name(kind))))
    }
}

fn json(text: Option<&String>) -> Result<Value, Malformed> {
    let text = text.ok_or_else(|| Malformed("there are fewer values than kinds say: JSON is missing".into()))?;
    let json = serde_json::from_str(text).map_err(|error| Malformed(format!("a value is no JSON: {error}")))?;
    Ok(Value::from_json(&json))
}

fn name(kind: Kind) -> &'static str {
    kind.as_str_name().trim_start_matches("KIND_")
}

fn qualities(numbers: &[u8], count: usize) -> Result<Vec<Quality>, Malformed> {
    if numbers.is_empty() {
        return Ok(vec![Quality::Good; count]);
    }
    length("qualities", numbers.len(), count)?;
    let quality =
        |&number: &u8| Quality::from_number(number).ok_or_else(|| Malformed(format!("there is no quality {number}")));
    numbers.iter().map(quality).collect()
}

fn times(data: &Data, count: usize, now: Timestamp) -> Result<Vec<Timestamp>, Malformed> {
    if data.times_ns.is_empty() {
        let time = if data.time_ns == 0 { now } else { Timestamp::from_nanos(data.time_ns) };
        return Ok(vec![time; count]);
    }
    length("times_ns", data.times_ns.len(), count)?;
    Ok(data.times_ns.iter().map(|added| Timestamp::from_nanos(data.time_ns.saturating_add(*added))).collect())
}

fn length(column: &str, found: usize, points: usize) -> Result<(), Malformed> {
    if found == points {
        return Ok(());
    }
    Err(Malformed(format!("{column} holds {found} entries for {points} points")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(data: Data) -> Batch {
        let mut batch = Batch::default();
        decode(data, Timestamp::from_nanos(7), &mut batch).expect("well formed");
        batch
    }

    #[test]
    fn every_kind_of_value_comes_back() {
        let mut batch = Batch::default();
        let values = [
            Value::Null,
            Value::Bool(true),
            Value::Int(i64::MIN),
            Value::Float(-0.5),
            Value::from("Grüße"),
            Value::Bytes([1, 255].as_slice().into()),
            Value::Array([Value::Int(1), Value::Int(2)].as_slice().into()),
        ];
        for (ix, value) in values.iter().enumerate() {
            let quality = if *value == Value::Null { Quality::BadTimeout } else { Quality::Uncertain };
            batch.push(PointIx(ix as u32), value.clone(), quality, Timestamp::from_nanos(1_000 - ix as i64));
        }
        let back = back(encode(3, &batch));
        assert_eq!(back.points, batch.points);
        assert_eq!(back.values, batch.values);
        assert_eq!(back.qualities, batch.qualities);
        assert_eq!(back.source_times, batch.source_times);
    }

    #[test]
    fn why_a_value_is_bad_comes_back() {
        let mut batch = Batch::default();
        batch.good(PointIx(1), Value::Int(5), Timestamp::EPOCH);
        batch.unfit(PointIx(2), Quality::BadConfig, "no such register", Timestamp::EPOCH);
        let back = back(encode(0, &batch));
        assert_eq!(back.reasons, [(PointIx(2), "no such register".to_owned())]);
    }

    #[test]
    fn good_numbers_of_one_moment_take_two_columns() {
        let mut batch = Batch::default();
        (0..3).for_each(|ix| batch.good(PointIx(ix), Value::Float(f64::from(ix)), Timestamp::from_nanos(9)));
        let data = encode(0, &batch);
        assert!(data.kinds.is_empty() && data.qualities.is_empty() && data.times_ns.is_empty());
        assert_eq!(back(data).source_times, batch.source_times);
    }

    #[test]
    fn no_value_is_never_good() {
        let data = Data { points: vec![0, 1], floats: vec![f64::NAN, 1.0], ..Data::default() };
        assert_eq!(back(data).qualities, [Quality::BadOutOfRange, Quality::Good]);
        let data = Data { points: vec![0], kinds: vec![0], ..Data::default() };
        let back = back(data);
        assert_eq!((back.qualities[0], back.source_times[0]), (Quality::Bad, Timestamp::from_nanos(7)));
    }

    #[test]
    fn columns_that_do_not_belong_together_are_refused_whole() {
        let wrong = |data: Data| {
            let mut batch = Batch::default();
            let error = decode(data, Timestamp::now(), &mut batch).expect_err("malformed");
            assert!(batch.is_empty() && batch.points.is_empty());
            error.to_string()
        };
        let data = || Data { points: vec![1, 2], floats: vec![1.0, 2.0], ..Data::default() };
        assert_eq!(wrong(Data { floats: vec![1.0], ..data() }), "floats holds 1 entries for 2 points");
        assert_eq!(wrong(Data { qualities: vec![0], ..data() }), "qualities holds 1 entries for 2 points");
        assert_eq!(wrong(Data { qualities: vec![0, 99], ..data() }), "there is no quality 99");
        assert_eq!(wrong(Data { kinds: vec![3, 99], ..data() }), "there is no kind 99");
        assert_eq!(
            wrong(Data { kinds: vec![3, 2], ..data() }),
            "there are fewer values than kinds say: INT is missing"
        );
    }
}
