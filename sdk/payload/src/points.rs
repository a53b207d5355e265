//! What a payload has to offer, for browsing.

use crate::document::Content;
use crate::meaning::of_text;
use crate::place::below;
use crate::senml::Record;
use crate::{Document, Format};
use edgeway_sdk::{Discovered, Holds, Json, Offer};
use std::collections::BTreeSet;

/// More is no list for a person.
const POINTS_MAX: usize = 1_000;

impl Document {
    /// Every value in it, each as the options of a point and with what a property for it would look like. Objects are gone through,
    /// lists are one value.
    pub fn points(&self) -> Vec<Discovered> {
        let mut points = vec![];
        match &self.0 {
            Content::Tree { tree, format } => of_tree(tree, *format, &mut Path::default(), &mut points),
            Content::Records { records, format } => of_records(records, *format, &mut points),
            Content::Text(text) => points.extend(point(None, Format::Text, "value", &of_text(text))),
            Content::Binary(_) => {}
        }
        points
    }
}

/// Where a value is, as a path and as a name for a property.
#[derive(Default, Clone)]
struct Path {
    at: String,
    name: String,
}

impl Path {
    fn below(&self, name: &str) -> Path {
        let joined = if self.name.is_empty() { name.to_owned() } else { format!("{}_{name}", self.name) };
        Path { at: below(&self.at, name), name: joined }
    }
}

fn of_tree(tree: &Json, format: Format, path: &mut Path, points: &mut Vec<Discovered>) {
    if points.len() >= POINTS_MAX {
        return;
    }
    match tree {
        Json::Object(fields) => {
            fields.iter().for_each(|(name, value)| of_tree(value, format, &mut path.below(name), points));
        }
        value => {
            let at = (!path.at.is_empty()).then_some(path.at.as_str());
            let name = if path.name.is_empty() { "value" } else { &path.name };
            points.extend(point(at, format, name, value));
        }
    }
}

fn of_records(records: &[Record], format: Format, points: &mut Vec<Discovered>) {
    let mut seen = BTreeSet::new();
    for record in records.iter().filter(|record| seen.insert(record.name.as_str())).take(POINTS_MAX) {
        let name = record.name.rsplit([':', '/']).next().filter(|name| !name.is_empty()).unwrap_or("value");
        let found = point(Some(&record.name), format, name, &record.value);
        points.extend(found.map(|found| {
            let offer = found.offer.clone().map(|offer| offer.unit(unit(&record.unit)));
            Discovered { offer, ..found }
        }));
    }
}

/// `None` for what shows nothing.
fn point(at: Option<&str>, format: Format, name: &str, value: &Json) -> Option<Discovered> {
    let holds = Holds::example(value)?;
    let mut options = serde_json::Map::new();
    options.extend(at.map(|at| ("at".to_owned(), Json::from(at))));
    if format != Format::Json {
        options.insert("format".to_owned(), serde_json::to_value(format).ok()?);
    }
    Some(Discovered::new(options.into()).said("value", value.to_string()).offering(Offer::new(name, holds)))
}

/// A unit of SenML (RFC 8428 section 12.1) as models write it.
fn unit(senml: &str) -> &str {
    match senml {
        "Cel" => "°C",
        "/" | "count" => "",
        "%RH" | "%EL" => "%",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mapping, Options};
    use edgeway_sdk::{Access, Timestamp};
    use serde_json::json;

    fn points(format: Format, payload: &str) -> Vec<Discovered> {
        Document::parse(format, payload.as_bytes(), Timestamp::EPOCH).expect("a payload").points()
    }

    #[test]
    fn every_value_is_offered_where_it_is_found_again() {
        let payload = r#"{"state": {"on": true, "a b": 3}, "list": [1, 2], "none": null}"#;
        let found = points(Format::Json, payload);
        let document = Document::parse(Format::Json, payload.as_bytes(), Timestamp::EPOCH).expect("a payload");
        let names: Vec<_> = found.iter().filter_map(|found| Some(found.offer.as_ref()?.name.as_str())).collect();
        assert_eq!(names, ["list", "state_a b", "state_on"]);
        for found in &found {
            let options = Options { at: found.options["at"].as_str().map(str::to_owned), ..Options::default() };
            let mapping = Mapping::new(&options, Access::Read, &mut vec![]).expect("its own options");
            let read = mapping.read(&document).expect("it is there").value.to_json().to_string();
            assert_eq!(found.identity[0].1, read);
        }
    }

    #[test]
    fn records_are_offered_once_with_their_unit() {
        let found = points(Format::SenmlJson, r#"[{"bn": "dev:", "n": "t", "u": "Cel", "v": 1}, {"n": "t", "v": 2}]"#);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].options, json!({ "at": "dev:t", "format": "senml-json" }));
        let offer = found[0].offer.as_ref().expect("an offer");
        assert_eq!((offer.name.as_str(), offer.unit.as_str()), ("t", "°C"));
    }

    #[test]
    fn a_text_is_one_value() {
        assert_eq!(points(Format::Text, "21.5")[0].options, json!({ "format": "text" }));
        assert_eq!(points(Format::Binary, "ab"), []);
    }
}
