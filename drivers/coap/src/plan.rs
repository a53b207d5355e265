//! Points to resources. Pure: the same points give the same resources.

use crate::codec;
use crate::config::{DeviceOptions, Endpoint, LinkOptions, Method, Path, Point, Query, Source, Watch};
use crate::reading::{Item, Reader};
use coap_lite::{Packet, RequestType};
use edgeway_payload::Format;
use edgeway_sdk::{Access, DeviceIx, DeviceSpec, Fault, PointIx, PointSpec, Problem};
use std::collections::HashMap;
use std::time::Duration;

/// A point, with everything that its device adds to it.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) item: Item,
    pub(crate) access: Access,
    pub(crate) watch: Watch,
    pub(crate) method: Method,
    pub(crate) place: Place,
    /// From where its device pushes.
    source: Option<Source>,
}

/// What is asked for at once. Points of one place share an answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) device: DeviceIx,
    pub(crate) path: Path,
    pub(crate) query: Query,
    accept: Option<u16>,
    pub(crate) period: Duration,
}

/// A resource, ready to be asked for.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) place: Place,
    pub(crate) items: Vec<Item>,
    /// The question that reads it.
    pub(crate) get: Packet,
    /// From where it is pushed; `None` for anywhere.
    pub(crate) source: Option<Source>,
}

/// Points by how they are read.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    pub(crate) polled: Vec<Target>,
    pub(crate) watched: Vec<Target>,
    /// Only written.
    pub(crate) silent: Vec<Target>,
    /// With the reason.
    pub(crate) rejected: Vec<(PointIx, String)>,
    /// With `listen://`, who is pushed to each path and query.
    pushed: HashMap<(Path, Query), Vec<Pusher>>,
}

/// A device that is pushed from somewhere, or anywhere.
type Pusher = (DeviceIx, Option<Source>);

/// The devices of a link, with their options.
pub(crate) type Devices = HashMap<DeviceIx, DeviceOptions>;

/// Reads the options of devices.
///
/// # Errors
/// [`Fault::Config`] if they are wrong, which should have been checked before.
pub(crate) fn devices(specs: &[DeviceSpec]) -> Result<Devices, Fault> {
    let read =
        |spec: &DeviceSpec| Ok((spec.ix, DeviceOptions::parse(&spec.options).map_err(|problems| wrong(&problems))?));
    specs.iter().map(read).collect()
}

impl Targets {
    /// Resolves points.
    ///
    /// # Errors
    /// [`Fault::Config`] if options are wrong that should have been checked before.
    pub(crate) fn resolve(link: &LinkOptions, devices: &Devices, points: &[PointSpec]) -> Result<Self, Fault> {
        let mut targets = Targets::default();
        for spec in points {
            let device = devices.get(&spec.device);
            let device = device.ok_or_else(|| Fault::Config(format!("point {} has no device", spec.ix.0)))?;
            targets.add(link, target(device, spec)?);
        }
        Ok(targets)
    }

    fn add(&mut self, link: &LinkOptions, target: Target) {
        let is_server = matches!(link.endpoint, Endpoint::Listen { .. });
        if let Some(reason) = target.unfit(is_server).or_else(|| is_server.then(|| self.taken(&target)).flatten()) {
            return self.rejected.push((target.item.point, reason.into()));
        }
        match (target.access.reads(), target.watch) {
            (false, _) => self.silent.push(target),
            (true, Watch::Observe) => self.watched.push(target),
            (true, Watch::Poll) if is_server => self.watched.push(target),
            (true, Watch::Poll) => self.polled.push(target),
        }
    }

    /// Why nobody could tell what is pushed to this point from what is pushed to another device's.
    fn taken(&mut self, target: &Target) -> Option<&'static str> {
        let Place { device, path, query, .. } = &target.place;
        let places = self.pushed.entry((path.clone(), query.clone())).or_default();
        let is_taken = places.iter().any(|(other, source)| other != device && overlap(*source, target.source));
        if !places.contains(&(*device, target.source)) {
            places.push((*device, target.source));
        }
        is_taken.then_some("another device is pushed to this path too (tell them apart by `source`, `path` or `query`)")
    }
}

impl Target {
    /// Why it does not go with this kind of link.
    fn unfit(&self, is_server: bool) -> Option<&'static str> {
        match is_server {
            true if self.access.writes() => Some("a device that pushes cannot be written (make the point read-only)"),
            true if self.place.accept.is_some() => {
                Some("a device that pushes is not asked for a format (leave `accept` out)")
            }
            false if self.source.is_some() => Some("`source` goes with `listen://` alone (leave it out of the device)"),
            _ => None,
        }
    }
}

/// Whether a device may push from both.
fn overlap(one: Option<Source>, other: Option<Source>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return true };
    one.overlaps(other)
}

fn target(device: &DeviceOptions, spec: &PointSpec) -> Result<Target, Fault> {
    let point = Point::parse(&spec.options, spec.access).map_err(|problems| wrong(&problems))?;
    let place = Place {
        device: spec.device,
        path: device.path.join(&point.path),
        query: point.query.clone(),
        accept: point.accept.map(Format::coap),
        period: spec.period,
    };
    let item = Item { point: spec.ix, reader: Reader::new(&point).into() };
    let (access, source) = (spec.access, device.source);
    Ok(Target { item, access, watch: point.watch, method: point.method, place, source })
}

/// All mistakes in one fault.
pub(crate) fn wrong(problems: &[Problem]) -> Fault {
    Fault::Config(problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; "))
}

/// One resource for all points of a place.
pub(crate) fn resources(targets: impl IntoIterator<Item = Target>, devices: &Devices) -> Vec<Resource> {
    let mut targets: Vec<Target> = targets.into_iter().collect();
    targets.sort_by(|a, b| (&a.place, a.item.point).cmp(&(&b.place, b.item.point)));
    let mut resources: Vec<Resource> = vec![];
    for target in targets {
        match resources.last_mut() {
            Some(last) if last.place == target.place => last.items.push(target.item),
            _ => {
                let source = devices.get(&target.place.device).and_then(|device| device.source);
                resources.push(Resource::new(target.place, vec![target.item], source));
            }
        }
    }
    resources
}

impl Place {
    /// The question that reads it.
    pub(crate) fn get(&self) -> Packet {
        let accept = self.accept.and_then(Format::of_coap);
        codec::question(RequestType::Get, &self.path, &self.query, accept)
    }
}

impl Resource {
    pub(crate) fn new(place: Place, items: Vec<Item>, source: Option<Source>) -> Self {
        Resource { get: place.get(), place, items, source }
    }

    pub(crate) fn points(&self) -> Vec<PointIx> {
        self.items.iter().map(|item| item.point).collect()
    }
}

#[cfg(test)]
mod tests;
