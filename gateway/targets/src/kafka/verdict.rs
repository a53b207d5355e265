//! What an error of Kafka means.

use crate::{Delivery, Outcome, TargetError};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use std::time::Duration;

/// How long a broker is left alone whose quota is used up: it slows the client down by itself, so this is rare.
const QUOTA_FOR: Duration = Duration::from_secs(10);

/// What an error means for one delivery.
pub(super) fn of(error: &KafkaError, delivery: &Delivery) -> Result<Outcome, TargetError> {
    match error.rdkafka_error_code() {
        Some(code) if is_permanent(code) => Ok(delivery.refused(error.to_string())),
        Some(Code::UnknownTopic | Code::UnknownTopicOrPartition) => Err(TargetError::Denied(format!(
            "there is no topic for `{}`; make it, or let the brokers make topics (`auto.create.topics.enable`)",
            delivery.topic
        ))),
        _ => Err(of_connecting(error)),
    }
}

/// What an error means for the connection.
pub(super) fn of_connecting(error: &KafkaError) -> TargetError {
    match error.rdkafka_error_code() {
        Some(code) if is_denied(code) => TargetError::Denied(error.to_string()),
        Some(Code::ThrottlingQuotaExceeded) => TargetError::Throttled { after: QUOTA_FOR, reason: error.to_string() },
        _ => TargetError::Away(error.to_string()),
    }
}

/// This message will never be taken, whoever sends it.
fn is_permanent(code: Code) -> bool {
    matches!(
        code,
        Code::MessageSizeTooLarge
            | Code::InvalidMessage
            | Code::InvalidRecord
            | Code::InvalidTopic
            | Code::InvalidTimestamp
    )
}

/// A person has to act.
pub(super) fn is_denied(code: Code) -> bool {
    matches!(
        code,
        Code::Authentication
            | Code::SaslAuthenticationFailed
            | Code::UnsupportedSASLMechanism
            | Code::TopicAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::TransactionalIdAuthorizationFailed
            | Code::PolicyViolation
            | Code::SecurityDisabled
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use edgeway_formats::Content;
    use edgeway_thing_models::{GatewayId, MessageId};

    fn delivery(messages: u64) -> Delivery {
        let id = MessageId { gateway: GatewayId::of("g"), epoch: 0, offset: 0 };
        let content = Content::Bytes(Bytes::new(), "application/json");
        Delivery { topic: "t".into(), key: "k".into(), content, id, last_id: id, messages }
    }

    fn verdict(code: Code, messages: u64) -> Result<Outcome, TargetError> {
        of(&KafkaError::MessageProduction(code), &delivery(messages))
    }

    #[test]
    fn errors_are_told_apart_by_who_has_to_act() {
        assert!(matches!(verdict(Code::MessageSizeTooLarge, 1), Ok(Outcome::Refused(_))));
        assert!(matches!(verdict(Code::MessageSizeTooLarge, 2), Ok(Outcome::Split(_))));
        assert!(matches!(verdict(Code::TopicAuthorizationFailed, 1), Err(TargetError::Denied(_))));
        assert!(matches!(verdict(Code::UnknownTopicOrPartition, 1), Err(TargetError::Denied(_))));
        assert!(matches!(verdict(Code::NotEnoughReplicas, 1), Err(TargetError::Away(_))));
        assert!(matches!(verdict(Code::Fatal, 1), Err(TargetError::Away(_))));
    }
}
