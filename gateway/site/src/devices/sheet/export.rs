//! A site's points as a sheet.

use super::columns::{LABELS, OF_DEVICE, POINT, PROPERTY};
use super::natural;
use crate::devices::point::HOST;
use crate::quantity;
use crate::site::{LinkSite, PointSite, Reporting, Site};
use crate::tree::toml::is_secret;
use edgeway_sdk::{Access, DeviceIx, Driver, Json};
use edgeway_thing_models::Property;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// A site's points as CSV.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// A header, and a row for each point; a device without points has one too.
    pub text: String,
    /// Columns that were left out because they hold secrets, `modbus.password`.
    pub secrets: Vec<String>,
}

/// Writes the points of some devices, sorted by device and in the order of the models. Everything is said that holds, also
/// where the site leaves it to a template or a default.
pub fn export(site: &Site, drivers: &[Arc<dyn Driver>], is_wanted: impl Fn(DeviceIx) -> bool) -> Export {
    let mut rows = Rows { site, drivers, columns: Columns::default(), rows: vec![] };
    let mut devices: Vec<DeviceIx> = site.things.devices().map(|(ix, _)| ix).filter(|ix| is_wanted(*ix)).collect();
    devices.sort_by(|a, b| natural::compare(&site.things.device(*a).id, &site.things.device(*b).id));
    let mut points: HashMap<DeviceIx, Vec<usize>> = HashMap::new();
    for (at, point) in site.points.iter().enumerate().filter(|(_, point)| point.property.is_some()) {
        points.entry(point.device).or_default().push(at);
    }
    let wires = Wires::of(site);
    for device in devices {
        let mut points = points.remove(&device).unwrap_or_default();
        points.sort_by_key(|at| site.points[*at].property);
        rows.device(device, &points, &wires);
    }
    rows.finish()
}

/// Where devices and points are on the wires.
struct Wires<'s> {
    devices: HashMap<DeviceIx, (&'s LinkSite, &'s Json)>,
    points: HashMap<u32, &'s Json>,
}

impl<'s> Wires<'s> {
    fn of(site: &'s Site) -> Self {
        let mut wires = Wires { devices: HashMap::new(), points: HashMap::new() };
        for link in &site.links {
            wires.devices.extend(link.devices.iter().map(|device| (device.ix, (link, &device.options))));
            wires.points.extend(link.points.iter().map(|point| (point.ix.0, &*point.options)));
        }
        wires
    }
}

/// A row that is being made, by column.
type Row = BTreeMap<String, String>;

/// Which columns there are beside those that always are.
#[derive(Default)]
struct Columns {
    device_options: BTreeSet<String>,
    /// With their places among those that a point must have, of the driver that wants them first.
    point_options: BTreeMap<String, usize>,
    labels: BTreeSet<String>,
    secrets: BTreeSet<String>,
}

struct Rows<'s> {
    site: &'s Site,
    drivers: &'s [Arc<dyn Driver>],
    columns: Columns,
    rows: Vec<Row>,
}

