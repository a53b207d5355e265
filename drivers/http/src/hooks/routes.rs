//! Which device is sent for at which path. Pure.

use super::repeats::Repeats;
use crate::codec::Item;
use crate::config::DeviceOptions;
use crate::plan::{self, Rejected};
use edgeway_payload::{Document, Format};
use edgeway_sdk::{DeviceIx, DeviceSpec, Fault, PointSpec, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// The devices at each path.
#[derive(Default)]
pub(crate) struct Routes {
    hooks: HashMap<String, Vec<Arc<Hook>>>,
}

/// A device that sends.
pub(super) struct Hook {
    pub(super) options: DeviceOptions,
    pub(super) items: Vec<Item>,
    /// How its points are read, each once.
    pub(super) formats: Vec<Format>,
    pub(super) repeats: Repeats,
}

impl Routes {
    /// The points of each device, at its path.
    ///
    /// # Errors
    /// [`Fault::Config`] if options are wrong that should have been checked before.
    pub(crate) fn of(devices: &[DeviceSpec], points: &[PointSpec], items: &[Item]) -> Result<(Self, Rejected), Fault> {
        let mut of_device: HashMap<DeviceIx, Vec<Item>> = HashMap::new();
        let mut rejected = vec![];
        let paths =
            devices.iter().map(|spec| Ok((spec.ix, device(spec)?))).collect::<Result<HashMap<_, _>, Fault>>()?;
        for (spec, item) in points.iter().zip(items) {
            match paths.get(&spec.device).map(|options| unfit(options, spec, item)) {
                Some(None) => of_device.entry(spec.device).or_default().push(item.clone()),
                Some(Some(reason)) => rejected.push((spec.ix, reason)),
                None => return Err(Fault::Config(format!("point {} has no device", spec.ix.0))),
            }
        }
        let mut routes = Routes::default();
        for spec in devices {
            if let (Some(options), Some(items)) = (paths.get(&spec.ix), of_device.remove(&spec.ix)) {
                routes.add(options.clone(), items);
            }
        }
        Ok((routes, rejected))
    }

    fn add(&mut self, options: DeviceOptions, items: Vec<Item>) {
        let mut formats = vec![];
        for format in items.iter().map(|item| item.options.mapping.format()) {
            if !formats.contains(&format) {
                formats.push(format);
            }
        }
        let path = normal(&options.path).to_owned();
        let hook = Hook { options, items, formats, repeats: Repeats::default() };
        self.hooks.entry(path).or_default().push(Arc::new(hook));
    }

    /// The devices that send to a path.
    pub(super) fn at(&self, path: &str) -> &[Arc<Hook>] {
        self.hooks.get(normal(path)).map_or(&[], Vec::as_slice)
    }
}

impl Hook {
    /// Whether a payload is its own.
    pub(super) fn owns(&self, document: Option<&Document>) -> bool {
        let Some(only) = &self.options.only else { return true };
        let told = document.and_then(|document| only.at.read(document));
        told.is_some_and(|told| matches!(&told.value, Value::Text(text) if **text == *only.is))
    }
}

fn device(spec: &DeviceSpec) -> Result<DeviceOptions, Fault> {
    DeviceOptions::parse(&spec.options).map_err(|problems| plan::wrong(&problems))
}

/// Why a point can never be told.
fn unfit(device: &DeviceOptions, spec: &PointSpec, item: &Item) -> Option<String> {
    if normal(&device.path).is_empty() {
        return Some("its device says at which path it sends: `path` is missing".into());
    }
    if spec.access.writes() {
        return Some("a device that sends cannot be written (make the point read-only)".into());
    }
    let stranger = device.key_of_asked.or(item.options.key_of_asked)?;
    Some(format!("`{stranger}` is for a device that is asked (leave it out)"))
}

/// Without the slashes around it.
fn normal(path: &str) -> &str {
    path.trim_matches('/')
}
