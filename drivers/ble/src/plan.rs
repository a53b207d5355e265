//! Points to what is listened to, what is asked, and how often. Pure: the same points give the same plan.

use crate::address::Address;
use crate::config::{Characteristic, DeviceOptions, Keep, Place, Point, Watch};
use edgeway_payload::Mapping;
use edgeway_sdk::{Access, DeviceIx, DeviceSpec, Fault, PointIx, PointSpec, Problem};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// Reading takes 30 to 100 ms each, and a step has 10 s.
const CHARACTERISTICS_MAX: usize = 32;

/// A point with its device.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) ix: PointIx,
    pub(crate) device: DeviceIx,
    pub(crate) access: Access,
    pub(crate) period: Duration,
    pub(crate) point: Point,
}

impl Target {
    /// # Panics
    /// If the point is not one whose bytes have to be told what they hold.
    pub(crate) fn mapping(&self) -> &Mapping {
        self.point.mapping.as_ref().expect("what is read by connecting is bytes, and a point of bytes has a mapping")
    }
}

/// A device, for those who connect it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whom {
    pub(crate) address: Address,
    pub(crate) stay: Stay,
}

/// Whether a device stays connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stay {
    Connected,
    OnDemand,
}

/// What one step reads of a device.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) device: DeviceIx,
    pub(crate) period: Duration,
    /// In the order of their characteristics: each of those is read once.
    pub(crate) items: Vec<(Characteristic, Target)>,
}

/// Everything that a link has to do.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) devices: BTreeMap<DeviceIx, Arc<DeviceOptions>>,
    /// Told by advertisements.
    pub(crate) heard: Vec<Target>,
    /// Told by connected devices.
    notified: Vec<(Characteristic, Target)>,
    /// Read by connecting.
    polled: Vec<(Characteristic, Target)>,
    writable: HashMap<PointIx, Arc<(Characteristic, Target)>>,
    notifying: HashSet<DeviceIx>,
    /// Which device is connected at an address.
    connecting: HashMap<Address, DeviceIx>,
    /// Neither read nor written, each for a reason.
    rejected: Vec<(Target, String)>,
}

impl Work {
    /// Resolves points.
    ///
    /// # Errors
    /// [`Fault::Config`] if options are wrong that should have been checked before.
    pub(crate) fn resolve(devices: &[DeviceSpec], points: &[PointSpec]) -> Result<Self, Fault> {
        let mut work = Work::default();
        for spec in devices {
            let options = DeviceOptions::parse(&spec.options).map_err(|problems| wrong(&problems))?;
            work.devices.insert(spec.ix, Arc::new(options));
        }
        for spec in points {
            let Some(options) = work.devices.get(&spec.device) else {
                return Err(Fault::Config(format!("point {} has no device", spec.ix.0)));
            };
            let address = options.address;
            work.add(target(spec)?, address);
        }
        Ok(work)
    }

    fn add(&mut self, target: Target, address: Address) {
        let Place::Gatt(characteristic) = target.point.place else { return self.heard.push(target) };
        // Two would connect and disconnect it without each other's knowledge.
        if *self.connecting.entry(address).or_insert(target.device) != target.device {
            return self.rejected.push((target, two_devices(address)));
        }
        if target.access.writes() {
            self.writable.insert(target.ix, Arc::new((characteristic, target.clone())));
        }
        match (target.access.reads(), target.point.watch) {
            (false, _) => {}
            (true, Watch::Notify) => {
                self.notifying.insert(target.device);
                self.notified.push((characteristic, target));
            }
            (true, Watch::Poll) => self.polled.push((characteristic, target)),
        }
    }

    /// The points that nobody has to ask for.
    pub(crate) fn watched(&self) -> Vec<PointIx> {
        self.heard.iter().chain(self.notified.iter().map(|(_, target)| target)).map(|target| target.ix).collect()
    }

    /// The points that cannot be read, each with a reason.
    pub(crate) fn rejected(&self) -> Vec<(PointIx, String)> {
        let read = self.rejected.iter().filter(|(target, _)| target.access.reads());
        read.map(|(target, reason)| (target.ix, reason.clone())).collect()
    }

