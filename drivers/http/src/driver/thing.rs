//! What a thing says of itself: a Thing Description (W3C Web of Things, 1.1), as far as its properties are read and written with
//! HTTP.

use crate::config::same_origin;
use edgeway_sdk::{Access, Discovered, Holds, Json, Offer};
use reqwest::Url;
use serde_json::{Map, json};

/// More properties than this are not listed.
const PROPERTIES_MAX: usize = 1_000;
/// A path of the thing that is longer is none that people would put into a configuration.
const HREF_BYTES_MAX: usize = 1_000;

/// A Thing Description.
pub(super) struct Thing {
    description: Map<String, Json>,
    /// What its addresses count from.
    base: Url,
}

impl Thing {
    /// Reads a description that was found there; `None` if it is something else.
    pub(super) fn read(body: &[u8], found: &Url) -> Option<Thing> {
        let Json::Object(description) = serde_json::from_slice(body).ok()? else { return None };
        let is_thing = description.contains_key("@context") && description.get("properties")?.is_object();
        let base = description.get("base").and_then(Json::as_str).and_then(|base| found.join(base).ok());
        is_thing.then(|| Thing { base: base.unwrap_or_else(|| found.clone()), description })
    }

    /// What it says of itself.
    pub(super) fn identity(&self) -> Vec<(String, String)> {
        let said = |name: &&str| Some(((*name).to_owned(), self.description.get(*name)?.as_str()?.to_owned()));
        ["title", "id", "description"].iter().filter_map(said).collect()
    }

    /// Its properties, as points of a device at this address.
    pub(super) fn points(&self, device: &Url) -> Vec<Discovered> {
        let properties = self.description.get("properties").and_then(Json::as_object);
        let all = properties.into_iter().flatten().take(PROPERTIES_MAX);
        all.filter_map(|(name, property)| self.point(name, property, device)).collect()
    }

    fn point(&self, name: &str, property: &Json, device: &Url) -> Option<Discovered> {
        let read_only = property["readOnly"] == true;
        let write_only = property["writeOnly"] == true;
        let read = self.form(property, "readproperty", device).filter(|_| !write_only);
        let write = self.form(property, "writeproperty", device).filter(|_| !read_only);
        // A point has one query.
        let write = write.filter(|write| read.as_ref().is_none_or(|read| read.query == write.query));
        let access = match (&read, &write) {
            (Some(_), Some(_)) => Access::ReadWrite,
            (Some(_), None) => Access::Read,
            (None, _) => Access::Write,
        };
        let mut options = Map::new();
        let at = read.as_ref().or(write.as_ref())?;
        options.insert("path".into(), json!(at.path));
        if !at.query.is_empty() {
            options.insert("query".into(), at.query.iter().cloned().collect());
        }
        if let Some(write) = &write {
            if write.path != at.path {
                options.insert("set".into(), json!(write.path));
            }
            if let Some(method @ ("post" | "patch")) = write.method.as_deref() {
                options.insert("method".into(), json!(method));
            }
        }
        let (holds, map) = holds(property)?;
        if !map.is_empty() {
            options.insert("map".into(), Json::Object(map));
        }
        Some(Discovered::new(Json::Object(options)).offering(offer(name, property, holds).access(access)))
    }

    /// The first form that does this with HTTP and below the device. A form that does not say what it does reads and writes
    /// (section 5.3.4.2).
    fn form(&self, property: &Json, does: &str, device: &Url) -> Option<Form> {
        let mut forms = property["forms"].as_array()?.iter().filter(|form| match &form["op"] {
            Json::Null => true,
            Json::String(op) => op == does,
            ops => ops.as_array().is_some_and(|ops| ops.iter().any(|op| op == does)),
        });
        forms.find_map(|form| {
            let href = form["href"].as_str().filter(|href| href.len() <= HREF_BYTES_MAX && !href.contains('{'))?;
            Form::below(&self.base.join(href).ok()?, device, form["htv:methodName"].as_str())
        })
    }
}

/// How one thing is done.
struct Form {
    /// Below the device.
    path: String,
    query: Vec<(String, Json)>,
    method: Option<String>,
}

impl Form {
    /// A form for this address; `None` if it is not below the device.
    fn below(url: &Url, device: &Url, method: Option<&str>) -> Option<Form> {
        let prefix = device.path().trim_end_matches('/');
        let path = url.path().strip_prefix(prefix).filter(|path| path.starts_with('/') && same_origin(url, device))?;
        let query = url.query_pairs().map(|(key, value)| (key.into_owned(), json!(value))).collect();
        Some(Form { path: path.to_owned(), query, method: method.map(str::to_ascii_lowercase) })
    }
}

fn offer(name: &str, property: &Json, holds: Holds) -> Offer {
    let text = |key: &str| property[key].as_str().unwrap_or_default();
    let description = Some(text("description")).filter(|text| !text.is_empty()).unwrap_or(text("title"));
    Offer::new(name, holds).unit(text("unit")).described(description)
}

