//! Values and times in words, and words as values.

use super::table::Tone;
use edgeway_sdk::{Json, Timestamp};
use std::time::Duration;

/// How long ago, in one unit: `2 s ago`.
pub(super) fn age(time: Timestamp, now: Timestamp) -> String {
    match span(now.since(time)) {
        Some(span) => format!("{span} ago"),
        None => "now".to_owned(),
    }
}

/// The age of a time as the API writes it; empty if there is none, the text itself if it is no time.
pub(super) fn age_of(text: Option<&str>, now: Timestamp) -> String {
    let Some(text) = text else { return String::new() };
    Timestamp::parse(text).map_or_else(|| text.to_owned(), |time| age(time, now))
}

/// A duration in its largest unit, rounded down; `None` below a second.
pub(super) fn span(duration: Duration) -> Option<String> {
    let seconds = duration.as_secs();
    let (number, unit) = match seconds {
        0 => return None,
        1..60 => (seconds, "s"),
        60..3600 => (seconds / 60, "min"),
        3600..86_400 => (seconds / 3600, "h"),
        _ => (seconds / 86_400, "d"),
    };
    Some(format!("{number} {unit}"))
}

/// A number of bytes in its largest unit: `3.4 MiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut number = bytes as f64 / 1024.0;
    let mut unit = 0;
    while number >= 1024.0 && unit + 1 < units.len() {
        number /= 1024.0;
        unit += 1;
    }
    format!("{number:.1} {}", units[unit])
}

/// A value in one line: text without quotes, nothing as `-`, fractions with three digits.
pub(super) fn value(json: &Json) -> String {
    match json {
        Json::Null => "-".to_owned(),
        Json::String(text) => text.clone(),
        Json::Number(number) => match number.as_f64() {
            Some(fraction) if number.is_f64() => rounded(fraction),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

/// A number as people read it; all its digits are in the JSON output.
fn rounded(number: f64) -> String {
    let digits = match number.abs() {
        0.0 => return "0".to_owned(),
        0.01..1e15 => format!("{number:.3}"),
        _ => return format!("{number:.3e}"),
    };
    digits.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The tone of a quality, `bad:timeout`.
pub(super) fn quality(quality: &str) -> Tone {
    match quality.split(':').next() {
        Some("good") => Tone::Good,
        Some("bad") => Tone::Bad,
        Some("") | None => Tone::Plain,
        Some(_) => Tone::Doubtful,
    }
}

/// What a person has typed as a value: JSON where it is some (`true`, `21.5`, `[1,2]`), text otherwise.
pub(super) fn parse_value(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.to_owned()))
}

/// What a person has typed as the input of a service: `KEY=VALUE` any number of times, or one JSON object.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse_input(words: &[String]) -> Result<serde_json::Map<String, Json>, String> {
    if let [only] = words
        && only.trim_start().starts_with('{')
    {
        return serde_json::from_str(only).map_err(|error| format!("`{only}` is not a JSON object: {error}"));
    }
    let mut input = serde_json::Map::new();
    for word in words {
        let (key, text) = word.split_once('=').ok_or_else(|| format!("`{word}` is not KEY=VALUE"))?;
        if input.insert(key.to_owned(), parse_value(text)).is_some() {
            return Err(format!("`{key}` is given twice"));
        }
    }
    Ok(input)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_age_has_one_unit() {
        let start = Timestamp::from_secs(1_000_000);
        let after = |seconds| age(start, start + Duration::from_secs(seconds));
        assert_eq!([after(0), after(2), after(59)], ["now", "2 s ago", "59 s ago"]);
        assert_eq!([after(60), after(7199), after(90_000)], ["1 min ago", "1 h ago", "1 d ago"]);
        assert_eq!(age(start + Duration::from_secs(9), start), "now", "a clock that is ahead");
        assert_eq!(
            age_of(Some("2026-11-23T09:00:00Z"), Timestamp::parse("2026-11-23T09:00:03Z").expect("a time")),
            "3 s ago"
        );
        assert_eq!(age_of(None, start), "");
    }

    #[test]
    fn fractions_are_rounded_for_people() {
        let cases = [
            (json!(11.377203392440988), "11.377"),
            (json!(0.0), "0"),
            (json!(1200.0), "1200"),
            (json!(-0.5), "-0.5"),
            (json!(0.000_012_34), "1.234e-5"),
            (json!(9_007_199_254_740_993_i64), "9007199254740993"),
            (json!("a"), "a"),
            (json!(null), "-"),
            (json!([1, 2.5]), "[1,2.5]"),
        ];
        for (json, expected) in cases {
            assert_eq!(value(&json), expected);
        }
    }

    #[test]
    fn bytes_have_a_unit_that_fits() {
        assert_eq!([bytes(5), bytes(1536), bytes(8 << 20)], ["5 B", "1.5 KiB", "8.0 MiB"]);
    }

    #[test]
    fn a_typed_value_is_json_or_else_text() {
        let cases = [
            ("true", json!(true)),
            ("21.5", json!(21.5)),
            ("-3", json!(-3)),
            ("[1,2]", json!([1, 2])),
            ("\"7\"", json!("7")),
            ("cool", json!("cool")),
            ("007", json!("007")),
            ("", json!("")),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_value(text), expected, "{text}");
        }
    }

    #[test]
    fn an_input_is_pairs_or_an_object() {
        let parse = |words: &[&str]| {
            parse_input(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).map(Json::Object)
        };
        assert_eq!(parse(&["mode=normal", "seconds=5"]), Ok(json!({"mode": "normal", "seconds": 5})));
        assert_eq!(parse(&[r#"{"mode":0}"#]), Ok(json!({"mode": 0})));
        assert_eq!(parse(&[]), Ok(json!({})));
        assert_eq!(parse(&["mode"]), Err("`mode` is not KEY=VALUE".into()));
        assert_eq!(parse(&["a=1", "a=2"]), Err("`a` is given twice".into()));
        assert!(parse(&["{"]).is_err());
    }

    #[test]
    fn a_quality_has_the_tone_of_its_class() {
        assert_eq!(
            [quality("good"), quality("stale"), quality("bad:timeout")],
            [Tone::Good, Tone::Doubtful, Tone::Bad]
        );
    }
}
