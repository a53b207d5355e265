//! Opening the wire: at the endpoint, at one of its backups, or by waiting for whoever dials in.

use super::stream::Stream;
use super::{Counters, left};
use crate::config::{Endpoint, LinkOptions};
use edgeway_sdk::{Deadline, Fault};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{timeout, timeout_at};

/// Opens one wire again and again.
pub(super) struct Dialer {
    options: LinkOptions,
    /// Which endpoint is tried first: the one that was there last. 0 is not a backup.
    at: usize,
    listener: Option<TcpListener>,
    counters: Arc<Counters>,
}

impl Dialer {
    pub(super) fn new(options: LinkOptions, counters: Arc<Counters>) -> Self {
        Dialer { options, at: 0, listener: None, counters }
    }

    /// Opens the wire.
    ///
    /// # Errors
    /// [`Fault::Link`] if nobody is there.
    pub(super) async fn open(&mut self, by: Deadline) -> Result<Stream, Fault> {
        let all: Vec<Endpoint> = std::iter::once(&self.options.endpoint).chain(&self.options.backup).cloned().collect();
        let mut faults = vec![];
        for step in 0..all.len() {
            let at = (self.at + step) % all.len();
            match self.open_one(&all[at], by).await {
                Ok(stream) => {
                    self.at = at;
                    self.counters.connections.add();
                    return Ok(stream);
                }
                Err(reason) => faults.push(format!("{}: {reason}", all[at])),
            }
            if left(by).is_err() {
                break;
            }
        }
        Err(Fault::Link(faults.join("; ")))
    }

    async fn open_one(&mut self, endpoint: &Endpoint, by: Deadline) -> Result<Stream, String> {
        let patience = self.options.connect_timeout.min(left(by).map_err(|fault| fault.to_string())?);
        match endpoint {
            Endpoint::Tcp { host, port } => tcp(host, *port, patience).await,
            Endpoint::Serial { path } => self.serial(path).await,
            Endpoint::Listen { at } => self.wait(*at, by).await,
        }
    }

    async fn serial(&self, path: &Path) -> Result<Stream, String> {
        let options = self.options.serial.ok_or("it is no serial port")?;
        let path = path.to_owned();
        // Opening a port may wait for its modem lines.
        let opening = tokio::task::spawn_blocking(move || open_serial(&path, &options));
        timeout(self.options.connect_timeout, opening)
            .await
            .map_err(|_| format!("the port did not open within {:?}", self.options.connect_timeout))?
            .map_err(|error| error.to_string())?
    }

    /// Waits until somebody dials in. Of several the newest counts: a device that lost its connection dials in again.
    async fn wait(&mut self, at: SocketAddr, by: Deadline) -> Result<Stream, String> {
        if self.listener.is_none() {
            self.listener = Some(TcpListener::bind(at).await.map_err(|error| error.to_string())?);
        }
        if let Some(stream) = self.newcomer().await {
            return Ok(stream);
        }
        let listener = self.listener.as_ref().ok_or("it is not listening")?;
        let (stream, _) = timeout_at(by, listener.accept())
            .await
            .map_err(|_| "nobody has dialled in".to_owned())?
            .map_err(|error| error.to_string())?;
        Stream::tcp(stream).map_err(|error| error.to_string())
    }

    /// Who has dialled in since, if anybody has.
    pub(super) async fn newcomer(&self) -> Option<Stream> {
        let listener = self.listener.as_ref()?;
        let mut newest = None;
        loop {
            tokio::select! {
                biased;
                Ok((stream, _)) = listener.accept() => newest = Stream::tcp(stream).ok(),
                () = std::future::ready(()) => return newest,
            }
        }
    }
}

async fn tcp(host: &str, port: u16, patience: Duration) -> Result<Stream, String> {
    let stream = timeout(patience, TcpStream::connect((host, port)))
        .await
        .map_err(|_| format!("no connection within {patience:?}"))?
        .map_err(|error| error.to_string())?;
    Stream::tcp(stream).map_err(|error| error.to_string())
}

fn open_serial(path: &Path, options: &crate::config::SerialOptions) -> Result<Stream, String> {
    Stream::serial(path, options).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("there is no such port{}", other_ports()),
        std::io::ErrorKind::PermissionDenied => {
            "the port may not be opened; add the gateway's user to the group of the port, mostly `dialout`".to_owned()
        }
        _ => error.to_string(),
    })
}

/// The ports that there are, by names that survive a restart where they have one.
fn other_ports() -> String {
    let by_id = std::fs::read_dir("/dev/serial/by-id").into_iter().flatten().flatten().map(|entry| entry.path());
    let mut ports: Vec<_> = by_id.collect();
    if ports.is_empty() {
        ports = serial2_tokio::SerialPort::available_ports().unwrap_or_default();
    }
    ports.sort();
    match ports.as_slice() {
        [] => ", and this machine has none".to_owned(),
        ports => {
            format!("; there are {}", ports.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", "))
        }
    }
}
