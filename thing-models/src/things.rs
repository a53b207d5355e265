//! The registry of a loaded site.

use crate::model::{Model, Property};
use edgeway_sdk::DeviceIx;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A model's number in [`Things`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ModelIx(pub u16);

/// A property's number in its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PropertyIx(pub u16);

/// An event's number in its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventIx(pub u16);

/// A service's number in its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ServiceIx(pub u16);

/// A device of the site.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// Its id, `wt-07`.
    pub id: Arc<str>,
    /// Its model.
    pub model: ModelIx,
    /// What the site says of it: `row = "a"`.
    pub labels: BTreeMap<String, String>,
}

/// All models and devices. Numbers are places in the lists; nothing changes after loading.
///
/// Besides the site's own there can be *retired* ones: what recorded messages speak of and the site no longer has
/// (see [`Things::remember`]). They have numbers like all others, but no name leads to them.
#[derive(Debug, Clone, Default)]
pub struct Things {
    models: Vec<Arc<Model>>,
    devices: Vec<Device>,
    model_names: HashMap<Arc<str>, ModelIx>,
    device_ids: HashMap<Arc<str>, DeviceIx>,
    retired_ids: HashMap<Arc<str>, Vec<DeviceIx>>,
}

impl Things {
    /// Adds a model. A model of the same name is replaced for devices added later.
    pub fn add_model(&mut self, model: Arc<Model>) -> ModelIx {
        let ix = self.next_model();
        self.model_names.insert(model.name.clone(), ix);
        self.models.push(model);
        ix
    }

    /// Adds a device; `None` if its id is taken.
    pub fn add_device(&mut self, device: Device) -> Option<DeviceIx> {
        if self.device_ids.contains_key(&device.id) {
            return None;
        }
        let ix = self.next_device();
        self.device_ids.insert(device.id.clone(), ix);
        self.devices.push(device);
        Some(ix)
    }

    /// Adds a model that no name leads to.
    pub(crate) fn add_retired_model(&mut self, model: Arc<Model>) -> ModelIx {
        let ix = self.next_model();
        self.models.push(model);
        ix
    }

    /// Adds a device that no id leads to.
    pub(crate) fn add_retired_device(&mut self, device: Device) -> DeviceIx {
        let ix = self.next_device();
        self.retired_ids.entry(device.id.clone()).or_default().push(ix);
        self.devices.push(device);
        ix
    }

    fn next_model(&self) -> ModelIx {
        ModelIx(u16::try_from(self.models.len()).expect("a site has fewer than 65,536 models"))
    }

    fn next_device(&self) -> DeviceIx {
        DeviceIx(u32::try_from(self.devices.len()).expect("a site has fewer than 2^32 devices"))
    }

    /// The device of this id.
    pub fn device_ix(&self, id: &str) -> Option<DeviceIx> {
        self.device_ids.get(id).copied()
    }

    /// The model of this name.
    pub fn model_ix(&self, name: &str) -> Option<ModelIx> {
        self.model_names.get(name).copied()
    }

    /// A device by number.
    pub fn device(&self, ix: DeviceIx) -> &Device {
        &self.devices[ix.0 as usize]
    }

    /// A model by number.
    pub fn model(&self, ix: ModelIx) -> &Arc<Model> {
        &self.models[usize::from(ix.0)]
    }

    /// The model of a device.
    pub fn model_of(&self, device: DeviceIx) -> &Arc<Model> {
        self.model(self.device(device).model)
    }

    /// A property of a device.
    pub fn property(&self, device: DeviceIx, property: PropertyIx) -> &Property {
        &self.model_of(device).properties[usize::from(property.0)]
    }

    /// Every device that this id ever meant: the current one first, then the retired ones.
    pub(crate) fn all_of_id(&self, id: &str) -> impl Iterator<Item = DeviceIx> {
        self.device_ix(id).into_iter().chain(self.retired_ids.get(id).into_iter().flatten().copied())
    }

    /// Whether only recorded messages still speak of the device: the site no longer has it, or has it with another
    /// meaning.
    pub fn is_retired(&self, device: DeviceIx) -> bool {
        self.device_ix(&self.device(device).id) != Some(device)
    }

    /// Whether the site has another model of that name, or none. Devices may still have a replaced model.
    pub fn is_retired_model(&self, model: ModelIx) -> bool {
        self.model_ix(&self.model(model).name) != Some(model)
    }

    /// The devices that the site has, in order.
    pub fn current_devices(&self) -> impl Iterator<Item = (DeviceIx, &Device)> {
        self.devices().filter(|(ix, _)| !self.is_retired(*ix))
    }

    /// The models that the site has, in order.
    pub fn current_models(&self) -> impl Iterator<Item = (ModelIx, &Arc<Model>)> {
        self.models().filter(|(ix, _)| !self.is_retired_model(*ix))
    }

    /// All devices in order, also the retired ones.
    pub fn devices(&self) -> impl ExactSizeIterator<Item = (DeviceIx, &Device)> {
        self.devices.iter().enumerate().map(|(at, device)| (DeviceIx(at as u32), device))
    }

    /// All models in order, also the retired ones.
    pub fn models(&self) -> impl ExactSizeIterator<Item = (ModelIx, &Arc<Model>)> {
        self.models.iter().enumerate().map(|(at, model)| (ModelIx(at as u16), model))
    }
}