    /// The devices that are kept connected from the start, because they notify.
    pub(crate) fn kept(&self) -> BTreeMap<DeviceIx, Vec<(Characteristic, Target)>> {
        let mut kept = BTreeMap::<_, Vec<_>>::new();
        for (characteristic, target) in &self.notified {
            kept.entry(target.device).or_default().push((*characteristic, target.clone()));
        }
        kept.values_mut().for_each(|items| sort(items));
        kept
    }

    /// Where a device is, and whether it stays connected.
    pub(crate) fn whom(&self, device: DeviceIx) -> Option<Whom> {
        let options = self.devices.get(&device)?;
        let stays = options.keep == Keep::Connected || self.notifying.contains(&device);
        Some(Whom { address: options.address, stay: if stays { Stay::Connected } else { Stay::OnDemand } })
    }

    /// What is written to a point.
    ///
    /// # Errors
    /// [`Fault::Config`] with the reason why nothing is.
    pub(crate) fn writable(&self, point: PointIx) -> Result<Arc<(Characteristic, Target)>, Fault> {
        self.writable.get(&point).cloned().ok_or_else(|| {
            let rejected = self.rejected.iter().find(|(target, _)| target.ix == point);
            Fault::Config(
                rejected.map_or_else(|| format!("point {} cannot be written", point.0), |(_, reason)| reason.clone()),
            )
        })
    }

    /// What is read together: the points of one device and one period.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let mut groups = BTreeMap::<_, Vec<_>>::new();
        for (characteristic, target) in &self.polled {
            groups.entry((target.device, target.period)).or_default().push((*characteristic, target.clone()));
        }
        groups.into_values().flat_map(cut).collect()
    }

    /// Two requests for the points of one that was refused; one if there is one point.
    pub(crate) fn halves(&self) -> Vec<Request> {
        let mut items = self.polled.clone();
        sort(&mut items);
        let (low, high) = items.split_at(items.len() / 2);
        [low, high].into_iter().filter_map(|items| request(items.to_vec())).collect()
    }
}

fn two_devices(address: Address) -> String {
    format!("another device of this link has the address {address} and connects it: give that one all `gatt:` points")
}

fn target(spec: &PointSpec) -> Result<Target, Fault> {
    let point = Point::parse(&spec.options, spec.access).map_err(|problems| wrong(&problems))?;
    Ok(Target { ix: spec.ix, device: spec.device, access: spec.access, period: spec.period, point })
}

/// All problems in one fault, for options that should have been checked before.
pub(crate) fn wrong(problems: &[Problem]) -> Fault {
    Fault::Config(problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; "))
}

fn sort(items: &mut [(Characteristic, Target)]) {
    items.sort_by_key(|(characteristic, target)| (*characteristic, target.ix));
}

/// Requests of so many characteristics, each with all points in it.
fn cut(mut items: Vec<(Characteristic, Target)>) -> Vec<Request> {
    sort(&mut items);
    let mut characteristics: Vec<Vec<(Characteristic, Target)>> = vec![];
    for item in items {
        match characteristics.last_mut() {
            Some(same) if same[0].0 == item.0 => same.push(item),
            _ => characteristics.push(vec![item]),
        }
    }
    let groups = characteristics.chunks(CHARACTERISTICS_MAX).map(|group| group.concat());
    groups.filter_map(request).collect()
}

fn request(items: Vec<(Characteristic, Target)>) -> Option<Request> {
    let (_, first) = items.first()?;
    Some(Request { device: first.device, period: first.period, items })
}

/// Points by the device that they are of.
pub(crate) fn by_device(targets: &[Target]) -> HashMap<DeviceIx, Vec<Target>> {
    let mut all = HashMap::<_, Vec<_>>::new();
    for target in targets {
        all.entry(target.device).or_default().push(target.clone());
    }
    all
}

#[cfg(test)]
mod tests;
