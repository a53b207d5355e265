//! Reaching the gateway.

use crate::proto::driver_host_client::DriverHostClient;
use crate::{TO_DRIVER_MAX, TO_GATEWAY_MAX, environment};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

/// How long the gateway may take to listen.
const WITHIN: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(200);
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Large frames should not wait for the window to open.
const WINDOW_BYTES: u32 = 4 << 20;

/// Dials until somebody answers.
pub(super) async fn gateway() -> Result<DriverHostClient<Channel>, String> {
    let place = variable(environment::SOCKET)?;
    let endpoint = endpoint(&place)?;
    let until = Instant::now() + WITHIN;
    loop {
        match endpoint.connect().await {
            Ok(channel) => {
                let client = DriverHostClient::new(channel);
                return Ok(client.max_decoding_message_size(TO_DRIVER_MAX).max_encoding_message_size(TO_GATEWAY_MAX));
            }
            Err(error) if Instant::now() >= until => {
                return Err(format!("nobody answers at {place}: {}", cause(&error)));
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

/// True if the gateway runs on another machine, and has not started this process.
pub(super) fn is_elsewhere(place: &str) -> bool {
    place.starts_with("https:")
}

fn endpoint(place: &str) -> Result<Endpoint, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{} is `{place}`: {error}", environment::SOCKET);
    let endpoint = Endpoint::from_shared(place.to_owned()).map_err(|error| wrong(&error))?;
    let endpoint = endpoint.initial_stream_window_size(WINDOW_BYTES).initial_connection_window_size(WINDOW_BYTES);
    if !is_elsewhere(place) {
        return Ok(endpoint);
    }
    // A gateway that has vanished without a word would be waited for to the end of days.
    let endpoint =
        endpoint.http2_keep_alive_interval(KEEP_ALIVE).keep_alive_timeout(KEEP_ALIVE).keep_alive_while_idle(true);
    let file = |name: &str| {
        let path = variable(name)?;
        std::fs::read(&path).map_err(|error| format!("{name} is `{path}`: {error}"))
    };
    let identity = Identity::from_pem(file(environment::CERT)?, file(environment::KEY)?);
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(file(environment::CA)?)).identity(identity);
    endpoint.tls_config(tls).map_err(|error| cause(&error))
}

fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("{name} is not set: the gateway starts drivers"))
}

/// The innermost reason: the outer ones say "transport error".
fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), cause)
}
