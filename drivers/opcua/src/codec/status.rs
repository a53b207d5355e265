//! What a status says of a value, and of a write.

use edgeway_sdk::Quality;
use opcua::types::StatusCode;

/// How far a refusal reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// This node, with the quality that its point gets.
    Point(Quality),
    /// What is behind the server: nobody knows whether it took a value.
    Device,
}

/// A status without what is said beside it: limits, overflow (OPC 10000-4, 7.38).
fn code(status: StatusCode) -> StatusCode {
    StatusCode::from(status.bits() & 0xffff_0000)
}

/// How far a value with this status can be trusted.
pub(crate) fn quality(status: StatusCode) -> Quality {
    if status.is_good() {
        return Quality::Good;
    }
    if status.is_uncertain() {
        return Quality::Uncertain;
    }
    match code(status) {
        StatusCode::BadNodeIdUnknown
        | StatusCode::BadNodeIdInvalid
        | StatusCode::BadAttributeIdInvalid
        | StatusCode::BadIndexRangeInvalid
        | StatusCode::BadIndexRangeNoData
        | StatusCode::BadIndexRangeDataMismatch
        | StatusCode::BadNotReadable
        | StatusCode::BadNotWritable
        | StatusCode::BadUserAccessDenied
        | StatusCode::BadNotSupported
        | StatusCode::BadWriteNotSupported
        | StatusCode::BadTypeMismatch
        | StatusCode::BadDataEncodingInvalid
        | StatusCode::BadDataEncodingUnsupported
        | StatusCode::BadMonitoredItemFilterInvalid
        | StatusCode::BadMonitoredItemFilterUnsupported
        | StatusCode::BadFilterNotAllowed
        | StatusCode::BadDeadbandFilterInvalid
        | StatusCode::BadConfigurationError => Quality::BadConfig,
        StatusCode::BadNotConnected
        | StatusCode::BadNoCommunication
        | StatusCode::BadCommunicationError
        | StatusCode::BadConnectionClosed
        | StatusCode::BadOutOfService
        | StatusCode::BadShutdown
        | StatusCode::BadServerNotConnected => Quality::BadNotConnected,
        StatusCode::BadDeviceFailure | StatusCode::BadSensorFailure | StatusCode::BadResourceUnavailable => {
            Quality::BadDevice
        }
        StatusCode::BadTimeout | StatusCode::BadRequestTimeout => Quality::BadTimeout,
        StatusCode::BadOutOfRange => Quality::BadOutOfRange,
        _ => Quality::Bad,
    }
}

/// How far it reaches that a write or a call was answered with this.
pub(crate) fn reaches(status: StatusCode) -> Reach {
    if leaves_open(status) { Reach::Device } else { Reach::Point(quality(status)) }
}

/// Whether the server, or what it has asked, had begun and does not know what became of it. The same for a question and for
/// each node of it.
pub(crate) fn leaves_open(status: StatusCode) -> bool {
    matches!(
        code(status),
        StatusCode::BadUnexpectedError
            | StatusCode::BadInternalError
            | StatusCode::BadTimeout
            | StatusCode::BadRequestTimeout
            | StatusCode::BadCommunicationError
            | StatusCode::BadNoCommunication
            | StatusCode::BadNotConnected
            | StatusCode::BadServerNotConnected
            | StatusCode::BadConnectionClosed
            | StatusCode::BadOutOfService
            | StatusCode::BadShutdown
            | StatusCode::BadDeviceFailure
            | StatusCode::BadSensorFailure
            | StatusCode::BadResourceUnavailable
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_beside_a_status_does_not_change_its_quality() {
        for (status, is) in [
            (StatusCode::Good, Quality::Good),
            (StatusCode::GoodLocalOverride, Quality::Good),
            (StatusCode::GoodLocalOverride.set_overflow(true), Quality::Good),
            (StatusCode::UncertainLastUsableValue, Quality::Uncertain),
            (StatusCode::BadNodeIdUnknown, Quality::BadConfig),
            (StatusCode::from(StatusCode::BadSensorFailure.bits() | 0x0480), Quality::BadDevice),
            (StatusCode::BadNoCommunication, Quality::BadNotConnected),
            (StatusCode::BadOutOfRange, Quality::BadOutOfRange),
            (StatusCode::BadTimeout, Quality::BadTimeout),
            (StatusCode::BadWaitingForInitialData, Quality::Bad),
            // The severity 11 is reserved, and no value of it is to be used.
            (StatusCode::from(0xc000_0000), Quality::Bad),
        ] {
            assert_eq!(quality(status), is, "{status}");
        }
    }

    #[test]
    fn a_refused_write_is_a_matter_of_the_point_unless_the_server_does_not_know_what_became_of_it() {
        let config = Reach::Point(Quality::BadConfig);
        for (status, is) in [
            (StatusCode::BadTypeMismatch, config),
            (StatusCode::BadUserAccessDenied, config),
            (StatusCode::BadNotWritable, config),
            (StatusCode::BadOutOfRange, Reach::Point(Quality::BadOutOfRange)),
            (StatusCode::BadInvalidState, Reach::Point(Quality::Bad)),
            (StatusCode::BadUnexpectedError, Reach::Device),
            (StatusCode::BadInternalError, Reach::Device),
            (StatusCode::BadTimeout, Reach::Device),
            (StatusCode::BadNoCommunication, Reach::Device),
            (StatusCode::BadDeviceFailure, Reach::Device),
            (StatusCode::from(StatusCode::BadInternalError.bits() | 0x0480), Reach::Device),
        ] {
            assert_eq!(reaches(status), is, "{status}");
        }
    }
}
