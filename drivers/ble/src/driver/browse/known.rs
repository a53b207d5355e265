//! Characteristics whose meaning Bluetooth itself has fixed (Assigned Numbers, 3.8, and the GATT Specification Supplement).

use crate::advert::{short_uuid, show_uuid};
use crate::config::Characteristic;
use edgeway_sdk::{Holds, Json, Offer};
use serde_json::json;

struct Row {
    number: u32,
    name: &'static str,
    kind: &'static str,
    unit: &'static str,
    /// The gateway multiplies with it.
    scale: Option<f64>,
    limits: (f64, f64),
}

const fn row(
    number: u32,
    name: &'static str,
    kind: &'static str,
    unit: &'static str,
    scale: Option<f64>,
    limits: (f64, f64),
) -> Row {
    Row { number, name, kind, unit, scale, limits }
}

const NONE: (f64, f64) = (0.0, 0.0);

const ROWS: &[Row] = &[
    row(0x2a00, "device_name", "string", "", None, NONE),
    row(0x2a07, "tx_power_level", "i8", "dBm", None, (-100.0, 20.0)),
    row(0x2a19, "battery_level", "u8", "%", None, (0.0, 100.0)),
    row(0x2a24, "model_number", "string", "", None, NONE),
    row(0x2a25, "serial_number", "string", "", None, NONE),
    row(0x2a26, "firmware_revision", "string", "", None, NONE),
    row(0x2a27, "hardware_revision", "string", "", None, NONE),
    row(0x2a28, "software_revision", "string", "", None, NONE),
    row(0x2a29, "manufacturer_name", "string", "", None, NONE),
    row(0x2a6c, "elevation", "i24", "m", Some(0.01), (-83886.08, 83886.07)),
    row(0x2a6d, "pressure", "u32", "Pa", Some(0.1), (0.0, 429_496_729.5)),
    row(0x2a6e, "temperature", "i16", "°C", Some(0.01), (-273.15, 327.67)),
    row(0x2a6f, "humidity", "u16", "%", Some(0.01), (0.0, 100.0)),
    row(0x2a70, "true_wind_speed", "u16", "m/s", Some(0.01), (0.0, 655.35)),
    row(0x2a72, "apparent_wind_speed", "u16", "m/s", Some(0.01), (0.0, 655.35)),
    row(0x2a76, "uv_index", "u8", "", None, (0.0, 255.0)),
    row(0x2a78, "rainfall", "u16", "m", Some(0.001), (0.0, 65.535)),
    row(0x2a7b, "dew_point", "i8", "°C", None, (-128.0, 127.0)),
];

/// Options of a point without `at`, and what it means; bytes if nobody says.
pub(super) fn offer(id: Characteristic) -> (Json, Offer) {
    let (name, row) = match ROWS.iter().find(|row| short_uuid(row.number) == id.uuid) {
        Some(row) => (row.name.to_owned(), Some(row)),
        None => (format!("{}_{}", show_uuid(id.service), show_uuid(id.uuid)), None),
    };
    let name = if id.nth > 1 { format!("{name}_{}", id.nth) } else { name };
    let Some(row) = row else {
        let offer =
            Offer::new(name, Holds::Text).described("Bytes whose meaning has to be said: `type`, `byte`, `order`");
        return (json!({}), offer);
    };
    let mut options = json!({ "type": row.kind });
    if let Some(scale) = row.scale {
        options["scale"] = json!(scale);
    }
    (options, Offer::new(name, row.holds()).unit(row.unit))
}

impl Row {
    fn holds(&self) -> Holds {
        let (min, max) = self.limits;
        match (self.kind, self.scale) {
            ("string", _) => Holds::Text,
            (_, Some(_)) => Holds::Float { min: Some(min), max: Some(max) },
            (_, None) => Holds::Int { min: Some(min as i64), max: Some(max as i64) },
        }
    }
}
