//! BTHome version 2, <https://bthome.io/format> and <https://bthome.io/encryption>.

mod objects;
mod sealed;

pub(super) use objects::MEANINGS;
pub(crate) use sealed::Key;

use super::{Field, hex};
use crate::advert::short_uuid;
use edgeway_sdk::{Quality, Value};
use objects::{Form, Object, Scale};
use std::borrow::Cow;
use uuid::Uuid;

pub(super) const SERVICE: Uuid = short_uuid(0xfcd2);

const ENCRYPTED: u8 = 1;
const WITH_ADDRESS: u8 = 1 << 1;
const VERSION: u8 = 2;

/// The objects of a packet, as they lie behind its first byte or came out of its encryption.
#[derive(Debug, PartialEq)]
pub(crate) struct Opened<'a> {
    pub(crate) objects: Cow<'a, [u8]>,
    /// Of an encrypted packet: counts up, so that an old one that is sent again by somebody is noticed.
    pub(crate) counter: Option<u32>,
}

/// Why the objects of a packet cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Sealed {
    /// Of another version, or too short.
    #[error("the advertisement is of another version of BTHome, or too short")]
    Strange,
    /// Encrypted, and no key is known.
    #[error("the advertisement is encrypted; give the device's `key`")]
    NoKey,
    /// Encrypted with another key.
    #[error("the advertisement is encrypted with another key than `key`")]
    WrongKey,
    /// Not encrypted, although there is a key: anybody could have sent it.
    #[error("the advertisement is not encrypted, although there is a `key`: anybody could have sent it")]
    Open,
}

/// What is in a packet. An object of an unknown number ends it, because its length is unknown; what came before counts.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Packet {
    pub(crate) fields: Vec<Field>,
    pub(crate) events: Vec<Event>,
    /// Whether it says which packet it is.
    pub(crate) is_numbered: bool,
    /// Whether it ended before its end.
    pub(crate) is_cut: bool,
}

/// What somebody did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    /// `button` or `dimmer`.
    pub(crate) name: &'static str,
    /// Which of them, from 1.
    pub(crate) nth: u16,
    pub(crate) action: &'static str,
    /// Of a dimmer.
    pub(crate) steps: Option<u8>,
}

/// The objects of service data.
///
/// # Errors
/// Why they cannot be had.
pub(crate) fn open<'a>(data: &'a [u8], key: Option<&Key>) -> Result<Opened<'a>, Sealed> {
    let (&info, rest) = data.split_first().ok_or(Sealed::Strange)?;
    if info >> 5 != VERSION {
        return Err(Sealed::Strange);
    }
    let rest = if info & WITH_ADDRESS == 0 { rest } else { rest.get(6..).ok_or(Sealed::Strange)? };
    match (info & ENCRYPTED != 0, key) {
        (true, Some(key)) => key.unseal(info, rest),
        (true, None) => Err(Sealed::NoKey),
        (false, Some(_)) => Err(Sealed::Open),
        (false, None) => Ok(Opened { objects: rest.into(), counter: None }),
    }
}

pub(crate) fn parse(mut objects: &[u8]) -> Packet {
    let mut packet = Packet::default();
    while let Some((&id, rest)) = objects.split_first() {
        let Some((object, data, rest)) = split(id, rest) else {
            packet.is_cut = true;
            break;
        };
        packet.add(object, data);
        objects = rest;
    }
    packet
}

/// The object of a number, its data, and what comes after them.
fn split(id: u8, rest: &[u8]) -> Option<(&'static Object, &[u8], &[u8])> {
    let object = objects::find(id)?;
    let (length, rest) = match object.form.length() {
        Some(length) => (length, rest),
        None => rest.split_first().map(|(&length, rest)| (usize::from(length), rest))?,
    };
    let (data, rest) = rest.split_at_checked(length)?;
    Some((object, data, rest))
}

impl Packet {
    fn add(&mut self, object: &'static Object, data: &[u8]) {
        match object.form {
            Form::Number => self.is_numbered = true,
            Form::Button => self.add_event(object.name, button(data[0]), None),
            Form::Dimmer => self.add_event(object.name, dimmer(data[0]), Some(data[1])),
            form => self.add_field(object.name, value(form, data)),
        }
    }

    fn add_field(&mut self, name: &'static str, value: Value) {
        let before = self.fields.iter().filter(|field| field.name == name).count();
        let quality = if value == Value::Null { Quality::Bad } else { Quality::Good };
        // A packet has at most 255 bytes.
        let nth = u16::try_from(before + 1).unwrap_or(u16::MAX);
        self.fields.push(Field { name, nth, value, quality });
    }

    /// A button at rest is no event, but has its place among the buttons.
    fn add_event(&mut self, name: &'static str, action: Option<&'static str>, steps: Option<u8>) {
        let before = self.events.iter().filter(|event| event.name == name).count();
        let nth = u16::try_from(before + 1).unwrap_or(u16::MAX);
        self.events.push(Event { name, nth, action: action.unwrap_or(REST), steps });
    }
}

const REST: &str = "none";

impl Event {
    /// Whether something was done.
    pub(crate) fn is_one(&self) -> bool {
        self.action != REST
    }

    /// As a field, at rest too.
    pub(crate) fn field(&self) -> Field {
        Field { name: self.name, nth: self.nth, value: self.value(), quality: Quality::Good }
    }

    /// What a point for it holds: the action, or the steps of a dimmer, to the left negative.
    pub(crate) fn value(&self) -> Value {
        match self.steps {
            None => self.action.into(),
            Some(steps) if self.action == "rotate_left" => Value::Int(-i64::from(steps)),
            Some(steps) => Value::Int(steps.into()),
        }
    }
}

fn button(action: u8) -> Option<&'static str> {
    Some(match action {
        0x01 => "press",
        0x02 => "double_press",
        0x03 => "triple_press",
        0x04 => "long_press",
        0x05 => "long_double_press",
        0x06 => "long_triple_press",
        0x80 => "hold_press",
        _ => return None,
    })
}

fn dimmer(action: u8) -> Option<&'static str> {
    Some(match action {
        0x01 => "rotate_left",
        0x02 => "rotate_right",
        _ => return None,
    })
}

/// `Null` for what cannot be read.
fn value(form: Form, data: &[u8]) -> Value {
    match form {
        Form::Unsigned(_, scale) => scale.of(unsigned(data)),
        Form::Signed(_, scale) => scale.of(signed(data)),
        Form::Bool => match data {
            [0] => false.into(),
            [1] => true.into(),
            _ => Value::Null,
        },
        Form::Time => Value::Int(unsigned(data) * 1000),
        Form::Text => std::str::from_utf8(data).map_or(Value::Null, Value::from),
        Form::Raw => hex(data).as_str().into(),
        Form::Version(_) => data.iter().rev().map(u8::to_string).collect::<Vec<_>>().join(".").as_str().into(),
        Form::Number | Form::Button | Form::Dimmer => Value::Null,
    }
}

fn unsigned(data: &[u8]) -> i64 {
    data.iter().rev().fold(0, |number, &byte| number << 8 | i64::from(byte))
}

fn signed(data: &[u8]) -> i64 {
    let unused = 64 - 8 * data.len();
    unsigned(data) << unused >> unused
}

impl Scale {
    fn of(self, raw: i64) -> Value {
        match self {
            Scale::Whole => Value::Int(raw),
            // One division of whole numbers: the nearest of all floats to the decimal that was meant.
            Scale::Ratio(times, over) => Value::Float((raw * times) as f64 / over as f64),
        }
    }
}
