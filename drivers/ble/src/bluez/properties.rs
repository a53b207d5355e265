//! What BlueZ says of its objects, with the types that its documentation gives them (BlueZ's doc/org.bluez.*.rst). What is of no
//! interest or of another type is passed over. Not by way of zbus' variants, of which each byte of an advertisement would be one.

use crate::advert::Advert;
use serde::de::{Error, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use uuid::Uuid;
use zbus::{Signature, Type};

/// What a controller says that has not measured it (Bluetooth Core 5.4, volume 4, part E, 7.7.65.2).
const RSSI_UNKNOWN: i16 = 127;

/// Of an object, the interfaces that are of interest here.
#[derive(Debug, Default, Deserialize, Type)]
#[zbus(signature = "a{sa{sv}}")]
#[serde(default)]
pub(super) struct Interfaces {
    #[serde(rename = "org.bluez.Adapter1", deserialize_with = "some")]
    pub(super) adapter: Option<Adapter>,
    #[serde(rename = "org.bluez.Device1", deserialize_with = "some")]
    pub(super) device: Option<Device>,
    #[serde(rename = "org.bluez.GattService1", deserialize_with = "some")]
    pub(super) service: Option<Service>,
    #[serde(rename = "org.bluez.GattCharacteristic1", deserialize_with = "some")]
    pub(super) characteristic: Option<Characteristic>,
}

/// `org.bluez.Adapter1`; as everything here, all of it or what has changed.
#[derive(Debug, Default, Deserialize, Type)]
#[zbus(signature = "a{sv}")]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Adapter {
    #[serde(deserialize_with = "known")]
    pub(super) address: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(super) powered: Option<bool>,
}

/// `org.bluez.Device1`
#[derive(Debug, Default, Deserialize, Type)]
#[zbus(signature = "a{sv}")]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Device {
    /// Removed by BlueZ when the scan in which it was measured has ended.
    #[serde(rename = "RSSI", deserialize_with = "known")]
    pub(super) rssi: Option<i16>,
    #[serde(deserialize_with = "known")]
    tx_power: Option<i16>,
    #[serde(deserialize_with = "known")]
    name: Option<String>,
    #[serde(deserialize_with = "known")]
    manufacturer_data: Option<HashMap<u16, Bytes>>,
    #[serde(deserialize_with = "known")]
    service_data: Option<HashMap<String, Bytes>>,
    #[serde(rename = "UUIDs", deserialize_with = "known")]
    uuids: Option<Vec<String>>,
    #[serde(deserialize_with = "known")]
    pub(super) connected: Option<bool>,
}

/// `org.bluez.GattService1`
#[derive(Debug, Default, Deserialize, Type)]
#[zbus(signature = "a{sv}")]
#[serde(default)]
pub(super) struct Service {
    #[serde(rename = "UUID", deserialize_with = "known")]
    pub(super) uuid: Option<String>,
}

/// `org.bluez.GattCharacteristic1`
#[derive(Debug, Default, Deserialize, Type)]
#[zbus(signature = "a{sv}")]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Characteristic {
    #[serde(rename = "UUID", deserialize_with = "known")]
    pub(super) uuid: Option<String>,
    #[serde(deserialize_with = "known")]
    pub(super) flags: Option<Vec<String>>,
    #[serde(deserialize_with = "known")]
    pub(super) value: Option<Vec<u8>>,
}

/// A variant that ought to hold bytes.
#[derive(Debug, Type)]
#[zbus(signature = "v")]
struct Bytes(Option<Vec<u8>>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Borrowed first, because zbus takes owned ones one by one.
        Ok(Bytes(known::<&[u8], _>(deserializer)?.map(<[u8]>::to_vec)))
    }
}

/// What is there. D-Bus has no options, so serde's way with them is none here.
fn some<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The value in a variant; `None` if it is of another type.
fn known<'de, T: Deserialize<'de> + Type, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_struct("Variant", &["signature", "value"], Known(PhantomData))
}

struct Known<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Type> Visitor<'de> for Known<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a variant")
    }

    fn visit_seq<V: SeqAccess<'de>>(self, mut variant: V) -> Result<Self::Value, V::Error> {
        let signature: Signature = variant.next_element()?.ok_or_else(|| V::Error::invalid_length(0, &self))?;
        if &signature == T::SIGNATURE {
            return variant.next_element();
        }
        variant.next_element::<IgnoredAny>().map(|_| None)
    }
}

impl From<Device> for Advert {
    fn from(device: Device) -> Self {
        let uuid = |text: &str| Uuid::parse_str(text).ok();
        let (companies, services) =
            (device.manufacturer_data.unwrap_or_default(), device.service_data.unwrap_or_default());
        Advert {
            rssi: device.rssi.filter(|rssi| *rssi != RSSI_UNKNOWN),
            tx_power: device.tx_power,
            name: device.name,
            manufacturer: companies.into_iter().filter_map(|(company, data)| Some((company, data.0?))).collect(),
            services: services.into_iter().filter_map(|(service, data)| Some((uuid(&service)?, data.0?))).collect(),
            offered: device.uuids.unwrap_or_default().iter().filter_map(|text| uuid(text)).collect(),
        }
    }
}
