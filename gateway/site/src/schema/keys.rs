//! Tables of keys, and the schemas that they are.

use edgeway_sdk::Json;
use serde_json::{Map, json};

/// A key, what it holds and what it means.
pub(super) type Key = (&'static str, Kind, &'static str);

/// What a key holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Text,
    Texts,
    Bool,
    Number,
    /// A number from, to.
    Within(f64, f64),
    /// A whole number from, to.
    Whole(u64, u64),
    /// `"1s"`.
    Duration,
    /// `"64MiB"`.
    Size,
    Choice(&'static [&'static str]),
    /// Names with texts.
    TextTable,
    /// Something of `$defs`.
    Ref(&'static str),
    /// Names, each with something of `$defs`.
    Named(&'static str),
    /// A list of something of `$defs`.
    List(&'static str),
}

impl Kind {
    fn schema(self) -> Json {
        let reference = |name: &str| json!({ "$ref": format!("#/$defs/{name}") });
        match self {
            Kind::Text => json!({ "type": "string" }),
            Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
            Kind::Bool => json!({ "type": "boolean" }),
            Kind::Number => json!({ "type": "number" }),
            Kind::Within(from, to) => json!({ "type": "number", "minimum": from, "maximum": to }),
            Kind::Whole(from, to) => json!({ "type": "integer", "minimum": from, "maximum": to }),
            Kind::Duration => json!({ "type": "string", "examples": ["250ms", "1s", "2h 30m", "7d"] }),
            Kind::Size => json!({ "type": "string", "examples": ["500kB", "64MiB"] }),
            Kind::Choice(words) => json!({ "enum": words }),
            Kind::TextTable => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
            Kind::Ref(name) => reference(name),
            Kind::Named(name) => json!({ "type": "object", "additionalProperties": reference(name) }),
            Kind::List(name) => json!({ "type": "array", "items": reference(name) }),
        }
    }
}

/// The schemas of keys, by their names.
pub(super) fn properties(keys: &[Key]) -> Map<String, Json> {
    let property = |(name, kind, meaning): &Key| {
        let mut schema = kind.schema();
        schema["description"] = json!(meaning);
        ((*name).to_owned(), schema)
    };
    keys.iter().map(property).collect()
}

/// A table with these keys and no others.
pub(super) fn table(keys: &[Key], required: &[&str]) -> Json {
    json!({
        "type": "object",
        "properties": properties(keys),
        "required": required,
        "additionalProperties": false,
    })
}
