//! Datagrams to an endpoint and from it: as they are, or with DTLS.

use super::dtls;
use crate::config::{Endpoint, LinkOptions, Secret};
use edgeway_sdk::Deadline;
use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use tokio::net::{UdpSocket, lookup_host};
use tokio::time::timeout_at;

/// A way to one endpoint alone: the system hands over what comes from its address and port, and nothing else.
pub(super) enum Channel {
    Plain {
        socket: UdpSocket,
        endpoint: Endpoint,
    },
    /// It holds the whole state of the handshake.
    Secure(Box<dtls::Session>),
}

impl Channel {
    /// Opens it to one of the endpoint's addresses; with DTLS the other end has shown then that it has the key.
    ///
    /// # Errors
    /// Why it cannot be opened, for the operator.
    pub(super) async fn open(options: &LinkOptions, address: SocketAddr, by: Deadline) -> Result<Self, String> {
        let endpoint = &options.endpoint;
        let socket = connected(address).await.map_err(|error| format!("{endpoint}: {error}"))?;
        match &options.secret {
            None => Ok(Channel::Plain { socket, endpoint: endpoint.clone() }),
            Some(secret) => secure(socket, secret, by).await.map_err(|why| format!("{endpoint}: {why}")),
        }
    }

    pub(super) fn is_secure(&self) -> bool {
        matches!(self, Channel::Secure(_))
    }

    pub(super) async fn send(&self, datagram: &[u8]) -> Result<(), String> {
        match self {
            Channel::Plain { socket, endpoint } => {
                socket.send(datagram).await.map(drop).map_err(|error| told(endpoint, &error))
            }
            Channel::Secure(session) => session.send(datagram).await,
        }
    }

    /// The next datagram.
    ///
    /// # Errors
    /// Why none will come any more.
    pub(super) async fn receive(&self, buffer: &mut [u8]) -> Result<usize, String> {
        match self {
            Channel::Plain { socket, endpoint } => socket.recv(buffer).await.map_err(|error| told(endpoint, &error)),
            Channel::Secure(session) => session.receive(buffer).await,
        }
    }

    pub(super) async fn close(&self) {
        if let Channel::Secure(session) = self {
            session.close().await;
        }
    }
}

async fn secure(socket: UdpSocket, secret: &Secret, by: Deadline) -> Result<Channel, String> {
    Box::pin(dtls::Session::open(socket, secret, by)).await.map(|session| Channel::Secure(session.into()))
}

/// The addresses of an endpoint, at least one.
pub(super) async fn addresses(endpoint: &Endpoint, by: Deadline) -> Result<Vec<SocketAddr>, String> {
    let wrong = |why: &str| format!("{endpoint}: {why}");
    let at = endpoint.server().ok_or_else(|| wrong("it is no server"))?;
    let found = timeout_at(by, lookup_host(at)).await.map_err(|_| wrong("its name is not found in time"))?;
    let found: Vec<_> = found.map_err(|error| wrong(&format!("its name is not found: {error}")))?.collect();
    if found.is_empty() { Err(wrong("its name has no address")) } else { Ok(found) }
}

async fn connected(address: SocketAddr) -> Result<UdpSocket, Error> {
    let socket = UdpSocket::bind(if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }).await?;
    socket.connect(address).await?;
    Ok(socket)
}

fn told(endpoint: &Endpoint, error: &Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => format!("{endpoint}: nobody listens there"),
        _ => format!("{endpoint}: {error}"),
    }
}
