//! A session with a server: made anew after every loss, and never repaired.

mod answer;
mod browse;
mod endpoint;
mod failure;
mod frames;
mod limits;
mod line;
mod messages;
mod nodes;
mod opening;
mod ranges;
mod service;
mod trust;
mod types;

pub(crate) use browse::{children, parents, walk};
pub(crate) use endpoint::policy_of;
pub(crate) use failure::{Failure, is_too_much, words};
pub(crate) use limits::Limits;
pub(crate) use nodes::Namespaces;
pub(crate) use types::{Definition, Types, builtin, definition, standard};

use crate::config::{ClearText, Identity, LinkOptions, NodeAddress, Policy};
use edgeway_sdk::{Deadline, Fault, Timestamp};
use endpoint::Secrecy;
use line::{Line, Opening};
use opcua::client::services::ActivateSession;
use opcua::client::{IdentityToken, UARequest};
use opcua::crypto::{CertificateStore, X509, random, verify_signature_data};
use opcua::sync::RwLock;
use opcua::types::{
    ApplicationDescription, AttributeId, ByteString, CloseSessionRequest, CreateSessionRequest, CreateSessionResponse,
    DataValue, EndpointDescription, FindServersRequest, GetEndpointsRequest, NodeId, ReadRequest, ReadValueId,
    TimestampsToReturn, VariableId,
};
use parking_lot::Mutex;
use ranges::Ranges;
use service::Service;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};
use trust::{Expected, Trust};

/// A session is closed within this, or left to the server to forget.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);
const NONCE_BYTES: usize = 32;
/// No server is asked for its state more often than this, whatever it says of its patience.
const KEEP_ALIVE_MIN: Duration = Duration::from_secs(1);
/// A session is given up after so many keep-alives without an answer.
const PATIENCE_KEEP_ALIVES: u32 = 3;
/// How often a server is asked for a namespace that it does not have.
const NAMESPACES_EVERY: Duration = Duration::from_secs(60);

/// A session. Closed with `close`; if it is only dropped, the server forgets it after `session_timeout`.
pub(crate) struct Session {
    live: Arc<Live>,
    keep_alive: AbortHandle,
    pub(crate) limits: Limits,
    namespaces: Mutex<Known>,
    pub(crate) types: Types,
    pub(crate) ranges: Ranges,
    /// What the server says of itself.
    pub(crate) identity: Vec<(String, String)>,
}

/// The namespaces of a server, and when it was asked for more of them.
struct Known {
    namespaces: Namespaces,
    asked_again: Option<Instant>,
}

/// What of a session the tasks that belong to it share.
pub(crate) struct Live {
    line: Line,
    token: NodeId,
    /// How long the server keeps the session if it hears nothing, as it says itself.
    timeout: Duration,
}

impl Session {
    /// Connects, checks who the server is, and says who the gateway is.
    ///
    /// # Errors
    /// [`Fault::Config`] for files of the gateway's own that cannot be used; else [`Fault::Link`].
    pub(crate) async fn open(options: &LinkOptions, by: Deadline) -> Result<Session, Fault> {
        let live = Arc::new(Opener::new(options).await?.open(by).await?);
        let opened = async {
            let limits = Limits::read(&live, by).await?;
            let identity = limits::identity(&live, by).await?;
            Ok((limits, identity, Namespaces::read(&live, by).await?))
        };
        match opened.await {
            Ok((limits, identity, namespaces)) => {
                // The server's patience may be shorter than what it was asked for.
                let every = options.keep_alive.min(live.timeout / 2).max(KEEP_ALIVE_MIN);
                let keep_alive = tokio::spawn(keep_alive(live.clone(), every, options.keep_alive)).abort_handle();
                let namespaces = Mutex::new(Known { namespaces, asked_again: None });
                let types = Types::within(line::decoding(options.message_bytes_max));
                Ok(Session { live, keep_alive, limits, namespaces, types, ranges: Ranges::default(), identity })
            }
            Err(failure) => {
                live.close(by).await;
                Err(Failure::of_connect(failure))
            }
        }
    }

    /// What tasks of the session need.
    pub(crate) fn live(&self) -> Arc<Live> {
        self.live.clone()
    }

    pub(crate) async fn ask<Q: Service>(&self, question: Q, by: Deadline) -> Result<Q::Answer, Failure> {
        self.live.ask(question, by).await
    }

    pub(crate) fn namespaces(&self) -> Namespaces {
        self.namespaces.lock().namespaces.clone()
    }

