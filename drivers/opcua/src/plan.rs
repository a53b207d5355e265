//! Points to nodes: which are told by the server, and which are read together. Pure.

use crate::codec::View;
use crate::config::{DeviceOptions, LinkOptions, NodeAddress, Point, Watch};
use edgeway_sdk::{Access, DeviceIx, DeviceSpec, Fault, PointIx, PointSpec, Problem};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// A point and the node that it is.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) ix: PointIx,
    pub(crate) device: DeviceIx,
    pub(crate) access: Access,
    pub(crate) period: Duration,
    pub(crate) point: Point,
    pub(crate) view: View,
}

/// Nodes of one device that are read together.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) device: DeviceIx,
    pub(crate) period: Duration,
    pub(crate) targets: Vec<Arc<Target>>,
}

/// All that was asked for.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    pub(crate) devices: HashMap<DeviceIx, Arc<DeviceOptions>>,
    pub(crate) accepted: Vec<Arc<Target>>,
    pub(crate) rejected: Vec<(PointIx, String)>,
}

impl Target {
    pub(crate) fn address(&self) -> &NodeAddress {
        &self.point.at
    }

    /// Whether the server tells it.
    pub(crate) fn is_watched(&self, link: &LinkOptions) -> bool {
        self.access.reads() && self.point.watch.unwrap_or(link.watch) == Watch::Subscribe
    }
}

impl Targets {
    /// Reads the options of devices and points.
    ///
    /// # Errors
    /// [`Fault::Config`] if those of a device are wrong after all. Points that are wrong are rejected.
    pub(crate) fn resolve(devices: &[DeviceSpec], points: &[PointSpec]) -> Result<Targets, Fault> {
        let mut targets = Targets::default();
        for device in devices {
            let options = DeviceOptions::parse(&device.options).map_err(|problems| wrong(&problems))?;
            targets.devices.insert(device.ix, Arc::new(options));
        }
        for point in points {
            match targets.target(point) {
                Ok(target) => targets.accepted.push(Arc::new(target)),
                Err(reason) => targets.rejected.push((point.ix, reason)),
            }
        }
        Ok(targets)
    }

    fn target(&self, spec: &PointSpec) -> Result<Target, String> {
        let device = self.devices.get(&spec.device).ok_or("its device is not there")?;
        let point = Point::parse(&spec.options, spec.access, &device.naming);
        let point = point.map_err(|problems| sentence(&problems))?;
        let view = View::of(&point);
        Ok(Target { ix: spec.ix, device: spec.device, access: spec.access, period: spec.period, point, view })
    }
}

/// Puts points of one device and one period together, up to the limit.
pub(crate) fn requests(targets: impl IntoIterator<Item = Arc<Target>>, nodes_max: usize) -> Vec<Request> {
    let mut groups: BTreeMap<(DeviceIx, Duration), Vec<Arc<Target>>> = BTreeMap::new();
    for target in targets {
        groups.entry((target.device, target.period)).or_default().push(target);
    }
    let cut = |((device, period), targets): ((DeviceIx, Duration), Vec<Arc<Target>>)| {
        let request = move |targets: &[Arc<Target>]| Request { device, period, targets: targets.to_vec() };
        targets.chunks(nodes_max).map(request).collect::<Vec<_>>()
    };
    groups.into_iter().flat_map(cut).collect()
}

/// Halves of a step that the server does not take.
pub(crate) fn halves(targets: Vec<Arc<Target>>) -> Vec<Request> {
    let half = targets.len().div_ceil(2).max(1);
    requests(targets, half)
}

/// Options that have passed the check, and are wrong after all.
pub(crate) fn wrong(problems: &[Problem]) -> Fault {
    Fault::Config(sentence(problems))
}

fn sentence(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn spec(ix: u32, device: u32, seconds: u64) -> PointSpec {
        PointSpec {
            ix: PointIx(ix),
            device: DeviceIx(device),
            options: json!({ "at": format!("i={ix}") }).into(),
            access: Access::Read,
            period: Duration::from_secs(seconds),
        }
    }

    fn devices(count: u32) -> Vec<DeviceSpec> {
        (0..count).map(|ix| DeviceSpec { ix: DeviceIx(ix), options: json!({}) }).collect()
    }

    fn sizes(requests: &[Request]) -> Vec<(u32, u64, usize)> {
        requests.iter().map(|r| (r.device.0, r.period.as_secs(), r.targets.len())).collect()
    }

    #[test]
    fn points_of_one_device_and_one_period_are_read_together_up_to_the_limit() {
        let points: Vec<_> = (0..5).map(|ix| spec(ix, 0, 1)).chain([spec(5, 1, 1), spec(6, 0, 2)]).collect();
        let targets = Targets::resolve(&devices(2), &points).expect("valid");
        assert_eq!(sizes(&requests(targets.accepted, 3)), [(0, 1, 3), (0, 1, 2), (0, 2, 1), (1, 1, 1)]);
    }

    #[test]
    fn a_step_is_halved_down_to_single_points() {
        let points: Vec<_> = (0..5).map(|ix| spec(ix, 0, 1)).collect();
        let targets = Targets::resolve(&devices(1), &points).expect("valid").accepted;
        assert_eq!(sizes(&halves(targets.clone())), [(0, 1, 3), (0, 1, 2)]);
        assert_eq!(sizes(&halves(targets[..1].to_vec())), [(0, 1, 1)]);
    }

    #[test]
    fn a_point_that_is_wrong_costs_nobody_else() {
        let bad = PointSpec { options: json!({ "at": "x" }).into(), ..spec(1, 0, 1) };
        let targets = Targets::resolve(&devices(1), &[spec(0, 0, 1), bad]).expect("valid devices");
        assert_eq!((targets.accepted.len(), targets.rejected.len()), (1, 1));
    }
}
