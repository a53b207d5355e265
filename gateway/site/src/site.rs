//! What a site folder says, with every name resolved to a number.

mod drivers;
mod journal;
mod target;

pub use drivers::{DriverListen, DriverSite, DriverStart};
pub use journal::{ClassOptions, JournalOptions, SyncSite};
pub use target::{
    ClassSite, FileTarget, FormatSite, HttpAuth, HttpTarget, KafkaTarget, MqttPreset, MqttTarget, MqttVersion,
    NatsTarget, ObjectStore, OnFull, Order, ParquetTarget, PostgresTarget, Rate, RouteSite, Secret, SqlSite, Start,
    TargetKind, TargetSite, TextPlace, TlsFiles, Transport, UnsetClock,
};

use crate::tables::TableFile;
use edgeway_sdk::{Access, DeviceIx, DeviceSpec, Json, PointIx, PointSpec, Value};
use edgeway_thing_models::{EventIx, PropertyIx, ServiceIx, Things};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A site as loaded: checked, but nothing of it opened or started.
#[derive(Debug, Clone)]
pub struct Site {
    /// The folder.
    pub root: PathBuf,
    /// `name` of `edgeway.toml`.
    pub name: Arc<str>,
    /// The zone that times of day in scenes and queries mean.
    pub time_zone: jiff::tz::TimeZone,
    /// Latitude and longitude in degrees, north and east positive.
    pub position: Option<(f64, f64)>,
    /// Where the gateway keeps the journal and its state. Not necessarily there yet.
    pub data: PathBuf,
    /// Where the API listens.
    pub api: SocketAddr,
    /// Where the embedded MQTT broker listens; `None` for no broker.
    pub broker: Option<SocketAddr>,
    /// The journal's limits.
    pub journal: JournalOptions,
    /// How often each route says its ledger, 1 s to 24 h.
    pub ledger_every: Duration,
    /// How much memory the state of all queries may take together, in bytes, from 1 MiB.
    pub queries_memory: u64,
    /// What is kept of the scenes' decisions.
    pub scene_options: SceneOptions,
    /// Drivers that are processes of their own, in the order of the file.
    pub drivers: Vec<DriverSite>,
    /// Where drivers on other machines dial in.
    pub drivers_listen: Option<DriverListen>,
    /// Models and devices. Devices are numbered in the order of `devices.toml`, `devices/*.toml`, `devices.csv`.
    pub things: Things,
    /// The name of each device's template; a [`DeviceIx`] is a place in this list.
    pub templates: Vec<Arc<str>>,
    /// The wires, in the order of the file.
    pub links: Vec<LinkSite>,
    /// All points; a [`PointIx`] is a place in this list.
    pub points: Vec<PointSite>,
    /// Services that are made of writes, in the order in which they are written. A service of the model that is not in
    /// here is left to the driver's `call`.
    pub services: HashMap<(DeviceIx, ServiceIx), Vec<ServiceWrite>>,
    /// Events that happen when a property changes.
    pub events: Vec<EventSite>,
    /// Northbound destinations, in the order of the file.
    pub targets: Vec<TargetSite>,
    /// What goes where, in the order of the file.
    pub routes: Vec<RouteSite>,
    /// `scenes/*.rhai`, by name, without tests. Read, not compiled.
    pub scenes: Vec<SourceFile>,
    /// `scenes/*_test.rhai`, by name. Read, not compiled.
    pub scene_tests: Vec<SourceFile>,
    /// `scenes/*.toml`: what scripts of the same name are used for.
    pub scene_uses: Vec<SceneUses>,
    /// `queries/*.sql`, by name. Read, not planned.
    pub queries: Vec<SourceFile>,
    /// `tables/*.csv`, by name.
    pub tables: Vec<TableFile>,
}

/// What is kept of the scenes' decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SceneOptions {
    /// How many of its last decisions each scene remembers.
    pub decisions: usize,
    /// Whether each decision goes into the journal, as a row of `stream/scene_decisions`.
    pub journal: bool,
}

impl Default for SceneOptions {
    fn default() -> Self {
        SceneOptions { decisions: 32, journal: false }
    }
}

