//! One TCP connection with a secure channel on it: questions go out, answers come back by their number.

use super::failure::{self, Failure};
use super::frames::Limits;
use super::messages::Messages;
use super::service::Service;
use crate::config::Endpoint;
use edgeway_sdk::Deadline;
use opcua::client::transport::{
    Connector, RequestRecv, SecureChannelEventLoop, SecureChannelState, TransportConfiguration, TransportPollResult,
};
use opcua::client::{AsyncSecureChannel, SessionRetryPolicy};
use opcua::crypto::{CertificateStore, PrivateKey, SecurityPolicy};
use opcua::sync::RwLock;
use opcua::types::{
    ByteString, ContextOwned, CreateSessionResponse, DateTime, DecodingOptions, EndpointDescription, Error,
    NamespaceMap, NodeId, RequestHeader, StatusCode,
};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

/// The length of a chunk that both sides must be able to take is 8192 bytes (OPC 10000-6, 7.1.2.3); most take more.
const CHUNK_BYTES: usize = 64 * 1024;
const CHUNK_BYTES_LEAST: usize = 8192;
/// After three quarters of this the channel is renewed, along with the next question.
const CHANNEL_LIFETIME: Duration = Duration::from_secs(3600);
/// Headers of a message without security (OPC 10000-6, 6.7.2).
const MESSAGE_BYTES_MIN: usize = 24;
/// The longest signature and the smallest block.
const SECURITY_BYTES_MIN: usize = 48;

/// How a line is opened.
pub(super) struct Opening<'a> {
    pub(super) at: &'a Endpoint,
    /// Security and certificate of the server. Its URL is what the server is told.
    pub(super) endpoint: EndpointDescription,
    pub(super) certificates: Arc<RwLock<CertificateStore>>,
    pub(super) message_bytes_max: usize,
    pub(super) timeout: Duration,
}

/// A connection with a secure channel. It ends when it is dropped.
pub(crate) struct Line {
    pub(super) channel: AsyncSecureChannel,
    state: Arc<SecureChannelState>,
    timeout: Duration,
    /// The driver may have ended it, while the connection still stands.
    end: Arc<End>,
    /// The connection is gone.
    cut: Arc<End>,
    pump: AbortHandle,
}

/// Whether something has ended, and why.
struct End(watch::Sender<Option<Arc<str>>>);

impl End {
    fn reason(&self) -> Option<String> {
        self.0.borrow().as_deref().map(str::to_owned)
    }

    async fn wait(&self) -> String {
        let mut end = self.0.subscribe();
        // The sender is in `self`.
        let ended = end.wait_for(Option::is_some).await;
        ended.ok().and_then(|reason| reason.as_deref().map(str::to_owned)).unwrap_or_default()
    }

    /// The first reason stands.
    fn set(&self, reason: &str) {
        self.0.send_if_modified(|end| {
            let is_first = end.is_none();
            if is_first {
                *end = Some(reason.into());
            }
            is_first
        });
    }
}

impl Line {
    pub(super) async fn open(opening: Opening<'_>, by: Deadline) -> Result<Line, Failure> {
        let Opening { at, endpoint, certificates, message_bytes_max, timeout } = opening;
        let is_secure = endpoint.security_policy_uri.as_ref() != SecurityPolicy::None.to_uri();
        let no_key = |why: String| Failure::Lost(format!("the gateway's private key cannot be read: {why}"));
        let key = match is_secure {
            true => Some(certificates.read().read_own_pkey().map_err(no_key)?),
            false => None,
        };
        let url = endpoint.endpoint_url.to_string();
        let dialer = Dialer { at: at.clone(), url, key, unreached: Mutex::default(), state: Mutex::default() };
        let decoding = decoding(message_bytes_max);
        let transport = TransportConfiguration {
            send_buffer_size: CHUNK_BYTES,
            recv_buffer_size: CHUNK_BYTES,
            max_message_size: decoding.max_message_size,
            max_chunk_count: decoding.max_chunk_count,
        };
        let context = Arc::new(RwLock::new(ContextOwned::new_default(NamespaceMap::new(), decoding)));
        let channel = AsyncSecureChannel::new(
            certificates,
            endpoint.into(),
            SessionRetryPolicy::never(),
            // `Messages` sees to clocks that differ. Times of values are put right again.
            true,
            Arc::default(),
            transport,
            u32::try_from(CHANNEL_LIFETIME.as_millis()).unwrap_or(u32::MAX),
            context,
        );
        let began = Instant::now();
        let opened = timeout_at(by, channel.connect_no_retry(&dialer)).await;
        let opened = opened.map_err(|_| Failure::Late(began.elapsed()))?;
        let events = opened.map_err(|error| Failure::Lost(dialer.no_channel(&error)))?;
        let state = dialer.state.into_inner().expect("there is no connection without it");
        let end = Arc::new(End(watch::Sender::new(None)));
        let cut = Arc::new(End(watch::Sender::new(None)));
        let pump = tokio::spawn(pump(events, Ending { end: end.clone(), cut: cut.clone() })).abort_handle();
        Ok(Line { channel, state, timeout, end, cut, pump })
    }

