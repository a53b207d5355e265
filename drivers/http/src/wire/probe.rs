//! Whether the server is there, and who it says it is: a connection that is opened and closed again.

use super::Failure;
use crate::config::ClientOptions;
use edgeway_sdk::Deadline;
use edgeway_sdk::options::duration::show;
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

/// Opens a connection, TLS included, and closes it.
pub(super) async fn run(options: &ClientOptions, tls: &ClientConfig, by: Deadline) -> Result<(), Failure> {
    let place = options.base.origin().ascii_serialization();
    let by = by.min(Instant::now() + options.connect_timeout);
    match timeout_at(by, open(options, tls)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            let reason = edgeway_tls::refusal(&error).map_or_else(|| error.to_string(), |refusal| refusal.to_string());
            Err(Failure::Unreached(format!("{place}: {reason}")))
        }
        Err(_) => Err(Failure::Unreached(format!("{place} did not answer within {}", show(options.connect_timeout)))),
    }
}

async fn open(options: &ClientOptions, tls: &ClientConfig) -> io::Result<()> {
    let host = options.base.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = options.base.port_or_known_default().unwrap_or_default();
    let stream = TcpStream::connect((host, port)).await?;
    if options.base.scheme() == "https" {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        TlsConnector::from(Arc::new(tls.clone())).connect(name, stream).await?;
    }
    Ok(())
}