/// What a script is used for.
#[derive(Debug, Clone)]
pub struct SceneUses {
    /// The script, `scenes/rooms.rhai`.
    pub script: PathBuf,
    /// The values of each use, with the place where it is said: `scenes/rooms.toml:4`.
    pub uses: Vec<(serde_json::Map<String, Json>, String)>,
}

/// One wire with everything on it, ready for [`Driver::open`](edgeway_sdk::Driver::open) and
/// [`Link::plan`](edgeway_sdk::Link::plan).
#[derive(Debug, Clone)]
pub struct LinkSite {
    /// `farm` of `[link.farm]`.
    pub name: Arc<str>,
    /// The driver's place in the list given to [`load`](crate::load).
    pub driver: usize,
    /// The wire's key, as the driver names it. No two links of a site have the same.
    pub key: String,
    /// The driver's options.
    pub options: Json,
    /// The devices on this wire.
    pub devices: Vec<DeviceSpec>,
    /// Their points.
    pub points: Vec<PointSpec>,
}

/// What the gateway knows of a point: how raw values become a property's.
#[derive(Debug, Clone, PartialEq)]
pub struct PointSite {
    /// Its device.
    pub device: DeviceIx,
    /// The property it stands for; `None` for a point that only a service writes.
    pub property: Option<PropertyIx>,
    /// value = raw x scale + offset. Never 0.
    pub scale: f64,
    /// In the model's unit.
    pub offset: f64,
    /// Whether it is read, written or both.
    pub access: Access,
    /// How often it is read.
    pub period: Duration,
    /// How long a value may be trusted without being read again.
    pub stale_after: Duration,
    /// Whether a person has said so. Otherwise what is told when it changes is trusted for as long as its device is there.
    pub stale_after_said: bool,
    /// Which of the values that are read are reported.
    pub reporting: Reporting,
}

impl PointSite {
    /// What people call it: `meter-1.active_power`; the device alone if only a service writes the point.
    pub fn name(&self, things: &Things) -> String {
        let device = &things.device(self.device).id;
        match self.property {
            Some(property) => format!("{device}.{}", things.property(self.device, property).identifier),
            None => device.to_string(),
        }
    }
}

/// Which of the values that are read are reported. What is not reported counts as read all the same.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Reporting {
    /// All.
    #[default]
    Always,
    /// The first one, and those with another quality or another value than the one reported last.
    OnChange {
        /// By how much a number must differ, in the model's unit: by more than this. 0 for any difference.
        deadband: f64,
        /// How long a value goes unreported at most while it is read. `None`: for ever, if it does not change.
        every: Option<Duration>,
    },
}

/// One write of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceWrite {
    /// Where. Scale and offset of the point apply to what comes from an input, not to constants.
    pub point: PointIx,
    /// What.
    pub from: WriteFrom,
}

/// What a service writes.
#[derive(Debug, Clone, PartialEq)]
pub enum WriteFrom {
    /// Always this raw value.
    Constant(Value),
    /// An input of the service, through the point's scale and offset.
    Input(Arc<str>),
    /// The raw value that stands for an input's value; a value that is not in the map is refused. `false` is 0 and
    /// `true` is 1.
    Mapped {
        /// The input.
        input: Arc<str>,
        /// From the input's number to the raw value.
        map: BTreeMap<i64, Value>,
    },
}

/// An event that happens when a property changes to a good value other than 0, `false` or empty text.
#[derive(Debug, Clone, PartialEq)]
pub struct EventSite {
    /// The device.
    pub device: DeviceIx,
    /// The event.
    pub event: EventIx,
    /// The property watched.
    pub on: PropertyIx,
    /// What it carries: the event's fields, in the model's order, each with the property that fills it.
    pub output: Vec<(Arc<str>, PropertyIx)>,
}

/// A scene or a query as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Relative to the site, `scenes/alarm.rhai`.
    pub path: PathBuf,
    /// The file's name without its extension.
    pub name: Arc<str>,
    /// Its text.
    pub text: Arc<str>,
}
