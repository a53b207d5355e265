//! MQTT 5.

mod blank;

use super::life::{Silence, life, next, told};
use super::{Came, Ear, FILTERS_MAX, Gone, Heard, INFLIGHT_MAX, Message, REQUESTS_MAX, Refused, Sent, Settings, Terms};
use crate::config::{Endpoint, Qos, Session};
use edgeway_sdk::Fault;
use edgeway_tls::TlsError;
use rumqttc::{
    AsyncClient, ConnAck, ConnectReturnCode, ConnectionError, DisconnectReasonCode, Event, EventLoop, MqttOptions,
    NetworkOptions, Packet, PubAckReason, PubRecReason, Publish, PublishNoticeError, PublishOptions, PublishProperties,
    PublishResult, QoS, StateError, SubscribeFilter, SubscribeReasonCode, TlsConfiguration, Transport,
};
use rumqttc_v5 as rumqttc;
use std::time::Duration;

life!();

fn tune(options: &mut MqttOptions, settings: &Settings) {
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    options.set_network_options(network);
    options.set_connect_timeout(settings.timeout.max(Duration::from_secs(5)));
    // What is larger the broker leaves out.
    options.set_max_packet_size(Some(settings.packet_bytes_max()));
    match settings.session {
        // The library looks at all that may be under way whenever something has come: without a limit at 65,535 places.
        Session::Clean => _ = options.set_clean_start(true).set_outgoing_inflight_upper_limit(INFLIGHT_MAX),
        // The limit is also that of the packet ids, of which there are to be many: see `blank`.
        Session::Keep(expiry) => {
            let seconds = u32::try_from(expiry.as_secs()).unwrap_or(u32::MAX);
            options.set_clean_start(false).set_session_expiry_interval(Some(seconds));
            options.set_session_store(blank::Blank { client_id: settings.client_id.clone(), expiry_seconds: seconds });
        }
    }
}

/// This library limits connecting alone, and `tune` says by how much.
fn patience(_: &mut EventLoop, _: Duration) {}

fn terms(answer: &ConnAck) -> Terms {
    let properties = answer.properties.as_ref();
    let keep_alive = properties.and_then(|properties| properties.server_keep_alive);
    Terms {
        packet_bytes_max: properties.and_then(|properties| properties.max_packet_size),
        keep_alive: keep_alive.map(|seconds| Duration::from_secs(seconds.into())),
        is_resumed: answer.session_present,
    }
}

fn heard(publish: &Publish) -> Heard<'_> {
    let Publish { topic, payload, retain, properties, .. } = publish;
    let properties = properties.as_ref();
    Heard {
        topic,
        payload,
        came: Came::of(*retain),
        properties: properties.map_or(&[], |properties| &properties.user_properties),
        correlation: properties.and_then(|properties| properties.correlation_data.as_deref()),
    }
}

fn filter_reason(code: &SubscribeReasonCode) -> Option<&'static str> {
    use SubscribeReasonCode as Code;
    Some(match code {
        Code::Success(_) => return None,
        Code::NotAuthorized => "the broker's rules do not allow it",
        Code::TopicFilterInvalid => "the broker does not take this filter",
        Code::QuotaExceeded => "the broker allows no more subscriptions",
        Code::SharedSubscriptionsNotSupported => "the broker has no shared subscriptions; leave `share` out",
        Code::WildcardSubscriptionsNotSupported => "the broker takes no wildcards; leave `subscribe` out",
        _ => "the broker refuses it",
    })
}

fn sending(message: Message) -> PublishOptions {
    let options = PublishOptions::new(qos(message.qos));
    match message.answer {
        None => options,
        Some((topic, data)) => options.properties(PublishProperties {
            response_topic: Some(topic),
            correlation_data: Some(data),
            ..PublishProperties::default()
        }),
    }
}

fn sent(result: Result<PublishResult, PublishNoticeError>) -> Result<Sent, Gone> {
    use PublishNoticeError as Error;
    match result {
        Ok(PublishResult::Qos1(answer)) => Ok(puback(answer.reason)),
        Ok(PublishResult::Qos2PubRecRejected(answer)) => Ok(pubrec(answer.reason)),
        Ok(_) => Ok(Sent::Taken),
        Err(Error::V5PubAck(reason)) => Ok(puback(reason)),
        Err(Error::V5PubRec(reason)) => Ok(pubrec(reason)),
        Err(_) => Err(Gone),
    }
}

fn puback(reason: PubAckReason) -> Sent {
    match reason {
        PubAckReason::Success => Sent::Taken,
        PubAckReason::NoMatchingSubscribers => Sent::Unheard,
        PubAckReason::NotAuthorized => Sent::Refused("the broker's rules do not allow to publish there".into()),
        other => Sent::Refused(format!("the broker does not take the message: {other:?}")),
    }
}

/// The library tells of refusals alone: whether anybody has subscribed, it does not say with QoS 2.
fn pubrec(reason: PubRecReason) -> Sent {
    match reason {
        PubRecReason::NotAuthorized => Sent::Refused("the broker's rules do not allow to publish there".into()),
        other => Sent::Refused(format!("the broker does not take the message: {other:?}")),
    }
}

fn fault(error: ConnectionError, endpoint: &Endpoint) -> Fault {
    match &error {
        ConnectionError::ConnectionRefused(code) => refused(*code, endpoint),
        ConnectionError::MqttState(StateError::ConnFail { reason }) => refused(*reason, endpoint),
        ConnectionError::MqttState(StateError::ServerDisconnect { reason_code, reason_string }) => {
            disconnected(*reason_code, reason_string.as_deref(), endpoint)
        }
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
    let why = match code {
        Code::BadUserNamePassword => "the broker does not know this user or its password",
        Code::NotAuthorized => "the broker does not let us in; check `username` and `password`, and the broker's rules",
        Code::Banned => "the broker has banned us",
        Code::BadClientId | Code::ClientIdentifierNotValid => "the broker does not take this `client_id`",
        Code::BadAuthenticationMethod => "the broker wants another kind of login",
        Code::RefusedProtocolVersion | Code::UnsupportedProtocolVersion => {
            "the broker does not speak MQTT 5; set `version = \"3.1.1\"`"
        }
        Code::UseAnotherServer | Code::ServerMoved => "the broker has moved; ask for its new address",
        other => return Fault::Link(format!("{endpoint}: the broker takes no connection: {other:?}")),
    };
    Fault::Config(format!("{endpoint}: {why}"))
}

fn disconnected(code: DisconnectReasonCode, said: Option<&str>, endpoint: &Endpoint) -> Fault {
    if code == DisconnectReasonCode::SessionTakenOver {
        return Fault::Config(format!("{endpoint}: another client has the same `client_id`; give each its own"));
    }
    let said = said.map(|said| format!(": {said}")).unwrap_or_default();
    Fault::Link(format!("{endpoint}: the broker has ended the connection: {code:?}{said}"))
}
