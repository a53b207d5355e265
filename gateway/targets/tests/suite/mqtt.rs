//! mosquitto.

pub(crate) mod broker;

use crate::peer::{Arrived, Peer, WITHIN, different, id, message, open};
use crate::process::Process;
use crate::promises::suite;
use crate::route::Route;
use async_trait::async_trait;
use broker::{Access, Broker};
use bytes::Bytes;
use edgeway_formats::Content;
use edgeway_site::{
    HttpAuth, HttpTarget, MqttPreset, MqttTarget, MqttVersion, Secret, TargetKind, TlsFiles, Transport,
};
use edgeway_targets::{Delivery, Opening, Outcome, TargetError};
use std::time::Duration;

/// The largest packet that the broker takes, in bytes.
const PACKET_BYTES_MAX: usize = 2 << 20;

struct Mosquitto {
    broker: Broker,
    subscriber: Process,
    version: MqttVersion,
    arrived: Vec<Arrived>,
}

impl Mosquitto {
    async fn new(version: MqttVersion) -> Self {
        let broker = Broker::start(PACKET_BYTES_MAX, Access::Password).await;
        let subscriber = subscriber(&broker).await;
        Mosquitto { broker, subscriber, version, arrived: vec![] }
    }

    fn target(&self, password: &str) -> TargetKind {
        TargetKind::Mqtt(Box::new(target(&self.broker, self.version, password)))
    }
}

fn target(broker: &Broker, version: MqttVersion, password: &str) -> MqttTarget {
    MqttTarget {
        host: "127.0.0.1".into(),
        port: broker.port,
        transport: Transport::Plain,
        version,
        preset: MqttPreset::Generic,
        client_id: "edgeway".into(),
        username: Some("farm".into()),
        password: Some(Secret::new(password)),
        keep_alive: Duration::from_secs(30),
        inflight: 20,
        commands: None,
        replies: None,
    }
}

async fn subscriber(broker: &Broker) -> Process {
    let port = broker.port.to_string();
    let mut subscriber = Process::python("tests/suite/mqtt/subscriber.py", &[&port]);
    assert_eq!(subscriber.line().await, "ready");
    subscriber
}

/// A line of the subscriber.
fn read(line: &str) -> serde_json::Value {
    serde_json::from_str(line).expect("the subscriber speaks JSON")
}

#[async_trait]
impl Peer for Mosquitto {
    fn site(&self) -> TargetKind {
        self.target(broker::PASSWORD)
    }

    fn stranger(&self) -> Option<TargetKind> {
        Some(self.target("guess"))
    }

    fn unwanted(&self, n: u64) -> Option<Delivery> {
        Some(message(n, PACKET_BYTES_MAX))
    }

    async fn restart(&mut self) {
        self.broker.restart().await;
    }

    async fn arrived(&mut self, wanted: usize) -> Vec<Arrived> {
        while different(&self.arrived) < wanted {
            let message = read(&self.subscriber.line().await);
            let id = message["user"]["id"].as_str().map(str::to_owned);
            self.arrived.push(Arrived::read(message["payload"].as_str().expect("text").as_bytes(), id));
        }
        self.arrived.clone()
    }
}

suite!(promises_of_mqtt_5, Mosquitto::new(MqttVersion::V5));
suite!(promises_of_mqtt_3, Mosquitto::new(MqttVersion::V3));

#[tokio::test]
async fn a_message_says_what_it_holds() {
    let mut peer = Mosquitto::new(MqttVersion::V5).await;
    Route::new(peer.site()).run([Delivery { last_id: id(9), messages: 3, ..message(7, 100) }]).await;
    let message = read(&peer.subscriber.line().await);
    assert_eq!(message["topic"], "suite/wt-07");
    assert_eq!(message["qos"], 1);
    assert_eq!(message["retain"], false);
    assert_eq!(message["content_type"], "application/json");
    let user = serde_json::json!({"id": id(7).to_string(), "last-id": id(9).to_string(), "messages": "3"});
    assert_eq!(message["user"], user);
}

#[tokio::test]
async fn the_last_will_is_said_when_the_link_is_lost_and_when_the_gateway_stops() {
    for version in [MqttVersion::V3, MqttVersion::V5] {
        let mut peer = Mosquitto::new(version).await;
        let will = |text: &'static str| Some(("suite/will".into(), Bytes::from(text)));
        let opening = |text| Opening { will: will(text), ..Opening::default() };
        let mut target = open(peer.site());
        target.connect(opening("{\"n\":1,}")).await.expect("the broker is there");
        target.close().await;
        assert_eq!(read(&peer.subscriber.line().await)["payload"], "{\"n\":1,}");
        let mut target = open(peer.site());
        target.connect(opening("{\"n\":2,}")).await.expect("the broker is there");
        drop(target);
        assert_eq!(read(&peer.subscriber.line().await)["payload"], "{\"n\":2,}");
    }
}

