//! Points to requests. Pure: the same points give the same requests.

use crate::codec::{Item, Kept};
use crate::config::{ClientOptions, DeviceOptions, Method, Point, Unchanged, joined};
use edgeway_payload::Format;
use edgeway_sdk::{Access, DeviceIx, DeviceSpec, Fault, Json, PointIx, PointSpec, Problem};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A device, ready to be asked.
pub(crate) struct Device {
    pub(crate) options: DeviceOptions,
    pub(crate) url: Url,
    pub(crate) headers: Arc<HeaderMap>,
}

/// What one step asks for: a resource, and the points in it.
pub(crate) struct Resource {
    pub(crate) device: DeviceIx,
    pub(crate) period: Duration,
    pub(crate) url: Url,
    pub(crate) headers: Arc<HeaderMap>,
    pub(crate) format: Format,
    pub(crate) unchanged: Unchanged,
    pub(crate) items: Vec<Item>,
    /// What it was when the server gave it a name, and the header that asks whether it still is.
    pub(crate) kept: Mutex<Option<Named>>,
}

/// Values of an answer, with the header that asks whether anything has changed since.
#[derive(Clone)]
pub(crate) struct Named {
    pub(crate) unless: (HeaderName, HeaderValue),
    pub(crate) readings: Arc<[Kept]>,
}

/// A point that is written.
pub(crate) struct Writable {
    pub(crate) item: Item,
    pub(crate) set: Url,
    pub(crate) method: Method,
    /// Where it is read back, if it is read.
    pub(crate) read: Option<Url>,
    pub(crate) headers: Arc<HeaderMap>,
}

/// All problems in one fault, for options that should have been checked before.
pub(crate) fn wrong(problems: &[Problem]) -> Fault {
    Fault::Config(problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; "))
}

/// The devices of a link.
///
/// # Errors
/// [`Fault::Config`] if options are wrong that should have been checked before.
pub(crate) fn devices(link: &ClientOptions, specs: &[DeviceSpec]) -> Result<HashMap<DeviceIx, Arc<Device>>, Fault> {
    let device = |spec: &DeviceSpec| {
        let options = DeviceOptions::parse(&spec.options).map_err(|problems| wrong(&problems))?;
        let mut headers = link.headers.clone();
        headers.extend(options.headers.clone());
        let url = joined(&link.base, &[&options.path]);
        Ok((spec.ix, Arc::new(Device { options, url, headers: Arc::new(headers) })))
    };
    specs.iter().map(device).collect()
}

/// Points that nobody can read, each with a reason.
pub(crate) type Rejected = Vec<(PointIx, String)>;

/// The points of devices that can be asked, and the others.
///
/// # Errors
/// [`Fault::Config`] if a point has no device.
pub(crate) fn askable(
    devices: &HashMap<DeviceIx, Arc<Device>>,
    specs: &[PointSpec],
) -> Result<(Vec<PointSpec>, Rejected), Fault> {
    let (mut askable, mut rejected) = (vec![], vec![]);
    for spec in specs {
        match device_of(devices, spec)?.options.key_of_sender {
            None => askable.push(spec.clone()),
            Some(key) => rejected.push((spec.ix, format!("`{key}` is for a device that sends (leave it out)"))),
        }
    }
    Ok((askable, rejected))
}

/// The points, each with its options.
///
/// # Errors
/// [`Fault::Config`] if options are wrong that should have been checked before.
pub(crate) fn items(specs: &[PointSpec]) -> Result<Vec<Item>, Fault> {
    // Points that are written alike share their options.
    let mut read: HashMap<(*const Json, Access), Arc<Point>> = HashMap::new();
    let mut item = |spec: &PointSpec| {
        let key = (Arc::as_ptr(&spec.options), spec.access);
        let options = match read.get(&key) {
            Some(options) => options.clone(),
            None => {
                let options = Point::parse(&spec.options, spec.access).map_err(|problems| wrong(&problems))?;
                read.entry(key).or_insert(Arc::new(options)).clone()
            }
        };
        Ok(Item { point: spec.ix, options })
    };
    specs.iter().map(&mut item).collect()
}

/// The device of a point.
pub(crate) fn device_of<D>(devices: &HashMap<DeviceIx, Arc<D>>, spec: &PointSpec) -> Result<Arc<D>, Fault> {
    devices.get(&spec.device).cloned().ok_or_else(|| Fault::Config(format!("point {} has no device", spec.ix.0)))
}

/// The fewest requests that read these points: those of one device, period, resource and format share one, in the order of
/// the points.
pub(crate) fn resources(
    devices: &HashMap<DeviceIx, Arc<Device>>,
    specs: &[PointSpec],
    items: &[Item],
) -> Result<Vec<Resource>, Fault> {
    let mut resources: Vec<Resource> = vec![];
    let mut known: HashMap<_, usize> = HashMap::new();
    for (spec, item) in specs.iter().zip(items).filter(|(spec, _)| spec.access.reads()) {
        let options = &item.options;
        let key = (spec.device, spec.period, &options.path, &options.query, options.mapping.format());
        let at = match known.get(&key) {
            Some(at) => *at,
            None => {
                known.insert(key, resources.len());
                resources.push(resource(&*device_of(devices, spec)?, spec, item));
                resources.len() - 1
            }
        };
        resources[at].items.push(item.clone());
    }
    Ok(resources)
}

fn resource(device: &Device, spec: &PointSpec, item: &Item) -> Resource {
    Resource {
        device: spec.device,
        period: spec.period,
        url: read_at(device, &item.options),
        headers: device.headers.clone(),
        format: item.options.mapping.format(),
        unchanged: device.options.unchanged,
        items: vec![],
        kept: Mutex::default(),
    }
}

fn read_at(device: &Device, point: &Point) -> Url {
    with_query(joined(&device.url, &[&point.path]), &point.query)
}

fn with_query(mut url: Url, query: &[(String, String)]) -> Url {
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    url
}

/// What is needed to write a point.
pub(crate) fn writable(device: &Device, access: Access, item: &Item) -> Writable {
    let options = &item.options;
    Writable {
        item: item.clone(),
        set: with_query(joined(&device.url, &[&options.set]), &options.query),
        method: options.method,
        read: access.reads().then(|| read_at(device, options)),
        headers: device.headers.clone(),
    }
}

#[cfg(test)]
mod tests;
