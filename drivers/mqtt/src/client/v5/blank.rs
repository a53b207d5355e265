//! A session that the broker has kept, and of which we have kept nothing.

use rumqttc::{PersistedAckMode, PersistedSession, SessionStore, SessionStoreError, SessionStoreKey};
use rumqttc_v5 as rumqttc;
use std::pin::Pin;
use std::time::{SystemTime, UNIX_EPOCH};

type SessionStoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, SessionStoreError>> + Send + 'a>>;

/// Stands for what a client would have stored. The library takes up a session only if it knows it; what we had under
/// way is given up on purpose, because nothing is written twice, and what comes twice is no harm.
#[derive(Debug)]
pub(super) struct Blank {
    pub(super) client_id: String,
    pub(super) expiry_seconds: u32,
}

impl SessionStore for Blank {
    fn load<'a>(&'a self, _: &'a SessionStoreKey) -> SessionStoreFuture<'a, Option<PersistedSession>> {
        let last = some_packet_id();
        let session = PersistedSession {
            format_version: 1,
            client_id: self.client_id.clone(),
            clean_start: false,
            session_expiry_interval: Some(self.expiry_seconds),
            outgoing_inflight_upper_limit: None,
            ack_mode: PersistedAckMode::Automatic,
            last_pkid: last,
            last_puback: last,
            replay: vec![],
            incoming_qos2: vec![],
        };
        Box::pin(std::future::ready(Ok(Some(session))))
    }

    fn save<'a>(&'a self, _: &'a SessionStoreKey, _: &'a PersistedSession) -> SessionStoreFuture<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn clear<'a>(&'a self, _: &'a SessionStoreKey) -> SessionStoreFuture<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// The broker may still know the last packet ids of the connection before: a message with one of them could be taken for
/// that one come again.
fn some_packet_id() -> u16 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u16::try_from(since.as_micros() % 32_768).unwrap_or(1).max(1)
}
