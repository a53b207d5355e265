//! The objects of BTHome version 2: number, name, how they are written. As of <https://bthome.io/format>, November 2026.

use crate::codec::{Meaning, Shape};

/// How a kind of object is written, and what it is called.
#[derive(Debug)]
pub(super) struct Object {
    id: u8,
    /// Objects of one name have one unit; they differ in how fine or how long they are.
    pub(super) name: &'static str,
    pub(super) form: Form,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// Which packet it is.
    Number,
    /// Bytes, the least significant first.
    Unsigned(usize, Scale),
    Signed(usize, Scale),
    Bool,
    /// Seconds since 1970.
    Time,
    /// With its length before it.
    Text,
    /// The same, of any bytes.
    Raw,
    /// Bytes, the last first: 1.0.2.
    Version(usize),
    Button,
    Dimmer,
}

/// What a number is multiplied with and divided by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scale {
    Whole,
    Ratio(i64, i64),
}

impl Form {
    /// In bytes; `None` if the object says it itself.
    pub(super) fn length(self) -> Option<usize> {
        Some(match self {
            Form::Number | Form::Bool | Form::Button => 1,
            Form::Dimmer => 2,
            Form::Time => 4,
            Form::Unsigned(bytes, _) | Form::Signed(bytes, _) | Form::Version(bytes) => bytes,
            Form::Text | Form::Raw => return None,
        })
    }
}

/// The object of a number.
pub(super) fn find(id: u8) -> Option<&'static Object> {
    OBJECTS.binary_search_by_key(&id, |object| object.id).ok().map(|at| &OBJECTS[at])
}

const fn object(id: u8, name: &'static str, form: Form) -> Object {
    Object { id, name, form }
}

const fn meaning(name: &'static str, unit: &'static str, shape: Shape) -> Meaning {
    Meaning { name, unit, shape }
}