    /// Asks a question of a session, and waits for its answer.
    pub(crate) async fn ask<Q: Service>(
        &self,
        token: &NodeId,
        question: Q,
        by: Deadline,
    ) -> Result<Q::Answer, Failure> {
        self.ask_within(token, question, by.min(Instant::now() + self.timeout)).await
    }

    /// The same for a question whose answer may take longer than others.
    pub(crate) async fn ask_within<Q: Service>(
        &self,
        token: &NodeId,
        mut question: Q,
        by: Deadline,
    ) -> Result<Q::Answer, Failure> {
        let left = by.saturating_duration_since(Instant::now());
        *question.header() = self.header(token, left);
        let answer = self.guard(by, self.channel.send(question, left)).await?;
        let status = answer.response_header().service_result;
        if status.is_bad() {
            return Err(self.refused(status));
        }
        Q::answer(answer).ok_or_else(|| self.give_up("the server has answered another question than was asked"))
    }

    /// The session is there: what the server has said for it is what its next answer is about.
    pub(super) fn log_in(&self, created: &CreateSessionResponse, server: &ByteString) -> Result<(), Failure> {
        let mut channel = self.state.secure_channel().write();
        let set = channel
            .set_remote_nonce_from_byte_string(&created.server_nonce)
            .and_then(|()| channel.set_remote_cert_from_byte_string(server));
        set.map_err(|error| self.lost(&error))?;
        self.channel.set_auth_token(created.authentication_token.clone());
        Ok(())
    }

