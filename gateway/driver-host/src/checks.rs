//! Options against the schemas of a manifest.

use edgeway_sdk::{Json, Manifest, Problem, did_you_mean};
use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use std::collections::BTreeMap;

/// A manifest's schemas, compiled.
pub(crate) struct Checks {
    pub(crate) link: Check,
    pub(crate) device: Check,
    pub(crate) point: Check,
}

impl Checks {
    /// # Errors
    /// Which schema is none, and why.
    pub(crate) fn new(manifest: &Manifest) -> Result<Self, String> {
        let check = |kind: &str, schema: &Json| {
            Check::new(schema).map_err(|reason| format!("the schema of its {kind} options is none: {reason}"))
        };
        let options = &manifest.options;
        Ok(Checks {
            link: check("link", &options.link)?,
            device: check("device", &options.device)?,
            point: check("point", &options.point)?,
        })
    }
}

/// One schema.
pub(crate) struct Check {
    validator: Validator,
    /// What the schema says of each option.
    meanings: BTreeMap<String, String>,
}

impl Check {
    fn new(schema: &Json) -> Result<Self, String> {
        // A driver that describes nothing takes anything.
        let anything = Json::Bool(true);
        let schema = if schema.is_null() { &anything } else { schema };
        let validator = jsonschema::draft202012::new(schema).map_err(|error| error.to_string())?;
        let meaning = |(key, option): (&String, &Json)| {
            (key.clone(), option["description"].as_str().unwrap_or_default().trim_end_matches('.').to_owned())
        };
        let meanings = schema["properties"].as_object().into_iter().flatten().map(meaning).collect();
        Ok(Check { validator, meanings })
    }

    /// Everything that is wrong.
    pub(crate) fn problems(&self, options: &Json) -> Vec<Problem> {
        self.validator.iter_errors(options).flat_map(|error| self.problem(&error)).collect()
    }

    fn problem(&self, error: &ValidationError<'_>) -> Vec<Problem> {
        let place = dotted(&error.instance_path().to_string());
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let unknown = |key: &String| {
                    let near = did_you_mean(key, self.meanings.keys().map(String::as_str)).filter(|_| place.is_empty());
                    Problem::key(below(&place, key), format!("unknown key `{key}`")).maybe_help(near)
                };
                unexpected.iter().map(unknown).collect()
            }
            ValidationErrorKind::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                vec![Problem::key(place, format!("`{key}` is missing"))]
            }
            // A person reads what is wanted; the pattern comes last.
            ValidationErrorKind::Pattern { pattern } => {
                let found = format!("{} does not have the right form", error.instance());
                let meaning = self.meanings.get(&place).filter(|meaning| !meaning.is_empty());
                let pattern = format!("as a pattern: {pattern}");
                let help = meaning.map_or(pattern.clone(), |meaning| format!("{meaning}; {pattern}"));
                vec![Problem::key(place, found).help(help)]
            }
            _ => {
                let meaning = self.meanings.get(&place).filter(|meaning| !meaning.is_empty()).cloned();
                vec![Problem::key(place, error.to_string()).maybe_help(meaning)]
            }
        }
    }
}

/// `/a/b/0` as `a.b.0`.
fn dotted(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

fn below(place: &str, key: &str) -> String {
    if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_mistake_is_told_at_its_key() {
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["endpoint"],
            "properties": {
                "endpoint": { "type": "string", "pattern": "^tcp:", "description": "Where it listens" },
                "timeout": { "type": "integer", "maximum": 10, "description": "In seconds." },
                "tls": { "type": "object", "additionalProperties": false, "properties": { "ca": { "type": "string" } } },
            },
        });
        let check = Check::new(&schema).expect("a schema");
        assert_eq!(check.problems(&json!({ "endpoint": "tcp:x" })), []);
        let wrong = check.problems(&json!({ "endpoint": "x" }))[0].to_string();
        assert_eq!(wrong, "`endpoint`: \"x\" does not have the right form (Where it listens; as a pattern: ^tcp:)");
        let mut found: Vec<String> = check
            .problems(&json!({ "endpont": "x", "timeout": 11, "tls": { "cert": "a" } }))
            .iter()
            .map(Problem::to_string)
            .collect();
        found.sort();
        assert_eq!(
            found,
            [
                "`endpoint` is missing",
                "`endpont`: unknown key `endpont` (did you mean `endpoint`?)",
                "`timeout`: 11 is greater than the maximum of 10 (In seconds)",
                "`tls.cert`: unknown key `cert`",
            ]
        );
    }

    #[test]
    fn no_schema_takes_anything_and_a_broken_one_nothing() {
        assert_eq!(Check::new(&Json::Null).expect("anything").problems(&json!({ "a": 1 })), []);
        assert!(Check::new(&json!({ "type": "no such type" })).is_err());
    }
}
