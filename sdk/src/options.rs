//! Reading a driver's options, with errors that keep their place.

use crate::{Json, Problem, did_you_mean};
use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::net::Ipv6Addr;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Reads options into `T`. Use `#[serde(deny_unknown_fields)]` on `T`: a key that is misspelt must not be ignored.
///
/// # Errors
/// The first mistake, with the path of its key and, for an unknown key or variant, the one that was probably meant.
pub fn parse<T: DeserializeOwned>(options: &Json) -> Result<T, Problem> {
    serde_path_to_error::deserialize(options).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        explain(path, &error.inner().to_string())
    })
}

/// Turns serde's sentence into a problem: names in backticks after "expected" become a suggestion.
fn explain(path: String, text: &str) -> Problem {
    let quoted = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let kind = if text.starts_with("unknown field") {
        "unknown key"
    } else if text.starts_with("unknown variant") {
        "unknown choice"
    } else {
        return Problem::key(path, in_words(text));
    };
    let names = quoted(text);
    let Some((found, known)) = names.split_first() else { return Problem::key(path, text) };
    Problem::key(path, format!("{kind} `{found}`")).maybe_help(did_you_mean(found, known.iter().map(String::as_str)))
}

/// What serde says of a value of another type, as people say it.
fn in_words(text: &str) -> String {
    let parts = text.strip_prefix("invalid type: ").and_then(|text| text.split_once(", expected "));
    let Some((found, expected)) = parts else { return text.to_owned() };
    let expected = match expected {
        "a string" | "string or map" => "a text in quotes",
        "a boolean" => "true or false",
        "a sequence" => "a list in [ ]",
        "f64" | "f32" => "a number",
        "a map" => "a table in { }",
        number if is_whole(number) => "a whole number",
        table if table.starts_with("struct ") => "a table in { }",
        other => other,
    };
    let found = match found.split_once(' ') {
        Some(("string", text)) => text.to_owned(),
        Some(("integer" | "boolean" | "floating", _)) => found.rsplit(' ').next().unwrap_or(found).replace('`', ""),
        _ if found == "sequence" => "a list".to_owned(),
        _ if found == "map" => "a table".to_owned(),
        _ => found.to_owned(),
    };
    format!("expected {expected}, found {found}")
}

/// `u16`, `i64` ...
fn is_whole(name: &str) -> bool {
    let bits = name.strip_prefix(['u', 'i']).unwrap_or_default();
    bits == "size" || (!bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Durations written as text with a unit, `"250ms"`, `"1s"`, `"2h 30m"`, for `#[serde(with = "options::duration")]`.
pub mod duration {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::time::Duration;

    /// Reads a duration.
    ///
    /// # Errors
    /// If the text has no unit, is negative, or is not a duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text)
            .ok_or_else(|| D::Error::custom(format!("`{text}` is not a duration; write \"250ms\", \"1s\" or \"5m\"")))
    }

    /// Writes a duration.
    ///
    /// # Errors
    /// As the serializer.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&show(*duration))
    }

    /// As people write it: `250ms`, `1.5s`.
    pub fn show(duration: Duration) -> String {
        if duration.is_zero() { "0s".into() } else { format!("{duration:?}") }
    }

    /// Reads a duration from text, `250ms`, `2h 30m`, `7d`; `None` if it is not one. A day is 24 hours, a week 7 days.
    pub fn parse(text: &str) -> Option<Duration> {
        let span: jiff::Span = text.parse().ok()?;
        let span = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
        Duration::try_from(span).ok()
    }
}

/// The same where there may be none, for `#[serde(default, with = "options::maybe_duration")]`.
pub mod maybe_duration {
    use serde::{Deserializer, Serializer};
    use std::time::Duration;

    /// Reads a duration.
    ///
    /// # Errors
    /// As [`duration::deserialize`](super::duration::deserialize).
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        super::duration::deserialize(deserializer).map(Some)
    }

    /// Writes a duration, or nothing.
    ///
    /// # Errors
    /// As the serializer.
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => super::duration::serialize(duration, serializer),
            None => serializer.serialize_none(),
        }
    }
}

/// Notes a problem unless the duration is within the range, both ends included.
pub fn check_duration(problems: &mut Vec<Problem>, key: &str, duration: Duration, range: RangeInclusive<Duration>) {
    if !range.contains(&duration) {
        let shown = duration::show;
        let problem = Problem::key(key, format!("{} is out of range", shown(duration)));
        problems.push(problem.help(format!("{} to {}", shown(*range.start()), shown(*range.end()))));
    }
}

/// The number, if it is within the range, both ends included; otherwise a problem is noted, and the range's start is what to
/// go on with.
pub fn within<N>(key: &str, number: i64, range: RangeInclusive<N>, problems: &mut Vec<Problem>) -> N
where
    N: TryFrom<i64> + PartialOrd + Copy + Display,
{
    match N::try_from(number) {
        Ok(number) if range.contains(&number) => number,
        _ => {
            let problem = Problem::key(key, format!("{number} is out of range"));
            problems.push(problem.help(format!("{} to {}", range.start(), range.end())));
            *range.start()
        }
    }
}

