//! Stands between the driver and pymodbus and holds every nth answer back. What is asked meanwhile is answered, so that
//! the answer which was held back comes when another is expected.
//!
//! Questions go on one at a time: pymodbus answers only the last of those that come together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::time::sleep;

/// How long a question for one register and its answer are, in bytes.
#[derive(Clone, Copy)]
pub(crate) struct Lengths {
    pub(crate) question: usize,
    pub(crate) answer: usize,
}

pub(crate) const TCP: Lengths = Lengths { question: 12, answer: 11 };
pub(crate) const RTU: Lengths = Lengths { question: 8, answer: 7 };

/// Which answers are held back, and for how long.
#[derive(Clone, Copy)]
pub(crate) struct Delay {
    pub(crate) every: usize,
    pub(crate) by: Duration,
}

/// The port of this machine on which it stands.
pub(crate) async fn listening(server: u16, lengths: Lengths, delay: Delay) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let count = Arc::<AtomicUsize>::default();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).expect("a TCP stream");
            let (reader, writer) = stream.into_split();
            tokio::spawn(stand_between(reader, writer, server, lengths, delay, count.clone()));
        }
    });
    port
}

/// Passes questions on and answers back until one side has enough.
pub(crate) async fn stand_between(
    mut reader: impl AsyncRead + Unpin,
    writer: impl AsyncWrite + Unpin + Send + 'static,
    server: u16,
    Lengths { question, answer }: Lengths,
    delay: Delay,
    count: Arc<AtomicUsize>,
) {
    let mut server = TcpStream::connect(("127.0.0.1", server)).await.expect("pymodbus listens");
    server.set_nodelay(true).expect("a TCP stream");
    let writer = Arc::new(Mutex::new(writer));
    let (mut question, mut answer) = (vec![0; question], vec![0; answer]);
    while reader.read_exact(&mut question).await.is_ok() {
        server.write_all(&question).await.expect("pymodbus takes questions");
        server.read_exact(&mut answer).await.expect("pymodbus answers");
        let is_held_back = (count.fetch_add(1, Relaxed) + 1).is_multiple_of(delay.every);
        let back = if is_held_back { delay.by } else { Duration::ZERO };
        let sending = send(writer.clone(), answer.clone(), back);
        if back.is_zero() {
            sending.await;
        } else {
            tokio::spawn(sending);
        }
    }
}

async fn send(writer: Arc<Mutex<impl AsyncWrite + Unpin>>, answer: Vec<u8>, after: Duration) {
    sleep(after).await;
    // Its connection may be gone by now.
    let _ = writer.lock().await.write_all(&answer).await;
}
