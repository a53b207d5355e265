//! What a device says to everybody.

use uuid::Uuid;

/// One advertisement, as far as BlueZ tells what was in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Advert {
    /// How strong it was received, in dBm.
    pub(crate) rssi: Option<i16>,
    /// How strong it was sent, in dBm.
    pub(crate) tx_power: Option<i16>,
    pub(crate) name: Option<String>,
    /// By the number of a company.
    pub(crate) manufacturer: Vec<(u16, Vec<u8>)>,
    /// By service.
    pub(crate) services: Vec<(Uuid, Vec<u8>)>,
    /// The services that the device says it has.
    pub(crate) offered: Vec<Uuid>,
}

impl Advert {
    /// The data of a company.
    pub(crate) fn of_company(&self, company: u16) -> Option<&[u8]> {
        self.manufacturer.iter().find(|(other, _)| *other == company).map(|(_, data)| data.as_slice())
    }

    /// The data of a service.
    pub(crate) fn of_service(&self, service: Uuid) -> Option<&[u8]> {
        self.services.iter().find(|(other, _)| *other == service).map(|(_, data)| data.as_slice())
    }
}

/// The UUID that a number of 16 or 32 bits stands for (Bluetooth Core 5.4, volume 3, part B, 2.5.1).
pub(crate) const fn short_uuid(number: u32) -> Uuid {
    const BASE: u128 = 0x00000000_0000_1000_8000_00805f9b34fb;
    Uuid::from_u128(BASE | (number as u128) << 96)
}

/// Reads `181a`, `0x181A`, 8 digits, or all 32 with hyphens.
pub(crate) fn parse_uuid(text: &str) -> Option<Uuid> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    match digits.len() {
        4 | 8 if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
            u32::from_str_radix(digits, 16).ok().map(short_uuid)
        }
        36 => Uuid::parse_str(digits).ok(),
        _ => None,
    }
}

/// As short as it can be written.
pub(crate) fn show_uuid(uuid: Uuid) -> String {
    let number = u32::try_from(uuid.as_u128() >> 96).expect("the upper 32 of 128 bits");
    match number {
        _ if short_uuid(number) != uuid => uuid.to_string(),
        0..=0xffff => format!("{number:04x}"),
        _ => format!("{number:08x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_short_or_long() {
        let long = "0000181a-0000-1000-8000-00805f9b34fb";
        assert_eq!(parse_uuid("181a"), Uuid::parse_str(long).ok());
        assert_eq!(parse_uuid("0x181A"), parse_uuid(long));
        assert_eq!(parse_uuid(long).map(show_uuid).as_deref(), Some("181a"));
        let own = "6e400001-b5a3-f393-e0a9-e50e24dcca9e";
        assert_eq!(parse_uuid(own).map(show_uuid).as_deref(), Some(own));
        for wrong in ["", "18", "181g", "+81a", "0000181a-0000-1000-8000-00805f9b34f"] {
            assert_eq!(parse_uuid(wrong), None, "{wrong}");
        }
    }
}