#[tokio::test]
async fn what_is_said_on_the_topic_that_the_opening_names_is_heard() {
    for version in [MqttVersion::V3, MqttVersion::V5] {
        let peer = Mosquitto::new(version).await;
        let mut target = open(peer.site());
        target.connect(Opening::default()).await.expect("the broker is there");
        assert!(target.incoming().is_none(), "it did not ask");
        let opening = Opening { listen: Some("suite/said".into()), ..Opening::default() };
        target.connect(opening).await.expect("the broker is there");
        let mut incoming = target.incoming().expect("it asked");
        target.send(vec![Delivery { topic: "suite/said".into(), ..message(3, 100) }]).await.expect("it connects");
        let said = tokio::time::timeout(WITHIN, incoming.recv()).await.expect("in time").expect("a message");
        assert_eq!((said.topic.as_str(), said.payload.len(), said.retained), ("suite/said", 100, false));
        drop(target);
        let end = tokio::time::timeout(WITHIN, incoming.recv()).await.expect("in time");
        assert_eq!(end, None, "it ends with the connection");
    }
}

#[tokio::test]
async fn a_topic_without_rights_is_denied_and_wild_topics_are_refused() {
    let mut peer = Mosquitto::new(MqttVersion::V5).await;
    let mut route = Route::new(peer.site());
    route.run([Delivery { topic: "suite/+".into(), ..message(0, 100) }, message(1, 100)]).await;
    assert!(matches!(route.settled[0].1, Outcome::Refused(_)), "{:?}", route.settled);
    assert_eq!(peer.arrived(1).await[0].n, 1);
    let forbidden = Delivery { topic: "forbidden/wt-07".into(), ..message(2, 100) };
    route.target.send(vec![forbidden]).await.expect("the window is empty");
    let answer = tokio::time::timeout(WITHIN, route.target.settle()).await.expect("an answer");
    assert!(matches!(&answer, Err(TargetError::Denied(reason)) if reason.contains("forbidden/wt-07")), "{answer:?}");
}

#[tokio::test]
async fn certificates_work_both_ways_and_a_strange_authority_is_denied() {
    let certificates = broker::Certificates::new();
    let broker = Broker::start(PACKET_BYTES_MAX, Access::Certificate(&certificates)).await;
    for version in [MqttVersion::V3, MqttVersion::V5] {
        let with = |ca, identity| {
            let identity =
                Some((certificates.path(&format!("{identity}.pem")), certificates.path(&format!("{identity}.key"))));
            let transport = Transport::Tls { ca: Some(certificates.path(ca)), identity };
            TargetKind::Mqtt(Box::new(MqttTarget { transport, username: None, ..target(&broker, version, "") }))
        };
        let mut route = Route::new(with("ca.pem", "gateway"));
        route.run([message(0, 100)]).await;
        assert_eq!((route.errors, &route.settled[0].1), (vec![], &Outcome::Delivered));
        let error = open(with("gateway.pem", "gateway")).connect(Opening::default()).await.expect_err("whom to trust?");
        assert!(matches!(error, TargetError::Denied(_)), "{error:?}");
        let error = open(with("ca.pem", "stranger")).connect(Opening::default()).await.expect_err("a stranger");
        assert!(matches!(error, TargetError::Denied(_)), "{error:?}");
    }
}

/// The broker stands for any server with a certificate: what is said on the connection does not matter here.
#[tokio::test]
async fn http_trusts_the_given_authority_and_no_other() {
    let certificates = broker::Certificates::new();
    let broker = Broker::start(PACKET_BYTES_MAX, Access::Certificate(&certificates)).await;
    let with = |ca: &str| {
        let identity = Some((certificates.path("gateway.pem"), certificates.path("gateway.key")));
        let tls = TlsFiles { ca: Some(certificates.path(ca)), identity };
        let url = format!("https://127.0.0.1:{}/", broker.port);
        TargetKind::Http(Box::new(HttpTarget { url, auth: HttpAuth::None, headers: vec![], tls, timeout: WITHIN }))
    };
    for (ca, is_trusted) in [("ca.pem", true), ("stranger.pem", false)] {
        let mut target = open(with(ca));
        target.connect(Opening::default()).await.expect("the files are there");
        target.send(vec![message(0, 100)]).await.expect("the window is empty");
        let error = target.settle().await.expect_err("it does not speak HTTP");
        assert_eq!(matches!(error, TargetError::Away(_)), is_trusted, "{ca}: {error:?}");
        assert_eq!(matches!(error, TargetError::Denied(_)), !is_trusted, "{ca}: {error:?}");
    }
}

#[tokio::test]
async fn the_example_receiver_drops_repeats_and_keeps_the_order() {
    let peer = Mosquitto::new(MqttVersion::V5).await;
    let port = peer.broker.port.to_string();
    let login = ["--user", broker::USER, "--password", broker::PASSWORD];
    let mut receiver =
        Process::python("examples/receiver.py", &[&["--port", &port, "--topic", "suite/#"], &login[..]].concat());
    assert_eq!(receiver.line().await, "ready");
    let mut route = Route::new(peer.site());
    route.run([0, 1, 2, 1, 2, 3].map(|n| message(n, 50))).await;
    let several = r#"[{"n":3,"id":"a"},{"n":4,"id":"b"},{"n":5,"id":"b"}]"#;
    let content = Content::Bytes(several.into(), "application/json");
    route.run([Delivery { messages: 3, last_id: id(5), content, ..message(3, 0) }]).await;
    for n in [0, 1, 2, 3, 3, 4] {
        assert_eq!(read(&receiver.line().await)["n"], n);
    }
}
