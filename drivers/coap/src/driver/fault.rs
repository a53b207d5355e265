//! How far what went wrong reaches.

use crate::codec::Answer;
use crate::transfer::Trouble;
use crate::wire::Failure;
use coap_lite::ResponseType;
use edgeway_sdk::{Fault, PointIx, Quality};

/// Without an answer.
pub(super) fn of_wire(failure: Failure) -> Fault {
    match failure {
        Failure::Silent(why) => Fault::Device(why),
        Failure::Reset => Fault::Device("the device has thrown the question away (RST)".into()),
        Failure::Strange(why) => Fault::Device(format!("an answer makes no sense: {why}")),
        Failure::Busy(why) => Fault::Busy(why),
        Failure::Gone(why) => Fault::Link(why),
    }
}

/// Of reading the resource of these points.
pub(super) fn of_read(trouble: Trouble, what: &str, points: &[PointIx]) -> Fault {
    let (reason, quality) = match trouble {
        Trouble::Failure(failure) => return of_wire(failure),
        Trouble::Changing => return Fault::Busy(format!("{what} changes while it is read")),
        Trouble::Refused(answer) if is_busy(&answer) => return Fault::Busy(format!("{what}: {}", answer.refusal())),
        Trouble::Refused(answer) => (format!("{what}: {}", answer.refusal()), quality(&answer)),
        Trouble::TooLong(why) => (format!("{what}: {why}"), Quality::BadOutOfRange),
    };
    // A resource is refused as a whole: what is said of its first point is said of all.
    Fault::Point { point: points[0], quality, reason }
}

/// Of writing a point or calling a service.
pub(super) fn of_write(trouble: Trouble, what: &str, point: Option<PointIx>) -> Fault {
    let (reason, quality) = match trouble {
        Trouble::Failure(failure) => return of_wire(failure),
        Trouble::Refused(answer) if is_busy(&answer) => return Fault::Busy(format!("{what}: {}", answer.refusal())),
        // It was done as far as anybody knows; only what was said to it is too long.
        Trouble::Changing => return Fault::Device(format!("what {what} has answered changes while it is read")),
        Trouble::TooLong(why) => return Fault::Device(format!("{what} has answered too much: {why}")),
        Trouble::Refused(answer) => (format!("{what}: {}", answer.refusal()), quality(&answer)),
    };
    match point {
        Some(point) => Fault::Point { point, quality, reason },
        None => Fault::Step(reason),
    }
}

/// 5.03 and 4.29 say that it will work again (RFC 7252 section 5.9.3.4, RFC 8516).
pub(super) fn is_busy(answer: &Answer) -> bool {
    answer.is(ResponseType::ServiceUnavailable) || answer.is(ResponseType::TooManyRequests)
}

/// 5.xx is a failure of the device's own, 4.xx is of the question.
pub(super) fn quality(answer: &Answer) -> Quality {
    if u8::from(answer.code) >> 5 == 5 { Quality::BadDevice } else { Quality::BadConfig }
}
