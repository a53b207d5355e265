//! Headers that people write.

use edgeway_sdk::Problem;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::collections::BTreeMap;

/// What the protocol itself needs is not for people to write.
const OURS: [&str; 9] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "host",
    "if-modified-since",
    "if-none-match",
    "te",
    "transfer-encoding",
];

/// Reads a table of headers. Values are secrets: they are never shown.
pub(super) fn read(key: &str, table: &BTreeMap<String, String>, problems: &mut Vec<Problem>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in table {
        let place = format!("{key}.{name}");
        match (header_name(&place, name), header_value(&place, value)) {
            (Ok(name), Ok(value)) => drop(headers.insert(name, value)),
            (found, value) => problems.extend(found.err().into_iter().chain(value.err())),
        }
    }
    headers
}

/// A header's name.
///
/// # Errors
/// If it is none, or one that the driver sets itself.
pub(super) fn header_name(key: &str, name: &str) -> Result<HeaderName, Problem> {
    let found: HeaderName =
        name.parse().map_err(|_| Problem::key(key, format!("`{name}` is not a header's name")).help("`X-Api-Key`"))?;
    match OURS.contains(&found.as_str()) {
        true => Err(Problem::key(key, format!("the driver sets `{name}` itself")).help(instead(&found))),
        false => Ok(found),
    }
}

fn instead(name: &HeaderName) -> &'static str {
    match name.as_str() {
        "authorization" => "write `token`, `username` and `password`, or `oauth`",
        "if-none-match" | "if-modified-since" => "a device has `unchanged`",
        _ => "leave it out",
    }
}

/// A header's value, which is kept out of every log.
///
/// # Errors
/// If a character of it can be in no header.
pub(super) fn header_value(key: &str, value: &str) -> Result<HeaderValue, Problem> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        Problem::key(key, "the value has a character that no header may have").help("no line ends, no NUL")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_told_and_no_value_is_shown() {
        let table = [("a b", "x"), ("X-Key", "secret\0"), ("Host", "h"), ("X-Fine", "y")];
        let table = table.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut problems = vec![];
        let headers = read("headers", &table, &mut problems);
        let texts: Vec<String> = problems.iter().map(Problem::to_string).collect();
        assert_eq!(
            texts,
            [
                "`headers.Host`: the driver sets `Host` itself (leave it out)",
                "`headers.X-Key`: the value has a character that no header may have (no line ends, no NUL)",
                "`headers.a b`: `a b` is not a header's name (`X-Api-Key`)",
            ]
        );
        assert_eq!(headers.len(), 1);
        assert!(headers["x-fine"].is_sensitive());
    }
}
