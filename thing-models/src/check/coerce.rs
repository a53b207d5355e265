//! Converting a value to a model's type.

use super::unfit::{Unfit, written};
use super::{CheckError, named_values};
use crate::model::{DataType, Range};
use edgeway_sdk::{Timestamp, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

impl DataType {
    /// Converts a value to this type, if it says the same and is within the limits.
    ///
    /// Beyond the type's own form these are taken: a whole number for a float or double; a float without a fraction
    /// for an int, enum or date; 0 and 1 for a bool; the label for an enum; RFC 3339 or a string of milliseconds for a
    /// date; the fields of a struct in any order. The limits are the model's min and max, an enum's numbers, a text's
    /// length and an array's size. The step is not one of them.
    ///
    /// # Errors
    /// If the value says something else, or is outside the limits.
    pub fn coerce(&self, value: &Value) -> Result<Value, CheckError> {
        match self {
            DataType::Int(range) => {
                whole(value).and_then(|i| range.check(i as f64).map(|()| Value::Int(i))).map_err(unnamed)
            }
            DataType::Float(range) => {
                number(value).and_then(|x| range.check_f32(x).map(|()| Value::Float(x))).map_err(unnamed)
            }
            DataType::Double(range) => {
                number(value).and_then(|x| range.check(x).map(|()| Value::Float(x))).map_err(unnamed)
            }
            DataType::Bool { .. } => truth(value).map(Value::Bool).map_err(unnamed),
            DataType::Enum(choices) => choice(choices, value).map(Value::Int).map_err(unnamed),
            DataType::Text { length } => text(*length, value).map(Value::Text).map_err(unnamed),
            DataType::Date => date(value).map(Value::Int).map_err(unnamed),
            DataType::Struct(fields) => match value {
                Value::Struct(given) => Ok(Value::Struct(named_values("the struct", "field", fields, given)?.into())),
                other => Err(unnamed(not(other, "a struct"))),
            },
            DataType::Array { size, item } => match value {
                Value::Array(items) => elements(*size, item, items).map(|items| Value::Array(items.into())),
                other => Err(unnamed(not(other, "a list"))),
            },
        }
    }
}

fn unnamed(reason: Unfit) -> CheckError {
    CheckError::Unfit { name: String::new(), reason }
}

fn not(value: &Value, wanted: &'static str) -> Unfit {
    Unfit::Type { found: written(value), wanted }
}

fn number(value: &Value) -> Result<f64, Unfit> {
    match value {
        Value::Int(i) => Ok(*i as f64),
        Value::Float(x) if x.is_finite() => Ok(*x),
        other => Err(not(other, "a number")),
    }
}

fn whole(value: &Value) -> Result<i64, Unfit> {
    match value {
        Value::Int(i) => Ok(*i),
        Value::Float(x) => whole_number(*x).ok_or_else(|| not(value, "a whole number")),
        other => Err(not(other, "a whole number")),
    }
}

/// A number without a fraction, if it fits into 64 bits.
pub(crate) fn whole_number(x: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    (x.fract() == 0.0 && (-LIMIT..LIMIT).contains(&x)).then_some(x as i64)
}

fn truth(value: &Value) -> Result<bool, Unfit> {
    match value {
        Value::Bool(b) => Ok(*b),
        other => match other.as_f64() {
            Some(0.0) => Ok(false),
            Some(1.0) => Ok(true),
            _ => Err(not(other, "true or false")),
        },
    }
}

fn choice(choices: &BTreeMap<i64, String>, value: &Value) -> Result<i64, Unfit> {
    let found = match value {
        Value::Text(label) => choices.iter().find(|(_, known)| ***known == **label).map(|(number, _)| *number),
        other => Some(whole(other)?).filter(|number| choices.contains_key(number)),
    };
    found.ok_or_else(|| Unfit::Choice { found: written(value), choices: listed(choices) })
}

/// The first twenty choices; a longer list helps nobody.
fn listed(choices: &BTreeMap<i64, String>) -> String {
    let shown: Vec<String> = choices.iter().take(20).map(|(number, label)| format!("{number} ({label})")).collect();
    let rest = if choices.len() > shown.len() { ", ..." } else { "" };
    format!("{}{rest}", shown.join(", "))
}

fn text(bytes_max: usize, value: &Value) -> Result<Arc<str>, Unfit> {
    match value {
        Value::Text(text) if text.len() <= bytes_max => Ok(text.clone()),
        Value::Text(text) => Err(Unfit::Long { bytes: text.len(), bytes_max }),
        other => Err(not(other, "text")),
    }
}

fn date(value: &Value) -> Result<i64, Unfit> {
    let millis = match value {
        Value::Text(text) => text.parse().ok().or_else(|| Timestamp::parse(text).map(Timestamp::as_millis)),
        other => whole(other).ok(),
    };
    millis.ok_or_else(|| not(value, "a time (RFC 3339 or milliseconds since 1970)"))
}

fn elements(count_max: usize, item: &DataType, items: &[Value]) -> Result<Vec<Value>, CheckError> {
    if items.len() > count_max {
        return Err(unnamed(Unfit::Many { count: items.len(), count_max }));
    }
    let coerced = items.iter().enumerate();
    coerced.map(|(at, value)| item.coerce(value).map_err(|error| error.inside(&format!("[{at}]")))).collect()
}

impl Range {
    /// Whether a number is within the limits.
    pub(crate) fn holds(&self, value: f64) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }

    /// The same in 32-bit arithmetic: a device that sends its maximum of 0.1 as a 32-bit float sends a little more.
    pub(crate) fn holds_f32(&self, value: f64) -> bool {
        let narrow = value as f32;
        narrow.is_finite()
            && self.min.is_none_or(|min| narrow >= min as f32)
            && self.max.is_none_or(|max| narrow <= max as f32)
    }

    fn check(&self, value: f64) -> Result<(), Unfit> {
        if self.holds(value) { Ok(()) } else { Err(self.broken(value)) }
    }

    fn check_f32(&self, value: f64) -> Result<(), Unfit> {
        if self.holds_f32(value) { Ok(()) } else { Err(self.broken(value)) }
    }

    /// Says which limit a value breaks; one that breaks none of the model's is too large for its type.
    fn broken(&self, value: f64) -> Unfit {
        let found = self.with_unit(value);
        match (self.min, self.max) {
            (Some(min), _) if value < min => Unfit::Below { found, limit: self.with_unit(min) },
            (_, Some(max)) if value > max => Unfit::Above { found, limit: self.with_unit(max) },
            _ if value < 0.0 => Unfit::Below { found, limit: self.with_unit(f64::from(f32::MIN)) },
            _ => Unfit::Above { found, limit: self.with_unit(f64::from(f32::MAX)) },
        }
    }

    fn with_unit(&self, value: f64) -> String {
        match &self.unit {
            Some(unit) => format!("{value} {unit}"),
            None => value.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Field;

    fn field(name: &str, data_type: DataType) -> Field {
        Field { identifier: name.into(), name: name.into(), data_type }
    }

    fn percent() -> Range {
        Range { min: Some(0.0), max: Some(100.0), unit: Some("%".into()), ..Range::default() }
    }

    fn refused(data_type: &DataType, value: impl Into<Value>) -> String {
        data_type.coerce(&value.into()).expect_err("refused").to_string()
    }

    #[test]
    fn a_value_without_a_name_is_called_the_value() {
        assert_eq!(refused(&DataType::Int(percent()), 101), "the value is 101 %, above its maximum of 100 %");
        assert_eq!(refused(&DataType::Double(percent()), f64::NAN), "the value is NaN, not a number");
        assert_eq!(
            refused(&DataType::Float(Range::default()), 1e300).split(',').nth(1),
            Some(" above its maximum of 340282346638528860000000000000000000000")
        );
        assert_eq!(
            refused(&DataType::Int(Range::default()), 1e19),
            "the value is 10000000000000000000, not a whole number"
        );
    }

    #[test]
    fn a_32_bit_float_at_its_limit_is_within_it() {
        let tenth = Range { max: Some(0.1), ..Range::default() };
        let sent = Value::Float(f64::from(0.1_f32));
        assert_eq!(DataType::Float(tenth.clone()).coerce(&sent), Ok(sent.clone()));
        assert!(DataType::Double(tenth).coerce(&sent).is_err());
    }

    #[test]
    fn a_date_is_milliseconds_or_rfc_3339() {
        for text in ["1524448722123", "2018-04-23T01:58:42.123Z", "2018-04-23T03:58:42.123+02:00"] {
            assert_eq!(DataType::Date.coerce(&text.into()), Ok(Value::Int(1_524_448_722_123)), "{text}");
        }
        assert!(refused(&DataType::Date, "yesterday").contains("not a time"));
    }

    #[test]
    fn a_text_is_counted_in_bytes() {
        let text = DataType::Text { length: 3 };
        assert_eq!(text.coerce(&"abc".into()), Ok("abc".into()));
        assert_eq!(refused(&text, "°°"), "the value is 4 bytes long, above its maximum of 3");
    }

    #[test]
    fn a_struct_comes_in_the_models_order_and_its_errors_name_the_field() {
        let place = DataType::Struct(vec![
            field("lat", DataType::Double(percent())),
            field("on", DataType::Bool { off: "0".into(), on: "1".into() }),
        ]);
        let given =
            |fields: &[(&str, Value)]| Value::Struct(fields.iter().map(|(n, v)| ((*n).into(), v.clone())).collect());
        let right = place.coerce(&given(&[("on", 1.into()), ("lat", 7.into())]));
        assert_eq!(right, Ok(given(&[("lat", 7.0.into()), ("on", true.into())])));
        assert_eq!(
            refused(&place, given(&[("on", 1.into()), ("lat", 700.into())])),
            "`lat` is 700 %, above its maximum of 100 %"
        );
        assert_eq!(refused(&place, given(&[("lat", 7.into())])), "`on` is missing");
        assert_eq!(refused(&place, 3), "the value is 3, not a struct");
    }

    #[test]
    fn an_error_inside_a_list_names_the_element() {
        let list = DataType::Array { size: 2, item: Box::new(DataType::Int(percent())) };
        let of = |values: &[i64]| Value::Array(values.iter().map(|i| Value::Int(*i)).collect());
        assert_eq!(list.coerce(&of(&[1, 2])), Ok(of(&[1, 2])));
        assert_eq!(refused(&list, of(&[1, 2, 3])), "the value has 3 elements, above its maximum of 2");
        let error = list.coerce(&of(&[1, -2])).expect_err("below").inside("levels");
        assert_eq!(error.to_string(), "`levels[1]` is -2 %, below its minimum of 0 %");
    }
}
