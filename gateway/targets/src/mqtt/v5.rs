//! MQTT 5.

use super::THROTTLED_FOR;
use super::client::{CONNECT_WITHIN, Incoming, Properties};
use super::session::{INCOMING_BYTES_MAX, session};
use crate::{Outcome, TargetError};
use bytes::Bytes;
use rumqttc::{
    ConnAck, ConnectReturnCode, ConnectionError, DisconnectReasonCode, PubAckReason, PublishNoticeError,
    PublishOptions, PublishProperties, PublishResult, QoS, StateError,
};
use rumqttc_v5 as rumqttc;
use std::time::Duration;

session!();

fn tune(options: &mut MqttOptions, settings: &Settings) {
    options.set_clean_start(true).set_outgoing_inflight_upper_limit(settings.inflight);
    options.set_max_packet_size(Some(INCOMING_BYTES_MAX)).set_connect_timeout(CONNECT_WITHIN);
}

/// This crate limits connecting only, and `tune` says by how much.
fn be_patient(_: &mut EventLoop) {}

fn last_will(topic: &str, payload: &Bytes) -> LastWill {
    LastWill::new(topic, payload.to_vec(), QoS::AtLeastOnce, false, None)
}

fn publish_options(properties: Properties) -> PublishOptions {
    PublishOptions::new(QoS::AtLeastOnce).properties(PublishProperties {
        content_type: properties.content_type.map(str::to_owned),
        user_properties: properties.user,
        ..PublishProperties::default()
    })
}

fn terms(answer: &ConnAck) -> Terms {
    let Some(properties) = &answer.properties else { return Terms::default() };
    Terms {
        packet_bytes_max: properties.max_packet_size.map(|bytes| bytes as usize),
        keep_alive: properties.server_keep_alive.filter(|seconds| *seconds > 0).map(|s| Duration::from_secs(s.into())),
    }
}

/// `None`: the connection has ended, and that says why.
fn outcome(result: Result<PublishResult, PublishNoticeError>, topic: &str) -> Option<Result<Outcome, TargetError>> {
    let reason = match result {
        Ok(PublishResult::Qos1(answer)) => answer.reason,
        Err(PublishNoticeError::V5PubAck(reason)) => reason,
        _ => return None,
    };
    Some(match reason {
        PubAckReason::Success | PubAckReason::NoMatchingSubscribers => Ok(Outcome::Delivered),
        PubAckReason::TopicNameInvalid => Ok(Outcome::Refused(format!("the broker does not accept the topic {topic}"))),
        PubAckReason::PayloadFormatInvalid => Ok(Outcome::Refused("the broker does not accept this payload".into())),
        PubAckReason::NotAuthorized => {
            Err(TargetError::Denied(format!("the broker lets this user not publish to {topic}; check its rules")))
        }
        PubAckReason::QuotaExceeded => Err(throttled("the broker's quota is exceeded")),
        PubAckReason::UnspecifiedError
        | PubAckReason::ImplementationSpecificError
        | PubAckReason::PacketIdentifierInUse => {
            Err(TargetError::Away(format!("the broker said {reason:?} to a message")))
        }
    })
}

fn end(error: ConnectionError) -> End {
    match error {
        ConnectionError::ConnectionRefused(code) => us(refused(code)),
        ConnectionError::Io(error)
        | ConnectionError::MqttState(
            StateError::Io(error) | StateError::Deserialization(rumqttc::mqttbytes::Error::Io(error)),
        ) => link_end(&error),
        ConnectionError::Tls(error) => link_end(&error),
        ConnectionError::MqttState(StateError::ConnFail { reason }) => us(refused(reason)),
        ConnectionError::MqttState(StateError::ServerDisconnect { reason_code, reason_string }) => {
            disconnected(reason_code, reason_string)
        }
        error @ (ConnectionError::Timeout(_) | ConnectionError::RequestsDone) => {
            us(TargetError::Away(error.to_string()))
        }
        other => peer(other),
    }
}

