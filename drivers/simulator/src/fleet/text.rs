//! TOML on one line.

use edgeway_sdk::Json;
use std::fmt;
use toml_writer::{ToTomlKey, ToTomlValue, TomlKeyBuilder, TomlStringBuilder};

/// The options of a point, in the order in which people would write them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Options(Vec<(&'static str, Json)>);

impl Options {
    pub(super) fn at(at: &str) -> Self {
        Options(vec![("at", at.into())])
    }

    pub(super) fn with(mut self, key: &'static str, value: impl Into<Json>) -> Self {
        self.0.push((key, value.into()));
        self
    }
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries: Vec<String> = self.0.iter().map(|(key, value)| format!("{key} = {}", toml(value))).collect();
        write!(f, "{{ {} }}", entries.join(", "))
    }
}

fn toml(value: &Json) -> String {
    match value {
        Json::String(text) => quoted(text),
        Json::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Json::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{} = {}", key(name), toml(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        // Numbers, true and false are written alike.
        other => other.to_string(),
    }
}

/// A key, in quotes if it needs them.
pub(super) fn key(name: &str) -> String {
    TomlKeyBuilder::new(name).as_default().to_toml_key()
}

/// A text in quotes, on one line.
pub(super) fn quoted(text: &str) -> String {
    TomlStringBuilder::new(text).as_basic().to_toml_value()
}
