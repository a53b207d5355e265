//! From what a server says of a node to a value, its quality and its time.

use super::{Layouts, quality};
use crate::config::{Clock, Point};
use edgeway_sdk::{Json, Quality, Timestamp, Value};
use opcua::types::{Array, DataValue, DateTime, NodeId, NumericRange, Variant};
use std::sync::Arc;

/// From 1601, where the time of OPC UA begins, to 1970.
const EPOCH_TICKS: i128 = 116_444_736_000_000_000;
const TICK_NANOS: i128 = 100;
const TICKS_PER_MILLISECOND: i128 = 10_000;
/// Times before this stand for none.
const FIRST_TICKS: i128 = 864_000_000_000;

/// How a point sees its node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct View {
    clock: Clock,
    /// In how many arrays of one servers give the single entry that was asked for; 0 if it is none.
    entry_depth: usize,
    /// How many entries were asked for, at most; `None` for all.
    entries_max: Option<usize>,
    path: Arc<[String]>,
}

/// A value with its quality and its time.
pub(crate) type Reading = (Value, Quality, Timestamp);

impl View {
    pub(crate) fn of(point: &Point) -> Self {
        let entries_max = entries_max(&point.index);
        let entry_depth = if has_range(&point.index) { 0 } else { dimensions(&point.index) };
        View { clock: point.clock, entry_depth, entries_max, path: point.path.as_slice().into() }
    }

    /// What came of it. A value that the gateway cannot hold is bad, never another value.
    pub(crate) fn read(&self, seen: DataValue, layouts: &Layouts, ahead: i64, arrival: Timestamp) -> Reading {
        let time = self.time(&seen, ahead).unwrap_or(arrival);
        let quality = quality(seen.status());
        if quality.is_bad() {
            return (Value::Null, quality, time);
        }
        let value = value(&seen.value.unwrap_or_default(), layouts, ahead);
        match value.and_then(|value| self.part(value)) {
            Ok(value) => (value, quality, time),
            Err(quality) => (Value::Null, quality, time),
        }
    }

    /// A value by itself, as JSON; `null` if the gateway cannot hold it.
    pub(crate) fn json(seen: &Variant, layouts: &Layouts, ahead: i64) -> Json {
        value(seen, layouts, ahead).map(|value| value.to_json()).unwrap_or_default()
    }

    /// The value as an array of one, where a server wants that for a single entry; of a table, as a table of one.
    pub(crate) fn whole(&self, value: &Value) -> Value {
        (0..self.entry_depth).fold(value.clone(), |value, _| Value::Array([value].into()))
    }

    fn time(&self, seen: &DataValue, ahead: i64) -> Option<Timestamp> {
        let [source, server] = [seen.source_timestamp, seen.server_timestamp].map(|time| self::time(time?, ahead));
        match self.clock {
            Clock::Source => source.or(server),
            Clock::Server => server.or(source),
        }
    }

    fn part(&self, value: Value) -> Result<Value, Quality> {
        // Some servers do not know index ranges and give all of it.
        if self.entries_max.is_some_and(|max| entries_in(&value) > max) {
            return Err(Quality::BadConfig);
        }
        let mut value = if self.entry_depth > 0 { entry(value)? } else { value };
        for name in &*self.path {
            value = inner(&value, name).ok_or(Quality::BadConfig)?;
        }
        Ok(value)
    }
}

/// The one entry of an array of one, or of one in one.
fn entry(value: Value) -> Result<Value, Quality> {
    match value {
        Value::Array(entries) => match &*entries {
            [one] => entry(one.clone()),
            _ => Err(Quality::BadConfig),
        },
        value => Ok(value),
    }
}

/// How many entries are in a range, at most; `None` for all.
fn entries_max(range: &NumericRange) -> Option<usize> {
    match range {
        NumericRange::None => None,
        NumericRange::Index(_) => Some(1),
        NumericRange::Range(first, last) => Some(last.saturating_sub(*first) as usize + 1),
        NumericRange::MultipleRanges(ranges) => {
            ranges.iter().map(entries_max).try_fold(1_usize, |all, one| Some(all.saturating_mul(one?)))
        }
    }
}

/// Of how many dimensions the array is of which a range is a part.
fn dimensions(range: &NumericRange) -> usize {
    match range {
        NumericRange::None => 0,
        NumericRange::Index(_) | NumericRange::Range(..) => 1,
        NumericRange::MultipleRanges(ranges) => ranges.len(),
    }
}

