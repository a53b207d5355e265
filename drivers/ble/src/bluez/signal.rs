//! What BlueZ says unasked. Whom it is about is found out first, because most of it is about strangers.

use super::objects::{Properties, advert, bytes, flag};
use super::{ADAPTER, Adapter, CHARACTERISTIC, DEVICE, PROPERTIES};
use crate::address::Address;
use crate::advert::Advert;
use std::collections::HashMap;
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
    of(message, DEVICE)
        .map(|properties| Change { advert: advert(&properties), connected: flag(&properties, "Connected") })
}

/// Of a message about a new device.
pub(crate) fn first(message: &Message) -> Option<Change> {
    let body = message.body();
    let (_, mut interfaces): (ObjectPath<'_>, HashMap<String, Properties>) = body.deserialize().ok()?;
    let properties = interfaces.remove(DEVICE)?;
    Some(Change { advert: advert(&properties), connected: flag(&properties, "Connected") })
}

/// The path of a characteristic and its new value.
pub(crate) fn notification(message: &Message) -> Option<(String, Vec<u8>)> {
    let properties = of(message, CHARACTERISTIC)?;
    let value = bytes(properties.get("Value")?)?;
    Some((message.header().path()?.as_str().to_owned(), value))
}

/// Whether the adapter was switched off.
pub(crate) fn is_switched_off(message: &Message) -> bool {
    of(message, ADAPTER).is_some_and(|properties| flag(&properties, "Powered") == Some(false))
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
fn of(message: &Message, interface: &str) -> Option<Properties> {
    if message.header().interface().is_none_or(|interface| interface != PROPERTIES) {
        return None;
    }
    let body = message.body();
    let (changed, properties, _): (&str, Properties, Vec<&str>) = body.deserialize().ok()?;
    (changed == interface).then_some(properties)
}
