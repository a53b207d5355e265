//! What can go wrong with a question, and what it means for the gateway.

use crate::codec::leaves_open;
use edgeway_sdk::{Fault, options};
use opcua::types::StatusCode;
use std::time::Duration;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Failure {
    /// None came in this time; if one comes later it is thrown away.
    Late(Duration),
    /// The server refuses.
    Refused(StatusCode),
    /// The server has answered what cannot be read.
    Unreadable,
    /// The connection or the session is gone.
    Lost(String),
}

const UNREADABLE: &str = "the server's answer cannot be read: a text that is not UTF-8, or a value that is cut off";

impl Failure {
    /// What it means for a question that may be asked again.
    pub(crate) fn of_read(self) -> Fault {
        match self {
            Failure::Late(after) => Fault::Device(no_answer(after)),
            Failure::Refused(status) if is_too_much(status) => Fault::Step(refused(status)),
            Failure::Refused(status) if is_busy(status) => Fault::Busy(refused(status)),
            Failure::Refused(status) => Fault::Device(refused(status)),
            Failure::Unreadable => Fault::Step(UNREADABLE.into()),
            Failure::Lost(reason) => Fault::Link(reason),
        }
    }

    /// What it means for a question that changes something: a refusal says that it has not, unless the server does not know
    /// that either.
    pub(crate) fn of_write(self) -> Fault {
        match self {
            Failure::Refused(status) if leaves_open(status) => Fault::Device(refused(status)),
            Failure::Refused(status) => Fault::Busy(refused(status)),
            Failure::Unreadable => Fault::Device(UNREADABLE.into()),
            other => other.of_read(),
        }
    }

    /// What it means for a question that comes before one which changes something: nothing has changed yet.
    pub(crate) fn of_preparation(self) -> Fault {
        match self {
            Failure::Lost(reason) => Fault::Link(reason),
            other => Fault::Busy(other.of_read().to_string()),
        }
    }

    /// What it means while connecting.
    pub(crate) fn of_connect(self) -> Fault {
        Fault::Link(match self {
            Failure::Late(after) => no_answer(after),
            Failure::Refused(status) => refused(status),
            Failure::Unreadable => UNREADABLE.into(),
            Failure::Lost(reason) => reason,
        })
    }
}

fn no_answer(after: Duration) -> String {
    // Tenths of a millisecond help nobody.
    let after = Duration::from_millis(u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
    format!("the server has not answered within {}", options::duration::show(after))
}

fn refused(status: StatusCode) -> String {
    format!("the server refuses: {}", words(status))
}

/// A status for people: what it means, and its name.
pub(crate) fn words(status: StatusCode) -> String {
    let name = status.sub_code();
    let text = name.description().trim_end_matches('.');
    let mut letters = text.chars();
    let text = letters.next().map(|first| first.to_lowercase().chain(letters).collect::<String>()).unwrap_or_default();
    match text.is_empty() {
        true => format!("{name}"),
        false => format!("{text} ({name})"),
    }
}

/// The question, or its answer, is longer than one of the two can bear.
pub(crate) fn is_too_much(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BadTooManyOperations
            | StatusCode::BadEncodingLimitsExceeded
            | StatusCode::BadRequestTooLarge
            | StatusCode::BadResponseTooLarge
            | StatusCode::BadTcpMessageTooLarge
    )
}

fn is_busy(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BadServerTooBusy
            | StatusCode::BadTooManyPublishRequests
            | StatusCode::BadOutOfMemory
            | StatusCode::BadResourceUnavailable
    )
}

/// The session is of no use any more.
pub(super) fn ends_session(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BadSessionIdInvalid
            | StatusCode::BadSessionClosed
            | StatusCode::BadSessionNotActivated
            | StatusCode::BadSecureChannelIdInvalid
            | StatusCode::BadSecureChannelClosed
            | StatusCode::BadSecureChannelTokenUnknown
            | StatusCode::BadIdentityTokenInvalid
            | StatusCode::BadServerHalted
            | StatusCode::BadShutdown
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A refusal of the whole question is read by the same list as that of one node: see `codec::status`.
    #[test]
    fn a_write_is_only_undone_where_the_server_knows_that_it_is() {
        for (failure, is_open) in [
            (Failure::Refused(StatusCode::BadInternalError), true),
            (Failure::Refused(StatusCode::BadUserAccessDenied), false),
            (Failure::Refused(StatusCode::BadServerTooBusy), false),
            (Failure::Unreadable, true),
            (Failure::Late(Duration::from_secs(3)), true),
        ] {
            assert_eq!(matches!(failure.clone().of_write(), Fault::Device(_)), is_open, "{failure:?}");
        }
    }

    #[test]
    fn an_answer_that_cannot_be_read_divides_the_step() {
        assert!(matches!(Failure::Unreadable.of_read(), Fault::Step(_)));
    }
}
