//! What the driver says of itself and of its options, and whether it holds people to it.

use super::{Part, always};
use crate::ground::Ground;
use crate::subject::{Of, with_address};
use crate::verdict::Verdict;
use edgeway_sdk::{Access, Driver, Json, Place, Problem};
use std::time::Duration;
use tokio::time::Instant;

pub(super) const PART: Part = Part {
    name: "schema",
    applies: always,
    run: |ground, verdict| {
        Box::pin(async move {
            let (driver, looks) = (ground.driver.clone(), Looks::of(ground));
            // Checks are called where whatever they do wrong stops nobody.
            let stage = crate::stage::Stage::new()?;
            let looking = async move {
                let mut verdict = Verdict::default();
                looks.look(&*driver, &mut verdict);
                verdict
            };
            match stage.call(Instant::now() + Duration::from_secs(20), looking).await {
                Ok(looked) => *verdict = looked,
                Err(breach) => verdict.finding(format!("expected an answer about options, came {breach:?}")),
            }
            Ok(())
        })
    },
    counts: false,
};

/// A key that no driver has.
const STRANGER: &str = "conformance_stranger";

/// What is looked at.
struct Looks {
    link: Json,
    devices: Vec<Json>,
    points: Vec<(String, Json, Access)>,
    invalid: Vec<(Of, Json, Access, String)>,
}

impl Looks {
    fn of(ground: &Ground<'_>) -> Self {
        let subject = ground.subject;
        let specs = subject.point_specs().into_iter().chain(subject.refused_specs());
        let invalid = subject.invalid.iter().map(|invalid| {
            let options = with_address(&invalid.options, ground.address());
            (invalid.of, options, invalid.access, invalid.key.clone())
        });
        Looks {
            link: ground.link(),
            devices: subject.devices().into_iter().map(|device| device.options).collect(),
            points: specs.map(|spec| (subject.name(spec.ix), (*spec.options).clone(), spec.access)).collect(),
            invalid: invalid.collect(),
        }
    }

    fn look(&self, driver: &dyn Driver, verdict: &mut Verdict) {
        self.manifest(driver, verdict);
        self.schemas(driver, verdict);
        self.right_options(driver, verdict);
        self.strangers(driver, verdict);
        self.wrong_options(driver, verdict);
    }

    fn manifest(&self, driver: &dyn Driver, verdict: &mut Verdict) {
        let manifest = driver.manifest();
        let is_word =
            |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        verdict.check(is_word(&manifest.name), || {
            format!("expected a word for the driver's name, came `{}`", manifest.name)
        });
        verdict.check(!manifest.version.is_empty(), || "expected a version, came an empty one".into());
        verdict.check(!manifest.summary.is_empty(), || "expected a summary, came an empty one".into());
        verdict.check(manifest == driver.manifest(), || "the manifest is another when it is asked for again".into());
    }

    fn schemas(&self, driver: &dyn Driver, verdict: &mut Verdict) {
        let schemas = &driver.manifest().options;
        let devices = self.devices.iter().map(|options| ("a device", options));
        let points = self.points.iter().map(|(name, options, _)| (name.as_str(), options));
        schema("link", &schemas.link, [("the link", &self.link)].into_iter(), verdict);
        schema("device", &schemas.device, devices, verdict);
        schema("point", &schemas.point, points, verdict);
    }

    fn right_options(&self, driver: &dyn Driver, verdict: &mut Verdict) {
        let first = driver.check_link(&self.link);
        verdict
            .check(first.is_ok(), || format!("check_link refuses the subject's link: {}", told(first.as_ref().err())));
        verdict.check(first == driver.check_link(&self.link), || {
            "check_link: expected the same key for the same options, came another".into()
        });
        verdict.check(first.as_ref().is_ok_and(|key| !key.is_empty()) || first.is_err(), || {
            "check_link: expected a key that names the wire, came an empty one".into()
        });
        for device in &self.devices {
            let problems = errors(driver.check_device(device));
            verdict.check(problems.is_empty(), || format!("check_device refuses {device}: {}", told(Some(&problems))));
        }
        for (name, options, access) in &self.points {
            let problems = errors(driver.check_point(options, *access));
            verdict.check(problems.is_empty(), || format!("check_point refuses {name}: {}", told(Some(&problems))));
        }
    }

