//! RuuviTag, <https://docs.ruuvi.com/communication/bluetooth-advertisements>: data formats 3 (RAWv1) and 5 (RAWv2).

use super::{Field, Meaning, Missing, Shape, hex, take};

/// Ruuvi Innovations Ltd.
pub(super) const COMPANY: u16 = 0x0499;

/// Pressure is sent less this.
const PRESSURE_LEAST_PA: i64 = 50_000;

pub(super) const MEANINGS: &[Meaning] = &[
    Meaning { name: "temperature", unit: "°C", shape: Shape::Decimal(-163.835, 163.835) },
    Meaning { name: "humidity", unit: "%", shape: Shape::Decimal(0.0, 163.835) },
    Meaning { name: "pressure", unit: "Pa", shape: Shape::Whole(50_000, 115_535) },
    Meaning { name: "acceleration_x", unit: "mG", shape: Shape::Whole(-32_767, 32_767) },
    Meaning { name: "acceleration_y", unit: "mG", shape: Shape::Whole(-32_767, 32_767) },
    Meaning { name: "acceleration_z", unit: "mG", shape: Shape::Whole(-32_767, 32_767) },
    Meaning { name: "battery_voltage", unit: "mV", shape: Shape::Whole(0, 65_535) },
    Meaning { name: "tx_power", unit: "dBm", shape: Shape::Whole(-40, 20) },
    Meaning { name: "movements", unit: "", shape: Shape::Whole(0, 254) },
    Meaning { name: "sequence", unit: "", shape: Shape::Whole(0, 65_534) },
    Meaning { name: "mac", unit: "", shape: Shape::Text },
];

const AXES: [&str; 3] = ["acceleration_x", "acceleration_y", "acceleration_z"];

pub(super) fn parse(data: &[u8]) -> Option<Vec<Field>> {
    match *data.first()? {
        3 => format_3(data),
        5 => format_5(data),
        _ => None,
    }
}

/// Knows no mark for a value that is missing.
fn format_3(data: &[u8]) -> Option<Vec<Field>> {
    let [_, humidity, whole, hundredths] = take(data, 0)?;
    let pressure = u16::from_be_bytes(take(data, 4)?);
    let voltage = u16::from_be_bytes(take(data, 12)?);
    // Sign and amount, not two's complement.
    let sign = if whole & 0x80 == 0 { 1.0 } else { -1.0 };
    let temperature = sign * (f64::from(whole & 0x7f) * 100.0 + f64::from(hundredths)) / 100.0;
    let no_fraction = if hundredths > 99 { Missing::Yes } else { Missing::No };
    let mut fields = vec![
        Field::unless("temperature", no_fraction, temperature),
        Field::good("humidity", f64::from(humidity) / 2.0),
        Field::good("pressure", i64::from(pressure) + PRESSURE_LEAST_PA),
    ];
    for (axis, name) in AXES.into_iter().enumerate() {
        fields.push(Field::good(name, i64::from(i16::from_be_bytes(take(data, 6 + 2 * axis)?))));
    }
    fields.push(Field::good("battery_voltage", i64::from(voltage)));
    Some(fields)
}

fn format_5(data: &[u8]) -> Option<Vec<Field>> {
    let temperature = i16::from_be_bytes(take(data, 1)?);
    let humidity = u16::from_be_bytes(take(data, 3)?);
    let pressure = u16::from_be_bytes(take(data, 5)?);
    let mut fields = vec![
        Field::unless("temperature", Missing::if_is(temperature, i16::MIN), f64::from(temperature) * 5.0 / 1000.0),
        Field::unless("humidity", Missing::if_is(humidity, u16::MAX), f64::from(humidity) * 25.0 / 10_000.0),
        Field::unless("pressure", Missing::if_is(pressure, u16::MAX), i64::from(pressure) + PRESSURE_LEAST_PA),
    ];
    for (axis, name) in AXES.into_iter().enumerate() {
        let force = i16::from_be_bytes(take(data, 7 + 2 * axis)?);
        fields.push(Field::unless(name, Missing::if_is(force, i16::MIN), i64::from(force)));
    }
    fields.extend(power(u16::from_be_bytes(take(data, 13)?)));
    let [movements] = take(data, 15)?;
    let sequence = u16::from_be_bytes(take(data, 16)?);
    let mac: [u8; 6] = take(data, 18)?;
    fields.push(Field::unless("movements", Missing::if_is(movements, u8::MAX), i64::from(movements)));
    fields.push(Field::unless("sequence", Missing::if_is(sequence, u16::MAX), i64::from(sequence)));
    fields.push(Field::unless("mac", Missing::if_is(mac, [0xff; 6]), hex(&mac).as_str()));
    Some(fields)
}

/// 11 bits are the voltage above 1.6 V, 5 the transmission power above -40 dBm in steps of 2.
fn power(info: u16) -> [Field; 2] {
    let (above, steps) = (info >> 5, info & 0x1f);
    [
        Field::unless("battery_voltage", Missing::if_is(above, 0x7ff), i64::from(above) + 1600),
        Field::unless("tx_power", Missing::if_is(steps, 0x1f), i64::from(steps) * 2 - 40),
    ]
}
