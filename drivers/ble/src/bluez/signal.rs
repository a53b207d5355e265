//! What BlueZ says unasked. Whom it is about is found out first, because most of it is about strangers.

use super::properties::{self, Interfaces};
use super::{ADAPTER, Adapter, CHARACTERISTIC, DEVICE, PROPERTIES};
use crate::address::Address;
use crate::advert::Advert;
use serde::Deserialize;
use zbus::message::Type;
use zbus::{Message, ObjectPath};

/// Whom a message is about. No more of it has been read than that takes.
#[derive(Debug, PartialEq)]
pub(crate) enum About {
    /// A device: what has changed.
    Device(Address),
    /// A device that BlueZ has not heard before, or has forgotten.
    NewDevice(Address),
    /// A part of a device, mostly a characteristic.
    Part(Address),
    /// The adapter.
    Adapter,
    /// An object is gone.
    Removal,
    /// BlueZ has come or gone.
    BlueZ,
    /// Nothing of interest.
    Nothing,
}

pub(crate) fn about(message: &Message, adapter: &Adapter) -> About {
    if message.message_type() != Type::Signal {
        return About::Nothing;
    }
    let header = message.header();
    match header.member().map(|member| member.as_str()) {
        Some("PropertiesChanged") => header.path().map_or(About::Nothing, |path| of_path(path, adapter)),
        Some("InterfacesAdded") => match added(message).and_then(|path| device(&path, adapter)) {
            Some((address, Extent::Whole)) => About::NewDevice(address),
            _ => About::Nothing,
        },
        Some("InterfacesRemoved") => About::Removal,
        Some("NameOwnerChanged") => About::BlueZ,
        _ => About::Nothing,
    }
}

fn of_path(path: &str, adapter: &Adapter) -> About {
    match device(path, adapter) {
        Some((address, Extent::Whole)) => About::Device(address),
        Some((address, Extent::Part)) => About::Part(address),
        None if path == adapter.path => About::Adapter,
        None => About::Nothing,
    }
}

/// Whether a path is that of a device, or of something below it.
enum Extent {
    Whole,
    Part,
}

/// The device that a path belongs to.
fn device(path: &str, adapter: &Adapter) -> Option<(Address, Extent)> {
    let below = path.strip_prefix(adapter.path.as_str())?.strip_prefix('/')?;
    let (node, extent) = below.split_once('/').map_or((below, Extent::Whole), |(node, _)| (node, Extent::Part));
    Some((Address::of_node(node)?, extent))
}

fn added(message: &Message) -> Option<String> {
    let body = message.body();
    body.deserialize_ignore_signature::<ObjectPath<'_>>().ok().map(|path| path.as_str().to_owned())
}

/// What has changed of a device.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Change {
    pub(crate) advert: Advert,
    pub(crate) connected: Option<bool>,
}

/// Of a message about a device that is known.
pub(crate) fn change(message: &Message) -> Option<Change> {
    of::<properties::Device>(message, DEVICE).map(Change::from)
}

/// Of a message about a new device.
pub(crate) fn first(message: &Message) -> Option<Change> {
    let body = message.body();
    let (_, interfaces): (ObjectPath<'_>, Interfaces) = body.deserialize().ok()?;
    interfaces.device.map(Change::from)
}

impl From<properties::Device> for Change {
    fn from(device: properties::Device) -> Self {
        Change { connected: device.connected, advert: device.into() }
    }
}

/// The path of a characteristic and its new value.
pub(crate) fn notification(message: &Message) -> Option<(String, Vec<u8>)> {
    let value = of::<properties::Characteristic>(message, CHARACTERISTIC)?.value?;
    Some((message.header().path()?.as_str().to_owned(), value))
}

/// Whether the adapter was switched off.
pub(crate) fn is_switched_off(message: &Message) -> bool {
    of::<properties::Adapter>(message, ADAPTER).is_some_and(|adapter| adapter.powered == Some(false))
}

/// Whether it is the adapter that is gone.
pub(crate) fn is_removal_of(message: &Message, adapter: &Adapter) -> bool {
    let body = message.body();
    let removed = body.deserialize::<(ObjectPath<'_>, Vec<String>)>();
    removed.is_ok_and(|(path, interfaces)| {
        path.as_str() == adapter.path && interfaces.iter().any(|interface| interface == ADAPTER)
    })
}

/// The properties of this interface that have changed.
fn of<T: zbus::Type + for<'a> Deserialize<'a>>(message: &Message, interface: &str) -> Option<T> {
    if message.header().interface().is_none_or(|interface| interface != PROPERTIES) {
        return None;
    }
    let body = message.body();
    let (changed, properties, _): (&str, T, Vec<&str>) = body.deserialize().ok()?;
    (changed == interface).then_some(properties)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advert::short_uuid;
    use std::collections::HashMap;
    use zbus::Variant;

    const BTHOME: &str = "0000fcd2-0000-1000-8000-00805f9b34fb";
    const BATTERY: &str = "0000180f-0000-1000-8000-00805f9b34fb";

    fn told(properties: HashMap<&str, Variant<'_>>) -> Change {
        let signal = Message::signal("/org/bluez/hci0/dev_A4_C1_38_00_11_22", PROPERTIES, "PropertiesChanged");
        change(&signal.build(&(DEVICE, properties, [""; 0].as_slice())).expect("valid")).expect("about a device")
    }

    #[test]
    fn an_advertisement_is_taken_as_bluez_tells_it() {
        let services = HashMap::from([(BTHOME, Variant::from(vec![0x40_u8, 1, 97]))]);
        let companies = HashMap::from([(0x0499_u16, Variant::from(vec![5_u8]))]);
        let change = told(HashMap::from([
            ("RSSI", Variant::from(-60_i16)),
            ("ServiceData", services.into()),
            ("ManufacturerData", companies.into()),
            ("UUIDs", vec![BTHOME].into()),
        ]));
        let expected = Advert {
            rssi: Some(-60),
            services: vec![(short_uuid(0xfcd2), vec![0x40, 1, 97])],
            manufacturer: vec![(0x0499, vec![5])],
            offered: vec![short_uuid(0xfcd2)],
            ..Advert::default()
        };
        assert_eq!(change, Change { advert: expected, connected: None });
    }

    #[test]
    fn a_property_of_another_type_costs_itself_alone() {
        let services = HashMap::from([(BTHOME, Variant::from("40")), (BATTERY, Variant::from(vec![97_u8]))]);
        let change = told(HashMap::from([
            ("RSSI", Variant::from("strong")),
            ("TxPower", Variant::from(4_i16)),
            ("ServiceData", services.into()),
            ("UUIDs", vec![1_u32, 2].into()),
            ("Paired", true.into()),
            ("Connected", true.into()),
        ]));
        let services = vec![(short_uuid(0x180f), vec![97])];
        let advert = Advert { tx_power: Some(4), services, ..Advert::default() };
        assert_eq!(change, Change { advert, connected: Some(true) });
    }
}