    /// The node of an address; `None` if the server does not have its namespace, not even now.
    pub(crate) async fn node(&self, address: &NodeAddress, by: Deadline) -> Option<NodeId> {
        match self.namespaces().node(address) {
            Some(node) => Some(node),
            None => self.look_for_namespaces(by).await.node(address),
        }
    }

    /// Asks the server again which namespaces it has, unless it was asked a short while ago: some register theirs when they
    /// are listening already.
    pub(crate) async fn look_for_namespaces(&self, by: Deadline) -> Namespaces {
        let is_due = {
            let mut known = self.namespaces.lock();
            let is_due = known.asked_again.is_none_or(|at| at.elapsed() >= NAMESPACES_EVERY);
            if is_due {
                known.asked_again = Some(Instant::now());
            }
            is_due
        };
        if is_due && let Ok(namespaces) = Namespaces::read(&self.live, by).await {
            self.namespaces.lock().namespaces = namespaces;
        }
        self.namespaces()
    }

    /// The server forgets the session and its subscriptions at once.
    pub(crate) async fn close(&self, by: Deadline) {
        self.keep_alive.abort();
        self.live.close(by).await;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.keep_alive.abort();
    }
}

impl Live {
    pub(crate) async fn ask<Q: Service>(&self, question: Q, by: Deadline) -> Result<Q::Answer, Failure> {
        self.line.ask(&self.token, question, by).await
    }

    /// Asks what may take longer than the link's timeout.
    pub(crate) async fn ask_within<Q: Service>(&self, question: Q, by: Deadline) -> Result<Q::Answer, Failure> {
        self.line.ask_within(&self.token, question, by).await
    }

    /// Reads nodes, one value for each.
    pub(crate) async fn read(&self, nodes: Vec<ReadValueId>, by: Deadline) -> Result<Vec<DataValue>, Failure> {
        let count = nodes.len();
        let question = ReadRequest {
            timestamps_to_return: TimestampsToReturn::Both,
            nodes_to_read: Some(nodes),
            ..ReadRequest::default()
        };
        let results = self.ask(question, by).await?.results.unwrap_or_default();
        match results.len() == count {
            true => Ok(results),
            false => Err(self.give_up(&format!("the server has given {} values for {count} nodes", results.len()))),
        }
    }

    pub(crate) fn give_up(&self, reason: &str) -> Failure {
        self.line.give_up(reason)
    }

    pub(crate) async fn ended(&self) -> String {
        self.line.ended().await
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.line.reason().is_some()
    }

    /// By how many nanoseconds the times in answers are too early.
    pub(crate) fn clock_ahead(&self) -> i64 {
        self.line.clock_ahead()
    }

    async fn close(&self, by: Deadline) {
        let by = by.min(Instant::now() + CLOSE_WITHIN);
        let question = CloseSessionRequest { delete_subscriptions: true, ..CloseSessionRequest::default() };
        self.line.say_farewell(&self.token, question, by).await;
        self.line.close(by).await;
    }
}

/// Asks the server for its state now and then: it keeps the session, and a server that is gone is noticed.
async fn keep_alive(live: Arc<Live>, every: Duration, keep_alive: Duration) {
    let patience = keep_alive.saturating_mul(PATIENCE_KEEP_ALIVES);
    let mut heard = Instant::now();
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    while !live.has_ended() {
        ticks.tick().await;
        let state = ReadValueId::from(NodeId::from(VariableId::Server_ServerStatus_State));
        let question = ReadRequest { nodes_to_read: Some(vec![state]), ..ReadRequest::default() };
        match live.ask_within(question, Instant::now() + every).await {
            Err(Failure::Late(_)) if heard.elapsed() >= patience => {
                let silence = edgeway_sdk::options::duration::show(patience);
                live.give_up(&format!("the server has not answered for {silence}"));
            }
            Err(Failure::Late(_)) => {}
            // Whatever it answers, it is there.
            _ => heard = Instant::now(),
        }
    }
}

/// Everything that it takes to open sessions with a server.
struct Opener<'a> {
    options: &'a LinkOptions,
    trust: Option<Trust>,
    certificates: Arc<RwLock<CertificateStore>>,
    identity: IdentityToken,
}

impl<'a> Opener<'a> {
    async fn new(options: &'a LinkOptions) -> Result<Self, Fault> {
        let trust = Trust::of(&options.security);
        let certificates = match &trust {
            None => trust::nowhere(),
            Some(trust) => {
                let (trust, uri) = (trust.clone(), options.application_uri.clone());
                // Making a key takes a while.
                let opened = tokio::task::spawn_blocking(move || trust.open(&uri)).await;
                opened.map_err(|_| Fault::Config("the gateway's certificate could not be made".into()))??
            }
        };
        let identity = match &options.security.identity {
            Identity::Anonymous => IdentityToken::Anonymous,
            Identity::User { name, password, .. } => IdentityToken::new_user_name(name, password.as_str()),
            Identity::Certificate(files) => {
                let (cert, key) = trust::user(files)?;
                IdentityToken::new_x509(cert, key)
            }
        };
        Ok(Opener { options, trust, certificates: Arc::new(RwLock::new(certificates)), identity })
    }

