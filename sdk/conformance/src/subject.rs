//! `conformance.toml`: what a driver is put to the test with.

mod chaos;
mod check;
mod layout;

pub(crate) use chaos::{Chaos, Framing, Order};

use edgeway_sdk::{Access, DeviceIx, DeviceSpec, Json, PointIx, PointSpec, Problem, Value};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How often the gateway would read every point. One for all, so that points may share a step.
const PERIOD: Duration = Duration::from_secs(1);
/// What stands for host and port of the proxy in a link's options.
const ADDRESS: &str = "{address}";
/// What stands for the port in a device's command.
pub(crate) const PORT: &str = "{port}";

/// What a driver is put to the test with: a device to talk to, and what it holds. Read from `conformance.toml`, whose layout is in
/// the package's README.
#[derive(Debug, Clone)]
pub struct Subject {
    pub(crate) folder: PathBuf,
    /// How long the driver waits for an answer.
    pub(crate) timeout: Duration,
    pub(crate) peer: Option<PeerSpec>,
    link: Json,
    /// Names and options, at the places of their numbers.
    devices: Vec<(String, Json)>,
    /// At the places of their numbers; after them come those that are refused.
    pub(crate) points: Vec<Point>,
    pub(crate) refused: Vec<Point>,
    pub(crate) invalid: Vec<Invalid>,
    pub(crate) chaos: Chaos,
}

/// The device at the other end of the wire.
#[derive(Debug, Clone)]
pub(crate) struct PeerSpec {
    pub(crate) place: PeerPlace,
    pub(crate) transport: Transport,
}

/// What carries questions and answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Transport {
    /// A stream of bytes.
    #[default]
    Tcp,
    /// Datagrams, each of which is a message.
    Udp,
}

/// Where the device is.
#[derive(Debug, Clone)]
pub(crate) enum PeerPlace {
    /// A program to start. `{port}` stands for the port on which it is to listen.
    Command(Vec<String>),
    /// It runs already.
    Address(SocketAddr),
}

/// A point of the device.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    pub(crate) id: String,
    pub(crate) device: DeviceIx,
    pub(crate) options: Arc<Json>,
    pub(crate) access: Access,
    /// What the device holds there. `Null` if the point is not read.
    pub(crate) value: Value,
    pub(crate) write: Option<Write>,
}

/// A value to write, and what is read afterwards.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    pub(crate) value: Value,
    pub(crate) reads_back: Value,
}

/// The folder of a file; of a bare name the present one.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Options that must be refused.
#[derive(Debug, Clone)]
pub(crate) struct Invalid {
    pub(crate) of: Of,
    pub(crate) options: Json,
    pub(crate) access: Access,
    /// What the problem must name.
    pub(crate) key: String,
}

/// Whose options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Of {
    Link,
    Device,
    Point,
}

/// A subject that cannot be used: every mistake in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub struct SubjectError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it, each with its line.
    pub problems: Vec<Problem>,
}

/// A line for each mistake, with the file before it.
impl fmt::Display for SubjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            let end = if at == 0 { "" } else { "\n" };
            write!(f, "{end}{}:{problem}", self.path.display())?;
        }
        Ok(())
    }
}

