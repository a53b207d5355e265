//! Where in a tree of JSON a value is.

use edgeway_sdk::Json;
use serde_json_path::JsonPath;

/// A path, parsed once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Place {
    /// Names and places in lists alone: the common case, which is walked without a query.
    Steps(Vec<Step>),
    /// Anything else of RFC 9535.
    Query(Box<JsonPath>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    Name(String),
    Index(usize),
}

/// What a path selects.
#[derive(Debug, PartialEq)]
pub(crate) enum Selected<'j> {
    None,
    One(&'j Json),
    Several(Vec<&'j Json>),
}

impl Place {
    /// The whole tree.
    pub(crate) const WHOLE: Place = Place::Steps(vec![]);

    /// Reads a path; `$.` at its beginning may be left out.
    ///
    /// # Errors
    /// Why it is none.
    pub(crate) fn parse(text: &str) -> Result<Place, String> {
        if let Some(steps) = simple(text) {
            return Ok(Place::Steps(steps));
        }
        let whole = match text.chars().next() {
            Some('$') => text.to_owned(),
            Some('[' | '.') => format!("${text}"),
            _ => format!("$.{text}"),
        };
        match JsonPath::parse(&whole) {
            Ok(path) => Ok(Place::Query(Box::new(path))),
            Err(error) => Err(format!("`{text}` is no path: {}", error.message())),
        }
    }

    /// What it selects in a tree.
    pub(crate) fn select<'j>(&self, tree: &'j Json) -> Selected<'j> {
        match self {
            Place::Steps(steps) => walk(tree, steps).map_or(Selected::None, Selected::One),
            Place::Query(path) => match path.query(tree).all().as_slice() {
                [] => Selected::None,
                [one] => Selected::One(one),
                several => Selected::Several(several.to_vec()),
            },
        }
    }

    /// The smallest tree that has a value in this place; `None` if more than names leads there.
    pub(crate) fn holding(&self, value: Json) -> Option<Json> {
        let Place::Steps(steps) = self else { return None };
        steps.iter().rev().try_fold(value, |inner, step| match step {
            Step::Name(name) => Some(Json::from_iter([(name.clone(), inner)])),
            Step::Index(_) => None,
        })
    }
}

/// A path as it is written for a name below another path.
pub(crate) fn below(path: &str, name: &str) -> String {
    match is_name(name) {
        true if path.is_empty() => name.to_owned(),
        true => format!("{path}.{name}"),
        false => {
            let quoted = name.replace('\\', "\\\\").replace('\'', "\\'");
            let path = if path.is_empty() { "$" } else { path };
            format!("{path}['{quoted}']")
        }
    }
}

/// The steps of a path of names and numbers; `None` if there is anything else in it.
fn simple(text: &str) -> Option<Vec<Step>> {
    let text = match text.strip_prefix('$') {
        Some("") => return Some(vec![]),
        Some(rest) => rest.strip_prefix('.').or_else(|| rest.starts_with('[').then_some(rest))?,
        None => text,
    };
    let mut steps = vec![];
    for (at, part) in text.split('.').enumerate() {
        let (name, indexes) = part.split_at(part.find('[').unwrap_or(part.len()));
        match name {
            // A list may be the whole: `[0].x`.
            "" if at == 0 && !indexes.is_empty() => {}
            name if is_name(name) => steps.push(Step::Name(name.to_owned())),
            _ => return None,
        }
        for index in indexes.split_inclusive(']') {
            let number = index.strip_prefix('[')?.strip_suffix(']')?;
            steps.push(Step::Index(number.parse().ok()?));
        }
    }
    Some(steps)
}

/// A name that needs no quotes. RFC 9535 has no `-` there; here nothing else could be meant by it.
fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    !name.is_empty() && name.chars().all(plain)
}

fn walk<'j>(tree: &'j Json, steps: &[Step]) -> Option<&'j Json> {
    steps.iter().try_fold(tree, |tree, step| match step {
        Step::Name(name) => tree.get(name.as_str()),
        Step::Index(index) => tree.get(*index),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn selected(path: &str) -> Json {
        let tree = json!({
            "a": { "b-c": [10, { "d": 20 }] }, "0": "zero", "": "nameless",
            "list": [{ "id": "x", "v": 1 }, { "id": "y", "v": 2 }], "with space": 3
        });
        match Place::parse(path).expect("a path").select(&tree) {
            Selected::None => json!("nothing"),
            Selected::One(one) => one.clone(),
            Selected::Several(several) => json!({ "several": several }),
        }
    }

    #[test]
    fn paths_select() {
        for (path, wanted) in [
            ("a.b-c[0]", json!(10)),
            ("$.a.b-c[1].d", json!(20)),
            ("0", json!("zero")),
            ("list[?@.id == 'y'].v", json!(2)),
            ("$.list[*].v", json!({ "several": [1, 2] })),
            ("$['with space']", json!(3)),
            ("['with space']", json!(3)),
            ("a.x", json!("nothing")),
            ("list[7]", json!("nothing")),
        ] {
            assert_eq!(selected(path), wanted, "{path}");
        }
        assert_eq!(Place::parse("$"), Ok(Place::WHOLE));
        assert_eq!(Place::parse("[0].x").expect("a path").select(&json!([{ "x": 5 }])), Selected::One(&json!(5)));
    }

    #[test]
    fn what_is_no_path_says_why() {
        for path in ["", "a..", "$.[", "a[", "a]", "a b", "list[?]"] {
            let error = Place::parse(path).expect_err(path);
            assert!(error.starts_with(&format!("`{path}` is no path: ")), "{error}");
        }
    }

    #[test]
    fn a_tree_is_made_around_a_value() {
        assert_eq!(Place::parse("a.b").expect("a path").holding(json!(1)), Some(json!({ "a": { "b": 1 } })));
        assert_eq!(Place::WHOLE.holding(json!(1)), Some(json!(1)));
        assert_eq!(Place::parse("a[0]").expect("a path").holding(json!(1)), None);
    }

    #[test]
    fn names_are_written_so_that_they_are_found_again() {
        for name in ["plain", "with space", "it's", "back\\slash", "a.b", "ä-1"] {
            let (inner, outer) = (below("", name), below("x", name));
            let tree = json!({ name: 1, "x": { name: 2 } });
            assert_eq!(Place::parse(&inner).expect(name).select(&tree), Selected::One(&json!(1)), "{inner}");
            assert_eq!(Place::parse(&outer).expect(name).select(&tree), Selected::One(&json!(2)), "{outer}");
        }
    }
}
