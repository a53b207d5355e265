//! A server that does what a test says, byte by byte.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    /// Names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// How many were asked before.
    pub(crate) nth: usize,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// `GET /path`.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What it does.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// These bytes, and the connection stays.
    Bytes(Vec<u8>),
    /// These bytes, and the connection ends.
    Last(Vec<u8>),
    /// Nothing.
    Silent,
    /// These bytes, and then this one again and again.
    Endless(Vec<u8>, Vec<u8>),
    /// One byte at a time, so far apart.
    Drip(Vec<u8>, Duration),
}

/// An answer with a length.
pub(crate) fn reply(status: &str, headers: &[(&str, &str)], body: &str) -> Act {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    Act::Bytes(format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()).into_bytes())
}

/// JSON that is there.
pub(crate) fn json(body: &str) -> Act {
    reply("200 OK", &[("content-type", "application/json")], body)
}

/// It ends when it is dropped.
pub(crate) struct Peer {
    port: u16,
    scheme: &'static str,
    shared: Arc<Shared>,
    _serving: JoinSet<()>,
}

struct Shared {
    act: Box<dyn Fn(&Asked) -> Act + Send + Sync>,
    asked: Mutex<Vec<Asked>>,
    connections: AtomicUsize,
    open: AtomicUsize,
}

impl Peer {
    pub(crate) async fn start(act: impl Fn(&Asked) -> Act + Send + Sync + 'static) -> Peer {
        Peer::at(TcpListener::bind("127.0.0.1:0").await.expect("a free port"), None, act)
    }

    pub(crate) async fn tls(tls: TlsAcceptor, act: impl Fn(&Asked) -> Act + Send + Sync + 'static) -> Peer {
        Peer::at(TcpListener::bind("127.0.0.1:0").await.expect("a free port"), Some(tls), act)
    }

    pub(crate) fn at(
        listener: TcpListener,
        tls: Option<TlsAcceptor>,
        act: impl Fn(&Asked) -> Act + Send + Sync + 'static,
    ) -> Peer {
        let port = listener.local_addr().expect("bound").port();
        let shared = Arc::new(Shared {
            act: Box::new(act),
            asked: Mutex::default(),
            connections: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
        });
        let scheme = if tls.is_some() { "https" } else { "http" };
        let mut serving = JoinSet::new();
        serving.spawn(accept(listener, tls, shared.clone()));
        Peer { port, scheme, shared, _serving: serving }
    }

    pub(crate) fn address(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Everything asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// `GET /path` of everything asked so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().iter().map(Asked::line).collect()
    }

    /// Connections on which something was asked.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(SeqCst)
    }

    /// Connections that are open now.
    pub(crate) fn open(&self) -> usize {
        self.shared.open.load(SeqCst)
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("listening");
        let (tls, shared) = (tls.clone(), shared.clone());
        connections.spawn(async move {
            shared.open.fetch_add(1, SeqCst);
            let _ = match tls {
                None => serve(stream, &shared).await,
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => serve(stream, &shared).await,
                    Err(error) => Err(error),
                },
            };
            shared.open.fetch_sub(1, SeqCst);
        });
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, shared: &Shared) -> io::Result<()> {
    let mut received = vec![];
    let mut is_first = true;
    loop {
        let Some(asked) = request(&mut stream, &mut received, shared).await? else { return Ok(()) };
        if std::mem::take(&mut is_first) {
            shared.connections.fetch_add(1, SeqCst);
        }
        match (shared.act)(&asked) {
            Act::Bytes(bytes) => stream.write_all(&bytes).await?,
            Act::Last(bytes) => {
                stream.write_all(&bytes).await?;
                return stream.shutdown().await;
            }
            Act::Silent => {}
            Act::Endless(begin, again) => {
                stream.write_all(&begin).await?;
                loop {
                    stream.write_all(&again).await?;
                    tokio::task::yield_now().await;
                }
            }
            Act::Drip(bytes, pause) => {
                for byte in bytes {
                    stream.write_all(&[byte]).await?;
                    sleep(pause).await;
                }
            }
        }
    }
}

async fn request(
    stream: &mut (impl AsyncRead + Unpin),
    received: &mut Vec<u8>,
    shared: &Shared,
) -> io::Result<Option<Asked>> {
    let head = loop {
        if let Some(end) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(received).await? == 0 {
            return Ok(None);
        }
    };
    let text = String::from_utf8(received.drain(..head).collect()).expect("a head in plain text");
    let mut lines = text.lines();
    let mut words = lines.next().expect("a first line").split(' ').map(str::to_owned);
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
    while received.len() < length {
        if stream.read_buf(received).await? == 0 {
            return Ok(None);
        }
    }
    let body = String::from_utf8_lossy(&received.drain(..length).collect::<Vec<u8>>()).into_owned();
    let mut all = shared.asked.lock().unwrap();
    let asked = Asked { method: words.next().unwrap(), path: words.next().unwrap(), headers, body, nth: all.len() };
    all.push(asked.clone());
    Ok(Some(asked))
}
