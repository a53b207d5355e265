//! The connections to a server: one question, one whole answer, by a deadline.

mod answer;
mod counters;
mod failure;
mod pace;
mod probe;
mod token;

pub(crate) use answer::Answer;
pub(crate) use counters::{Counter, Counters};
pub(crate) use failure::Failure;

use crate::config::{ClientOptions, Login, same_origin};
use answer::moved_to;
use edgeway_sdk::Deadline;
use edgeway_sdk::options::duration::show;
use pace::Pace;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Request, StatusCode, Url};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use token::Tokens;
use tokio::time::{Instant, timeout_at};

/// What is asked.
#[derive(Clone)]
pub(crate) struct Question<'q> {
    pub(crate) method: reqwest::Method,
    pub(crate) url: &'q Url,
    pub(crate) headers: &'q HeaderMap,
    /// What we have already.
    pub(crate) unless: Option<(HeaderName, HeaderValue)>,
    /// With its media type.
    pub(crate) body: Option<(&'q [u8], &'static str)>,
}

impl<'q> Question<'q> {
    /// Asks for what is there.
    pub(crate) fn get(url: &'q Url, headers: &'q HeaderMap) -> Self {
        Question { method: reqwest::Method::GET, url, headers, unless: None, body: None }
    }

    /// Sends something.
    pub(crate) fn send(
        method: impl Into<reqwest::Method>,
        url: &'q Url,
        headers: &'q HeaderMap,
        body: Option<(&'q [u8], &'static str)>,
    ) -> Self {
        Question { method: method.into(), url, headers, unless: None, body }
    }

    fn request(&self, url: Url) -> Request {
        let mut request = Request::new(self.method.clone(), url);
        let headers = request.headers_mut();
        headers.clone_from(self.headers);
        if let Some((name, value)) = &self.unless {
            headers.insert(name, value.clone());
        }
        if let Some((body, media_type)) = self.body {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(media_type));
            *request.body_mut() = Some(body.to_vec().into());
        }
        request
    }
}

/// The connections to a server.
pub(crate) struct Wire {
    options: ClientOptions,
    session: Mutex<Option<Arc<Session>>>,
    pace: Pace,
    counters: Counters,
}

/// What lasts from `connect` to `close`.
struct Session {
    client: Client,
    tokens: Option<Tokens>,
}

impl Wire {
    pub(crate) fn new(options: ClientOptions) -> Self {
        let pace = Pace::new(options.pause);
        Wire { options, session: Mutex::default(), pace, counters: Counters::default() }
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Reads the certificates anew, sees whether the server is there and whom it says it is, and asks for a token.
    ///
    /// # Errors
    /// [`Failure::Files`] or [`Failure::Unreached`].
    pub(crate) async fn connect(&self, by: Deadline) -> Result<(), Failure> {
        self.close();
        let tls = edgeway_tls::client(&self.options.files).map_err(|error| Failure::Files(error.to_string()))?;
        probe::run(&self.options, &tls, by).await?;
        let tokens = match &self.options.login {
            Login::OAuth(oauth) => Some(Tokens::new(oauth, &self.options)?),
            Login::Nobody | Login::Fixed(_) => None,
        };
        if let Some(tokens) = &tokens {
            tokens.current(by).await?;
        }
        let session = Session { client: client(&self.options, tls)?, tokens };
        *self.held() = Some(Arc::new(session));
        Ok(())
    }

    /// Closes all connections that nobody uses.
    pub(crate) fn close(&self) {
        *self.held() = None;
    }

    /// Asks. What the answer says is not looked at, apart from where it sends us and how long it wants to be left alone.
    ///
    /// # Errors
    /// A [`Failure`], which says whether anything was sent.
    pub(crate) async fn ask(&self, question: &Question<'_>, by: Deadline) -> Result<Answer, Failure> {
        let session = self.held().clone().ok_or_else(|| Failure::Unreached("not connected".into()))?;
        self.ask_as_somebody(&session, question, by).await
    }

    /// A token that is refused is renewed once: it may have been taken back.
    async fn ask_as_somebody(
        &self,
        session: &Session,
        question: &Question<'_>,
        by: Deadline,
    ) -> Result<Answer, Failure> {
        let Some(tokens) = &session.tokens else {
            let login = match &self.options.login {
                Login::Fixed(login) => Some(login.clone()),
                Login::Nobody | Login::OAuth(_) => None,
            };
            return self.follow(session, question, login, by).await;
        };
        let token = tokens.current(by).await?;
        let answer = self.follow(session, question, Some(token.clone()), by).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        self.counters.tokens_refused.add();
        let token = tokens.renewed(&token, by).await?;
        self.follow(session, question, Some(token), by).await
    }

    /// Goes where the server sends us, on the server alone: nobody else is to see our login. What changes something is not
    /// sent a second time.
    async fn follow(
        &self,
        session: &Session,
        question: &Question<'_>,
        login: Option<HeaderValue>,
        by: Deadline,
    ) -> Result<Answer, Failure> {
        let (mut moved, mut left) = (None, self.options.redirects_max);
        loop {
            let url = moved.as_ref().unwrap_or(question.url);
            let mut request = question.request(url.clone());
            if let Some(login) = &login {
                request.headers_mut().insert(AUTHORIZATION, login.clone());
            }
            let answer = self.send(session, request, url, by).await?;
            let Some(to) = moved_to(&answer, url).filter(|_| question.method.is_safe()) else { return Ok(answer) };
            if !same_origin(&to, &self.options.base) {
                return Err(Failure::Broken(format!("{url} has moved to {to} (change `endpoint`)")));
            }
            left = left.checked_sub(1).ok_or_else(|| self.circles(question))?;
            moved = Some(to);
        }
    }

    /// Sends one request when it is our turn, and takes to heart what its answer says of the next.
    async fn send(&self, session: &Session, request: Request, url: &Url, by: Deadline) -> Result<Answer, Failure> {
        self.pace.wait(by).await?;
        self.counters.requests.add();
        let by = by.min(Instant::now() + self.options.timeout);
        let answer = Answer::receive(&session.client, request, url, self.options.body_bytes_max);
        match timeout_at(by, answer).await {
            Ok(answer) => answer.inspect(|answer| self.pace.heed(answer)),
            Err(_) => {
                self.counters.timeouts.add();
                Err(Failure::Silent(format!("{url} did not answer within {}", show(self.options.timeout))))
            }
        }
    }

    fn circles(&self, question: &Question<'_>) -> Failure {
        let most = self.options.redirects_max;
        Failure::Broken(format!("{} leads in circles: more than {most} redirections", question.url))
    }

    fn held(&self) -> MutexGuard<'_, Option<Arc<Session>>> {
        self.session.lock().expect("no thread panics while it holds this lock")
    }
}

fn client(options: &ClientOptions, tls: tokio_rustls::rustls::ClientConfig) -> Result<Client, Failure> {
    let kept = if options.idle.is_zero() { 0 } else { usize::from(options.in_flight) };
    Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(options.connect_timeout)
        .pool_idle_timeout(options.idle.max(Duration::from_millis(1)))
        .pool_max_idle_per_host(kept)
        .redirect(reqwest::redirect::Policy::none())
        // Those of the environment are for other programs: our login goes to the server alone.
        .no_proxy()
        .retry(reqwest::retry::never())
        .user_agent(concat!("edgeway/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| Failure::Files(failure::chain(&error)))
}