/// In the order of their numbers.
const OBJECTS: &[Object] = &[
    object(0x00, "packet_id", Form::Number),
    object(0x01, "battery", Form::Unsigned(1, Scale::Whole)),
    object(0x02, "temperature", Form::Signed(2, Scale::Ratio(1, 100))),
    object(0x03, "humidity", Form::Unsigned(2, Scale::Ratio(1, 100))),
    object(0x04, "pressure", Form::Unsigned(3, Scale::Ratio(1, 100))),
    object(0x05, "illuminance", Form::Unsigned(3, Scale::Ratio(1, 100))),
    object(0x06, "mass", Form::Unsigned(2, Scale::Ratio(1, 100))),
    object(0x07, "mass_lb", Form::Unsigned(2, Scale::Ratio(1, 100))),
    object(0x08, "dewpoint", Form::Signed(2, Scale::Ratio(1, 100))),
    object(0x09, "count", Form::Unsigned(1, Scale::Whole)),
    object(0x0a, "energy", Form::Unsigned(3, Scale::Ratio(1, 1_000))),
    object(0x0b, "power", Form::Unsigned(3, Scale::Ratio(1, 100))),
    object(0x0c, "voltage", Form::Unsigned(2, Scale::Ratio(1, 1_000))),
    object(0x0d, "pm2_5", Form::Unsigned(2, Scale::Whole)),
    object(0x0e, "pm10", Form::Unsigned(2, Scale::Whole)),
    object(0x0f, "generic", Form::Bool),
    object(0x10, "power_on", Form::Bool),
    object(0x11, "opening", Form::Bool),
    object(0x12, "co2", Form::Unsigned(2, Scale::Whole)),
    object(0x13, "tvoc", Form::Unsigned(2, Scale::Whole)),
    object(0x14, "moisture", Form::Unsigned(2, Scale::Ratio(1, 100))),
    object(0x15, "battery_low", Form::Bool),
    object(0x16, "battery_charging", Form::Bool),
    object(0x17, "carbon_monoxide", Form::Bool),
    object(0x18, "cold", Form::Bool),
    object(0x19, "connectivity", Form::Bool),
    object(0x1a, "door", Form::Bool),
    object(0x1b, "garage_door", Form::Bool),
    object(0x1c, "gas_detected", Form::Bool),
    object(0x1d, "heat", Form::Bool),
    object(0x1e, "light", Form::Bool),
    object(0x1f, "lock", Form::Bool),
    object(0x20, "moisture_detected", Form::Bool),
    object(0x21, "motion", Form::Bool),
    object(0x22, "moving", Form::Bool),
    object(0x23, "occupancy", Form::Bool),
    object(0x24, "plug", Form::Bool),
    object(0x25, "presence", Form::Bool),
    object(0x26, "problem", Form::Bool),
    object(0x27, "running", Form::Bool),
    object(0x28, "safety", Form::Bool),
    object(0x29, "smoke", Form::Bool),
    object(0x2a, "sound", Form::Bool),
    object(0x2b, "tamper", Form::Bool),
    object(0x2c, "vibration", Form::Bool),
    object(0x2d, "window", Form::Bool),
    object(0x2e, "humidity", Form::Unsigned(1, Scale::Ratio(1, 1))),
    object(0x2f, "moisture", Form::Unsigned(1, Scale::Ratio(1, 1))),
    object(0x3a, "button", Form::Button),
    object(0x3c, "dimmer", Form::Dimmer),
    object(0x3d, "count", Form::Unsigned(2, Scale::Whole)),
    object(0x3e, "count", Form::Unsigned(4, Scale::Whole)),
    object(0x3f, "rotation", Form::Signed(2, Scale::Ratio(1, 10))),
    object(0x40, "distance_mm", Form::Unsigned(2, Scale::Whole)),
    object(0x41, "distance", Form::Unsigned(2, Scale::Ratio(1, 10))),
    object(0x42, "duration", Form::Unsigned(3, Scale::Ratio(1, 1_000))),
    object(0x43, "current", Form::Unsigned(2, Scale::Ratio(1, 1_000))),
    object(0x44, "speed", Form::Unsigned(2, Scale::Ratio(1, 100))),
    object(0x45, "temperature", Form::Signed(2, Scale::Ratio(1, 10))),
    object(0x46, "uv_index", Form::Unsigned(1, Scale::Ratio(1, 10))),
    object(0x47, "volume", Form::Unsigned(2, Scale::Ratio(1, 10))),
    object(0x48, "volume_ml", Form::Unsigned(2, Scale::Whole)),
    object(0x49, "volume_flow_rate", Form::Unsigned(2, Scale::Ratio(1, 1_000))),
    object(0x4a, "voltage", Form::Unsigned(2, Scale::Ratio(1, 10))),
    object(0x4b, "gas", Form::Unsigned(3, Scale::Ratio(1, 1_000))),
    object(0x4c, "gas", Form::Unsigned(4, Scale::Ratio(1, 1_000))),
    object(0x4d, "energy", Form::Unsigned(4, Scale::Ratio(1, 1_000))),
    object(0x4e, "volume", Form::Unsigned(4, Scale::Ratio(1, 1_000))),
    object(0x4f, "water", Form::Unsigned(4, Scale::Ratio(1, 1_000))),
    object(0x50, "timestamp", Form::Time),
    object(0x51, "acceleration", Form::Unsigned(2, Scale::Ratio(1, 1_000))),
    object(0x52, "gyroscope", Form::Unsigned(2, Scale::Ratio(1, 1_000))),
    object(0x53, "text", Form::Text),
    object(0x54, "raw", Form::Raw),
    object(0x55, "volume_storage", Form::Unsigned(4, Scale::Ratio(1, 1_000))),
    object(0x56, "conductivity", Form::Unsigned(2, Scale::Whole)),
    object(0x57, "temperature", Form::Signed(1, Scale::Ratio(1, 1))),
    object(0x58, "temperature", Form::Signed(1, Scale::Ratio(35, 100))),
    object(0x59, "count", Form::Signed(1, Scale::Whole)),
    object(0x5a, "count", Form::Signed(2, Scale::Whole)),
    object(0x5b, "count", Form::Signed(4, Scale::Whole)),
    object(0x5c, "power", Form::Signed(4, Scale::Ratio(1, 100))),
    object(0x5d, "current", Form::Signed(2, Scale::Ratio(1, 1_000))),
    object(0x5e, "direction", Form::Unsigned(2, Scale::Ratio(1, 100))),
    object(0x5f, "precipitation", Form::Unsigned(2, Scale::Ratio(1, 10))),
    object(0x60, "channel", Form::Unsigned(1, Scale::Whole)),
    object(0x61, "rotational_speed", Form::Unsigned(2, Scale::Whole)),
    object(0x62, "speed", Form::Signed(4, Scale::Ratio(1, 1_000_000))),
    object(0x63, "acceleration", Form::Signed(4, Scale::Ratio(1, 1_000_000))),
    object(0x64, "light_level", Form::Unsigned(1, Scale::Whole)),
    object(0xf0, "device_type", Form::Unsigned(2, Scale::Whole)),
    object(0xf1, "firmware", Form::Version(4)),
    object(0xf2, "firmware", Form::Version(3)),
];

