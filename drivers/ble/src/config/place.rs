//! Where a value is: `at`.

use crate::advert::{parse_uuid, show_uuid};
use crate::codec::Beacon;
use edgeway_sdk::{Problem, did_you_mean};
use std::fmt;
use uuid::Uuid;

/// Where a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// How strong the advertisement was received.
    Rssi,
    /// How strong it says that it was sent.
    TxPower,
    /// A field of a format, the first of its name or a later one.
    Field { beacon: Beacon, name: &'static str, nth: u16 },
    /// The data of a company in an advertisement.
    Manufacturer(u16),
    /// The data of a service in an advertisement.
    Service(Uuid),
    /// A value that is read by connecting.
    Gatt(Characteristic),
}

/// A characteristic of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Characteristic {
    pub(crate) service: Uuid,
    pub(crate) uuid: Uuid,
    /// Which of several that have the same two UUIDs, from 1, in the order of their handles.
    pub(crate) nth: u16,
}

const WORDS: [&str; 9] =
    ["rssi", "tx_power", "bthome", "ruuvi", "ibeacon", "eddystone", "manufacturer", "service", "gatt"];

impl Place {
    /// Reads `at`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(at: &str) -> Result<Self, Problem> {
        let (word, rest) = at.split_once(':').map_or((at, None), |(word, rest)| (word, Some(rest)));
        match (word, rest) {
            ("rssi", None) => Ok(Place::Rssi),
            ("tx_power", None) => Ok(Place::TxPower),
            ("manufacturer", Some(rest)) => manufacturer(at, rest),
            ("service", Some(rest)) => {
                parse_uuid(rest).map(Place::Service).ok_or_else(|| wrong(at).help("`service:181a`"))
            }
            ("gatt", Some(rest)) => characteristic(at, rest).map(Place::Gatt),
            (word, Some(rest)) if let Some(beacon) = beacon(word) => field(at, beacon, rest),
            (word, _) if WORDS.contains(&word) => Err(wrong(at).help(example(word))),
            (word, _) => Err(wrong(at).maybe_help(did_you_mean(word, WORDS))),
        }
    }

    /// Whether its bytes need a type.
    pub(crate) fn holds_bytes(self) -> bool {
        matches!(self, Place::Manufacturer(_) | Place::Service(_) | Place::Gatt(_))
    }
}

fn wrong(at: &str) -> Problem {
    Problem::key("at", format!("`{at}` is not a place"))
}

fn example(word: &str) -> &'static str {
    match word {
        "rssi" => "`rssi` alone",
        "tx_power" => "`tx_power` alone",
        "bthome" => "`bthome:temperature`",
        "ruuvi" => "`ruuvi:humidity`",
        "ibeacon" => "`ibeacon:major`",
        "eddystone" => "`eddystone:url`",
        "manufacturer" => "`manufacturer:0x0499`",
        "service" => "`service:181a`",
        _ => "`gatt:180f/2a19`",
    }
}

fn beacon(word: &str) -> Option<Beacon> {
    Beacon::ALL.into_iter().find(|beacon| beacon.word() == word)
}

fn manufacturer(at: &str, rest: &str) -> Result<Place, Problem> {
    let number = rest.strip_prefix("0x").filter(|digits| !digits.starts_with('+'));
    let number = number.and_then(|digits| u16::from_str_radix(digits, 16).ok());
    let problem = || wrong(at).help("the company's number in hexadecimal, `manufacturer:0x0499`");
    number.map(Place::Manufacturer).ok_or_else(problem)
}

/// `name` or `name#2`.
fn numbered<'a>(at: &str, text: &'a str) -> Result<(&'a str, u16), Problem> {
    let Some((name, number)) = text.split_once('#') else { return Ok((text, 1)) };
    let number = number.parse().ok().filter(|number| *number > 0);
    number.map(|number| (name, number)).ok_or_else(|| wrong(at).help("`#2` for the second of the same name"))
}

fn field(at: &str, beacon: Beacon, rest: &str) -> Result<Place, Problem> {
    let (name, nth) = numbered(at, rest)?;
    match beacon.meaning(name) {
        Ok(meaning) => Ok(Place::Field { beacon, name: meaning.name, nth }),
        Err(meant) => {
            let problem = Problem::key("at", format!("`{name}` is not a field of {}", beacon.word()));
            Err(problem.maybe_help(meant))
        }
    }
}

fn characteristic(at: &str, rest: &str) -> Result<Characteristic, Problem> {
    let (uuids, nth) = numbered(at, rest)?;
    let (service, uuid) = uuids.split_once('/').unwrap_or_default();
    match (parse_uuid(service), parse_uuid(uuid)) {
        (Some(service), Some(uuid)) => Ok(Characteristic { service, uuid, nth }),
        _ => Err(wrong(at).help("service and characteristic, `gatt:180f/2a19`; 4, 8 or all digits of a UUID")),
    }
}

impl fmt::Display for Characteristic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gatt:{}/{}", show_uuid(self.service), show_uuid(self.uuid))?;
        if self.nth > 1 { write!(f, "#{}", self.nth) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advert::short_uuid;

    #[test]
    fn places() {
        let parse = |at| Place::parse(at).expect("valid");
        assert_eq!(parse("rssi"), Place::Rssi);
        assert_eq!(parse("bthome:temperature#2"), Place::Field { beacon: Beacon::BtHome, name: "temperature", nth: 2 });
        assert_eq!(parse("manufacturer:0x0499"), Place::Manufacturer(0x499));
        assert_eq!(parse("service:181a"), Place::Service(short_uuid(0x181a)));
        let Place::Gatt(characteristic) = parse("gatt:180F/00002a19-0000-1000-8000-00805f9b34fb#3") else {
            panic!("GATT")
        };
        assert_eq!(characteristic.to_string(), "gatt:180f/2a19#3");
    }

    #[test]
    fn what_is_no_place_is_told_with_what_would_be() {
        for (at, expected) in [
            ("rsi", "`at`: `rsi` is not a place (did you mean `rssi`?)"),
            ("rssi:1", "`at`: `rssi:1` is not a place (`rssi` alone)"),
            ("bthome", "`at`: `bthome` is not a place (`bthome:temperature`)"),
            ("bthome:temprature", "`at`: `temprature` is not a field of bthome (did you mean `temperature`?)"),
            ("ruuvi:humidity#0", "`at`: `ruuvi:humidity#0` is not a place (`#2` for the second of the same name)"),
            (
                "manufacturer:0499",
                "`at`: `manufacturer:0499` is not a place (the company's number in hexadecimal, `manufacturer:0x0499`)",
            ),
            (
                "gatt:180f",
                "`at`: `gatt:180f` is not a place (service and characteristic, `gatt:180f/2a19`; 4, 8 or all digits of a UUID)",
            ),
        ] {
            assert_eq!(Place::parse(at).expect_err("wrong").to_string(), expected);
        }
    }
}
