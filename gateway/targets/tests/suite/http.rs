//! A web service of the test's own.

mod server;

use crate::peer::{Arrived, Peer, WITHIN, different, id, look_until, message, open};
use crate::promises::suite;
use crate::route::Route;
use async_trait::async_trait;
use edgeway_site::{HttpAuth, HttpTarget, Secret, TargetKind, TlsFiles};
use edgeway_targets::{Delivery, Opening, Outcome, TargetError};
use server::{Answer, Request, Server};
use std::time::{Duration, Instant};

/// The largest body that the service takes, in bytes.
const BODY_BYTES_MAX: usize = 2 << 20;

struct Service {
    server: Server,
}

impl Service {
    async fn new() -> Self {
        Self::with(|request| match request {
            request if request.header("authorization") != Some("Bearer s3cret") => Answer::status(401),
            request if request.body.len() > BODY_BYTES_MAX => Answer::status(413),
            _ => Answer::status(202),
        })
        .await
    }

    async fn with(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Service { server: Server::start(answer).await }
    }

    fn target(&self, auth: HttpAuth) -> HttpTarget {
        let url = format!("http://127.0.0.1:{}/ingest", self.server.port);
        let headers = vec![("X-Plant".to_owned(), Secret::new("north"))];
        HttpTarget { url, auth, headers, tls: TlsFiles::default(), timeout: Duration::from_secs(10) }
    }

    fn read(&self) -> Vec<Arrived> {
        let taken = self.server.requests().into_iter().filter(|request| request.status < 300);
        taken
            .map(|request| Arrived::read(&request.body, request.header("idempotency-key").map(str::to_owned)))
            .collect()
    }
}

#[async_trait]
impl Peer for Service {
    fn site(&self) -> TargetKind {
        TargetKind::Http(Box::new(self.target(HttpAuth::Bearer(Secret::new("s3cret")))))
    }

    fn stranger(&self) -> Option<TargetKind> {
        Some(TargetKind::Http(Box::new(self.target(HttpAuth::Bearer(Secret::new("guess"))))))
    }

    fn unwanted(&self, n: u64) -> Option<Delivery> {
        Some(message(n, BODY_BYTES_MAX + 1))
    }

    async fn restart(&mut self) {
        self.server.restart().await;
    }

    async fn arrived(&mut self, wanted: usize) -> Vec<Arrived> {
        look_until(|| different(&self.read()) >= wanted).await;
        self.read()
    }
}

suite!(promises_of_http, Service::new());

#[tokio::test]
async fn a_request_says_what_it_holds_and_who_sends_it() {
    let service = Service::with(|_| Answer::status(200)).await;
    let login = HttpAuth::Basic { username: "farm".into(), password: Secret::new("pass:word") };
    let mut route = Route::new(TargetKind::Http(Box::new(service.target(login))));
    route.run([Delivery { last_id: id(9), messages: 3, ..message(7, 100) }]).await;
    let request = &service.server.requests()[0];
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/ingest"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("authorization"), Some("Basic ZmFybTpwYXNzOndvcmQ="));
    assert_eq!(request.header("x-plant"), Some("north"));
    assert_eq!(request.header("idempotency-key"), Some(id(7).to_string().as_str()));
    assert_eq!(request.header("edgeway-message-ids"), Some(format!("{}-{}", id(7), id(9)).as_str()));
}

#[tokio::test]
async fn a_throttled_route_hears_how_long_to_wait_and_sends_the_same_again() {
    let first = std::sync::atomic::AtomicBool::new(true);
    let service = Service::with(move |_| match first.swap(false, std::sync::atomic::Ordering::Relaxed) {
        true => Answer::status(429).with("Retry-After", "1"),
        false => Answer::status(200),
    })
    .await;
    let mut route = Route::new(service.site());
    let start = Instant::now();
    route.run([message(0, 100), message(1, 100)]).await;
    assert!(start.elapsed() >= Duration::from_secs(1));
    let throttled = |error: &TargetError| matches!(error, TargetError::Throttled { after, .. } if after.as_secs() == 1);
    assert!(route.errors.len() == 1 && throttled(&route.errors[0]), "{:?}", route.errors);
    let keys: Vec<_> =
        service.server.requests().iter().map(|request| request.header("idempotency-key").map(str::to_owned)).collect();
    assert_eq!(keys, [0, 0, 1].map(|n| Some(id(n).to_string())));
}

#[tokio::test]
async fn a_refusal_says_what_the_service_said() {
    let service = Service::with(|_| Answer::status(422).saying("no such model")).await;
    let mut route = Route::new(service.site());
    route.run([message(0, 100)]).await;
    let Outcome::Refused(reason) = &route.settled[0].1 else { panic!("{:?}", route.settled) };
    assert!(reason.contains("422") && reason.contains("no such model"), "{reason}");
}

#[tokio::test]
async fn a_service_that_never_answers_is_away_after_the_timeout() {
    let service = Service::with(|_| Answer::Never).await;
    let mut target = open(TargetKind::Http(Box::new(HttpTarget {
        timeout: Duration::from_millis(200),
        ..service.target(HttpAuth::None)
    })));
    target.connect(Opening::default()).await.expect("nothing is asked yet");
    target.send(vec![message(0, 100)]).await.expect("the window is empty");
    let error = tokio::time::timeout(WITHIN, target.settle()).await.expect("a timeout").expect_err("no answer");
    assert!(matches!(error, TargetError::Away(_)), "{error:?}");
}

#[tokio::test]
async fn a_redirection_is_not_followed() {
    let service = Service::with(|_| Answer::status(307).with("Location", "http://127.0.0.1:9/elsewhere")).await;
    let mut target = open(service.site());
    target.connect(Opening::default()).await.expect("nothing is asked yet");
    target.send(vec![message(0, 100)]).await.expect("the window is empty");
    let error = target.settle().await.expect_err("moved");
    assert!(matches!(&error, TargetError::Denied(reason) if reason.contains("/elsewhere")), "{error:?}");
}
