//! A point's options.

use super::device::checked_path;
use super::{Method, first_given};
use edgeway_payload::{Format, Kind, Mapping, Options, Order, TimeUnit};
use edgeway_sdk::{Access, Json, Problem, options};
use std::collections::BTreeMap;

/// A point's options, checked.
pub(crate) struct Point {
    pub(crate) mapping: Mapping,
    /// Where it is read.
    pub(crate) path: String,
    /// Where it is written.
    pub(crate) set: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) method: Method,
    /// A key that was given and means something only where the device is asked.
    pub(crate) key_of_asked: Option<&'static str>,
}

/// A point's options, as written.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "HTTP point")]
pub(crate) struct Written {
    /// Where its resource is, below the device's path. Points of one resource are read with one request
    #[serde(default)]
    path: String,
    /// What is asked of the resource, `{ channel = "1" }`
    #[serde(default)]
    query: BTreeMap<String, String>,
    /// Where in the payload the value is: a path in JSON and CBOR (`$.a.b[0]`, of which `$.` may be left out), the name of a SenML record, the first byte in binary (`4`, or `4.3` for its bit 3). Default: all of it
    at: Option<String>,
    /// How the payload is read
    #[serde(default)]
    format: Format,
    /// What is taken from there
    #[serde(default, rename = "type")]
    kind: Kind,
    /// Binary: the order of bytes. Default: big
    order: Option<Order>,
    /// Binary: the bytes of `string` and `bytes`. Default: to the end
    length: Option<u32>,
    /// The device's words and the values that they stand for, `{ ON = true, OFF = false }`
    #[serde(default)]
    map: BTreeMap<String, Json>,
    /// Where the payload says when it was measured
    time: Option<String>,
    /// How that time is written
    #[serde(default)]
    time_unit: TimeUnit,
    /// Where the payload says how good the value is
    quality: Option<String>,
    /// What is sent to set the value, with `{value}` for it. Default: what `at` and `format` say
    payload: Option<String>,
    /// How it is written
    #[serde(default)]
    method: Method,
    /// Where it is written, below the device's path. Default: `path`
    set: Option<String>,
}

impl Point {
    /// Reads a point's table.
    ///
    /// # Errors
    /// All mistakes found.
    pub(crate) fn parse(options: &Json, access: Access) -> Result<Self, Vec<Problem>> {
        let written: Written = options::parse(options).map_err(|problem| vec![problem])?;
        let problems = &mut vec![];
        let mapping = Mapping::new(&written.mapping(), access, problems);
        let key_of_asked = written.key_of_asked();
        let path = checked_path("path", written.path, problems);
        let set = written.set.map_or_else(|| path.clone(), |set| checked_path("set", set, problems));
        match mapping {
            Some(mapping) if problems.is_empty() => {
                let query = written.query.into_iter().collect();
                Ok(Point { mapping, path, set, query, method: written.method, key_of_asked })
            }
            _ => Err(std::mem::take(problems)),
        }
    }
}

impl Written {
    fn key_of_asked(&self) -> Option<&'static str> {
        first_given([
            ("path", !self.path.is_empty()),
            ("query", !self.query.is_empty()),
            ("set", self.set.is_some()),
            ("method", self.method != Method::default()),
            ("payload", self.payload.is_some()),
        ])
    }

    fn mapping(&self) -> Options {
        Options {
            at: self.at.clone(),
            format: self.format,
            kind: self.kind,
            order: self.order,
            length: self.length,
            map: self.map.clone(),
            time: self.time.clone(),
            time_unit: self.time_unit,
            quality: self.quality.clone(),
            payload: self.payload.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(options: Json, access: Access) -> Vec<String> {
        Point::parse(&options, access).err().expect("wrong").iter().map(Problem::to_string).collect()
    }

    #[test]
    fn every_mistake_of_a_point_is_told_at_once() {
        let all = problems(json!({ "at": "$.[", "path": "/a?b", "set": "#" }), Access::Read);
        assert_eq!(all.len(), 3, "{all:?}");
        assert!(all[0].starts_with("`at`: "), "{all:?}");
        assert_eq!(all[1], "`path`: `/a?b` is not a path (`/status`; a point has `query`)");
        assert_eq!(all[2], "`set`: `#` is not a path (`/status`; a point has `query`)");
    }

    #[test]
    fn a_misspelt_key_is_named() {
        assert_eq!(problems(json!({ "pth": "/a" }), Access::Read), ["`pth`: unknown key `pth` (did you mean `path`?)"]);
    }

    #[test]
    fn a_point_is_written_where_it_is_read_unless_said_otherwise() {
        let point = Point::parse(&json!({ "at": "a", "path": "/x" }), Access::ReadWrite).expect("right");
        assert_eq!((point.path.as_str(), point.set.as_str()), ("/x", "/x"));
    }
}
