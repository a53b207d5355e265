//! The options of a point.

use super::{Path, Query, noted};
use edgeway_payload::{Format, Kind, Mapping, Options, Order, TimeUnit};
use edgeway_sdk::{Access, Json, Problem, options};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A point's options, checked.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    /// After the device's.
    pub(crate) path: Path,
    pub(crate) query: Query,
    pub(crate) accept: Option<Format>,
    pub(crate) watch: Watch,
    pub(crate) method: Method,
    pub(crate) mapping: Mapping,
    /// What the mapping is made of, if the format of an answer is to be the one that the answer says.
    pub(crate) as_told: Option<Box<Options>>,
}

/// How a point is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Watch {
    /// Asked for at each poll
    #[default]
    Poll,
    /// The device says when it changes
    Observe,
}

/// How something is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Method {
    /// PUT
    #[default]
    Put,
    /// POST
    Post,
    /// GET, of a service
    Get,
}

/// A point's options, as written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "CoAP point")]
pub(crate) struct Written {
    /// The path of the resource, after the device's. Default: none
    #[serde(default)]
    path: String,
    /// The query, unit=c&all. Default: none
    #[serde(default)]
    query: String,
    /// Whether it is polled or observed. Default: poll
    #[serde(default)]
    watch: Watch,
    /// How it is written: put or post. Default: put
    #[serde(default)]
    method: Method,
    /// The format that the device is asked for, where it has several. Default: what it likes
    accept: Option<Format>,
    /// Where in the payload: a path as state.temperature, the name of a SenML record, or the first byte of binary. Default: all of it
    at: Option<String>,
    /// How the payload is written. Default: as the answer says, json if it does not; written in json
    format: Option<Format>,
    /// What is taken from there. Default: auto, what is there
    #[serde(default, rename = "type")]
    kind: Kind,
    /// The order of bytes, of binary. Default: big
    order: Option<Order>,
    /// How many bytes, of string and bytes in binary. Default: to the end
    length: Option<u32>,
    /// The device's words and the values that they stand for: { ON = true, OFF = false }
    #[serde(default)]
    map: BTreeMap<String, Json>,
    /// The path of the source time in the payload. Default: the time of arrival
    time: Option<String>,
    /// How that time is written. Default: rfc3339
    #[serde(default)]
    time_unit: TimeUnit,
    /// The path of a quality in the payload. Default: none
    quality: Option<String>,
    /// What is sent to write, with {value} for the value. Default: what at and format say
    payload: Option<String>,
}

impl Point {
    /// Reads a point's table.
    ///
    /// # Errors
    /// All mistakes found.
    pub(crate) fn parse(options: &Json, access: Access) -> Result<Self, Vec<Problem>> {
        let written: Written = options::parse(options).map_err(|problem| vec![problem])?;
        let mut problems = vec![];
        let path = noted(Path::parse(&written.path, "path"), &mut problems);
        let query = noted(Query::parse(&written.query, "query"), &mut problems);
        if written.method == Method::Get {
            problems.push(Problem::key("method", "nothing is written with GET").help("`put` or `post`"));
        }
        let (accept, watch, method, is_told) =
            (written.accept, written.watch, written.method, written.format.is_none());
        let options = written.mapping();
        let mapping = Mapping::new(&options, access, &mut problems);
        let as_told = is_told.then(|| Box::new(options));
        match mapping {
            Some(mapping) if problems.is_empty() => Ok(Point { path, query, accept, watch, method, mapping, as_told }),
            _ => Err(problems),
        }
    }
}

impl Written {
    fn mapping(self) -> Options {
        Options {
            at: self.at,
            format: self.format.unwrap_or_default(),
            kind: self.kind,
            order: self.order,
            length: self.length,
            map: self.map,
            time: self.time,
            time_unit: self.time_unit,
            quality: self.quality,
            payload: self.payload,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(options: Json, access: Access) -> Vec<String> {
        Point::parse(&options, access).expect_err("wrong").iter().map(Problem::to_string).collect()
    }

    #[test]
    fn every_mistake_of_a_point_is_told_at_once() {
        let found =
            problems(json!({ "path": "/a?b", "method": "get", "at": "$.[", "order": "big" }), Access::ReadWrite);
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[0].starts_with("`path`:") && found[1].starts_with("`method`:"), "{found:?}");
        assert_eq!(problems(json!({ "pth": "/a" }), Access::Read), ["`pth`: unknown key `pth` (did you mean `path`?)"]);
    }

    #[test]
    fn a_point_without_a_format_takes_what_the_answer_says() {
        assert!(Point::parse(&json!({}), Access::Read).expect("valid").as_told.is_some());
        assert!(Point::parse(&json!({ "format": "json" }), Access::Read).expect("valid").as_told.is_none());
    }
}
