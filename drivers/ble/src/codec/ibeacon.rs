//! iBeacon, <https://developer.apple.com/ibeacon>: who and where, nothing measured.

use super::{Field, Meaning, Shape, take};
use uuid::Uuid;

/// Apple, Inc.
pub(super) const COMPANY: u16 = 0x004c;

/// Type 2, and how many bytes follow.
const START: [u8; 2] = [0x02, 0x15];

pub(super) const MEANINGS: &[Meaning] = &[
    Meaning { name: "uuid", unit: "", shape: Shape::Text },
    Meaning { name: "major", unit: "", shape: Shape::Whole(0, 65_535) },
    Meaning { name: "minor", unit: "", shape: Shape::Whole(0, 65_535) },
    // At a distance of 1 m.
    Meaning { name: "measured_power", unit: "dBm", shape: Shape::Whole(-128, 127) },
];

/// Apple sends much else under its number.
pub(super) fn is_one(data: &[u8]) -> bool {
    data.starts_with(&START)
}

pub(super) fn parse(data: &[u8]) -> Option<Vec<Field>> {
    if !is_one(data) {
        return None;
    }
    let uuid = Uuid::from_bytes(take(data, 2)?);
    let [power] = take(data, 22)?;
    Some(vec![
        Field::good("uuid", uuid.to_string().as_str()),
        Field::good("major", i64::from(u16::from_be_bytes(take(data, 18)?))),
        Field::good("minor", i64::from(u16::from_be_bytes(take(data, 20)?))),
        Field::good("measured_power", i64::from(power.cast_signed())),
    ])
}