/// Host and port of what stands behind the `://` of an endpoint; an IPv6 address goes in brackets. `None` if the port is no number
/// from 1 to 65535.
pub fn split_port(place: &str, port_default: u16) -> Option<(&str, u16)> {
    match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => Some((host, port.parse().ok().filter(|port| *port != 0)?)),
        _ => Some((place, port_default)),
    }
}

/// A host's name or address in its normal form, so that one host is one wire; IPv6 without its brackets. `None` if it is neither.
pub fn host_name(host: &str) -> Option<String> {
    if let Some(inner) = host.strip_prefix('[') {
        return Some(inner.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?.to_string());
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    (!host.is_empty() && host.chars().all(fits)).then(|| host.to_ascii_lowercase())
}

/// Reads a size: `1GiB`, `64 MiB`, `500kB`, `1024B`; `None` if it is not one.
pub fn bytes(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 7] = [
        ("B", 1),
        ("kB", 1000),
        ("KiB", 1 << 10),
        ("MB", 1_000_000),
        ("MiB", 1 << 20),
        ("GB", 1_000_000_000),
        ("GiB", 1 << 30),
    ];
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &text[digits.len()..];
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    digits.trim_end().parse::<u64>().ok()?.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    #[test]
    fn what_is_out_of_range_is_told_with_the_range() {
        let problems = &mut vec![];
        check_duration(problems, "timeout", Duration::from_secs(1), Duration::ZERO..=Duration::from_secs(1));
        assert_eq!(within("unit", 247, 1..=247_u8, problems), 247);
        assert_eq!(problems, &[]);
        check_duration(problems, "timeout", Duration::from_secs(2), Duration::from_millis(10)..=Duration::from_secs(1));
        assert_eq!((within("unit", 300, 1..=247_u8, problems), within("port", -1, 1..=9_u32, problems)), (1, 1));
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "`timeout`: 2s is out of range (10ms to 1s)",
                "`unit`: 300 is out of range (1 to 247)",
                "`port`: -1 is out of range (1 to 9)"
            ]
        );
    }

    #[test]
    fn a_host_has_one_normal_form() {
        for (place, wanted) in [
            ("PLC-1.local", Some(("plc-1.local".to_owned(), 502))),
            ("10.0.0.7:99", Some(("10.0.0.7".to_owned(), 99))),
            ("[2001:DB8::0:1]:99", Some(("2001:db8::1".to_owned(), 99))),
            ("[::1]", Some(("::1".to_owned(), 502))),
            ("a:0", None),
            ("a:65536", None),
            ("", None),
            ("::1", None),
            ("[1]", None),
            ("a b", None),
        ] {
            let read = split_port(place, 502).and_then(|(host, port)| Some((host_name(host)?, port)));
            assert_eq!(read, wanted, "{place}");
        }
    }

    #[test]
    fn sizes_need_a_unit() {
        assert_eq!(bytes("1GiB"), Some(1 << 30));
        assert_eq!(bytes("64 MiB"), Some(64 << 20));
        assert_eq!(bytes("500kB"), Some(500_000));
        for wrong in ["", "7", "GiB", "1 gib", "-1B", "99999999999GiB", "1.5GiB"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Options {
        #[serde(with = "duration")]
        timeout: Duration,
    }

    #[test]
    fn a_misspelt_key_is_named_with_the_right_one() {
        let problem = parse::<Options>(&json!({"timout": "1s"})).expect_err("misspelt");
        assert_eq!(problem.to_string(), "`timout`: unknown key `timout` (did you mean `timeout`?)");
    }

    #[test]
    fn a_value_of_another_type_is_told_as_people_say_it() {
        fn told<T: DeserializeOwned + std::fmt::Debug>(value: Json) -> String {
            parse::<BTreeMap<String, T>>(&json!({ "key": value })).expect_err("wrong").to_string()
        }
        assert_eq!(told::<String>(json!(30)), "`key`: expected a text in quotes, found 30");
        assert_eq!(told::<u16>(json!("1")), "`key`: expected a whole number, found \"1\"");
        assert_eq!(told::<u16>(json!(1.5)), "`key`: expected a whole number, found 1.5");
        assert_eq!(told::<f64>(json!(true)), "`key`: expected a number, found true");
        assert_eq!(told::<bool>(json!([])), "`key`: expected true or false, found a list");
        assert_eq!(told::<Vec<u8>>(json!("a b")), "`key`: expected a list in [ ], found \"a b\"");
    }

    #[test]
    fn a_duration_needs_a_unit() {
        assert_eq!(parse::<Options>(&json!({"timeout": "250ms"})).expect("valid").timeout, Duration::from_millis(250));
        let problem = parse::<Options>(&json!({"timeout": "250"})).expect_err("no unit");
        assert!(problem.to_string().contains("not a duration"), "{problem}");
    }
}
