//! DTLS 1.2 with a pre-shared key (RFC 7252 section 9.1.3.1).

use crate::config::Secret;
use async_trait::async_trait;
use edgeway_sdk::Deadline;
use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::timeout_at;
use webrtc_dtls::cipher_suite::CipherSuiteId;
use webrtc_dtls::config::Config;
use webrtc_dtls::conn::DTLSConn;
use webrtc_util::Conn;

/// After so long without an answer a part of the handshake is sent again. The first one is often lost to a server that has just
/// begun to listen.
const REPEAT_AFTER: Duration = Duration::from_millis(500);
/// The type of a record that holds an alert (RFC 5246 section 6.2.1).
const ALERT: u8 = 21;
/// An alert that is not fatal.
const CLOSE_NOTIFY: u8 = 0;

/// A session with a server that has the same key.
pub(super) struct Session {
    conn: DTLSConn,
    socket: Arc<Watched>,
}

impl Session {
    /// Shakes hands.
    ///
    /// # Errors
    /// Why it came to nothing, for the operator.
    pub(super) async fn open(socket: UdpSocket, secret: &Secret, by: Deadline) -> Result<Self, String> {
        let (alert, is_refused, has_answered) = Default::default();
        let socket = Arc::new(Watched { socket, alert, is_refused, has_answered });
        let handshake = DTLSConn::new(socket.clone(), config(secret), true, None);
        let refused = socket.clone();
        let done = tokio::select! {
            done = timeout_at(by, handshake) => done,
            () = refused.refused() => return Err("nobody listens there".into()),
        };
        match done {
            Ok(Ok(conn)) => Ok(Session { conn, socket }),
            Ok(Err(error)) => Err(socket.why(&error.to_string())),
            Err(_) => Err(socket.why("the handshake was not answered in time")),
        }
    }

    pub(super) async fn send(&self, datagram: &[u8]) -> Result<(), String> {
        self.conn.write(datagram, None).await.map(drop).map_err(|error| format!("the DTLS session has ended: {error}"))
    }

    pub(super) async fn receive(&self, buffer: &mut [u8]) -> Result<usize, String> {
        tokio::select! {
            read = self.conn.read(buffer, None) => {
                read.map_err(|_| "the device has ended the DTLS session".into())
            }
            () = self.socket.refused() => Err("nobody listens there any more".into()),
        }
    }

    pub(super) async fn close(&self) {
        // It may have ended already.
        let _ = self.conn.close().await;
    }
}

fn config(secret: &Secret) -> Config {
    let key = secret.key.clone();
    Config {
        psk: Some(Arc::new(move |_| Ok(key.clone()))),
        psk_identity_hint: Some(secret.identity.clone().into_bytes()),
        cipher_suites: vec![
            CipherSuiteId::Tls_Psk_With_Aes_128_Ccm_8,
            CipherSuiteId::Tls_Psk_With_Aes_128_Ccm,
            CipherSuiteId::Tls_Psk_With_Aes_128_Gcm_Sha256,
        ],
        flight_interval: REPEAT_AFTER,
        ..Config::default()
    }
}

/// A socket that remembers why the other end has broken off, which the session does not say.
struct Watched {
    socket: UdpSocket,
    /// The last alert that came in the clear; 0 for none.
    alert: AtomicU8,
    has_answered: AtomicBool,
    is_refused: tokio::sync::watch::Sender<bool>,
}

impl Watched {
    async fn refused(&self) {
        let mut refused = self.is_refused.subscribe();
        // The sender lives as long as this.
        let _ = refused.wait_for(|refused| *refused).await;
    }

    /// What went wrong, in words that tell an operator what to look at.
    fn why(&self, otherwise: &str) -> String {
        let alert = self.alert.load(Ordering::Relaxed);
        match alert {
            CLOSE_NOTIFY if self.has_answered.load(Ordering::Relaxed) => {
                format!(
                    "the DTLS handshake was broken off, mostly because of another `identity` or `secret`: {otherwise}"
                )
            }
            CLOSE_NOTIFY => format!("nobody speaks DTLS there: {otherwise}"),
            115 => "the device does not know this `identity`".into(),
            20 | 21 | 51 => "the device has another `secret` for this `identity`".into(),
            40 | 47 | 71 => {
                format!("the device refuses the DTLS handshake, look at `identity` and `secret` (alert {alert})")
            }
            _ => format!("the device refuses the DTLS handshake (alert {alert})"),
        }
    }

    /// Looks at a record that is not encrypted (RFC 6347 section 4.1): type, version, epoch, number, length, level, description.
    fn look_at(&self, datagram: &[u8]) {
        // Whatever speaks something else at this port has not answered.
        if let [20..=23, 254, ..] = datagram {
            self.has_answered.store(true, Ordering::Relaxed);
        }
        if let [ALERT, _, _, 0, 0, _, _, _, _, _, _, _, _, _, description, ..] = datagram {
            self.alert.store(*description, Ordering::Relaxed);
        }
    }
}

type Done<T> = Result<T, webrtc_util::Error>;

#[async_trait]
impl Conn for Watched {
    async fn connect(&self, address: SocketAddr) -> Done<()> {
        Ok(self.socket.connect(address).await?)
    }

    async fn recv(&self, buffer: &mut [u8]) -> Done<usize> {
        match self.socket.recv(buffer).await {
            Ok(length) => {
                self.look_at(&buffer[..length]);
                Ok(length)
            }
            Err(error) => {
                self.is_refused.send_replace(true);
                Err(error.into())
            }
        }
    }

    async fn recv_from(&self, buffer: &mut [u8]) -> Done<(usize, SocketAddr)> {
        let length = self.recv(buffer).await?;
        Ok((length, self.socket.peer_addr()?))
    }

    async fn send(&self, datagram: &[u8]) -> Done<usize> {
        Ok(self.socket.send(datagram).await?)
    }

    async fn send_to(&self, datagram: &[u8], _: SocketAddr) -> Done<usize> {
        self.send(datagram).await
    }

    fn local_addr(&self) -> Done<SocketAddr> {
        Ok(self.socket.local_addr()?)
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        self.socket.peer_addr().ok()
    }

    async fn close(&self) -> Done<()> {
        Ok(())
    }

    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}
