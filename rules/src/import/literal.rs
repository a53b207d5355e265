//! Values as a script writes them.

use super::names;
use edgeway_sdk::Value;
use edgeway_thing_models::DataType;
use std::fmt::Write;

/// Below it every whole number is exact as a float.
const EXACT_MAX: f64 = 1e15;

/// A value of this type. An enum is written as its label, if that means one number only.
pub(super) fn of(data_type: &DataType, value: &Value) -> String {
    match (data_type, value) {
        (DataType::Enum(labels), Value::Int(number)) => {
            let label = labels.get(number).filter(|label| labels.values().filter(|other| other == label).count() == 1);
            label.map_or_else(|| number.to_string(), |label| text(label))
        }
        (DataType::Struct(fields), Value::Struct(values)) => {
            let typed = values.iter().filter_map(|(name, value)| {
                let field = fields.iter().find(|field| field.identifier == *name)?;
                Some((&**name, of(&field.data_type, value)))
            });
            map(typed)
        }
        (DataType::Array { item, .. }, Value::Array(values)) => {
            let values: Vec<String> = values.iter().map(|value| of(item, value)).collect();
            format!("[{}]", values.join(", "))
        }
        (_, Value::Float(x)) => number(*x),
        (_, Value::Text(found)) => text(found),
        (_, other) => other.to_string(),
    }
}

/// `#{ mode: "normal" }`.
pub(super) fn map<'a>(entries: impl Iterator<Item = (&'a str, String)>) -> String {
    let key = |name: &str| if names::is_free(name) { name.to_owned() } else { text(name) };
    let entries: Vec<String> = entries.map(|(name, value)| format!("{}: {value}", key(name))).collect();
    if entries.is_empty() { "#{}".to_owned() } else { format!("#{{ {} }}", entries.join(", ")) }
}

/// Without a fraction where there is none: `28`, as people write it. The model says what it is.
fn number(x: f64) -> String {
    if x.fract() == 0.0 && x.abs() < EXACT_MAX { (x as i64).to_string() } else { format!("{x:?}") }
}

/// What breaks a line or turns the direction of text around. A script is what it looks like.
pub(super) fn is_deceptive(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text in quotes.
pub(super) fn text(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if is_deceptive(c) => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use rhai::Engine;

    #[test]
    fn any_text_comes_back_from_a_script() {
        for given in ["", "°C", "\"); evil(\"", "a\\", "\u{7}\r\n\t\u{202e}\u{85}", "${x} `y` {z}", "// no comment /*"]
        {
            assert_eq!(Engine::new().eval::<String>(&text(given)).expect("a text"), given);
        }
    }

    #[test]
    fn a_key_that_is_a_word_of_the_language_stands_in_quotes() {
        let map = map([("mode", "1".to_owned()), ("in", "2".to_owned())].into_iter());
        assert_eq!(map, "#{ mode: 1, \"in\": 2 }");
        assert_eq!(Engine::new().eval::<rhai::Map>(&map).expect("a map").len(), 2);
    }

    #[test]
    fn any_number_comes_back_from_a_script() {
        for given in [0.5, -273.15, 1e300, 1e-7, -1.5e20] {
            assert_eq!(Engine::new().eval::<f64>(&number(given)).expect("a number"), given);
        }
        assert_eq!((number(28.0), number(-0.0)), ("28".into(), "0".into()));
    }
}
