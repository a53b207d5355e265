//! All drivers that are processes, and where they dial in.

use crate::driver::ProcessDriver;
use crate::seat::Seat;
use crate::server::Reception;
use crate::supervisor::Supervisor;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_stream::wrappers::{TcpListenerStream, UnixListenerStream};
use tokio_util::sync::CancellationToken;
use tonic::transport::server::Router;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};
use tracing::{error, info};

const SOCKET_FILE: &str = "drivers.sock";
/// What the operating system takes as a socket's path, in bytes.
const SOCKET_PATH_MAX: usize = 107;
/// How long the processes together may take to exit.
const STOP_WITHIN: Duration = Duration::from_secs(2);
/// A driver on another machine may vanish without a word.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Large frames should not wait for the window to open.
const WINDOW_BYTES: u32 = 4 << 20;

/// Where drivers from other machines dial in, over TLS with certificates on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// The address.
    pub address: SocketAddr,
    /// The file with the authorities whose certificates drivers show.
    pub ca: PathBuf,
    /// The file with the gateway's certificate.
    pub cert: PathBuf,
    /// The file with its key.
    pub key: PathBuf,
}

/// Why drivers cannot be hosted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The socket in the data folder.
    #[error("drivers cannot dial in at {path}: {source}")]
    Socket {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The address for drivers from other machines.
    #[error("drivers cannot dial in at {address}: {reason}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        reason: String,
    },
}

/// Starts drivers and keeps them running.
pub struct DriverHost {
    tasks: JoinSet<()>,
    stop: CancellationToken,
    path: PathBuf,
    address: Option<SocketAddr>,
}

impl DriverHost {
    /// Listens in this folder, and elsewhere if wanted, and starts all drivers. None of them is waited for.
    ///
    /// # Errors
    /// If it cannot listen.
    pub async fn start(
        folder: &Path,
        drivers: &[Arc<ProcessDriver>],
        listen: Option<&Listen>,
    ) -> Result<Self, HostError> {
        let path = socket_path(folder);
        let unix = bind(&path).map_err(|source| HostError::Socket { path: path.clone(), source })?;
        let tcp = match listen {
            Some(listen) => Some(secure(listen).await?),
            None => None,
        };
        let address = tcp.as_ref().and_then(|(listener, _)| listener.local_addr().ok());
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let seats: Arc<[Arc<Seat>]> = drivers.iter().map(|driver| driver.seat.clone()).collect();
        let reception = router(Server::builder(), seats.clone());
        let stopped = stop.clone();
        tasks.spawn(async move {
            let incoming = UnixListenerStream::new(unix);
            told(reception.serve_with_incoming_shutdown(incoming, stopped.cancelled_owned()).await);
        });
        if let Some((listener, server)) = tcp {
            info!(?address, "Drivers from other machines may dial in.");
            let reception = router(server, seats);
            let stopped = stop.clone();
            tasks.spawn(async move {
                let incoming = TcpListenerStream::new(listener);
                told(reception.serve_with_incoming_shutdown(incoming, stopped.cancelled_owned()).await);
            });
        }
        for driver in drivers {
            let Some(launch) = driver.launch.clone() else { continue };
            let supervisor =
                Supervisor { seat: driver.seat.clone(), launch, socket: format!("unix:{}", path.display()) };
            tasks.spawn(supervisor.run(stop.clone()));
        }
        Ok(DriverHost { tasks, stop, path, address })
    }

    /// Where drivers from other machines dial in.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Ends all processes: those that do not exit are killed.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let _ = timeout(STOP_WITHIN, async { while self.tasks.join_next().await.is_some() {} }).await;
    }
}

impl Drop for DriverHost {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The socket's place: in the folder, or for one with a long name in a folder of our own.
fn socket_path(folder: &Path) -> PathBuf {
    let inside = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()).join(SOCKET_FILE);
    if inside.as_os_str().len() <= SOCKET_PATH_MAX {
        return inside;
    }
    std::env::temp_dir().join(format!("edgeway-{}-{SOCKET_FILE}", std::process::id()))
}

/// The socket, for our own user alone. One that was left behind is in nobody's way.
fn bind(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn secure(listen: &Listen) -> Result<(TcpListener, Server), HostError> {
    let refused = |reason: String| HostError::Listen { address: listen.address, reason };
    let read = |path: &Path| std::fs::read(path).map_err(|error| refused(format!("{}: {error}", path.display())));
    let identity = Identity::from_pem(read(&listen.cert)?, read(&listen.key)?);
    let tls = ServerTlsConfig::new().identity(identity).client_ca_root(Certificate::from_pem(read(&listen.ca)?));
    let server = Server::builder().http2_keepalive_interval(Some(KEEP_ALIVE)).http2_keepalive_timeout(Some(KEEP_ALIVE));
    let server = server.tls_config(tls).map_err(|error| refused(error.to_string()))?;
    let listener = TcpListener::bind(listen.address).await.map_err(|error| refused(error.to_string()))?;
    Ok((listener, server))
}

fn router(server: Server, seats: Arc<[Arc<Seat>]>) -> Router {
    let server = server.initial_stream_window_size(WINDOW_BYTES).initial_connection_window_size(WINDOW_BYTES);
    server.tcp_nodelay(true).add_service(Reception::service(seats))
}

fn told(served: Result<(), tonic::transport::Error>) {
    if let Err(error) = served {
        error!(%error, "Drivers cannot dial in any more.");
    }
}