impl Rows<'_> {
    fn device(&mut self, ix: DeviceIx, points: &[usize], wires: &Wires<'_>) {
        let (things, wire) = (&self.site.things, wires.devices.get(&ix));
        let device = things.device(ix);
        let own = [
            &*device.id,
            self.site.templates.get(ix.0 as usize).map_or("", |name| name),
            &things.model_of(ix).name,
            wire.map_or("", |(link, _)| &link.name),
        ];
        let mut row: Row = OF_DEVICE.iter().zip(own).map(|(name, text)| ((*name).to_owned(), escaped(text))).collect();
        for (name, text) in &device.labels {
            self.columns.labels.insert(name.clone());
            row.insert(format!("{LABELS}.{name}"), escaped(text));
        }
        let driver = wire.map(|(link, _)| &*self.drivers[link.driver]);
        if let (Some(driver), Some((_, options))) = (driver, wire) {
            self.device_options(&driver.manifest().name, options, &mut row);
        }
        for at in points {
            let point = self.point(*at, driver, wires);
            self.rows.push(row.clone().into_iter().chain(point).collect());
        }
        if points.is_empty() {
            self.rows.push(row);
        }
    }

    fn device_options(&mut self, driver: &str, options: &Json, row: &mut Row) {
        let mut cells = vec![];
        flatten(options, driver, &mut cells);
        for (path, text) in cells {
            if path.split('.').any(is_secret) {
                self.columns.secrets.insert(path);
                continue;
            }
            self.columns.device_options.insert(path.clone());
            row.insert(path, text);
        }
    }

    fn point(&mut self, at: usize, driver: Option<&dyn Driver>, wires: &Wires<'_>) -> Row {
        let point = &self.site.points[at];
        let Some(property) = point.property.map(|ix| self.site.things.property(point.device, ix)) else {
            return Row::new();
        };
        let mut row = Row::from([(PROPERTY.to_owned(), property.identifier.to_string())]);
        row.extend(host_cells(point, property).map(|(name, text)| (name.to_owned(), text)));
        let mut cells = vec![];
        if let Some(options) = wires.points.get(&(at as u32)) {
            flatten(options, "", &mut cells);
        }
        for (path, text) in cells {
            let place = driver.map_or(0, |driver| place(&driver.manifest().options.point, &path));
            let clashes = OF_DEVICE.contains(&&*path) || path == PROPERTY || path.starts_with(&format!("{LABELS}."));
            let name = if clashes || self.is_of_driver(&path) { format!("{POINT}.{path}") } else { path };
            let first = self.columns.point_options.entry(name.clone()).or_insert(place);
            *first = place.min(*first);
            row.insert(name, text);
        }
        row
    }

    /// Whether the path of an option of a point reads like one of a device.
    fn is_of_driver(&self, path: &str) -> bool {
        let head = path.split_once('.').map(|(head, _)| head);
        head.is_some_and(|head| head == POINT || self.drivers.iter().any(|driver| driver.manifest().name == head))
    }

    fn finish(self) -> Export {
        let Columns { device_options, point_options, labels, secrets } = self.columns;
        let mut point_options: Vec<(usize, String)> =
            point_options.into_iter().map(|(name, place)| (place, name)).collect();
        point_options.sort_unstable();
        let header: Vec<String> = OF_DEVICE
            .iter()
            .map(|name| (*name).to_owned())
            .chain(device_options)
            .chain([PROPERTY.to_owned()])
            .chain(point_options.into_iter().map(|(_, name)| name))
            .chain(HOST.iter().map(|name| (*name).to_owned()))
            .chain(labels.into_iter().map(|name| format!("{LABELS}.{name}")))
            .collect();
        let mut writer = csv::Writer::from_writer(vec![]);
        let cells = |row: &Row| header.iter().map(|name| row.get(name).cloned().unwrap_or_default()).collect();
        let records = std::iter::once(header.clone()).chain(self.rows.iter().map(cells));
        // Writing into memory does not fail.
        let written = records.into_iter().try_for_each(|record: Vec<String>| writer.write_record(record));
        let bytes = written.ok().and_then(|()| writer.into_inner().ok()).unwrap_or_default();
        Export { text: String::from_utf8_lossy(&bytes).into_owned(), secrets: secrets.into_iter().collect() }
    }
}

/// The gateway's own keys of a point, as far as they have a meaning for it.
fn host_cells(point: &PointSite, property: &Property) -> impl Iterator<Item = (&'static str, String)> {
    let is_number = crate::devices::point::is_number(&property.data_type);
    let when = |applies: bool, text: String| if applies { text } else { String::new() };
    let (on_change, deadband, every) = match point.reporting {
        Reporting::Always => (false, 0.0, None),
        Reporting::OnChange { deadband, every } => (true, deadband, every),
    };
    let reads = property.access.reads();
    let has_deadband = on_change && property.data_type.range().is_some();
    [
        ("scale", when(is_number, point.scale.to_string())),
        ("offset", when(is_number, point.offset.to_string())),
        ("unit", property.data_type.unit().map(|unit| escaped(unit)).unwrap_or_default()),
        ("write", when(property.access == Access::ReadWrite, point.access.writes().to_string())),
        ("poll", quantity::show(point.period)),
        ("stale_after", when(point.stale_after_said, quantity::show(point.stale_after))),
        ("report", when(reads, if on_change { "change" } else { "always" }.to_owned())),
        ("deadband", when(has_deadband, deadband.to_string())),
        ("report_every", every.map(quantity::show).unwrap_or_default()),
    ]
    .into_iter()
}

/// The options below a table, each with its path in dots. A table with names that have dots themselves is a cell of its own.
fn flatten(options: &Json, path: &str, cells: &mut Vec<(String, String)>) {
    for (key, value) in options.as_object().into_iter().flatten() {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            Json::Object(below) if !below.is_empty() && !below.keys().any(|key| key.contains('.')) => {
                flatten(value, &path, cells);
            }
            Json::String(text) => cells.push((path, escaped(text))),
            other => cells.push((path, escaped(&other.to_string()))),
        }
    }
}

/// What was replaced when the site was read is not to be replaced again.
fn escaped(text: &str) -> String {
    text.replace('$', "$$")
}

/// Options that a point must have come first.
fn place(schema: &Json, path: &str) -> usize {
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str);
    required.into_iter().position(|name| name == path).unwrap_or(usize::MAX)
}