impl Subject {
    /// Reads a file. Its device is started in the folder of the file.
    ///
    /// # Errors
    /// All mistakes found.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, SubjectError> {
        let path = path.as_ref();
        let wrong = |problems| SubjectError { path: path.into(), problems };
        let text = std::fs::read_to_string(path)
            .map_err(|error| wrong(vec![Problem::new(format!(" the file cannot be read: {error}"))]))?;
        layout::parse(&text, folder_of(path)).map_err(wrong)
    }

    /// Reads text as if it stood in `conformance.toml` of a folder.
    ///
    /// # Errors
    /// All mistakes found.
    pub fn parse(text: &str, folder: impl AsRef<Path>) -> Result<Self, SubjectError> {
        let folder = folder.as_ref();
        layout::parse(text, folder).map_err(|problems| SubjectError { path: folder.join("conformance.toml"), problems })
    }

    /// The options of the link, which leads to this address.
    pub(crate) fn link(&self, address: Option<SocketAddr>) -> Json {
        with_address(&self.link, address)
    }

    pub(crate) fn devices(&self) -> Vec<DeviceSpec> {
        let spec = |(at, (_, options)): (usize, &(String, Json))| DeviceSpec {
            ix: DeviceIx(number(at)),
            options: options.clone(),
        };
        self.devices.iter().enumerate().map(spec).collect()
    }

    /// The points that the device has.
    pub(crate) fn point_specs(&self) -> Vec<PointSpec> {
        self.points.iter().enumerate().map(|(at, point)| point.spec(PointIx(number(at)))).collect()
    }

    /// The points that the device refuses, numbered after those that it has.
    pub(crate) fn refused_specs(&self) -> Vec<PointSpec> {
        let after = self.points.len();
        self.refused.iter().enumerate().map(|(at, point)| point.spec(PointIx(number(after + at)))).collect()
    }

    /// The name of a point, for a finding.
    pub(crate) fn name(&self, ix: PointIx) -> String {
        let at = ix.0 as usize;
        match self.points.iter().chain(&self.refused).nth(at) {
            Some(point) => format!("{}.{}", self.devices[point.device.0 as usize].0, point.id),
            None => format!("point {at}, which does not exist"),
        }
    }

    pub(crate) fn transport(&self) -> Transport {
        self.peer.as_ref().map(|peer| peer.transport).unwrap_or_default()
    }

    pub(crate) fn point(&self, ix: PointIx) -> Option<&Point> {
        self.points.get(ix.0 as usize)
    }
}

impl Point {
    pub(crate) fn spec(&self, ix: PointIx) -> PointSpec {
        let (device, options, access) = (self.device, self.options.clone(), self.access);
        PointSpec { ix, device, options, access, period: PERIOD }
    }
}

/// The number of a place in a list.
pub(crate) fn number(at: usize) -> u32 {
    u32::try_from(at).expect("a subject has fewer than 2^32 points")
}

/// Puts an address wherever it is asked for.
pub(crate) fn with_address(options: &Json, address: Option<SocketAddr>) -> Json {
    let Some(host_and_port) = address else { return options.clone() };
    match options {
        Json::String(text) => text.replace(ADDRESS, &host_and_port.to_string()).into(),
        Json::Array(items) => items.iter().map(|item| with_address(item, address)).collect(),
        Json::Object(fields) => {
            Json::Object(fields.iter().map(|(key, value)| (key.clone(), with_address(value, address))).collect())
        }
        other => other.clone(),
    }
}

/// Whether two values are the same to a reader: whole numbers and fractions compare as numbers, to the precision of 32 bits.
pub(crate) fn same(expected: &Value, found: &Value) -> bool {
    match (expected.as_f64(), found.as_f64()) {
        (Some(a), Some(b)) => a == b || (a - b).abs() <= a.abs().max(b.abs()) * f64::from(f32::EPSILON),
        (None, None) => expected.to_json() == found.to_json(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_compared_as_a_reader_would() {
        assert!(same(&Value::Int(7), &Value::Float(7.0)));
        assert!(same(&Value::Float(12.3), &Value::Float(f64::from(12.3_f32))));
        assert!(same(&Value::Bool(true), &Value::Int(1)));
        assert!(same(&"01ab".into(), &Value::Bytes(vec![1, 0xab].into())));
        assert!(!same(&Value::Int(3405), &Value::Int(3406)));
        assert!(!same(&Value::Int(7), &"7".into()) && !same(&Value::Int(0), &Value::Null));
    }

    #[test]
    fn the_address_is_put_in_wherever_it_stands() {
        let options = json!({"endpoint": "tcp://{address}", "backup": [{"at": "{address}"}], "n": 1});
        let expected = json!({"endpoint": "tcp://127.0.0.1:9", "backup": [{"at": "127.0.0.1:9"}], "n": 1});
        assert_eq!(with_address(&options, Some(([127, 0, 0, 1], 9).into())), expected);
    }
}
