//! MQTT 3.1.1. It has no reasons and no properties: an acknowledgement means that the broker has the message, or that it
//! has dropped it and does not say so.

use super::client::{Incoming, Properties};
use super::session::{INCOMING_BYTES_MAX, session};
use crate::{Outcome, TargetError};
use bytes::Bytes;
use rumqttc::{
    ConnAck, ConnectReturnCode, ConnectionError, PublishNoticeError, PublishOptions, PublishResult, QoS, StateError,
};
use rumqttc_v4 as rumqttc;

session!();

fn tune(options: &mut MqttOptions, settings: &Settings) {
    options.set_clean_session(true).set_inflight(settings.inflight);
    options.set_max_packet_size(INCOMING_BYTES_MAX as usize, usize::MAX);
}

/// This crate limits connecting and each flush by one time. Connecting is limited by whoever calls it, a flush by the
/// pulse, which lets a large publish on a slow link take its time.
fn be_patient(event_loop: &mut EventLoop) {
    event_loop.network_options.set_connection_timeout(u64::from(u32::MAX));
}

fn last_will(topic: &str, payload: &Bytes) -> LastWill {
    LastWill::new(topic, payload.to_vec(), QoS::AtLeastOnce, false)
}

fn publish_options(_: Properties) -> PublishOptions {
    PublishOptions::new(QoS::AtLeastOnce)
}

fn terms(_: &ConnAck) -> Terms {
    Terms::default()
}

/// `None`: the connection has ended, and that says why.
fn outcome(result: Result<PublishResult, PublishNoticeError>, _topic: &str) -> Option<Result<Outcome, TargetError>> {
    result.is_ok().then_some(Ok(Outcome::Delivered))
}

fn end(error: ConnectionError) -> End {
    match error {
        ConnectionError::ConnectionRefused(code) => us(refused(code)),
        ConnectionError::Io(error)
        | ConnectionError::MqttState(
            StateError::Io(error) | StateError::Deserialization(rumqttc::mqttbytes::Error::Io(error)),
        ) => link_end(&error),
        ConnectionError::Tls(error) => link_end(&error),
        error @ (ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout | ConnectionError::RequestsDone) => {
            us(TargetError::Away(error.to_string()))
        }
        other => peer(other),
    }
}

fn refused(code: ConnectReturnCode) -> TargetError {
    let why = match code {
        ConnectReturnCode::BadUserNamePassword => "the broker does not know this user or its password",
        ConnectReturnCode::NotAuthorized => "the broker does not let this user in; check user, password and its rules",
        ConnectReturnCode::BadClientId => "the broker does not accept this client id",
        ConnectReturnCode::RefusedProtocolVersion => "the broker does not speak MQTT 3.1.1; set `version = 5`",
        ConnectReturnCode::ServiceUnavailable | ConnectReturnCode::Success => {
            return TargetError::Away("the broker is not available".into());
        }
    };
    TargetError::Denied(why.into())
}
