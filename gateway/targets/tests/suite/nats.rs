//! nats-server with JetStream, whose files outlive a restart.

mod server;

use crate::mqtt::broker::Certificates;
use crate::peer::{Arrived, Peer, WITHIN, id, look_until, message, open};
use crate::promises::suite;
use crate::route::Route;
use async_trait::async_trait;
use edgeway_formats::Content;
use edgeway_site::{NatsTarget, Secret, TargetKind, TlsFiles};
use edgeway_targets::{Delivery, Opening, Outcome, TargetError};
use server::{PASSWORD, PAYLOAD_BYTES_MAX, Server, USER};
use std::time::Duration;

const STREAM: &str = "SUITE";

struct Nats {
    server: Server,
}

impl Nats {
    async fn new() -> Self {
        Nats { server: Server::start().await }
    }

    fn target(&self, password: &str) -> NatsTarget {
        NatsTarget {
            urls: vec![format!("nats://127.0.0.1:{}", self.server.port)],
            user: Some((USER.into(), Secret::new(password))),
            token: None,
            credentials: None,
            tls: TlsFiles::default(),
            stream: STREAM.into(),
            create: Some(vec!["suite.>".into()]),
            inflight: 100,
        }
    }
}

#[async_trait]
impl Peer for Nats {
    fn site(&self) -> TargetKind {
        TargetKind::Nats(Box::new(self.target(PASSWORD)))
    }

    fn stranger(&self) -> Option<TargetKind> {
        Some(TargetKind::Nats(Box::new(self.target("guess"))))
    }

    fn unwanted(&self, n: u64) -> Option<Delivery> {
        Some(message(n, PAYLOAD_BYTES_MAX))
    }

    async fn restart(&mut self) {
        self.server.restart().await;
    }

    /// What has been acknowledged is in the stream, so there is nothing to wait for.
    async fn arrived(&mut self, _wanted: usize) -> Vec<Arrived> {
        let stored = self.server.stored(STREAM).await;
        stored.iter().map(|message| Arrived::read(&message.payload, header(message, "Nats-Msg-Id"))).collect()
    }
}

fn header(message: &async_nats::jetstream::message::StreamMessage, name: &str) -> Option<String> {
    message.headers.get(name).map(ToString::to_string)
}

suite!(promises_of_nats, Nats::new());

/// The first error of a route with one message.
async fn error(site: NatsTarget, delivery: Delivery) -> TargetError {
    let mut target = open(TargetKind::Nats(Box::new(site)));
    let tried = async {
        target.connect(Opening::default()).await?;
        target.send(vec![delivery]).await?;
        target.settle().await
    };
    let tried = tokio::time::timeout(WITHIN, tried).await.expect("an answer");
    tried.expect_err("it cannot be delivered")
}

