//! What a JSON value stands for, and back.

use crate::Kind;
use edgeway_sdk::{Json, Quality, Value};
use std::collections::BTreeMap;

/// The device's words, and the values that they stand for.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Words(BTreeMap<String, Value>);

impl Words {
    pub(crate) fn new(map: &BTreeMap<String, Json>) -> Self {
        Words(map.iter().map(|(word, value)| (word.clone(), Value::from_json(value))).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a word, a number or a bool stands for.
    pub(crate) fn value(&self, json: &Json) -> Option<Value> {
        self.0.get(&written(json)?).cloned()
    }

    /// The word for a value. A number or a bool among the words is written as one.
    pub(crate) fn word(&self, value: &Value) -> Option<Json> {
        let same = |known: &Value| match (known.as_f64(), value.as_f64()) {
            (Some(known), Some(value)) => known == value,
            _ => known == value,
        };
        let (word, _) = self.0.iter().find(|(_, known)| same(known))?;
        let scalar = serde_json::from_str(word).ok().filter(|json: &Json| json.is_number() || json.is_boolean());
        Some(scalar.unwrap_or_else(|| Json::from(word.as_str())))
    }
}

/// The value that a JSON value stands for, with its quality.
pub(crate) fn value(json: &Json, kind: Kind, words: &Words) -> (Value, Quality) {
    let found = match (json, kind) {
        (Json::Null, _) => return (Value::Null, Quality::Bad),
        _ if !words.is_empty() => words.value(json),
        (json, Kind::Number) => number(json),
        (json, Kind::Bool) => bool(json),
        (json, Kind::Text) => Some(Value::Text(written(json).unwrap_or_else(|| json.to_string()).into())),
        (json, _) => plain(json),
    };
    found.map_or((Value::Null, Quality::BadOutOfRange), |value| (value, Quality::Good))
}

/// As it is, unless a number in it does not fit.
fn plain(json: &Json) -> Option<Value> {
    all_fit(json).then(|| Value::from_json(json))
}

/// A whole number beyond `i64` would become one that is not exact.
fn all_fit(json: &Json) -> bool {
    match json {
        Json::Number(number) => number.is_i64() || !number.is_u64(),
        Json::Array(items) => items.iter().all(all_fit),
        Json::Object(fields) => fields.values().all(all_fit),
        _ => true,
    }
}

fn number(json: &Json) -> Option<Value> {
    let Json::String(text) = json else { return plain(json).filter(|_| json.is_number()) };
    let text = text.trim();
    if text.trim_start_matches(['+', '-']).bytes().all(|byte| byte.is_ascii_digit()) {
        // One that does not fit would become one that is not exact.
        return text.parse().ok().map(Value::Int);
    }
    text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Float)
}

fn bool(json: &Json) -> Option<Value> {
    match written(json)?.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(Value::Bool(true)),
        "false" | "0" => Some(Value::Bool(false)),
        _ => None,
    }
}

/// Words, numbers and bools as text.
fn written(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(bool) => Some(bool.to_string()),
        _ => None,
    }
}

/// What a text payload says: a number, true or false, or else text.
pub(crate) fn of_text(text: &str) -> Json {
    let text = text.trim();
    let scalar = serde_json::from_str(text).ok().filter(|json: &Json| json.is_number() || json.is_boolean());
    scalar.unwrap_or_else(|| Json::from(text))
}

/// What a quality says: a word that begins with good, uncertain or bad, true for good, or a number of OPC (192 and more are
/// good, 64 and more uncertain). What is none of them is uncertain.
pub(crate) fn quality(json: &Json) -> Quality {
    let of_number = |number: f64| match number {
        number if number >= 192.0 => Quality::Good,
        number if number >= 64.0 => Quality::Uncertain,
        _ => Quality::Bad,
    };
    match json {
        Json::Bool(good) => {
            if *good {
                Quality::Good
            } else {
                Quality::Bad
            }
        }
        Json::Number(number) => number.as_f64().map_or(Quality::Uncertain, of_number),
        Json::String(word) => match word.to_ascii_lowercase() {
            word if word.starts_with("good") => Quality::Good,
            word if word.starts_with("bad") => Quality::Bad,
            word => word.parse().map_or(Quality::Uncertain, of_number),
        },
        _ => Quality::Uncertain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NO: Words = Words(BTreeMap::new());

    #[test]
    fn a_number_that_is_a_text_is_one_only_if_asked_for() {
        assert_eq!(value(&json!("21.5"), Kind::Auto, &NO).0, Value::from("21.5"));
        assert_eq!(value(&json!("21.5"), Kind::Number, &NO).0, Value::Float(21.5));
        assert_eq!(value(&json!(" 7 "), Kind::Number, &NO).0, Value::Int(7));
        for wrong in [json!("7 °C"), json!("NaN"), json!("1e999"), json!(true), json!([1])] {
            assert_eq!(value(&wrong, Kind::Number, &NO), (Value::Null, Quality::BadOutOfRange), "{wrong}");
        }
    }

    #[test]
    fn whole_numbers_that_do_not_fit_are_bad_and_not_rounded() {
        for wrong in [json!(u64::MAX), json!([1, u64::MAX]), json!({ "a": u64::MAX })] {
            assert_eq!(value(&wrong, Kind::Auto, &NO), (Value::Null, Quality::BadOutOfRange), "{wrong}");
        }
        assert_eq!(value(&json!("9223372036854775808"), Kind::Number, &NO), (Value::Null, Quality::BadOutOfRange));
        assert_eq!(value(&json!(i64::MAX), Kind::Auto, &NO).0, Value::Int(i64::MAX));
        assert_eq!(value(&json!("-9223372036854775808"), Kind::Number, &NO).0, Value::Int(i64::MIN));
    }

    #[test]
    fn words_stand_for_values_both_ways() {
        let words = Words::new(&BTreeMap::from([
            ("ON".into(), json!(true)),
            ("OFF".into(), json!(false)),
            ("3".into(), json!("boost")),
        ]));
        assert_eq!(value(&json!("ON"), Kind::Auto, &words), (Value::Bool(true), Quality::Good));
        assert_eq!(value(&json!(3), Kind::Auto, &words).0, Value::from("boost"));
        assert_eq!(value(&json!("on"), Kind::Auto, &words), (Value::Null, Quality::BadOutOfRange));
        assert_eq!(words.word(&Value::Bool(false)), Some(json!("OFF")));
        assert_eq!(words.word(&Value::Int(1)), Some(json!("ON")));
        assert_eq!(words.word(&Value::from("boost")), Some(json!(3)));
        assert_eq!(words.word(&Value::from("else")), None);
    }

    #[test]
    fn null_is_bad() {
        assert_eq!(value(&Json::Null, Kind::Text, &NO), (Value::Null, Quality::Bad));
    }

    #[test]
    fn qualities_are_read_in_three_dialects() {
        for (json, wanted) in [
            (json!("GOOD"), Quality::Good),
            (json!("good:local-override"), Quality::Good),
            (json!("BadSensorFailure"), Quality::Bad),
            (json!("uncertain"), Quality::Uncertain),
            (json!("192"), Quality::Good),
            (json!(64), Quality::Uncertain),
            (json!(0), Quality::Bad),
            (json!(false), Quality::Bad),
            (json!({}), Quality::Uncertain),
        ] {
            assert_eq!(quality(&json), wanted, "{json}");
        }
    }
}
