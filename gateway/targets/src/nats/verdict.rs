//! What an answer, or an error, of JetStream means.

use super::stream::Stream;
use crate::{Delivery, Outcome, TargetError};
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::{self, ErrorCode};
use std::time::Duration;

/// How long a stream is left alone that is full and refuses what is new: JetStream cannot say how long it wants.
const FULL_FOR: Duration = Duration::from_secs(10);

/// What an error means for one delivery.
pub(super) fn of_publish(
    error: &PublishError,
    delivery: &Delivery,
    stream: &Stream,
    subject: &str,
) -> Result<Outcome, TargetError> {
    match error.kind() {
        PublishErrorKind::StreamNotFound => Err(stream.nobody_took(subject)),
        PublishErrorKind::MaxPayloadExceeded => Ok(delivery.refused(said(error))),
        PublishErrorKind::TimedOut => Err(TargetError::Away(format!("no acknowledgement for `{subject}` in time"))),
        _ => match source(error) {
            Some(error) if is_too_large(error.error_code()) => Ok(delivery.refused(error.to_string())),
            Some(error) if error.error_code() == ErrorCode::STREAM_NOT_MATCH => Err(TargetError::Denied(format!(
                "another stream than `{}` takes `{subject}`; change the route's topic or the streams' subjects",
                stream.name
            ))),
            Some(error) => Err(of_request(error)),
            None => Err(TargetError::Away(said(error))),
        },
    }
}

/// What an error means for a request, or for a whole connection.
pub(super) fn of_request(error: &jetstream::Error) -> TargetError {
    let text = error.to_string();
    match error.error_code() {
        ErrorCode::INSUFFICIENT_RESOURCES
        | ErrorCode::MEMORY_RESOURCES_EXCEEDED
        | ErrorCode::STORAGE_RESOURCES_EXCEEDED
        | ErrorCode::ACCOUNT_RESOURCES_EXCEEDED
        | ErrorCode::STREAM_STORE_FAILED
        | ErrorCode::STREAM_TOO_MANY_REQUESTS => TargetError::Throttled { after: FULL_FOR, reason: text },
        ErrorCode::JETSTREAM_NOT_ENABLED
        | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT
        | ErrorCode::NO_ACCOUNT
        | ErrorCode::NO_LIMITS
        | ErrorCode::STREAM_NOT_FOUND
        | ErrorCode::STREAM_SEALED
        | ErrorCode::STREAM_SUBJECT_OVERLAP
        | ErrorCode::STREAM_INVALID_CONFIG
        | ErrorCode::STREAM_CREATE
        | ErrorCode::MAXIMUM_STREAMS_LIMIT
        | ErrorCode::STREAM_MAX_BYTES_REQUIRED
        | ErrorCode::STREAM_MAX_STREAM_BYTES_EXCEEDED => TargetError::Denied(text),
        // A leader that is being elected, a server that shuts down, and what later servers will say.
        _ => TargetError::Away(text),
    }
}

fn is_too_large(code: ErrorCode) -> bool {
    code == ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM || code == ErrorCode::STREAM_HEADER_EXCEEDS_MAXIMUM
}

fn source(error: &PublishError) -> Option<&jetstream::Error> {
    std::error::Error::source(error)?.downcast_ref()
}

fn said(error: &PublishError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