#[tokio::test]
async fn a_message_says_what_it_holds() {
    let peer = Nats::new().await;
    let delivery = Delivery { last_id: id(9), messages: 3, topic: "suite/a b/wt.7".into(), ..message(7, 100) };
    Route::new(peer.site()).run([delivery]).await;
    let stored = peer.server.stored(STREAM).await;
    assert_eq!(stored[0].subject.as_str(), "suite.a%20b.wt%2E7");
    let expected = [
        ("Nats-Msg-Id", id(7).to_string()),
        ("Edgeway-Last-Id", id(9).to_string()),
        ("Edgeway-Messages", "3".into()),
        ("Content-Type", "application/json".into()),
    ];
    for (name, value) in expected {
        assert_eq!(header(&stored[0], name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn the_stream_drops_repeats() {
    let mut peer = Nats::new().await;
    let mut route = Route::new(peer.site());
    route.run([message(1, 100), message(2, 100), message(1, 100)]).await;
    assert_eq!(route.settled.len(), 3);
    assert_eq!(peer.arrived(2).await.len(), 2);
}

#[tokio::test]
async fn a_missing_stream_is_denied_and_so_is_a_topic_that_it_does_not_take() {
    let peer = Nats::new().await;
    let missing = error(NatsTarget { create: None, ..peer.target(PASSWORD) }, message(0, 100)).await;
    assert!(matches!(&missing, TargetError::Denied(text) if text.contains("SUITE")), "{missing:?}");
    let untaken = Delivery { topic: "elsewhere/x".into(), ..message(0, 100) };
    let error = error(peer.target(PASSWORD), untaken).await;
    assert!(matches!(&error, TargetError::Denied(text) if text.contains("elsewhere.x")), "{error:?}");
}

#[tokio::test]
async fn no_other_stream_takes_a_message_by_mistake() {
    let peer = Nats::new().await;
    let other = NatsTarget { stream: "OTHER".into(), create: Some(vec!["other.>".into()]), ..peer.target(PASSWORD) };
    Route::new(TargetKind::Nats(Box::new(other))).run([Delivery { topic: "other/x".into(), ..message(0, 100) }]).await;
    let error = error(peer.target(PASSWORD), Delivery { topic: "other/x".into(), ..message(1, 100) }).await;
    assert!(matches!(&error, TargetError::Denied(text) if text.contains("another stream")), "{error:?}");
    assert_eq!(peer.server.stored("OTHER").await.len(), 1);
}

#[tokio::test]
async fn a_user_without_rights_is_denied_and_told_which() {
    let peer = Nats::new().await;
    Route::new(peer.site()).run([message(0, 100)]).await;
    let reader = NatsTarget { user: Some(("reader".into(), Secret::new("reader"))), ..peer.target(PASSWORD) };
    let error = error(reader, message(1, 100)).await;
    assert!(matches!(&error, TargetError::Denied(text) if text.contains("STREAM.INFO")), "{error:?}");
}

#[tokio::test]
async fn a_lost_connection_is_told_at_once_and_the_library_does_not_come_back() {
    let mut peer = Nats::new().await;
    let mut target = open(peer.site());
    target.connect(Opening::default()).await.expect("the server is there");
    let sent = target.send(vec![message(0, 100)]).await.expect("connected");
    let settled = if sent.is_empty() { target.settle().await } else { Ok(sent) };
    assert_eq!(settled, Ok(vec![Outcome::Delivered]));
    peer.server.restart().await;
    let tried = async {
        // The answer to the first may be the error, or the connection may be known to be lost before.
        target.send(vec![message(1, 100)]).await?;
        target.settle().await
    };
    let told = tokio::time::timeout(Duration::from_secs(5), tried).await.expect("at once");
    assert!(matches!(told, Err(TargetError::Away(_))), "{told:?}");
    assert_eq!(peer.server.stored(STREAM).await.len(), 1, "a later connection sends what was not settled");
    look_until(|| peer.server.connections() == 0).await;
    assert_eq!(peer.server.connections(), 0);
}

#[tokio::test]
async fn with_tls_both_ends_show_who_they_are() {
    let certificates = Certificates::new();
    let server = Server::with_tls(&certificates).await;
    let identity = |name: &str| {
        let [cert, key] = ["pem", "key"].map(|end| certificates.path(&format!("{name}.{end}")));
        Some((cert, key))
    };
    let files = |ca: &str, name: &str| TlsFiles { ca: Some(certificates.path(ca)), identity: identity(name) };
    let peer = Nats { server };
    let target = |tls: TlsFiles| {
        let urls = vec![format!("tls://127.0.0.1:{}", peer.server.port)];
        open(TargetKind::Nats(Box::new(NatsTarget { urls, tls, ..peer.target(PASSWORD) })))
    };
    target(files("ca.pem", "gateway")).connect(Opening::default()).await.expect("both are known");
    for (ca, name) in [("stranger.pem", "gateway"), ("ca.pem", "stranger")] {
        let error = target(files(ca, name)).connect(Opening::default()).await;
        assert!(matches!(error, Err(TargetError::Denied(_))), "{ca} {name}: {error:?}");
    }
}

#[tokio::test]
async fn tables_are_refused() {
    let peer = Nats::new().await;
    let empty = arrow_array::RecordBatch::new_empty(arrow_schema::Schema::empty().into());
    let table = edgeway_formats::Table { name: "status".into(), batch: empty };
    let mut route = Route::new(peer.site());
    route.run([Delivery { content: Content::Table(table), ..message(0, 100) }]).await;
    assert!(matches!(route.settled[0].1, Outcome::Refused(_)));
}
