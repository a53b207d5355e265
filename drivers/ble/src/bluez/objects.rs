//! What BlueZ knows: adapters, devices, characteristics.

use super::{ADAPTER, CHARACTERISTIC, DEVICE};
use crate::address::Address;
use crate::advert::Advert;
use crate::config::Characteristic;
use edgeway_sdk::Fault;
use std::collections::HashMap;
use uuid::Uuid;
use zbus::{OwnedObjectPath, OwnedVariant, Variant};

const SERVICE: &str = "org.bluez.GattService1";
/// What a controller says that has not measured it (Bluetooth Core 5.4, volume 4, part E, 7.7.65.2).
const RSSI_UNKNOWN: i16 = 127;

pub(crate) type Properties = HashMap<String, OwnedVariant>;
/// By path and interface.
pub(super) type Tree = HashMap<OwnedObjectPath, HashMap<String, Properties>>;

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
        let of = |(path, interfaces): (&OwnedObjectPath, &HashMap<String, Properties>)| {
            let properties = interfaces.get(ADAPTER)?;
            Some(Adapter {
                name: path.rsplit('/').next()?.to_owned(),
                path: path.as_str().to_owned(),
                address: text(properties, "Address").unwrap_or_default(),
                is_powered: is(properties, "Powered"),
            })
        };
        let mut adapters: Vec<_> = self.0.iter().filter_map(of).collect();
        adapters.sort_by(|a, b| a.name.cmp(&b.name));
        adapters
    }

    /// The devices that are heard in this scan, of those that BlueZ remembers.
    pub(crate) fn heard(&self, adapter: &Adapter) -> Vec<Device> {
        let of = |(path, interfaces): (&OwnedObjectPath, &HashMap<String, Properties>)| {
            let node = path.strip_prefix(adapter.path.as_str())?.strip_prefix('/')?;
            let properties = interfaces.get(DEVICE)?;
            // Removed by BlueZ when the scan in which it was measured has ended.
            properties.get("RSSI")?;
            Some(Device { address: Address::of_node(node)?, advert: advert(properties) })
        };
        self.0.iter().filter_map(of).collect()
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

    fn characteristic(&self, device: &str, path: &str, interfaces: &HashMap<String, Properties>) -> Option<Known> {
        path.strip_prefix(device)?.strip_prefix('/')?;
        let properties = interfaces.get(CHARACTERISTIC)?;
        let (service, _) = path.rsplit_once('/')?;
        let service = self.0.get(&OwnedObjectPath::try_from(service).ok()?)?.get(SERVICE)?;
        let id = Characteristic { service: uuid(service)?, uuid: uuid(properties)?, nth: 1 };
        Some(Known { id, path: path.to_owned(), flags: texts(properties.get("Flags")?) })
    }
}

/// What the properties of a device say of its advertisement, all of them or those that have changed.
pub(crate) fn advert(properties: &Properties) -> Advert {
    Advert {
        rssi: number(properties, "RSSI").filter(|rssi| *rssi != RSSI_UNKNOWN),
        tx_power: number(properties, "TxPower"),
        name: text(properties, "Name"),
        manufacturer: entries(properties, "ManufacturerData", |key| match key {
            Variant::U16(company) => Some(*company),
            _ => None,
        }),
        services: entries(properties, "ServiceData", |key| match key {
            Variant::Str(uuid) => Uuid::parse_str(uuid).ok(),
            _ => None,
        }),
        offered: properties
            .get("UUIDs")
            .map(|uuids| texts(uuids))
            .unwrap_or_default()
            .iter()
            .filter_map(|uuid| Uuid::parse_str(uuid).ok())
            .collect(),
    }
}

fn is(properties: &Properties, name: &str) -> bool {
    flag(properties, name) == Some(true)
}

/// A property that is true or false, if it is there.
pub(crate) fn flag(properties: &Properties, name: &str) -> Option<bool> {
    match properties.get(name).map(|value| &**value) {
        Some(Variant::Bool(value)) => Some(*value),
        _ => None,
    }
}

fn number(properties: &Properties, name: &str) -> Option<i16> {
    match **properties.get(name)? {
        Variant::I16(number) => Some(number),
        _ => None,
    }
}

fn text(properties: &Properties, name: &str) -> Option<String> {
    match &**properties.get(name)? {
        Variant::Str(text) => Some(text.as_str().to_owned()),
        _ => None,
    }
}

fn uuid(properties: &Properties) -> Option<Uuid> {
    Uuid::parse_str(&text(properties, "UUID")?).ok()
}

fn texts(value: &Variant<'_>) -> Vec<String> {
    let text = |item: &Variant<'_>| match item {
        Variant::Str(text) => Some(text.as_str().to_owned()),
        _ => None,
    };
    match value {
        Variant::Array(items) => items.iter().filter_map(text).collect(),
        _ => vec![],
    }
}

fn entries<K>(properties: &Properties, name: &str, key: impl Fn(&Variant<'_>) -> Option<K>) -> Vec<(K, Vec<u8>)> {
    match properties.get(name).map(|value| &**value) {
        Some(Variant::Dict(entries)) => {
            entries.iter().filter_map(|(name, value)| Some((key(name)?, bytes(value)?))).collect()
        }
        _ => vec![],
    }
}

/// The bytes of a property.
pub(crate) fn bytes(value: &Variant<'_>) -> Option<Vec<u8>> {
    let byte = |item: &Variant<'_>| match item {
        Variant::U8(byte) => Some(*byte),
        _ => None,
    };
    match value {
        Variant::Variant(inner) => bytes(inner),
        Variant::Array(items) => items.iter().map(byte).collect(),
        _ => None,
    }
}
