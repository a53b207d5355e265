//! One cell of a recording.

use crate::config::{ColumnType, TimeUnit};
use edgeway_sdk::{Timestamp, Value};

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Raw {
    Empty,
    /// Characters that may mean a number or something else.
    Written(String),
    /// A value of a known type.
    Typed(Value),
    Time(Timestamp),
    /// What no value can hold, with the reason.
    Unfit(&'static str),
}

impl Raw {
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Raw::Written(text) => Some(text.clone()),
            Raw::Typed(value) => Some(value.to_string()),
            Raw::Time(time) => Some(time.to_string()),
            Raw::Empty | Raw::Unfit(_) => None,
        }
    }

    /// The cell as a time.
    ///
    /// # Errors
    /// Why it is none.
    pub(super) fn time(&self, unit: TimeUnit) -> Result<Timestamp, String> {
        let time = match self {
            Raw::Time(time) => Some(*time),
            Raw::Typed(Value::Int(int)) => of_int(*int, unit),
            Raw::Typed(Value::Float(float)) => of_float(*float, unit),
            Raw::Written(text) => of_text(text, unit),
            Raw::Typed(Value::Text(text)) => of_text(text, unit),
            Raw::Empty => return Err("is empty".into()),
            Raw::Typed(_) | Raw::Unfit(_) => None,
        };
        time.ok_or_else(|| format!("is `{}`, which is no time", self.text().unwrap_or_default()))
    }
}

fn of_int(int: i64, unit: TimeUnit) -> Option<Timestamp> {
    int.checked_mul(unit.nanos()).map(Timestamp::from_nanos)
}

fn of_float(float: f64, unit: TimeUnit) -> Option<Timestamp> {
    let nanos = float * unit.nanos() as f64;
    (nanos.abs() < i64::MAX as f64).then(|| Timestamp::from_nanos(nanos.round() as i64))
}

/// RFC 3339; without an offset it is UTC; or a number.
fn of_text(text: &str, unit: TimeUnit) -> Option<Timestamp> {
    if let Ok(int) = text.parse() {
        return of_int(int, unit);
    }
    let rfc = text.replacen(' ', "T", 1);
    let time = Timestamp::parse(&rfc).or_else(|| Timestamp::parse(&format!("{rfc}Z")));
    time.or_else(|| text.parse().ok().and_then(|float| of_float(float, unit)))
}

/// The value of a cell; `None` if it is empty.
///
/// # Errors
/// Why it is no value of this type.
pub(crate) fn cell(raw: &Raw, column_type: ColumnType) -> Result<Option<Value>, String> {
    let value = match raw {
        Raw::Empty => return Ok(None),
        Raw::Unfit(reason) => return Err((*reason).to_owned()),
        Raw::Written(text) => written(text, column_type),
        Raw::Time(time) => Some(Value::Int(time.as_millis())),
        Raw::Typed(value) => typed(value, column_type),
    };
    let value = value.filter(|value| !matches!(value, Value::Float(float) if !float.is_finite()));
    value
        .map(Some)
        .ok_or_else(|| format!("is `{}`, which is no {}", raw.text().unwrap_or_default(), column_type.word()))
}

fn written(text: &str, column_type: ColumnType) -> Option<Value> {
    let bool = || match text {
        "true" | "True" | "TRUE" => Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => Some(Value::Bool(false)),
        _ => None,
    };
    let number = || text.parse().ok().map(Value::Int).or_else(|| text.parse().ok().map(Value::Float));
    match column_type {
        ColumnType::Text => Some(text.into()),
        ColumnType::Number => number(),
        ColumnType::Bool => bool().or(match text {
            "1" => Some(Value::Bool(true)),
            "0" => Some(Value::Bool(false)),
            _ => None,
        }),
        ColumnType::Auto => bool().or_else(number).or_else(|| Some(text.into())),
    }
}

fn typed(value: &Value, column_type: ColumnType) -> Option<Value> {
    match (column_type, value) {
        (ColumnType::Auto, _)
        | (ColumnType::Number, Value::Int(_) | Value::Float(_))
        | (ColumnType::Bool, Value::Bool(_))
        | (ColumnType::Text, Value::Text(_)) => Some(value.clone()),
        (ColumnType::Number, Value::Bool(bool)) => Some(Value::Int(i64::from(*bool))),
        (ColumnType::Bool, Value::Int(int @ (0 | 1))) => Some(Value::Bool(*int == 1)),
        (ColumnType::Text, Value::Bool(_) | Value::Int(_) | Value::Float(_)) => Some(value.to_string().as_str().into()),
        (_, Value::Text(text)) => written(text, column_type),
        _ => None,
    }
}

impl ColumnType {
    fn word(self) -> &'static str {
        match self {
            ColumnType::Auto => "value",
            ColumnType::Number => "number",
            ColumnType::Bool => "true or false",
            ColumnType::Text => "text",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_what_it_looks_like_or_what_its_column_says() {
        let cell =
            |text: &str, column_type| cell(&Raw::Written(text.into()), column_type).map(Option::unwrap_or_default);
        assert_eq!(cell("42", ColumnType::Auto), Ok(Value::Int(42)));
        assert_eq!(cell("-1.5e3", ColumnType::Auto), Ok(Value::Float(-1500.0)));
        assert_eq!(cell("true", ColumnType::Auto), Ok(Value::Bool(true)));
        assert_eq!(cell("off", ColumnType::Auto), Ok("off".into()));
        assert_eq!(cell("007", ColumnType::Text), Ok("007".into()));
        assert_eq!(cell("1", ColumnType::Bool), Ok(Value::Bool(true)));
        assert_eq!(cell("n/a", ColumnType::Number), Err("is `n/a`, which is no number".into()));
        assert_eq!(cell("NaN", ColumnType::Number), Err("is `NaN`, which is no number".into()));
        assert_eq!(cell("1e999", ColumnType::Auto), Err("is `1e999`, which is no value".into()));
        assert_eq!(cell("2", ColumnType::Bool), Err("is `2`, which is no true or false".into()));
    }

    #[test]
    fn times_are_texts_or_numbers() {
        let time = |text: &str, unit| Raw::Written(text.into()).time(unit).map(|time| time.to_string());
        let expected = Ok("2026-11-23T09:00:00.500Z".to_owned());
        assert_eq!(time("2026-11-23T10:00:00.5+01:00", TimeUnit::Ms), expected);
        assert_eq!(time("2026-11-23 09:00:00.5", TimeUnit::Ms), expected);
        assert_eq!(time("1795424400500", TimeUnit::Ms), expected);
        assert_eq!(time("1795424400.5", TimeUnit::S), expected);
        assert_eq!(time("yesterday", TimeUnit::S), Err("is `yesterday`, which is no time".into()));
        assert_eq!(time("9223372036854775807", TimeUnit::S), Err("is `9223372036854775807`, which is no time".into()));
        assert_eq!(Raw::Empty.time(TimeUnit::S), Err("is empty".into()));
    }
}
