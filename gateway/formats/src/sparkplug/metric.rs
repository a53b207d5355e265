//! Metrics from values.

use crate::numbers::{number, whole};
use crate::value_text::json;
use edgeway_sdk::{Quality, Timestamp, Value};
use edgeway_sparkplug::data_type as code;
use edgeway_sparkplug::quality::{BAD, GOOD, STALE};
use edgeway_sparkplug::{Metric, MetricValue, PropertySet, PropertyValue, PropertyValueKind};
use edgeway_thing_models::DataType;

/// Whether a value is of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tense {
    Present,
    Past,
}

/// A value of a metric.
#[derive(Debug, Clone)]
pub(super) struct Last {
    pub(super) value: Value,
    pub(super) quality: Quality,
    pub(super) time: Timestamp,
}

impl Last {
    /// For a metric that nothing is known of yet.
    pub(super) fn unseen(time: Timestamp) -> Self {
        Last { value: Value::Null, quality: Quality::Stale, time }
    }
}

/// A metric; without a type of the model it is text.
pub(super) fn metric(name: String, data_type: Option<&DataType>, last: &Last, tense: Tense) -> Metric {
    let value = value(&last.value, data_type);
    Metric {
        name: Some(name),
        timestamp: Some(millis(last.time)),
        datatype: Some(data_type.map_or(code::STRING, data_type_code)),
        is_historical: (tense == Tense::Past).then_some(true),
        is_null: value.is_none().then_some(true),
        properties: quality(last.quality),
        value,
        ..Metric::default()
    }
}

/// The same, with the unit of its type.
pub(super) fn with_unit(mut metric: Metric, data_type: Option<&DataType>) -> Metric {
    if let Some(unit) = data_type.and_then(DataType::unit) {
        metric.properties.get_or_insert_default().add("engUnit", property(unit));
    }
    metric
}

/// A metric of the edge node itself: a number ...
pub(super) fn number_metric(name: &str, number: u64, time_ms: i64) -> Metric {
    plain(name, code::INT64, MetricValue::Long(number), time_ms)
}

/// ... or a switch ...
pub(super) fn switch_metric(name: &str, time_ms: i64) -> Metric {
    plain(name, code::BOOLEAN, MetricValue::Boolean(false), time_ms)
}

/// ... or text.
pub(super) fn text_metric(name: &str, text: &str, time_ms: i64) -> Metric {
    plain(name, code::STRING, MetricValue::String(text.to_owned()), time_ms)
}

fn plain(name: &str, datatype: u32, value: MetricValue, time_ms: i64) -> Metric {
    Metric {
        name: Some(name.to_owned()),
        timestamp: Some(unsigned(time_ms)),
        datatype: Some(datatype),
        value: Some(value),
        ..Metric::default()
    }
}

/// `Quality` with Sparkplug's code, and beside it what the code cannot tell.
fn quality(quality: Quality) -> Option<PropertySet> {
    let code = match quality {
        Quality::Good => return None,
        Quality::Uncertain => GOOD,
        Quality::Stale => STALE,
        _ => BAD,
    };
    let mut set = PropertySet::default();
    set.add("Quality", PropertyValue { r#type: Some(code::INT32), value: Some(PropertyValueKind::Int(code)) });
    set.add("edgewayQuality", property(quality.as_str()));
    Some(set)
}

fn property(text: &str) -> PropertyValue {
    PropertyValue { r#type: Some(code::STRING), value: Some(PropertyValueKind::String(text.to_owned())) }
}

fn data_type_code(data_type: &DataType) -> u32 {
    match data_type {
        DataType::Int(_) | DataType::Enum(_) => code::INT64,
        DataType::Float(_) => code::FLOAT,
        DataType::Double(_) => code::DOUBLE,
        DataType::Bool { .. } => code::BOOLEAN,
        DataType::Date => code::DATE_TIME,
        DataType::Text { .. } | DataType::Struct(_) | DataType::Array { .. } => code::STRING,
    }
}

/// Whether a value has a form in the metric of this type.
pub(super) fn has_form(seen: &Value, data_type: &DataType) -> bool {
    let is_nothing = match seen {
        Value::Null => true,
        Value::Float(x) => !x.is_finite(),
        _ => false,
    };
    is_nothing || value(seen, Some(data_type)).is_some()
}

/// The value in the metric's type; `None` is null.
fn value(value: &Value, data_type: Option<&DataType>) -> Option<MetricValue> {
    match (data_type, value) {
        (_, Value::Null) => None,
        (_, Value::Float(x)) if !x.is_finite() => None,
        (Some(DataType::Int(_) | DataType::Enum(_)), value) => whole(value).map(|i| MetricValue::Long(i as u64)),
        (Some(DataType::Date), value) => whole(value).and_then(|ms| u64::try_from(ms).ok()).map(MetricValue::Long),
        (Some(DataType::Float(_)), value) => {
            number(value).map(|x| x as f32).filter(|x| x.is_finite()).map(MetricValue::Float)
        }
        (Some(DataType::Double(_)), value) => number(value).map(MetricValue::Double),
        (Some(DataType::Bool { .. }), Value::Bool(b)) => Some(MetricValue::Boolean(*b)),
        (Some(DataType::Text { .. }) | None, Value::Text(text)) => Some(MetricValue::String(text.to_string())),
        (Some(of @ (DataType::Struct(_) | DataType::Array { .. })), value) => {
            Some(MetricValue::String(json(value, Some(of))))
        }
        _ => None,
    }
}

fn millis(time: Timestamp) -> u64 {
    unsigned(time.as_millis())
}

/// Sparkplug's times begin in 1970; an earlier one, of a clock that is not set, is its beginning.
pub(super) fn unsigned(millis: i64) -> u64 {
    u64::try_from(millis).unwrap_or(0)
}
