//! Kafka's protocol, as librdkafka's mock cluster speaks it.

use crate::peer::{Arrived, Peer, WITHIN, different, id, message, open};
use crate::process::Process;
use crate::promises::suite;
use crate::route::Route;
use async_trait::async_trait;
use edgeway_site::{KafkaTarget, Secret, TargetKind};
use edgeway_targets::{Delivery, Opening, Outcome, TargetError};
use serde_json::Value;

/// More than the client sends, in bytes.
const TOO_MANY_BYTES: usize = (16 << 20) + 1;

struct Kafka {
    cluster: Process,
    broker: String,
    compression: &'static str,
    arrived: Vec<Arrived>,
}

impl Kafka {
    async fn new(compression: &'static str) -> Self {
        let mut cluster = Process::python("tests/suite/kafka/cluster.py", &["suite.wt-07"]);
        let broker = cluster.line().await;
        Kafka { cluster, broker, compression, arrived: vec![] }
    }

    fn target(&self) -> KafkaTarget {
        let compression = self.compression.into();
        KafkaTarget { brokers: vec![self.broker.clone()], sasl: None, tls: None, compression }
    }

    async fn read(&mut self) -> Value {
        serde_json::from_str(&self.cluster.line().await).expect("the cluster speaks JSON")
    }
}

#[async_trait]
impl Peer for Kafka {
    fn site(&self) -> TargetKind {
        TargetKind::Kafka(Box::new(self.target()))
    }

    fn unwanted(&self, n: u64) -> Option<Delivery> {
        Some(message(n, TOO_MANY_BYTES))
    }

    /// The cluster has everything in memory, so it can only be stopped in its tracks for a moment.
    async fn restart(&mut self) {
        self.cluster.signal("STOP").await;
        self.cluster.signal("CONT").await;
    }

    async fn arrived(&mut self, wanted: usize) -> Vec<Arrived> {
        while different(&self.arrived) < wanted {
            let message = self.read().await;
            let payload = message["payload"].as_str().expect("text").as_bytes();
            self.arrived.push(Arrived::read(payload, message["headers"]["edgeway-id"].as_str().map(str::to_owned)));
        }
        self.arrived.clone()
    }
}

suite!(promises_of_kafka, Kafka::new("none"));
suite!(promises_of_kafka_with_zstd, Kafka::new("zstd"));

#[tokio::test]
async fn a_message_says_what_it_holds() {
    let mut peer = Kafka::new("lz4").await;
    Route::new(peer.site()).run([Delivery { last_id: id(9), messages: 3, ..message(7, 100) }]).await;
    let message = peer.read().await;
    assert_eq!(message["key"], "wt-07");
    let (id, last) = (id(7).to_string(), id(9).to_string());
    let headers = serde_json::json!({
        "edgeway-id": id, "edgeway-last-id": last, "edgeway-messages": "3", "content-type": "application/json"
    });
    assert_eq!(message["headers"], headers);
}

#[tokio::test]
async fn messages_of_a_device_stay_in_one_partition() {
    let mut peer = Kafka::new("none").await;
    Route::new(peer.site()).run((0..50).map(|n| message(n, 100))).await;
    let first = peer.read().await["partition"].clone();
    for _ in 1..50 {
        assert_eq!(peer.read().await["partition"], first);
    }
}

#[tokio::test]
async fn a_broker_that_says_nothing_for_long_is_away_and_what_it_took_is_repeated_in_order() {
    let mut peer = Kafka::new("none").await;
    let mut route = Route::new(peer.site());
    route.run((0..10).map(|n| message(n, 100))).await;
    peer.cluster.signal("STOP").await;
    route.send((10..60).map(|n| message(n, 100))).await;
    // The target's patience is measured in time that passes at once.
    tokio::time::pause();
    let silence = route.target.settle().await;
    tokio::time::resume();
    assert!(matches!(&silence, Err(TargetError::Away(text)) if text.contains("no answer")), "{silence:?}");
    peer.cluster.signal("CONT").await;
    route.note(silence).await;
    route.run((60..70).map(|n| message(n, 100))).await;
    let mut seen = std::collections::HashSet::new();
    let first: Vec<_> = peer.arrived(70).await.into_iter().filter(|message| seen.insert(message.n)).collect();
    assert_eq!(first.iter().map(|message| message.n).collect::<Vec<_>>(), (0..70).collect::<Vec<_>>());
}

async fn connected(site: KafkaTarget) -> Result<(), TargetError> {
    let mut target = open(TargetKind::Kafka(Box::new(site)));
    tokio::time::timeout(WITHIN, target.connect(Opening::default())).await.expect("an answer")
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_away() {
    let nobody = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port").local_addr().expect("bound");
    let site = KafkaTarget { brokers: vec![nobody.to_string()], sasl: None, tls: None, compression: "none".into() };
    let error = connected(site).await;
    assert!(matches!(&error, Err(TargetError::Away(text)) if text.contains("refused")), "{error:?}");
}

#[tokio::test]
async fn what_this_build_cannot_speak_is_denied() {
    let login = |mechanism: &str| Some((mechanism.to_owned(), "farm".to_owned(), Secret::new("s3cret")));
    let brokers = vec!["127.0.0.1:1".to_owned()];
    let scram = KafkaTarget {
        brokers,
        sasl: login("SCRAM-SHA-256"),
        tls: Some(Default::default()),
        compression: "none".into(),
    };
    let error = connected(scram).await;
    assert!(matches!(&error, Err(TargetError::Denied(text)) if text.contains("TLS")), "{error:?}");
}

#[tokio::test]
async fn a_topic_that_cannot_be_is_refused() {
    let peer = Kafka::new("none").await;
    let mut route = Route::new(peer.site());
    let long = Delivery { topic: "x".repeat(250), ..message(0, 10) };
    route.run([long, Delivery { topic: String::new(), ..message(1, 10) }, message(2, 10)]).await;
    let outcomes: Vec<_> = route.settled.iter().map(|(_, outcome)| outcome == &Outcome::Delivered).collect();
    assert_eq!(outcomes, [false, false, true]);
}
