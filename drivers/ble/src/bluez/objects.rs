//! What BlueZ knows: adapters, devices, characteristics.

use super::properties::Interfaces;
use crate::address::Address;
use crate::advert::Advert;
use crate::config::Characteristic;
use edgeway_sdk::Fault;
use std::collections::HashMap;
use uuid::Uuid;
use zbus::OwnedObjectPath;

/// By path.
pub(super) type Tree = HashMap<OwnedObjectPath, Interfaces>;

/// All objects, as they were at one moment.
pub(crate) struct Objects(Tree);

/// A Bluetooth adapter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Adapter {
    /// `hci0`.
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) address: String,
    pub(crate) is_powered: bool,
}

/// A device that BlueZ has heard, now or at some time.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) address: Address,
    pub(crate) advert: Advert,
}

/// A characteristic of a connected device.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Known {
    pub(crate) id: Characteristic,
    pub(crate) path: String,
    /// `read`, `write`, `notify` and others.
    pub(crate) flags: Vec<String>,
}

impl Known {
    pub(crate) fn can(&self, flag: &str) -> bool {
        self.flags.iter().any(|other| other == flag)
    }

    /// Whether it tells by itself what is new.
    pub(crate) fn notifies(&self) -> bool {
        self.can("notify") || self.can("indicate")
    }
}

impl Objects {
    pub(super) fn new(tree: Tree) -> Self {
        Objects(tree)
    }

    /// The adapter of this name, or the only one.
    ///
    /// # Errors
    /// [`Fault::Link`] if it is not there; [`Fault::Config`] if there are several and none is named.
    pub(super) fn choose(&self, wanted: Option<&str>) -> Result<Adapter, Fault> {
        let mut adapters = self.adapters();
        let names = adapters.iter().map(|adapter| format!("`{}`", adapter.name)).collect::<Vec<_>>().join(", ");
        match wanted {
            _ if adapters.is_empty() => Err(Fault::Link("there is no Bluetooth adapter".into())),
            None if adapters.len() > 1 => {
                Err(Fault::Config(format!("there are several adapters: {names} (say which: `adapter = \"hci0\"`)")))
            }
            None => Ok(adapters.remove(0)),
            Some(wanted) => {
                let found = adapters.into_iter().find(|adapter| adapter.name == wanted);
                found.ok_or_else(|| Fault::Link(format!("there is no adapter `{wanted}`, only {names}")))
            }
        }
    }

    /// In the order of their names: BlueZ has none.
    fn adapters(&self) -> Vec<Adapter> {
        let of = |(path, interfaces): (&OwnedObjectPath, &Interfaces)| {
            let adapter = interfaces.adapter.as_ref()?;
            Some(Adapter {
                name: path.rsplit('/').next()?.to_owned(),
                path: path.as_str().to_owned(),
                address: adapter.address.clone().unwrap_or_default(),
                is_powered: adapter.powered == Some(true),
            })
        };
        let mut adapters: Vec<_> = self.0.iter().filter_map(of).collect();
        adapters.sort_by(|a, b| a.name.cmp(&b.name));
        adapters
    }

    /// The devices that are heard in this scan, of those that BlueZ remembers.
    pub(crate) fn heard(self, adapter: &Adapter) -> Vec<Device> {
        let of = |(path, interfaces): (OwnedObjectPath, Interfaces)| {
            let node = path.strip_prefix(adapter.path.as_str())?.strip_prefix('/')?;
            let device = interfaces.device.filter(|device| device.rssi.is_some())?;
            Some(Device { address: Address::of_node(node)?, advert: device.into() })
        };
        self.0.into_iter().filter_map(of).collect()
    }

    /// Of the device at this path, in the order of their handles.
    pub(super) fn characteristics(&self, device: &str) -> Vec<Known> {
        let mut found: Vec<Known> =
            self.0.iter().filter_map(|(path, all)| self.characteristic(device, path, all)).collect();
        found.sort_by(|a, b| a.path.cmp(&b.path));
        let mut counts = HashMap::new();
        for known in &mut found {
            let count = counts.entry((known.id.service, known.id.uuid)).or_insert(0);
            *count += 1;
            known.id.nth = *count;
        }
        found
    }

    fn characteristic(&self, device: &str, path: &str, interfaces: &Interfaces) -> Option<Known> {
        path.strip_prefix(device)?.strip_prefix('/')?;
        let characteristic = interfaces.characteristic.as_ref()?;
        let (service, _) = path.rsplit_once('/')?;
        let service = self.0.get(&OwnedObjectPath::try_from(service).ok()?)?.service.as_ref()?;
        let uuid = |text: &Option<String>| Uuid::parse_str(text.as_ref()?).ok();
        let id = Characteristic { service: uuid(&service.uuid)?, uuid: uuid(&characteristic.uuid)?, nth: 1 };
        Some(Known { id, path: path.to_owned(), flags: characteristic.flags.clone()? })
    }
}