fn has_range(range: &NumericRange) -> bool {
    match range {
        NumericRange::None | NumericRange::Index(_) => false,
        NumericRange::Range(..) => true,
        NumericRange::MultipleRanges(ranges) => ranges.iter().any(has_range),
    }
}

/// How many entries a range is of: values in an array, characters of a text, bytes.
fn entries_in(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.chars().count(),
        Value::Bytes(bytes) => bytes.len(),
        other => leaves(other),
    }
}

/// Values in an array and in the arrays in it.
fn leaves(value: &Value) -> usize {
    match value {
        Value::Array(entries) => entries.iter().map(leaves).sum(),
        _ => 1,
    }
}

/// A field of a structure, or an entry of an array.
fn inner(value: &Value, name: &str) -> Option<Value> {
    match value {
        Value::Struct(fields) => fields.iter().find(|(field, _)| &**field == name).map(|(_, value)| value.clone()),
        Value::Array(entries) => entries.get(name.parse::<usize>().ok()?).cloned(),
        _ => None,
    }
}

/// A time as the server's clock has it; `None` for the one that stands for none.
pub(crate) fn time(time: DateTime, ahead: i64) -> Option<Timestamp> {
    let nanos = ticks(time, ahead)? * TICK_NANOS;
    Some(Timestamp::from_nanos(nanos.clamp(i64::MIN.into(), i64::MAX.into()) as i64))
}

/// A time in ticks since 1970.
fn ticks(time: DateTime, ahead: i64) -> Option<i128> {
    let ticks = i128::from(time.ticks()) + i128::from(ahead) / TICK_NANOS;
    (ticks > FIRST_TICKS).then_some(ticks - EPOCH_TICKS)
}

/// A time that is a value, in milliseconds since 1970: those far away have them, too.
fn millis(time: DateTime, ahead: i64) -> Result<Value, Quality> {
    let millis = ticks(time, ahead).ok_or(Quality::Bad)?.div_euclid(TICKS_PER_MILLISECOND);
    i64::try_from(millis).map(Value::Int).map_err(|_| Quality::BadOutOfRange)
}

/// A value as the gateway has it, or why it cannot.
pub(super) fn value(seen: &Variant, layouts: &Layouts, ahead: i64) -> Result<Value, Quality> {
    Ok(match seen {
        Variant::Empty | Variant::DiagnosticInfo(_) => return Err(Quality::Bad),
        Variant::Boolean(is) => Value::Bool(*is),
        Variant::SByte(number) => Value::Int((*number).into()),
        Variant::Byte(number) => Value::Int((*number).into()),
        Variant::Int16(number) => Value::Int((*number).into()),
        Variant::UInt16(number) => Value::Int((*number).into()),
        Variant::Int32(number) => Value::Int((*number).into()),
        Variant::UInt32(number) => Value::Int((*number).into()),
        Variant::Int64(number) => Value::Int(*number),
        Variant::UInt64(number) => Value::Int(i64::try_from(*number).map_err(|_| Quality::BadOutOfRange)?),
        Variant::Float(number) => float((*number).into())?,
        Variant::Double(number) => float(*number)?,
        Variant::String(text) => text.as_ref().into(),
        Variant::DateTime(time) => millis(**time, ahead)?,
        Variant::Guid(guid) => guid.to_string().as_str().into(),
        Variant::StatusCode(status) => Value::Int(status.bits().into()),
        Variant::ByteString(bytes) => Value::Bytes(bytes.as_ref().into()),
        Variant::XmlElement(xml) => xml.to_string().as_str().into(),
        Variant::QualifiedName(name) => name.name.as_ref().into(),
        Variant::LocalizedText(text) => text.text.as_ref().into(),
        Variant::NodeId(node) => node.to_string().as_str().into(),
        Variant::ExpandedNodeId(node) => node.to_string().as_str().into(),
        Variant::ExtensionObject(object) => layouts.value(object, ahead)?,
        Variant::Variant(inner) => value(inner, layouts, ahead)?,
        Variant::DataValue(inner) if quality(inner.status()).is_bad() => return Err(quality(inner.status())),
        Variant::DataValue(inner) => value(inner.value.as_ref().ok_or(Quality::Bad)?, layouts, ahead)?,
        Variant::Array(array) => entries(array, layouts, ahead)?,
    })
}

