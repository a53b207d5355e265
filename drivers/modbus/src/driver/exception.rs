//! What a Modbus exception means: who has to act, and how far the damage reaches.

use crate::plan::{Request, Target};
use crate::wire::Failure;
use edgeway_sdk::{Fault, Quality};

/// Of a read. A unit that refuses a request of several points may refuse only one of them: the gateway splits it.
pub(super) fn of_read(failure: Failure, request: &Request) -> Fault {
    let code = match failure {
        Failure::Fault(fault) => return fault,
        Failure::Exception(code) => code,
    };
    let reason = format!("{}: {}", request.place, name(code));
    match (code, request.items.as_slice()) {
        (1..=3, [item]) => Fault::Point { point: item.point, quality: Quality::BadConfig, reason },
        (1..=3, _) => Fault::Step(reason),
        (5 | 6, _) => Fault::Busy(reason),
        _ => Fault::Device(reason),
    }
}

/// Of a write. After an acknowledge (5) the unit is still at work, and behind a gateway (10, 11) nobody knows whether it
/// got the request: those are not refusals.
pub(super) fn of_write(failure: Failure, target: &Target) -> Fault {
    let code = match failure {
        Failure::Fault(fault) => return fault,
        Failure::Exception(code) => code,
    };
    let reason = format!("{}: {}", target.place, name(code));
    match code {
        5 | 10 | 11 => Fault::Device(reason),
        6 => Fault::Busy(reason),
        1..=3 => Fault::Point { point: target.point, quality: Quality::BadConfig, reason },
        _ => Fault::Point { point: target.point, quality: Quality::BadDevice, reason },
    }
}

fn name(code: u8) -> String {
    let name = match code {
        1 => "illegal function",
        2 => "illegal data address",
        3 => "illegal data value",
        4 => "device failure",
        5 => "accepted, but not done yet",
        6 => "device busy",
        8 => "memory parity error",
        10 => "gateway has no path to the unit",
        11 => "unit does not answer its gateway",
        _ => "unknown exception",
    };
    format!("{name} (exception {code})")
}
