//! Metrics to values and back.

use edgeway_sdk::{Quality, Timestamp, Value};
use edgeway_sparkplug::{Message as _, Metric, MetricValue, Payload, PropertyValueKind, data_type, quality};

/// What a metric holds. Its type may be known from its birth alone.
pub(super) fn value(metric: &Metric, known_type: Option<u32>) -> (Value, Quality) {
    if metric.is_null == Some(true) || metric.value.is_none() {
        return (Value::Null, Quality::Bad);
    }
    let told = told_quality(metric);
    match metric.value.as_ref().and_then(|value| plain(value, known_type)) {
        Some(Value::Float(number)) if !number.is_finite() => (Value::Null, Quality::BadOutOfRange),
        Some(value) if !told.is_bad() => (value, told),
        Some(_) => (Value::Null, told),
        None => (Value::Null, Quality::BadOutOfRange),
    }
}

/// `None` if value and type do not go together, or the number is too large.
fn plain(value: &MetricValue, known_type: Option<u32>) -> Option<Value> {
    Some(match (value, known_type) {
        (MetricValue::Boolean(value), _) => Value::Bool(*value),
        (MetricValue::Float(value), _) => Value::Float(f64::from(*value)),
        (MetricValue::Double(value), _) => Value::Float(*value),
        (MetricValue::String(text), _) => Value::Text(text.as_str().into()),
        (MetricValue::Bytes(bytes), _) => Value::Bytes(bytes.as_slice().into()),
        (MetricValue::Int(bits), data_type) => whole(u64::from(*bits), data_type?)?,
        (MetricValue::Long(bits), data_type) => whole(*bits, data_type?)?,
    })
}

/// Signed numbers are in two's complement of their own width, and some write more bits than that.
fn whole(bits: u64, known_type: u32) -> Option<Value> {
    let number = match known_type {
        data_type::INT8 => i64::from(bits as u8 as i8),
        data_type::INT16 => i64::from(bits as u16 as i16),
        data_type::INT32 => i64::from(bits as u32 as i32),
        data_type::INT64 => bits as i64,
        data_type::UINT8 => i64::from(u8::try_from(bits).ok()?),
        data_type::UINT16 => i64::from(u16::try_from(bits).ok()?),
        data_type::UINT32 => i64::from(u32::try_from(bits).ok()?),
        data_type::UINT64 | data_type::DATE_TIME => i64::try_from(bits).ok()?,
        _ => return None,
    };
    Some(Value::Int(number))
}

fn told_quality(metric: &Metric) -> Quality {
    let code = match metric.properties.as_ref().and_then(|properties| properties.get("Quality")) {
        None => return Quality::Good,
        Some(PropertyValueKind::Int(code)) => *code,
        Some(PropertyValueKind::Long(code)) => u32::try_from(*code).unwrap_or(quality::BAD),
        Some(_) => return Quality::Uncertain,
    };
    match code {
        quality::GOOD => Quality::Good,
        quality::STALE => Quality::Stale,
        quality::BAD => Quality::Bad,
        _ => Quality::Uncertain,
    }
}

/// When it was measured; when the message was sent, if nobody says more, or has come.
pub(super) fn time(metric: &Metric, payload: &Payload, now: Timestamp) -> Timestamp {
    let millis = metric.timestamp.or(payload.timestamp).and_then(|millis| i64::try_from(millis).ok());
    millis.map_or(now, Timestamp::from_millis)
}

/// The message that sets a metric.
///
/// # Errors
/// Why the value does not fit, for the operator.
pub(crate) fn command(name: &str, known_type: u32, value: &Value, now: Timestamp) -> Result<Vec<u8>, String> {
    let fits = packed(known_type, value).ok_or_else(|| format!("{value} does not fit the type of `{name}`"))?;
    Ok(payload(name, known_type, Some(fits), now))
}

pub(super) fn payload(name: &str, known_type: u32, value: Option<MetricValue>, now: Timestamp) -> Vec<u8> {
    let timestamp = u64::try_from(now.as_millis()).ok();
    let (name, datatype) = (Some(name.to_owned()), Some(known_type));
    let metric = Metric { name, timestamp, datatype, value, ..Metric::default() };
    Payload { timestamp, metrics: vec![metric], seq: None }.encode_to_vec()
}

fn packed(known_type: u32, value: &Value) -> Option<MetricValue> {
    Some(match (known_type, value) {
        (data_type::BOOLEAN, Value::Bool(value)) => MetricValue::Boolean(*value),
        (data_type::BOOLEAN, Value::Int(number @ (0 | 1))) => MetricValue::Boolean(*number == 1),
        (data_type::FLOAT, value) => {
            let number = value.as_f64()? as f32;
            number.is_finite().then_some(MetricValue::Float(number))?
        }
        (data_type::DOUBLE, value) => MetricValue::Double(value.as_f64().filter(|number| number.is_finite())?),
        (data_type::STRING | data_type::TEXT | data_type::UUID, Value::Text(text)) => {
            MetricValue::String(text.to_string())
        }
        (data_type::BYTES, Value::Bytes(bytes)) => MetricValue::Bytes(bytes.to_vec()),
        (data_type::INT64, value) => MetricValue::Long(rounded(value)? as u64),
        (data_type::UINT64 | data_type::DATE_TIME, value) => MetricValue::Long(u64::try_from(rounded(value)?).ok()?),
        (data_type::INT8, value) => MetricValue::Int(u32::from(i8::try_from(rounded(value)?).ok()? as u8)),
        (data_type::INT16, value) => MetricValue::Int(u32::from(i16::try_from(rounded(value)?).ok()? as u16)),
        (data_type::INT32, value) => MetricValue::Int(i32::try_from(rounded(value)?).ok()? as u32),
        (data_type::UINT8, value) => MetricValue::Int(u32::from(u8::try_from(rounded(value)?).ok()?)),
        (data_type::UINT16, value) => MetricValue::Int(u32::from(u16::try_from(rounded(value)?).ok()?)),
        (data_type::UINT32, value) => MetricValue::Int(u32::try_from(rounded(value)?).ok()?),
        _ => return None,
    })
}

/// A fraction that is written to a whole number is rounded.
fn rounded(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Bool(value) => Some(i64::from(*value)),
        Value::Float(number) if number.round().abs() < 9.0e18 => Some(number.round() as i64),
        _ => None,
    }
}