fn refused(code: ConnectReturnCode) -> TargetError {
    use ConnectReturnCode as Code;
    let why = match code {
        Code::BadUserNamePassword => "the broker does not know this user or its password",
        Code::NotAuthorized => "the broker does not let this user in; check user, password and its rules",
        Code::Banned => "the broker has banned this client",
        Code::BadClientId | Code::ClientIdentifierNotValid => "the broker does not accept this client id",
        Code::BadAuthenticationMethod => "the broker wants another kind of login",
        Code::RefusedProtocolVersion | Code::UnsupportedProtocolVersion => {
            "the broker does not speak MQTT 5; set `version = 3`"
        }
        Code::TopicNameInvalid => "the broker does not accept the topic of the last will",
        Code::QoSNotSupported => "the broker takes no messages with QoS 1",
        Code::UseAnotherServer | Code::ServerMoved => "the broker has moved; ask for its new address",
        Code::ServerBusy | Code::QuotaExceeded | Code::ConnectionRateExceeded => {
            return throttled("the broker is busy");
        }
        other => return TargetError::Away(format!("the broker took no connection: {other:?}")),
    };
    TargetError::Denied(why.into())
}

fn disconnected(code: DisconnectReasonCode, reason: Option<String>) -> End {
    use DisconnectReasonCode as Code;
    let said = reason.map_or_else(|| format!("{code:?}"), |reason| format!("{code:?}: {reason}"));
    match code {
        Code::NotAuthorized | Code::AdministrativeAction | Code::ServerMoved => {
            us(TargetError::Denied(format!("the broker ended the connection: {said}")))
        }
        Code::SessionTakenOver => {
            us(TargetError::Denied("another client has connected with this client id; give each its own".into()))
        }
        Code::ServerBusy | Code::QuotaExceeded | Code::MessageRateTooHigh | Code::ConnectionRateExceeded => {
            us(throttled(&format!("the broker ended the connection: {said}")))
        }
        Code::ServerShuttingDown | Code::KeepAliveTimeout | Code::MaximumConnectTime | Code::UseAnotherServer => {
            us(TargetError::Away(format!("the broker ended the connection: {said}")))
        }
        _ => peer(format!("the broker ended the connection: {said}")),
    }
}

fn throttled(reason: &str) -> TargetError {
    TargetError::Throttled { after: THROTTLED_FOR, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rumqttc::PubAck;

    fn of(reason: PubAckReason) -> Option<Result<Outcome, TargetError>> {
        let mut answer = PubAck::new(1, None);
        answer.reason = reason;
        outcome(Ok(PublishResult::Qos1(answer)), "a/b")
    }

    #[test]
    fn only_what_says_so_is_delivered() {
        use PubAckReason as Reason;
        assert_eq!(of(Reason::Success), Some(Ok(Outcome::Delivered)));
        assert_eq!(of(Reason::NoMatchingSubscribers), Some(Ok(Outcome::Delivered)));
        for reason in [Reason::TopicNameInvalid, Reason::PayloadFormatInvalid] {
            assert!(matches!(of(reason), Some(Ok(Outcome::Refused(_)))), "{reason:?}");
        }
        for reason in [Reason::UnspecifiedError, Reason::ImplementationSpecificError, Reason::PacketIdentifierInUse] {
            assert!(matches!(of(reason), Some(Err(TargetError::Away(_)))), "{reason:?}");
        }
        assert!(matches!(of(Reason::NotAuthorized), Some(Err(TargetError::Denied(_)))));
        assert!(matches!(of(Reason::QuotaExceeded), Some(Err(TargetError::Throttled { .. }))));
        assert_eq!(outcome(Err(PublishNoticeError::Recv), "a/b"), None, "the end of the connection says why");
    }

    #[test]
    fn what_a_person_must_mend_is_denied_and_what_passes_is_not() {
        use ConnectReturnCode as Code;
        for code in [Code::BadUserNamePassword, Code::NotAuthorized, Code::Banned, Code::ClientIdentifierNotValid] {
            assert!(matches!(refused(code), TargetError::Denied(_)), "{code:?}");
        }
        for code in [Code::ServerBusy, Code::QuotaExceeded, Code::ConnectionRateExceeded] {
            assert!(matches!(refused(code), TargetError::Throttled { .. }), "{code:?}");
        }
        assert!(matches!(refused(Code::ServerUnavailable), TargetError::Away(_)));
    }

    #[test]
    fn a_broker_that_hangs_up_may_mean_a_message_unless_it_says_otherwise() {
        use DisconnectReasonCode as Code;
        assert_eq!(disconnected(Code::PacketTooLarge, None).by, Side::Peer);
        for code in [Code::ServerShuttingDown, Code::SessionTakenOver, Code::MessageRateTooHigh] {
            assert_eq!(disconnected(code, None).by, Side::Us, "{code:?}");
        }
    }
}