fn float(number: f64) -> Result<Value, Quality> {
    if number.is_finite() { Ok(Value::Float(number)) } else { Err(Quality::BadOutOfRange) }
}

/// An array; one of several dimensions is an array of arrays.
fn entries(array: &Array, layouts: &Layouts, ahead: i64) -> Result<Value, Quality> {
    let values: Result<Vec<Value>, Quality> = array.values.iter().map(|entry| value(entry, layouts, ahead)).collect();
    let mut values = values?;
    let dimensions = array.dimensions.as_deref().unwrap_or_default();
    let count: Option<usize> = dimensions.iter().try_fold(1, |all: usize, one| all.checked_mul(*one as usize));
    if dimensions.len() > 1 && (count != Some(values.len()) || dimensions.len() >= Value::NESTING_MAX) {
        return Err(Quality::Bad);
    }
    // The last dimension lies together.
    for length in dimensions.iter().skip(1).rev().map(|length| (*length as usize).max(1)) {
        values = values.chunks(length).map(|row| Value::Array(row.into())).collect();
    }
    Ok(Value::Array(values.into()))
}

/// The first structure in a value whose type is not known in this way.
pub(crate) fn first_encoding(seen: &Variant, is_known: &dyn Fn(&NodeId) -> bool) -> Option<NodeId> {
    match seen {
        Variant::ExtensionObject(object) => {
            let encoding = object.binary_type_id().node_id;
            (!object.is_null() && !is_known(&encoding)).then_some(encoding)
        }
        Variant::Variant(inner) => first_encoding(inner, is_known),
        Variant::DataValue(inner) => first_encoding(inner.value.as_ref()?, is_known),
        Variant::Array(array) => array.values.iter().find_map(|entry| first_encoding(entry, is_known)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opcua::types::{
        ByteString, ExtensionObject, Guid, LocalizedText, QualifiedName, StatusCode, VariantScalarTypeId as Scalar,
        XmlElement,
    };
    use std::str::FromStr;

    fn read(variant: impl Into<Variant>) -> Result<Value, Quality> {
        value(&variant.into(), &Layouts::default(), 0)
    }

    #[test]
    fn every_builtin_type_is_a_value() {
        let at = DateTime::ymd_hms(2026, 11, 27, 9, 0, 0);
        let guid = Guid::from_str("09087e75-8e5e-499b-954f-f2a9603db28a").expect("a guid");
        for (variant, is) in [
            (Variant::from(true), Value::Bool(true)),
            (Variant::from(-128_i8), Value::Int(-128)),
            (Variant::from(255_u8), Value::Int(255)),
            (Variant::from(-32768_i16), Value::Int(-32768)),
            (Variant::from(65535_u16), Value::Int(65535)),
            (Variant::from(i32::MIN), Value::Int(i32::MIN.into())),
            (Variant::from(u32::MAX), Value::Int(u32::MAX.into())),
            (Variant::from(i64::MIN), Value::Int(i64::MIN)),
            (Variant::from(i64::MAX as u64), Value::Int(i64::MAX)),
            (Variant::from(1.5_f32), Value::Float(1.5)),
            (Variant::from(-2.25_f64), Value::Float(-2.25)),
            (Variant::from("text"), "text".into()),
            (Variant::from(at), Value::Int(1_795_770_000_000)),
            (Variant::from(guid), "09087e75-8e5e-499b-954f-f2a9603db28a".into()),
            (Variant::from(StatusCode::BadTimeout), Value::Int(0x800a_0000)),
            (Variant::from(ByteString::from(vec![1, 2])), Value::Bytes([1, 2].into())),
            (Variant::XmlElement(XmlElement::from("<a/>")), "<a/>".into()),
            (Variant::from(QualifiedName::new(2, "name")), "name".into()),
            (Variant::from(LocalizedText::new("en", "word")), "word".into()),
            (Variant::from(NodeId::new(2, "a")), "ns=2;s=a".into()),
            (Variant::Variant(Box::new(Variant::from(7_i32))), Value::Int(7)),
        ] {
            assert_eq!(read(variant.clone()), Ok(is), "{variant:?}");
        }
    }

    #[test]
    fn what_is_no_value_is_bad() {
        for (variant, quality) in [
            (Variant::Empty, Quality::Bad),
            (Variant::from(u64::MAX), Quality::BadOutOfRange),
            (Variant::from(f32::NAN), Quality::BadOutOfRange),
            (Variant::from(vec![1.0, f64::INFINITY]), Quality::BadOutOfRange),
            (Variant::from(DateTime::null()), Quality::Bad),
            (Variant::ExtensionObject(ExtensionObject::null()), Quality::Bad),
        ] {
            assert_eq!(read(variant.clone()), Err(quality), "{variant:?}");
        }
    }

    #[test]
    fn arrays_keep_their_shape() {
        let array = |values: &[i64]| Value::Array(values.iter().copied().map(Value::Int).collect());
        assert_eq!(read(vec![1_i32, 2, 3]), Ok(array(&[1, 2, 3])));
        let table = |dimensions: Vec<u32>| {
            let values: Vec<Variant> = (1..=6).map(|n: i32| Variant::from(n)).collect();
            Variant::from(Array { value_type: Scalar::Int32, values, dimensions: Some(dimensions) })
        };
        assert_eq!(read(table(vec![2, 3])), Ok(Value::Array([array(&[1, 2, 3]), array(&[4, 5, 6])].into())));
        assert_eq!(read(table(vec![2, 2])), Err(Quality::Bad), "a shape that does not fit");
    }

    #[test]
    fn a_view_takes_the_clock_the_entry_and_the_part_that_it_was_told() {
        let seconds = |secs| Some(DateTime::ymd_hms(2026, 1, 1, 0, 0, secs));
        let seen = || DataValue {
            value: Some(vec![7_i32].into()),
            source_timestamp: seconds(1),
            server_timestamp: seconds(2),
            ..DataValue::default()
        };
        let view = |clock, is_entry: bool| View {
            clock,
            entry_depth: is_entry.into(),
            entries_max: is_entry.then_some(1),
            path: Default::default(),
        };
        let read = |view: View, seen: DataValue| view.read(seen, &Layouts::default(), 0, Timestamp::EPOCH);
        let (value, quality, source) = read(view(Clock::Source, true), seen());
        assert_eq!((value, quality), (Value::Int(7), Quality::Good));
        let (_, _, server) = read(view(Clock::Server, true), seen());
        assert_eq!(server.since(source).as_secs(), 1);
        let nobodys = DataValue { source_timestamp: None, server_timestamp: Some(DateTime::null()), ..seen() };
        assert_eq!(read(view(Clock::Source, true), nobodys).2, Timestamp::EPOCH, "the arrival");
        let two = DataValue { value: Some(vec![7_i32, 8].into()), ..seen() };
        assert_eq!(read(view(Clock::Source, true), two).1, Quality::BadConfig, "one was asked for");
        let text = DataValue { value: Some("two".into()), ..seen() };
        assert_eq!(read(view(Clock::Source, true), text).1, Quality::BadConfig, "one letter was asked for");
    }

    #[test]
    fn a_single_entry_is_written_with_the_dimensions_of_its_array() {
        let view =
            |entry_depth| View { clock: Clock::Source, entry_depth, entries_max: None, path: Default::default() };
        let one = |value: Value| Value::Array([value].into());
        assert_eq!(view(0).whole(&Value::Int(5)), Value::Int(5));
        assert_eq!(view(1).whole(&Value::Int(5)), one(Value::Int(5)));
        assert_eq!(view(2).whole(&Value::Int(5)), one(one(Value::Int(5))));
        let index = |text: &str| dimensions(&text.parse().expect("a range"));
        assert_eq!([index("1"), index("1:2"), index("1,2")], [1, 1, 2]);
    }

    #[test]
    fn times_are_those_of_the_servers_clock_whatever_the_channel_made_of_them() {
        let real = DateTime::ymd_hms(2026, 1, 1, 12, 0, 0);
        let hour = std::time::Duration::from_secs(3600);
        let decoded = DateTime::ymd_hms(2026, 1, 1, 11, 0, 0);
        assert_eq!(time(decoded, hour.as_nanos() as i64), time(real, 0));
        assert_eq!(time(DateTime::endtimes(), 0), Some(Timestamp::from_nanos(i64::MAX)), "saturates");
    }
}
