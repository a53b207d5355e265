//! MQTT 3.1.1. It has no reasons and no properties: what is acknowledged may have been dropped all the same.

use super::life::{Silence, life, next, told};
use super::{Came, Ear, FILTERS_MAX, Gone, Heard, INFLIGHT_MAX, Message, REQUESTS_MAX, Refused, Sent, Settings, Terms};
use crate::config::{Endpoint, Qos, Session};
use edgeway_sdk::Fault;
use edgeway_tls::TlsError;
use rumqttc::{
    AsyncClient, ConnAck, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, NetworkOptions, Packet,
    Publish, PublishNoticeError, PublishOptions, PublishResult, QoS, StateError, SubscribeFilter, SubscribeReasonCode,
    TlsConfiguration, Transport,
};
use rumqttc_v4 as rumqttc;
use std::time::Duration;

/// This version cannot say how large a packet may be, and a larger one ends the connection, so it is not the setting.
const PACKET_BYTES_MAX: usize = 32 << 20;

life!();

fn tune(options: &mut MqttOptions, settings: &Settings) {
    options.set_clean_session(settings.session == Session::Clean).set_inflight(INFLIGHT_MAX);
    options.set_max_packet_size(PACKET_BYTES_MAX.max(settings.packet_bytes_max() as usize), usize::MAX);
}

/// Limits connecting and each flush.
fn patience(events: &mut EventLoop, timeout: Duration) {
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    network.set_connection_timeout(timeout.as_secs().max(5));
    events.network_options = network;
}

fn terms(answer: &ConnAck) -> Terms {
    Terms { is_resumed: answer.session_present, ..Terms::default() }
}

fn heard(publish: &Publish) -> Heard<'_> {
    let Publish { topic, payload, retain, .. } = publish;
    Heard { topic, payload, came: Came::of(*retain), properties: &[], correlation: None }
}

fn filter_reason(code: &SubscribeReasonCode) -> Option<&'static str> {
    matches!(code, SubscribeReasonCode::Failure).then_some("the broker refuses it")
}

fn sending(message: Message) -> PublishOptions {
    PublishOptions::new(qos(message.qos))
}

fn sent(result: Result<PublishResult, PublishNoticeError>) -> Result<Sent, Gone> {
    result.map(|_| Sent::Taken).map_err(|_| Gone)
}

fn fault(error: ConnectionError, endpoint: &Endpoint) -> Fault {
    match &error {
        ConnectionError::ConnectionRefused(code) => refused(*code, endpoint),
        ConnectionError::MqttState(StateError::ConnectionAborted) => Fault::Link(format!(
            "{endpoint}: the broker has closed the connection (if it always does, another client may have the same `client_id`)"
        )),
        ConnectionError::MqttState(StateError::AwaitPingResp) => {
            Fault::Link(format!("{endpoint}: a ping was not answered"))
        }
        ConnectionError::MqttState(StateError::Deserialization(rumqttc::mqttbytes::Error::Io(error))) => {
            broken(error, endpoint)
        }
        ConnectionError::MqttState(StateError::Deserialization(error)) => {
            Fault::Link(format!("{endpoint}: a packet makes no sense: {error}"))
        }
        error => broken(error, endpoint),
    }
}

fn refused(code: ConnectReturnCode, endpoint: &Endpoint) -> Fault {
    use ConnectReturnCode as Code;
    let config = |why: &str| Fault::Config(format!("{endpoint}: {why}"));
    match code {
        Code::BadUserNamePassword => config("the broker does not know this user or its password"),
        Code::NotAuthorized => {
            config("the broker does not let us in; check `username` and `password`, and the broker's rules")
        }
        Code::BadClientId => config("the broker does not take this `client_id`"),
        Code::RefusedProtocolVersion => config("the broker does not speak MQTT 3.1.1; try `version = \"5\"`"),
        Code::ServiceUnavailable | Code::Success => Fault::Link(format!("{endpoint}: the broker is not available")),
    }
}
