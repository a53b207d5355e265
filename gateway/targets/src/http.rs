//! HTTP: one POST for each delivery, and the next one when it is answered, so that order is kept.
//!
//! Each request says which messages it holds: `Idempotency-Key` is the id of the first one, the same however often it is
//! sent, and `Edgeway-Message-Ids` is `FIRST-LAST`. What the answers mean is in `answer`.

mod answer;

use crate::window::Window;
use crate::{Delivery, Opening, Outcome, Target, TargetError, tls};
use answer::Verdict;
use async_trait::async_trait;
use edgeway_site::{HttpAuth, HttpTarget as HttpSite};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Request, Url};
use std::time::Duration;

/// How long connecting may take, TCP and TLS together.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// The most bytes of an answer that are read: the reason of a refusal.
const ANSWER_BYTES_MAX: usize = 512;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const MESSAGE_IDS: HeaderName = HeaderName::from_static("edgeway-message-ids");

/// The HTTP connection of one route.
pub(crate) struct HttpTarget {
    site: HttpSite,
    service: Option<Service>,
    window: Window,
}

/// Where to, and how.
#[derive(Clone)]
struct Service {
    client: Client,
    url: Url,
    headers: HeaderMap,
}

impl HttpTarget {
    pub(crate) fn new(site: &HttpSite) -> Self {
        HttpTarget { site: site.clone(), service: None, window: Window::new(1) }
    }

    async fn send_one(&mut self, delivery: Delivery) -> Result<(), TargetError> {
        self.window.room(0).await?;
        let service = self.service.as_ref().ok_or_else(|| TargetError::Away("not connected".into()))?;
        match service.request(&delivery) {
            Err(outcome) => self.window.push_settled(outcome),
            Ok(request) => {
                // In a task of its own, so that the request goes on while nobody waits for it.
                let task = Task(tokio::spawn(ask(service.client.clone(), request, delivery)));
                self.window.push(0, task.answer());
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Target for HttpTarget {
    /// Reads the certificates anew. Whether the service is there shows with the first request.
    async fn connect(&mut self, _opening: Opening) -> Result<(), TargetError> {
        self.window.clear();
        self.service = Some(Service::new(&self.site)?);
        Ok(())
    }

    async fn send(&mut self, batch: Vec<Delivery>) -> Result<Vec<Outcome>, TargetError> {
        for delivery in batch {
            if let Err(error) = self.send_one(delivery).await {
                self.window.push(0, std::future::ready(Err(error)));
                break;
            }
        }
        self.window.ready()
    }

    async fn settle(&mut self) -> Result<Vec<Outcome>, TargetError> {
        self.window.settle().await
    }

    async fn finish(&mut self) -> Result<Vec<Outcome>, TargetError> {
        self.window.finish().await
    }

    async fn close(&mut self) {
        self.window.clear();
        self.service = None;
    }
}

impl Service {
    fn new(site: &HttpSite) -> Result<Self, TargetError> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls::client(&site.tls)?)
            .connect_timeout(CONNECT_WITHIN)
            .timeout(site.timeout)
            .tcp_user_timeout(site.timeout)
            // A POST that is sent elsewhere may arrive as a GET, or with its password at a stranger.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("edgeway/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| TargetError::Denied(error.to_string()))?;
        let url = Url::parse(&site.url).map_err(|error| TargetError::Denied(format!("{}: {error}", site.url)))?;
        Ok(Service { client, url, headers: headers(site)? })
    }

    fn request(&self, delivery: &Delivery) -> Result<Request, Outcome> {
        let (payload, media_type) = delivery.bytes()?;
        let mut request = Request::new(reqwest::Method::POST, self.url.clone());
        let headers = request.headers_mut();
        headers.clone_from(&self.headers);
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(media_type));
        headers.insert(IDEMPOTENCY_KEY, plain(&delivery.id.to_string()));
        headers.insert(MESSAGE_IDS, plain(&format!("{}-{}", delivery.id, delivery.last_id)));
        *request.body_mut() = Some(payload.into());
        Ok(request)
    }
}

fn headers(site: &HttpSite) -> Result<HeaderMap, TargetError> {
    let mut headers = HeaderMap::new();
    let login = match &site.auth {
        HttpAuth::None => None,
        HttpAuth::Basic { username, password } => Some(basic(username, password.reveal())),
        HttpAuth::Bearer(token) => Some(format!("Bearer {}", token.reveal())),
    };
    if let Some(login) = login {
        headers.insert(AUTHORIZATION, secret("Authorization", &login)?);
    }
    for (name, value) in &site.headers {
        let found: HeaderName =
            name.parse().map_err(|_| TargetError::Denied(format!("`{name}` is not a header's name")))?;
        headers.insert(found, secret(name, value.reveal())?);
    }
    Ok(headers)
}

fn basic(username: &str, password: &str) -> String {
    use base64::Engine;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}")))
}

fn secret(name: &str, value: &str) -> Result<HeaderValue, TargetError> {
    let bad = |_| TargetError::Denied(format!("the value of header `{name}` has a character that no header may have"));
    let mut value = HeaderValue::from_str(value).map_err(bad)?;
    value.set_sensitive(true);
    Ok(value)
}

fn plain(ids: &str) -> HeaderValue {
    HeaderValue::from_str(ids).expect("ids are hexadecimal digits")
}

async fn ask(client: Client, request: Request, delivery: Delivery) -> Result<Outcome, TargetError> {
    let answer = client.execute(request).await.map_err(|error| failed(&error))?;
    match answer::verdict(answer.status(), answer.headers(), std::time::SystemTime::now()) {
        Verdict::Delivered => Ok(Outcome::Delivered),
        Verdict::Refused => {
            let status = answer.status();
            Ok(delivery.refused(format!("the service answered {status}{}", reason(answer).await)))
        }
        Verdict::Failed(error) => Err(error),
    }
}

/// The beginning of what the service says to a refusal.
async fn reason(mut answer: reqwest::Response) -> String {
    let mut body = vec![];
    while body.len() < ANSWER_BYTES_MAX
        && let Ok(Some(chunk)) = answer.chunk().await
    {
        body.extend_from_slice(&chunk);
    }
    body.truncate(ANSWER_BYTES_MAX);
    match String::from_utf8_lossy(&body).trim() {
        "" => String::new(),
        text => format!(": {text}"),
    }
}

fn failed(error: &reqwest::Error) -> TargetError {
    let refusal = tls::refusal(error);
    refusal.unwrap_or_else(|| TargetError::Away(chain(error)))
}

/// An error with its causes, which say more than it does.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// A request under way; it ends when nobody wants to know its outcome any more.
struct Task(tokio::task::JoinHandle<Result<Outcome, TargetError>>);

impl Task {
    async fn answer(mut self) -> Result<Outcome, TargetError> {
        let ended = (&mut self.0).await;
        ended.unwrap_or_else(|error| Err(TargetError::Away(format!("the request ended early: {error}"))))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