/// By name. Limits are those of all bits that one may have.
pub(in crate::codec) const MEANINGS: &[Meaning] = &[
    meaning("battery", "%", Shape::Whole(0, 100)),
    meaning("temperature", "°C", Shape::Decimal(-3_276.8, 3_276.7)),
    meaning("humidity", "%", Shape::Decimal(0.0, 100.0)),
    meaning("pressure", "hPa", Shape::Decimal(0.0, 167_772.15)),
    meaning("illuminance", "lx", Shape::Decimal(0.0, 167_772.15)),
    meaning("mass", "kg", Shape::Decimal(0.0, 655.35)),
    meaning("mass_lb", "lb", Shape::Decimal(0.0, 655.35)),
    meaning("dewpoint", "°C", Shape::Decimal(-327.68, 327.67)),
    meaning("count", "", Shape::Whole(-2_147_483_648, 4_294_967_295)),
    meaning("energy", "kWh", Shape::Decimal(0.0, 4_294_967.295)),
    meaning("power", "W", Shape::Decimal(-21_474_836.48, 21_474_836.47)),
    meaning("voltage", "V", Shape::Decimal(0.0, 6_553.5)),
    meaning("pm2_5", "µg/m³", Shape::Whole(0, 65_535)),
    meaning("pm10", "µg/m³", Shape::Whole(0, 65_535)),
    meaning("generic", "", Shape::Bool),
    meaning("power_on", "", Shape::Bool),
    meaning("opening", "", Shape::Bool),
    meaning("co2", "ppm", Shape::Whole(0, 65_535)),
    meaning("tvoc", "µg/m³", Shape::Whole(0, 65_535)),
    meaning("moisture", "%", Shape::Decimal(0.0, 100.0)),
    meaning("battery_low", "", Shape::Bool),
    meaning("battery_charging", "", Shape::Bool),
    meaning("carbon_monoxide", "", Shape::Bool),
    meaning("cold", "", Shape::Bool),
    meaning("connectivity", "", Shape::Bool),
    meaning("door", "", Shape::Bool),
    meaning("garage_door", "", Shape::Bool),
    meaning("gas_detected", "", Shape::Bool),
    meaning("heat", "", Shape::Bool),
    meaning("light", "", Shape::Bool),
    meaning("lock", "", Shape::Bool),
    meaning("moisture_detected", "", Shape::Bool),
    meaning("motion", "", Shape::Bool),
    meaning("moving", "", Shape::Bool),
    meaning("occupancy", "", Shape::Bool),
    meaning("plug", "", Shape::Bool),
    meaning("presence", "", Shape::Bool),
    meaning("problem", "", Shape::Bool),
    meaning("running", "", Shape::Bool),
    meaning("safety", "", Shape::Bool),
    meaning("smoke", "", Shape::Bool),
    meaning("sound", "", Shape::Bool),
    meaning("tamper", "", Shape::Bool),
    meaning("vibration", "", Shape::Bool),
    meaning("window", "", Shape::Bool),
    meaning("button", "", Shape::Text),
    meaning("dimmer", "", Shape::Whole(-255, 255)),
    meaning("rotation", "°", Shape::Decimal(-3_276.8, 3_276.7)),
    meaning("distance_mm", "mm", Shape::Whole(0, 65_535)),
    meaning("distance", "m", Shape::Decimal(0.0, 6_553.5)),
    meaning("duration", "s", Shape::Decimal(0.0, 16_777.215)),
    meaning("current", "A", Shape::Decimal(-32.768, 65.535)),
    meaning("speed", "m/s", Shape::Decimal(-2_147.483648, 2_147.483647)),
    meaning("uv_index", "", Shape::Decimal(0.0, 25.5)),
    meaning("volume", "L", Shape::Decimal(0.0, 4_294_967.295)),
    meaning("volume_ml", "mL", Shape::Whole(0, 65_535)),
    meaning("volume_flow_rate", "m³/h", Shape::Decimal(0.0, 65.535)),
    meaning("gas", "m³", Shape::Decimal(0.0, 4_294_967.295)),
    meaning("water", "L", Shape::Decimal(0.0, 4_294_967.295)),
    meaning("timestamp", "", Shape::Date),
    meaning("acceleration", "m/s²", Shape::Decimal(-2_147.483648, 2_147.483647)),
    meaning("gyroscope", "°/s", Shape::Decimal(0.0, 65.535)),
    meaning("text", "", Shape::Text),
    meaning("raw", "", Shape::Text),
    meaning("volume_storage", "L", Shape::Decimal(0.0, 4_294_967.295)),
    meaning("conductivity", "µS/cm", Shape::Whole(0, 65_535)),
    meaning("direction", "°", Shape::Decimal(0.0, 655.35)),
    meaning("precipitation", "mm", Shape::Decimal(0.0, 6_553.5)),
    meaning("channel", "", Shape::Whole(0, 255)),
    meaning("rotational_speed", "rpm", Shape::Whole(0, 65_535)),
    meaning("light_level", "", Shape::Whole(0, 255)),
    meaning("device_type", "", Shape::Whole(0, 65_535)),
    meaning("firmware", "", Shape::Text),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_objects_are_in_order_and_each_name_has_a_meaning() {
        assert!(OBJECTS.is_sorted_by(|a, b| a.id < b.id));
        for object in OBJECTS.iter().filter(|object| !matches!(object.form, Form::Number)) {
            assert!(MEANINGS.iter().any(|meaning| meaning.name == object.name), "{}", object.name);
        }
    }
}
