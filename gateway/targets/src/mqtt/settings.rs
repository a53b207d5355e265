//! What a connection is made with.

use super::platform;
use crate::{TargetError, tls};
use bytes::Bytes;
use edgeway_site::{MqttTarget as MqttSite, MqttVersion, TlsFiles, Transport};
use rustls::ClientConfig;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Everything needed to connect, with certificates read.
#[derive(Clone)]
pub struct Settings {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) version: MqttVersion,
    pub(super) login: Login,
    pub(super) keep_alive: Duration,
    pub(super) inflight: u16,
    pub(super) tls: Option<Arc<ClientConfig>>,
    pub(super) will: Option<(String, Bytes)>,
    /// The most that the platform takes in one payload, in bytes.
    pub(super) payload_bytes_max: Option<usize>,
}

/// Who we are.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) client_id: String,
    /// User and password.
    pub(super) credentials: Option<(String, String)>,
}

impl Settings {
    /// Settings of one connection to a target; each route, and the commands, have one of their own. `purpose` tells
    /// them apart: it becomes a part of the client id, where the platform leaves that to us.
    ///
    /// # Errors
    /// [`TargetError::Denied`] if a certificate cannot be read or the login cannot be made.
    pub fn new(purpose: &str, site: &MqttSite) -> Result<Self, TargetError> {
        let tls = match &site.transport {
            Transport::Plain => None,
            Transport::Tls { ca, identity } => {
                let files = TlsFiles { ca: ca.clone(), identity: identity.clone() };
                Some(Arc::new(tls::client(&files)?))
            }
        };
        let seconds = u16::try_from(site.keep_alive.as_secs()).unwrap_or(u16::MAX).max(1);
        Ok(Settings {
            host: site.host.clone(),
            port: site.port,
            version: site.version,
            login: platform::login(purpose, site, SystemTime::now())?,
            keep_alive: Duration::from_secs(u64::from(seconds)),
            inflight: site.inflight.max(1),
            tls,
            will: None,
            payload_bytes_max: platform::payload_bytes_max(site.preset),
        })
    }

    /// The same with a last will: topic and payload, QoS 1, not retained.
    #[must_use]
    pub fn with_will(mut self, will: Option<(String, Bytes)>) -> Self {
        self.will = will;
        self
    }

    /// The keep-alive in whole seconds, at least 1.
    pub(super) fn keep_alive_seconds(&self) -> u16 {
        u16::try_from(self.keep_alive.as_secs()).unwrap_or(u16::MAX)
    }
}