    /// A misspelt key must not be ignored.
    fn strangers(&self, driver: &dyn Driver, verdict: &mut Verdict) {
        let mut look = |of: Of, options: &Json, access: Access| {
            let mut options = options.clone();
            if let Some(fields) = options.as_object_mut() {
                fields.insert(STRANGER.into(), Json::from(1));
                let problems = check(driver, of, &options, access);
                verdict.check(names(&problems, STRANGER), || {
                    format!(
                        "the options of a {}: expected a problem at an unknown key, came {}",
                        word(of),
                        told(Some(&problems))
                    )
                });
            }
        };
        look(Of::Link, &self.link, Access::Read);
        self.devices.iter().take(1).for_each(|options| look(Of::Device, options, Access::Read));
        self.points.iter().take(1).for_each(|(_, options, access)| look(Of::Point, options, *access));
    }

    fn wrong_options(&self, driver: &dyn Driver, verdict: &mut Verdict) {
        for (of, options, access, key) in &self.invalid {
            let problems = check(driver, *of, options, *access);
            verdict.check(names(&problems, key), || {
                format!("{} {options}: expected a problem at `{key}`, came {}", word(*of), told(Some(&problems)))
            });
        }
    }
}

fn check(driver: &dyn Driver, of: Of, options: &Json, access: Access) -> Vec<Problem> {
    errors(match of {
        Of::Link => driver.check_link(options).err().unwrap_or_default(),
        Of::Device => driver.check_device(options),
        Of::Point => driver.check_point(options, access),
    })
}

/// Warnings refuse nothing.
fn errors(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.retain(|problem| problem.severity == edgeway_sdk::Severity::Error);
    problems
}

/// Whether one of the problems is at this key, or below it.
fn names(problems: &[Problem], key: &str) -> bool {
    let is_at =
        |found: &str| found.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    problems.iter().any(|problem| matches!(&problem.place, Place::Key(found) if is_at(found)))
}

fn word(of: Of) -> &'static str {
    match of {
        Of::Link => "link",
        Of::Device => "device",
        Of::Point => "point",
    }
}

fn told(problems: Option<&Vec<Problem>>) -> String {
    match problems {
        Some(problems) if !problems.is_empty() => {
            problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; ")
        }
        _ => "none".into(),
    }
}

fn schema<'o>(of: &str, schema: &Json, options: impl Iterator<Item = (&'o str, &'o Json)>, verdict: &mut Verdict) {
    if schema.is_null() {
        verdict.finding(format!("expected a JSON Schema of the options of a {of}, came none"));
        return;
    }
    let validator = jsonschema::draft202012::meta::validate(schema)
        .map_err(|error| error.to_string())
        .and_then(|()| jsonschema::draft202012::new(schema).map_err(|error| error.to_string()));
    let validator = match validator {
        Ok(validator) => validator,
        Err(error) => {
            verdict.finding(format!("expected a JSON Schema (2020-12) of the options of a {of}: {error}"));
            return;
        }
    };
    undescribed(schema, &mut |key, is_described| {
        verdict.check(is_described, || format!("the schema of a {of}: expected a description of `{key}`, came none"));
    });
    for (name, options) in options {
        let error = validator.validate(options).err().map(|error| error.to_string());
        verdict.check(error.is_none(), || {
            format!("the schema of a {of} refuses what is right, {name}: {}", error.unwrap_or_default())
        });
    }
}

/// Visits every key that a schema describes, wherever it stands.
fn undescribed(schema: &Json, visit: &mut impl FnMut(&str, bool)) {
    match schema {
        Json::Object(fields) => {
            for (key, property) in fields.get("properties").and_then(Json::as_object).into_iter().flatten() {
                let text = property.get("description").or(property.get("title")).and_then(Json::as_str);
                visit(key, text.is_some_and(|text| !text.trim().is_empty()));
            }
            fields.values().for_each(|inner| undescribed(inner, visit));
        }
        Json::Array(items) => items.iter().for_each(|inner| undescribed(inner, visit)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_problem_below_a_key_is_at_the_key() {
        let at = |key: &str| vec![Problem::key(key, "wrong")];
        assert!(
            names(&at("rs485"), "rs485") && names(&at("rs485.before"), "rs485") && names(&at("backup[1]"), "backup")
        );
        assert!(!names(&at("timeouts"), "timeout") && !names(&[Problem::new("wrong")], "timeout"));
    }

    #[test]
    fn every_key_needs_a_description_wherever_it_stands() {
        let schema = json!({
            "properties": {"a": {"description": "what a is"}, "b": {}},
            "$defs": {"C": {"properties": {"d": {"description": " "}}}},
        });
        let mut found = vec![];
        undescribed(&schema, &mut |key, is_described| found.push((key.to_owned(), is_described)));
        found.sort();
        assert_eq!(found, [("a".into(), true), ("b".into(), false), ("d".into(), false)]);
    }
}