    async fn open(&self, by: Deadline) -> Result<Live, Fault> {
        let line = self.line(plain(self.options), by).await?;
        let endpoints = endpoints(&line, self.options, by).await.map_err(Failure::of_connect)?;
        let chosen = endpoint::choose(endpoints, &self.options.endpoint, &self.options.security);
        let mut endpoint = chosen.map_err(Fault::Link)?;
        if self.options.security.policy == Policy::None {
            return self.session(line, endpoint, by).await;
        }
        line.close(by.min(Instant::now() + CLOSE_WITHIN)).await;
        endpoint.server_certificate = self.check(&endpoint.server_certificate, &endpoint).await.map_err(Fault::Link)?;
        let line = self.line(endpoint.clone(), by).await?;
        self.session(line, endpoint, by).await
    }

    async fn line(&self, endpoint: EndpointDescription, by: Deadline) -> Result<Line, Fault> {
        let opening = Opening {
            at: &self.options.endpoint,
            endpoint,
            certificates: self.certificates.clone(),
            message_bytes_max: self.options.message_bytes_max,
            timeout: self.options.timeout,
        };
        Line::open(opening, by.min(Instant::now() + self.options.timeout)).await.map_err(Failure::of_connect)
    }

    /// Whether the server is the one that it should be. Gives its own certificate, of all that it shows.
    async fn check(&self, shown: &ByteString, endpoint: &EndpointDescription) -> Result<ByteString, String> {
        let Some(trust) = &self.trust else {
            return Err("the server's certificate cannot be checked: set `pki`, a folder of certificates".into());
        };
        let expected = Expected {
            policy: policy_of(endpoint),
            host: self.options.security.server_name.as_ref().unwrap_or(&self.options.endpoint.host).clone(),
            application_uri: endpoint.server.application_uri.to_string(),
            now: since_1970(),
        };
        let (trust, shown) = (trust.clone(), shown.clone());
        // Lists of what is revoked may be long.
        let checked = tokio::task::spawn_blocking(move || trust.check(&shown, &expected)).await;
        checked.unwrap_or_else(|_| Err("the server's certificate could not be checked".into()))
    }

    async fn session(&self, line: Line, endpoint: EndpointDescription, by: Deadline) -> Result<Live, Fault> {
        let created = self.create(&line, &endpoint, by).await?;
        let said = Duration::try_from_secs_f64(created.revised_session_timeout / 1000.0).ok();
        let timeout = said.filter(|said| !said.is_zero()).unwrap_or(self.options.session_timeout);
        let live = Live { line, token: created.authentication_token.clone(), timeout };
        match self.log_in(&live, &endpoint, &created, by).await {
            Ok(()) => Ok(live),
            Err(reason) => {
                live.close(by).await;
                Err(Fault::Link(reason))
            }
        }
    }

    async fn create(
        &self,
        line: &Line,
        endpoint: &EndpointDescription,
        by: Deadline,
    ) -> Result<CreateSessionResponse, Fault> {
        let nonce = random::byte_string(NONCE_BYTES);
        // Without certificates there is none.
        let own = self.certificates.read().read_own_cert().ok();
        let question = CreateSessionRequest {
            client_description: trust::application(&self.options.application_uri),
            endpoint_url: endpoint.endpoint_url.clone(),
            session_name: "edgeway".into(),
            client_nonce: nonce.clone(),
            client_certificate: own.as_ref().map(X509::as_byte_string).unwrap_or_default(),
            requested_session_timeout: self.options.session_timeout.as_secs_f64() * 1000.0,
            ..CreateSessionRequest::default()
        };
        let created = line.ask(&NodeId::null(), question, by).await.map_err(Failure::of_connect)?;
        let server = match created.server_certificate.is_null_or_empty() {
            true => ByteString::null(),
            false => trust::own(&created.server_certificate).map_err(Fault::Link)?,
        };
        if self.options.security.policy != Policy::None {
            prove(endpoint, &server, own.as_ref(), &created, &nonce).map_err(Fault::Link)?;
        }
        line.log_in(&created, &server).map_err(Failure::of_connect)?;
        Ok(created)
    }