    /// Waits for something of this line, but no longer than it makes sense.
    pub(super) async fn guard<T>(
        &self,
        by: Deadline,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Failure> {
        let began = Instant::now();
        let done = tokio::select! {
            // An answer that is here counts, even if the line has ended behind it.
            biased;
            done = timeout_at(by, work) => done.map_err(|_| Failure::Late(began.elapsed()))?,
            reason = self.ended() => return Err(Failure::Lost(reason)),
        };
        done.map_err(|error| match error.status() {
            StatusCode::BadTimeout => Failure::Late(began.elapsed()),
            StatusCode::BadDecodingError => Failure::Unreadable,
            status if failure::is_too_much(status) => Failure::Refused(status),
            _ => self.lost(&error),
        })
    }

    /// The line is of no use any more.
    pub(crate) fn give_up(&self, reason: &str) -> Failure {
        self.end.set(reason);
        Failure::Lost(self.reason().unwrap_or_else(|| reason.into()))
    }

    /// Why the line has ended, if it has.
    pub(crate) fn reason(&self) -> Option<String> {
        self.end.reason()
    }

    /// Waits until the line has ended.
    pub(crate) async fn ended(&self) -> String {
        self.end.wait().await
    }

    /// By how many nanoseconds the server's clock is ahead, as the channel has it: times in answers come with it taken off.
    pub(crate) fn clock_ahead(&self) -> i64 {
        self.channel.encoding_context().read().options().client_offset.num_nanoseconds().unwrap_or_default()
    }

    /// Asks a last question, even if the line was given up. Whatever the answer is, nothing depends on it.
    pub(super) async fn say_farewell<Q: Service>(&self, token: &NodeId, mut question: Q, by: Deadline) {
        if self.cut.reason().is_some() {
            return;
        }
        let left = by.saturating_duration_since(Instant::now());
        *question.header() = self.header(token, left);
        let _ = timeout_at(by, self.channel.send(question, left)).await;
    }

    /// Ends the channel as the standard has it.
    pub(crate) async fn close(&self, by: Deadline) {
        let closing = async {
            self.channel.close_channel().await;
            self.cut.wait().await
        };
        let _ = timeout_at(by, closing).await;
    }

    pub(super) fn refused(&self, status: StatusCode) -> Failure {
        match failure::ends_session(status) {
            true => self.give_up(&format!("the server has ended the session: {}", failure::words(status))),
            false => Failure::Refused(status),
        }
    }

    fn lost(&self, error: &Error) -> Failure {
        match self.reason() {
            Some(reason) => Failure::Lost(reason),
            None => self.give_up(&failure::words(error.status())),
        }
    }

    fn header(&self, token: &NodeId, left: Duration) -> RequestHeader {
        RequestHeader {
            authentication_token: token.clone(),
            timestamp: DateTime::now_with_offset(self.channel.encoding_context().read().options().client_offset),
            request_handle: self.channel.request_handle(),
            timeout_hint: u32::try_from(left.as_millis()).unwrap_or(u32::MAX),
            ..RequestHeader::default()
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

/// Moves messages until the connection ends.
async fn pump<T: opcua::client::transport::Transport>(mut events: SecureChannelEventLoop<T>, ending: Ending) {
    loop {
        if let TransportPollResult::Closed(status) = events.poll().await {
            return ending.set(&closed(status));
        }
    }
}

/// What ends with the connection. A panic of the library ends it too.
struct Ending {
    end: Arc<End>,
    cut: Arc<End>,
}

impl Ending {
    fn set(&self, reason: &str) {
        self.end.set(reason);
        self.cut.set(reason);
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.set("the connection broke down");
    }
}

fn closed(status: StatusCode) -> String {
    match status {
        StatusCode::Good => "the connection was closed".into(),
        StatusCode::BadCommunicationError | StatusCode::BadConnectionClosed => "the server has hung up".into(),
        status => format!("the connection was given up: {}", failure::words(status)),
    }
}

/// How much one message may hold.
pub(super) fn decoding(message_bytes_max: usize) -> DecodingOptions {
    DecodingOptions {
        max_message_size: message_bytes_max,
        max_chunk_count: message_bytes_max.div_ceil(CHUNK_BYTES_LEAST),
        max_string_length: message_bytes_max,
        max_byte_string_length: message_bytes_max,
        max_array_length: message_bytes_max,
        ..DecodingOptions::default()
    }
}

/// Connects to the place it was told, whatever the server calls itself.
struct Dialer {
    at: Endpoint,
    url: String,
    /// The gateway's, with security.
    key: Option<PrivateKey>,
    state: Mutex<Option<Arc<SecureChannelState>>>,
    /// Why there is no connection, in the words of the operating system.
    unreached: Mutex<Option<String>>,
}

impl Dialer {
    async fn dial(&self) -> Result<TcpStream, Error> {
        let nobody = |error: std::io::Error| {
            *self.unreached.lock() = Some(error.to_string());
            Error::new(StatusCode::BadCommunicationError, error)
        };
        let stream = TcpStream::connect((self.at.host.as_str(), self.at.port)).await.map_err(nobody)?;
        // Answers to small questions must not wait for the next ones.
        stream.set_nodelay(true).map_err(nobody)?;
        Ok(stream)
    }

    fn no_channel(&self, error: &Error) -> String {
        let at = &self.at;
        match (self.unreached.lock().as_deref(), error.status()) {
            (Some(why), _) => format!("no connection to {at}: {why}"),
            (None, StatusCode::BadCommunicationError | StatusCode::BadConnectionClosed) => {
                format!("{at} hangs up, or does not speak OPC UA")
            }
            (None, status) => format!("{at} opens no channel: {}", failure::words(status)),
        }
    }
}

impl Connector for Dialer {
    type Transport = Messages;

    async fn connect(
        &self,
        channel: Arc<SecureChannelState>,
        outgoing: RequestRecv,
        config: TransportConfiguration,
    ) -> Result<Self::Transport, Error> {
        *self.state.lock() = Some(channel.clone());
        let security = if self.key.is_some() { SECURITY_BYTES_MIN } else { 0 };
        let limits = Limits { message_min: MESSAGE_BYTES_MIN + security, max: config.recv_buffer_size };
        let messages =
            Messages::begin(self.dial().await?, self.url.clone(), channel, outgoing, &config, limits).await?;
        Ok(messages.with_key(self.key.clone()))
    }

    fn default_endpoint(&self) -> EndpointDescription {
        EndpointDescription::from(self.url.as_str())
    }
}
