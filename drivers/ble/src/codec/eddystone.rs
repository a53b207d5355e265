//! Eddystone, <https://github.com/google/eddystone>: UID, URL and plain TLM. Encrypted frames (EID, TLM version 1) are left alone.

use super::{Field, Meaning, Missing, Shape, hex, take};
use crate::advert::short_uuid;
use uuid::Uuid;

pub(super) const SERVICE: Uuid = short_uuid(0xfeaa);

pub(super) const MEANINGS: &[Meaning] = &[
    Meaning { name: "namespace", unit: "", shape: Shape::Text },
    Meaning { name: "instance", unit: "", shape: Shape::Text },
    Meaning { name: "url", unit: "", shape: Shape::Text },
    // At a distance of 0 m.
    Meaning { name: "tx_power", unit: "dBm", shape: Shape::Whole(-100, 20) },
    Meaning { name: "battery_voltage", unit: "mV", shape: Shape::Whole(1, 65_535) },
    Meaning { name: "temperature", unit: "°C", shape: Shape::Decimal(-127.996, 127.996) },
    Meaning { name: "advertisements", unit: "", shape: Shape::Whole(0, u32::MAX as i64) },
    Meaning { name: "uptime", unit: "s", shape: Shape::Decimal(0.0, 429_496_729.5) },
];

const SCHEMES: [&str; 4] = ["http://www.", "https://www.", "http://", "https://"];
const ENDINGS: [&str; 14] = [
    ".com/", ".org/", ".edu/", ".net/", ".info/", ".biz/", ".gov/", ".com", ".org", ".edu", ".net", ".info", ".biz",
    ".gov",
];

pub(super) fn parse(data: &[u8]) -> Option<Vec<Field>> {
    match *data.first()? {
        0x00 => uid(data),
        0x10 => url(data),
        0x20 => telemetry(data),
        _ => None,
    }
}

fn uid(data: &[u8]) -> Option<Vec<Field>> {
    let (namespace, instance): ([u8; 10], [u8; 6]) = (take(data, 2)?, take(data, 12)?);
    let namespace = Field::good("namespace", hex(&namespace).as_str());
    Some(vec![namespace, Field::good("instance", hex(&instance).as_str()), power(data)?])
}

fn url(data: &[u8]) -> Option<Vec<Field>> {
    let scheme = SCHEMES.get(usize::from(*data.get(2)?))?;
    let mut url = (*scheme).to_owned();
    for &byte in data.get(3..)? {
        match byte {
            0x21..=0x7e => url.push(char::from(byte)),
            _ => url.push_str(ENDINGS.get(usize::from(byte))?),
        }
    }
    Some(vec![Field::good("url", url.as_str()), power(data)?])
}

fn power(data: &[u8]) -> Option<Field> {
    Some(Field::good("tx_power", i64::from(data.get(1)?.cast_signed())))
}

fn telemetry(data: &[u8]) -> Option<Vec<Field>> {
    const PLAIN: u8 = 0;
    if *data.get(1)? != PLAIN {
        return None;
    }
    let voltage = u16::from_be_bytes(take(data, 2)?);
    let temperature = i16::from_be_bytes(take(data, 4)?);
    let advertisements = u32::from_be_bytes(take(data, 6)?);
    let tenths = u32::from_be_bytes(take(data, 10)?);
    Some(vec![
        Field::unless("battery_voltage", Missing::if_is(voltage, 0), i64::from(voltage)),
        Field::unless("temperature", Missing::if_is(temperature, i16::MIN), f64::from(temperature) / 256.0),
        Field::good("advertisements", i64::from(advertisements)),
        Field::good("uptime", f64::from(tenths) / 10.0),
    ])
}