/// What a property holds (section 5.3.2), and for words the numbers that they are given.
fn holds(property: &Json) -> Option<(Holds, Map<String, Json>)> {
    let words: Vec<&str> = property["enum"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    if !words.is_empty() {
        let numbered = || (0i64..).zip(&words);
        let map = numbered().map(|(number, word)| ((*word).to_owned(), json!(number))).collect();
        return Some((
            Holds::Enum { words: numbered().map(|(number, word)| (number, (*word).to_owned())).collect() },
            map,
        ));
    }
    let holds = match property["type"].as_str()? {
        "boolean" => Holds::Bool,
        "integer" => Holds::Int { min: property["minimum"].as_i64(), max: property["maximum"].as_i64() },
        "number" => Holds::Float { min: property["minimum"].as_f64(), max: property["maximum"].as_f64() },
        "string" if property["format"] == "date-time" => Holds::Date,
        "string" => Holds::Text,
        "array" => Holds::Array { of: Box::new(holds_plain(&property["items"])?) },
        "object" => Holds::Struct {
            fields: property["properties"]
                .as_object()?
                .iter()
                .filter_map(|(name, field)| Some((name.clone(), holds_plain(field)?)))
                .collect(),
        },
        _ => return None,
    };
    Some((holds, Map::new()))
}

/// Of what is inside of something else: words stay words there.
fn holds_plain(property: &Json) -> Option<Holds> {
    match holds(property)? {
        (Holds::Enum { .. }, _) => Some(Holds::Text),
        (holds, _) => Some(holds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn thing(properties: Json) -> Thing {
        let text =
            json!({ "@context": "https://www.w3.org/2022/wot/td/v1.1", "title": "Lamp", "properties": properties });
        let found = Url::parse("http://lamp/.well-known/wot").expect("an address");
        Thing::read(text.to_string().as_bytes(), &found).expect("a thing")
    }

    fn device() -> Url {
        Url::parse("http://lamp/api").expect("an address")
    }

    #[test]
    fn properties_become_points() {
        let thing = thing(json!({
            "level": {
                "type": "integer", "minimum": 0, "maximum": 100, "unit": "percent", "title": "Level",
                "forms": [
                    { "href": "/api/level?channel=1", "op": ["readproperty"] },
                    { "href": "/api/level/set?channel=1", "op": "writeproperty", "htv:methodName": "POST" },
                ],
            },
            "mode": { "type": "string", "enum": ["eco", "boost"], "forms": [{ "href": "/api/mode" }] },
            "power": { "type": "number", "readOnly": true, "forms": [{ "href": "http://lamp:80/api/power" }] },
        }));
        assert_eq!(thing.identity(), [("title".to_owned(), "Lamp".to_owned())]);
        let points = thing.points(&device());
        let level = json!({ "path": "/level", "query": { "channel": "1" }, "set": "/level/set", "method": "post" });
        assert_eq!(points[0].options, level);
        let offer = Offer::new("level", Holds::Int { min: Some(0), max: Some(100) }).unit("percent").described("Level");
        assert_eq!(points[0].offer, Some(offer.access(Access::ReadWrite)));
        assert_eq!(points[1].options, json!({ "path": "/mode", "map": { "eco": 0, "boost": 1 } }));
        assert_eq!(points[2].offer.as_ref().map(|offer| offer.access), Some(Access::Read));
    }

    #[test]
    fn a_property_that_is_written_with_another_query_is_only_read() {
        let form = |href: &str, op: &str| json!({ "href": href, "op": op });
        let forms = [form("/api/level", "readproperty"), form("/api/level?set=1", "writeproperty")];
        let points = thing(json!({ "level": { "type": "number", "forms": forms } })).points(&device());
        assert_eq!(points[0].options, json!({ "path": "/level" }));
        assert_eq!(points[0].offer.as_ref().map(|offer| offer.access), Some(Access::Read));
    }

    #[test]
    fn of_several_forms_the_first_is_taken_that_can_be() {
        let hrefs =
            ["mqtt://lamp/api/level", "http://other/api/level", "/level", "/api/{level}", "/api/level", "/api/x"];
        let forms: Vec<Json> = hrefs.iter().map(|href| json!({ "href": href })).collect();
        let points = thing(json!({ "level": { "type": "number", "forms": forms } })).points(&device());
        assert_eq!(points[0].options, json!({ "path": "/level" }));
        assert_eq!(points[0].offer.as_ref().map(|offer| offer.access), Some(Access::ReadWrite));
    }

    proptest! {
        /// Whatever a stranger calls a property of his.
        #[test]
        fn no_description_is_too_strange(
            kind in "string|number|integer|boolean|array|object|null|x",
            href in "[a-z/:.?#{}%\\[\\] 0-9]{0,30}",
            op in "readproperty|writeproperty|x",
            number in any::<f64>(),
        ) {
            let inner = json!({ "type": kind, "enum": [href, number], "minimum": number, "unit": href });
            let forms = json!([{ "href": href, "op": [op], "htv:methodName": op }, number]);
            let outer = json!({ "type": kind, "items": inner, "properties": { "a": inner }, "forms": forms });
            for point in thing(json!({ "p": outer, "q": kind })).points(&device()) {
                prop_assert!(point.options["path"].as_str().is_some_and(|path| path.starts_with('/')));
            }
        }
    }

    #[test]
    fn what_is_elsewhere_or_makes_no_sense_is_left_out() {
        let thing = thing(json!({
            "elsewhere": { "type": "number", "forms": [{ "href": "http://other/api/x" }] },
            "above": { "type": "number", "forms": [{ "href": "/x" }] },
            "templated": { "type": "number", "forms": [{ "href": "/api/x{?y}" }] },
            "socket": { "type": "number", "forms": [{ "href": "mqtt://lamp/api/x" }] },
            "untyped": { "forms": [{ "href": "/api/x" }] },
            "formless": { "type": "number" },
            "nonsense": 7,
        }));
        assert_eq!(thing.points(&device()), []);
        assert!(Thing::read(b"[]", &device()).is_none());
        assert!(Thing::read(br#"{"properties": {}}"#, &device()).is_none());
    }
}
