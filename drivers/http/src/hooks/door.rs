//! The door of an endpoint with TLS: certificates that may be renewed meanwhile, and who comes through.

use super::counters::Counters;
use crate::config::HookOptions;
use edgeway_tls::{Renewal, Server, TlsError};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;
use tracing::{debug, info, warn};

/// The door of an endpoint with TLS.
pub(crate) struct Door {
    server: Server,
    counters: Arc<Counters>,
    address: String,
    /// How long a handshake may take.
    patience: Duration,
}

impl Door {
    /// Reads the certificates; there is no door without TLS.
    ///
    /// # Errors
    /// Which of their files cannot be used, and why.
    pub(crate) fn open(options: &HookOptions, counters: Arc<Counters>) -> Result<Option<Self>, TlsError> {
        let Some(files) = options.tls.clone() else { return Ok(None) };
        let (address, patience) = (options.address.clone(), options.timeout);
        Ok(Some(Door { server: Server::open(files)?, counters, address, patience }))
    }

    /// Lets somebody in; nobody, if the two do not trust each other or it takes too long.
    pub(super) async fn enter(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let acceptor = TlsAcceptor::from(self.config());
        let entered = timeout(self.patience, acceptor.accept(stream)).await;
        match entered.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(stream) => Some(stream),
            Err(error) => {
                self.counters.handshakes_failed.add();
                debug!(%error, "A sender did not come through TLS.");
                None
            }
        }
    }

    /// Files that cannot be used change nothing yet, so it is no fault of the link; but when the old certificate ends, no
    /// device comes through any more. Only a line in the log tells in time, and only this place knows of it.
    fn config(&self) -> Arc<ServerConfig> {
        let (config, renewal) = self.server.current();
        match renewal {
            None => {}
            Some(Renewal::Used) => info!(address = self.address, "Renewed files for TLS are used."),
            Some(Renewal::Unusable(reason)) => {
                self.counters.files_unusable.add();
                warn!(address = self.address, %reason, "Renewed files for TLS cannot be used; what they held before still is.");
            }
        }
        config
    }
}
