//! The device at the other end: a program that is started and killed, or one that runs already.

use crate::Error;
use crate::port::free_port;
use crate::subject::{PORT, PeerPlace, PeerSpec, Transport};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, BufReader};
use tokio::net::{TcpStream, UdpSocket};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

/// How long a program may take until it can be connected to.
const START_WITHIN: Duration = Duration::from_secs(20);
/// On this machine a datagram to a port where nobody listens is refused within this time.
const REFUSED_WITHIN: Duration = Duration::from_millis(50);
/// So much of what a program says last is kept to explain why it ended.
const SAID_BYTES_MAX: usize = 2000;

/// The device at the other end.
pub(crate) struct Peer {
    spec: PeerSpec,
    folder: PathBuf,
    /// Set while a program runs.
    program: tokio::sync::Mutex<Option<Child>>,
}

impl Peer {
    pub(crate) fn new(spec: &PeerSpec, folder: &Path) -> Self {
        Peer { spec: spec.clone(), folder: folder.into(), program: tokio::sync::Mutex::default() }
    }

    /// True if it can be killed and started again, not only cut off.
    pub(crate) fn is_program(&self) -> bool {
        matches!(self.spec.place, PeerPlace::Command(_))
    }

    /// Where it can be connected to, once it can. A program that still runs is killed before.
    pub(crate) async fn start(&self) -> Result<SocketAddr, Error> {
        self.kill().await;
        match &self.spec.place {
            PeerPlace::Address(address) => self.reach(*address).await.map(|()| *address),
            PeerPlace::Command(command) => self.start_program(command).await,
        }
    }

    async fn start_program(&self, command: &[String]) -> Result<SocketAddr, Error> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let words: Vec<String> = command.iter().map(|word| word.replace(PORT, &address.port().to_string())).collect();
        let line = words.join(" ");
        let mut child = Command::new(&words[0])
            .args(&words[1..])
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Error::Peer(format!("`{line}` could not be started: {error}")))?;
        let said = listen(&mut child);
        let until = Instant::now() + START_WITHIN;
        while attempt(self.spec.transport, address).await.is_err() {
            if let Some(status) = child.try_wait()? {
                sleep(Duration::from_millis(50)).await;
                return Err(Error::Peer(format!("`{line}` ended with {status}: {}", last_line(&said))));
            }
            if Instant::now() > until {
                return Err(Error::Peer(format!(
                    "`{line}` did not listen within {START_WITHIN:?}: {}",
                    last_line(&said)
                )));
            }
            sleep(Duration::from_millis(20)).await;
        }
        *self.program.lock().await = Some(child);
        Ok(address)
    }

    async fn reach(&self, address: SocketAddr) -> Result<(), Error> {
        let wrong = |why: String| Error::Peer(format!("nobody can be connected to at {address}: {why}"));
        let reached = timeout(START_WITHIN, attempt(self.spec.transport, address)).await;
        reached.map_err(|_| wrong("no answer".into()))?.map_err(|error| wrong(error.to_string()))
    }

    /// Ends a program at once, as a power cut would.
    pub(crate) async fn kill(&self) {
        if let Some(mut child) = self.program.lock().await.take() {
            // One that has ended by itself cannot be killed.
            let _ = child.kill().await;
        }
    }
}

/// Whether somebody listens. An empty datagram means nothing to anybody; where nobody is, the system says so.
async fn attempt(transport: Transport, address: SocketAddr) -> io::Result<()> {
    if transport == Transport::Tcp {
        return TcpStream::connect(address).await.map(drop);
    }
    let socket = UdpSocket::bind(if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }).await?;
    socket.connect(address).await?;
    socket.send(&[]).await?;
    match timeout(REFUSED_WITHIN, socket.recv(&mut [0])).await {
        Ok(Err(error)) => Err(error),
        Ok(Ok(_)) | Err(_) => Ok(()),
    }
}

/// Keeps the end of what a program says. Somebody has to read it, or the program stops when nobody does.
fn listen(child: &mut Child) -> Arc<Mutex<Vec<u8>>> {
    let said = Arc::new(Mutex::new(vec![]));
    if let Some(stderr) = child.stderr.take() {
        let kept = said.clone();
        tokio::spawn(async move {
            let (mut reader, mut piece) = (BufReader::new(stderr), [0; 512]);
            while let Ok(length @ 1..) = reader.read(&mut piece).await {
                let mut kept = kept.lock().expect("no thread panics while it holds this lock");
                kept.extend(&piece[..length]);
                let surplus = kept.len().saturating_sub(SAID_BYTES_MAX);
                kept.drain(..surplus);
            }
        });
    }
    said
}

fn last_line(said: &Mutex<Vec<u8>>) -> String {
    let said = said.lock().expect("no thread panics while it holds this lock");
    String::from_utf8_lossy(&said).trim().lines().last().unwrap_or("it said nothing").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(place: PeerPlace, transport: Transport) -> Peer {
        Peer::new(&PeerSpec { place, transport }, Path::new("/"))
    }

    async fn failure(words: &[&str]) -> String {
        let command = words.iter().map(|&word| word.to_owned()).collect();
        peer(PeerPlace::Command(command), Transport::Tcp).start().await.expect_err("it does not listen").to_string()
    }

    #[tokio::test]
    async fn a_program_that_does_not_listen_is_told_with_its_last_words() {
        let told = failure(&["sh", "-c", "echo first >&2; echo no room on port >&2; exit 3", "{port}"]).await;
        assert!(told.contains("ended with exit status: 3: no room on port"), "{told}");
        let told = failure(&["/no/such/program", "{port}"]).await;
        assert!(told.contains("could not be started"), "{told}");
    }

    #[tokio::test]
    async fn an_address_where_nobody_is_is_named() {
        for transport in [Transport::Tcp, Transport::Udp] {
            let free = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
            let told = peer(PeerPlace::Address(free), transport).start().await.expect_err("nobody there");
            assert!(told.to_string().contains(&free.to_string()), "{told}");
        }
    }

    #[tokio::test]
    async fn a_port_for_datagrams_that_somebody_has_is_reached() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        assert_eq!(peer(PeerPlace::Address(address), Transport::Udp).start().await.unwrap(), address);
    }
}