    async fn log_in(
        &self,
        live: &Live,
        endpoint: &EndpointDescription,
        created: &CreateSessionResponse,
        by: Deadline,
    ) -> Result<(), String> {
        self.check_secrecy(endpoint, created).await?;
        let by = by.min(Instant::now() + self.options.timeout);
        let left = by.saturating_duration_since(Instant::now());
        let handle = live.line.channel.request_handle();
        let mut request = ActivateSession::new_manual(endpoint.clone(), 0, left, live.token.clone(), handle)
            .identity_token(self.identity.clone());
        if self.options.security.policy != Policy::None {
            let key = self.certificates.read().read_own_pkey()?;
            request = request.private_key(key);
        }
        match timeout_at(by, request.send(&live.line.channel)).await {
            Ok(Err(error)) if trust::is_login(error.status()) => Err(endpoint::login(error.status())),
            Ok(Err(error)) => Err(format!("the server opens no session: {}", words(error.status()))),
            Ok(Ok(activated)) if activated.response_header.service_result.is_bad() => {
                Err(endpoint::login(activated.response_header.service_result))
            }
            Ok(Ok(_)) => Ok(()),
            Err(_) => Err("the server has not answered to the login".into()),
        }
    }

    /// A password is not shown to everybody, nor to somebody who only says that he is the server.
    async fn check_secrecy(
        &self,
        endpoint: &EndpointDescription,
        created: &CreateSessionResponse,
    ) -> Result<(), String> {
        let Identity::User { clear_text, .. } = &self.options.security.identity else { return Ok(()) };
        match endpoint::secrecy(endpoint) {
            Secrecy::Channel => Ok(()),
            Secrecy::Clear if *clear_text == ClearText::Send => Ok(()),
            Secrecy::Clear => Err("the server takes the password only unencrypted: set `security`, or `clear_text_password = \"send\"` if everybody may read it".into()),
            Secrecy::Key if self.options.security.policy == Policy::None => {
                self.check(&created.server_certificate, endpoint).await.map(drop)
            }
            Secrecy::Key => Ok(()),
        }
    }
}

/// Whether the session is with the owner of the certificate that was checked (OPC 10000-4, 5.7.2).
fn prove(
    endpoint: &EndpointDescription,
    server: &ByteString,
    own: Option<&X509>,
    created: &CreateSessionResponse,
    nonce: &ByteString,
) -> Result<(), String> {
    if *server != endpoint.server_certificate {
        return Err("the server shows another certificate than before".into());
    }
    let unproved = || "the server cannot show that its certificate is its own".to_owned();
    let (server, own) = (X509::from_byte_string(server).map_err(|_| unproved())?, own.ok_or_else(unproved)?);
    let signed = verify_signature_data(&created.server_signature, policy_of(endpoint), &server, own, nonce.as_ref());
    signed.map_err(|_| unproved())
}

fn since_1970() -> Duration {
    Duration::from_millis(Timestamp::now().as_millis().try_into().unwrap_or_default())
}

/// The endpoint where a server says which others it has.
fn plain(options: &LinkOptions) -> EndpointDescription {
    EndpointDescription::from(options.endpoint.to_string().as_str())
}

async fn endpoints(line: &Line, options: &LinkOptions, by: Deadline) -> Result<Vec<EndpointDescription>, Failure> {
    let question =
        GetEndpointsRequest { endpoint_url: options.endpoint.to_string().into(), ..GetEndpointsRequest::default() };
    Ok(line.ask(&NodeId::null(), question, by).await?.endpoints.unwrap_or_default())
}

/// What a server says of itself and of others, to whoever asks.
pub(crate) async fn find(
    options: &LinkOptions,
    by: Deadline,
) -> Result<(Vec<ApplicationDescription>, Vec<EndpointDescription>), Fault> {
    let opener = Opener {
        options,
        trust: None,
        certificates: Arc::new(RwLock::new(trust::nowhere())),
        identity: IdentityToken::Anonymous,
    };
    let line = opener.line(plain(options), by).await?;
    let endpoints = endpoints(&line, options, by).await.map_err(Failure::of_connect)?;
    let question =
        FindServersRequest { endpoint_url: options.endpoint.to_string().into(), ..FindServersRequest::default() };
    // A server need not know any.
    let servers = line.ask(&NodeId::null(), question, by).await.ok().and_then(|answer| answer.servers);
    line.close(by.min(Instant::now() + CLOSE_WITHIN)).await;
    Ok((servers.unwrap_or_default(), endpoints))
}

/// An attribute of a node, to be read.
pub(crate) fn attribute(node: NodeId, attribute: AttributeId) -> ReadValueId {
    ReadValueId { node_id: node, attribute_id: attribute as u32, ..ReadValueId::default() }
}
