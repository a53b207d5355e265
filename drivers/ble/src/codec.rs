//! Bytes of advertisements to values. Pure; no bytes make it panic.

pub(crate) mod bthome;
mod eddystone;
mod ibeacon;
mod ruuvi;

use crate::advert::Advert;
use edgeway_sdk::{Holds, Offer, Quality, Value, did_you_mean};

/// A value in an advertisement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    /// 1 unless there is more than one of the name.
    pub(crate) nth: u16,
    pub(crate) value: Value,
    pub(crate) quality: Quality,
}

/// What a field of a name means, whatever packet it comes in.
#[derive(Debug)]
pub(crate) struct Meaning {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) shape: Shape,
}

/// What a field holds, within the limits of its bits.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    Bool,
    Whole(i64, i64),
    Decimal(f64, f64),
    Text,
    Date,
}

/// The formats of advertisements whose fields have names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Beacon {
    /// BTHome version 2, <https://bthome.io/format>.
    BtHome,
    /// RuuviTag data formats 3 and 5.
    Ruuvi,
    /// iBeacon.
    Apple,
    /// Google's Eddystone: UID, URL and plain TLM.
    Eddystone,
}

impl Beacon {
    pub(crate) const ALL: [Beacon; 4] = [Beacon::BtHome, Beacon::Ruuvi, Beacon::Apple, Beacon::Eddystone];

    /// The word before the colon in `at`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Beacon::BtHome => "bthome",
            Beacon::Ruuvi => "ruuvi",
            Beacon::Apple => "ibeacon",
            Beacon::Eddystone => "eddystone",
        }
    }

    /// All fields that it has.
    pub(crate) fn meanings(self) -> &'static [Meaning] {
        match self {
            Beacon::BtHome => bthome::MEANINGS,
            Beacon::Ruuvi => ruuvi::MEANINGS,
            Beacon::Apple => ibeacon::MEANINGS,
            Beacon::Eddystone => eddystone::MEANINGS,
        }
    }

    /// The field of a name, or the one that was probably meant.
    pub(crate) fn meaning(self, name: &str) -> Result<&'static Meaning, Option<String>> {
        let all = self.meanings();
        all.iter().find(|meaning| meaning.name == name).ok_or_else(|| did_you_mean(name, all.iter().map(|m| m.name)))
    }

    /// Its bytes in an advertisement, if there are any.
    pub(crate) fn find(self, advert: &Advert) -> Option<&[u8]> {
        match self {
            Beacon::BtHome => advert.of_service(bthome::SERVICE),
            Beacon::Ruuvi => advert.of_company(ruuvi::COMPANY),
            Beacon::Apple => advert.of_company(ibeacon::COMPANY).filter(|data| ibeacon::is_one(data)),
            Beacon::Eddystone => advert.of_service(eddystone::SERVICE),
        }
    }

    /// The fields in its bytes; `None` if they are of no form that this driver knows. BTHome may be encrypted and has events:
    /// see [`bthome`].
    pub(crate) fn fields(self, data: &[u8]) -> Option<Vec<Field>> {
        match self {
            Beacon::BtHome => bthome::open(data, None).ok().map(|opened| bthome::parse(&opened.objects).fields),
            Beacon::Ruuvi => ruuvi::parse(data),
            Beacon::Apple => ibeacon::parse(data),
            Beacon::Eddystone => eddystone::parse(data),
        }
    }

    /// Whether each packet has a number, so that one that is heard again can be told from a new one.
    pub(crate) fn is_numbered(self, data: &[u8]) -> bool {
        self == Beacon::Ruuvi && data.first() == Some(&5)
    }
}

impl Field {
    /// A value, good unless it is no number.
    fn good(name: &'static str, value: impl Into<Value>) -> Self {
        Field { name, nth: 1, value: value.into(), quality: Quality::Good }
    }

    /// A value that the device marks as missing.
    fn missing(name: &'static str) -> Self {
        Field { name, nth: 1, value: Value::Null, quality: Quality::Bad }
    }

    /// The value, unless it is the mark of one that is missing.
    fn unless(name: &'static str, is_missing: Missing, value: impl Into<Value>) -> Self {
        match is_missing {
            Missing::Yes => Field::missing(name),
            Missing::No => Field::good(name, value),
        }
    }
}

/// Whether a number is the mark of a value that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    Yes,
    No,
}

impl Missing {
    /// `Yes` if the two are equal.
    fn if_is<T: PartialEq>(raw: T, mark: T) -> Self {
        if raw == mark { Missing::Yes } else { Missing::No }
    }
}

impl Meaning {
    /// As a property of a model. A later one of the same name gets its number.
    pub(crate) fn offer(&self, nth: u16) -> Offer {
        let name = if nth > 1 { format!("{}_{nth}", self.name) } else { self.name.to_owned() };
        let holds = match self.shape {
            Shape::Bool => Holds::Bool,
            Shape::Whole(min, max) => Holds::Int { min: Some(min), max: Some(max) },
            Shape::Decimal(min, max) => Holds::Float { min: Some(min), max: Some(max) },
            Shape::Text => Holds::Text,
            Shape::Date => Holds::Date,
        };
        Offer::new(name, holds).unit(self.unit)
    }
}

/// The bytes at these places, as an array.
fn take<const N: usize>(data: &[u8], at: usize) -> Option<[u8; N]> {
    data.get(at..at.checked_add(N)?)?.try_into().ok()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
