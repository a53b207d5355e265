//! How far what went wrong reaches.

use crate::address::Address;
use crate::bluez::{Known, Trouble};
use crate::config::Characteristic;
use edgeway_sdk::{Fault, Quality};

/// Why a characteristic was not read or written.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// This one alone.
    Point { quality: Quality, reason: String },
    /// More than that.
    Fault(Fault),
}

impl Refusal {
    pub(super) fn missing(wanted: Characteristic) -> Self {
        Refusal::Point { quality: Quality::BadConfig, reason: format!("the device has no `{wanted}`") }
    }

    pub(super) fn unfit(reason: String) -> Self {
        Refusal::Point { quality: Quality::BadOutOfRange, reason }
    }

    pub(super) fn not_writable(known: &Known) -> Self {
        let reason = format!("`{}` cannot be written, it offers {}", known.id, known.flags.join(", "));
        Refusal::Point { quality: Quality::BadConfig, reason }
    }

    /// The names are BlueZ's, doc/org.bluez.GattCharacteristic.rst.
    pub(crate) fn of(trouble: Trouble, address: Address) -> Self {
        let fault = match trouble {
            Trouble::Gone(reason) => Fault::Link(reason),
            Trouble::Silent => Fault::Device(format!("{address} did not answer in time")),
            Trouble::Unknown => Fault::Device(format!("{address} is gone")),
            Trouble::Refused { name, text } => return Refusal::of_name(&name, text, address),
        };
        Refusal::Fault(fault)
    }

    fn of_name(name: &str, text: String, address: Address) -> Self {
        match name {
            "InProgress" => Refusal::Fault(Fault::Busy(format!("{address} is busy: {text}"))),
            "NotPermitted" | "NotSupported" | "NotAuthorized" | "NotPaired" | "InvalidOffset" => {
                Refusal::Point { quality: Quality::BadConfig, reason: format!("{text} ({name})") }
            }
            "InvalidArguments" | "InvalidValueLength" => {
                Refusal::Point { quality: Quality::BadOutOfRange, reason: format!("{text} ({name})") }
            }
            // The device has answered, with an error of its own.
            "Failed" if text.contains("ATT error") => Refusal::Point { quality: Quality::BadDevice, reason: text },
            _ => Refusal::Fault(Fault::Device(format!("{address}: {text} ({name})"))),
        }
    }
}

pub(super) fn of_connect(trouble: Trouble, address: Address) -> Fault {
    Fault::Device(match trouble {
        Trouble::Gone(reason) => return Fault::Link(reason),
        Trouble::Unknown => format!("{address} has not been heard yet, so it cannot be connected"),
        Trouble::Silent => format!("{address} could not be connected in time (`connect_timeout`)"),
        Trouble::Refused { text, .. } => format!("{address} could not be connected: {text}"),
    })
}
