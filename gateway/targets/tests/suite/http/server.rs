//! As much of an HTTP server as the tests need: it reads requests with a length, and answers as a function says.

use parking_lot::Mutex;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub(super) struct Server {
    pub(super) port: u16,
    shared: Arc<Shared>,
    /// Ends with the server, and all its connections with it.
    accept: tokio::task::JoinHandle<()>,
}

struct Shared {
    answer: Box<dyn Fn(&Request) -> Answer + Send + Sync>,
    requests: Mutex<Vec<Request>>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// What was answered.
    pub(super) status: u16,
}

pub(super) enum Answer {
    Never,
    Now { status: u16, headers: Vec<(&'static str, &'static str)>, body: &'static str },
}

impl Answer {
    pub(super) fn status(status: u16) -> Self {
        Answer::Now { status, headers: vec![], body: "" }
    }

    pub(super) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        if let Answer::Now { headers, .. } = &mut self {
            headers.push((name, value));
        }
        self
    }

    pub(super) fn saying(mut self, text: &'static str) -> Self {
        if let Answer::Now { body, .. } = &mut self {
            *body = text;
        }
        self
    }
}

impl Request {
    /// The value of a header, by its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

impl Server {
    pub(super) async fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let shared = Arc::new(Shared { answer: Box::new(answer), requests: Mutex::default() });
        let accept = tokio::spawn(accept(listener, shared.clone()));
        Server { port, shared, accept }
    }

    /// Everything that was asked.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().clone()
    }

    /// Ends all connections, and listens again on the same port.
    pub(super) async fn restart(&mut self) {
        self.accept.abort();
        let _ = (&mut self.accept).await;
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.expect("the port is ours");
        self.accept = tokio::spawn(accept(listener, self.shared.clone()));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accept.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, shared.clone()));
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let mut stream = BufReader::new(stream);
    while let Some(mut request) = read(&mut stream).await {
        let Answer::Now { status, headers, body } = (shared.answer)(&request) else {
            return std::future::pending().await;
        };
        request.status = status;
        shared.requests.lock().push(request);
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let answer = format!("HTTP/1.1 {status} -\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len());
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let first = line(stream).await?;
    let mut words = first.split(' ').map(str::to_owned);
    let mut request = Request { method: words.next()?, path: words.next()?, ..Request::default() };
    loop {
        let header = line(stream).await?;
        let Some((name, value)) = header.split_once(": ") else { break };
        request.headers.push((name.to_lowercase(), value.to_owned()));
    }
    let length = request.header("content-length")?.parse().ok()?;
    request.body = vec![0; length];
    stream.read_exact(&mut request.body).await.ok()?;
    Some(request)
}

async fn line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|bytes| *bytes > 0)?;
    Some(line.trim_end().to_owned())
}
