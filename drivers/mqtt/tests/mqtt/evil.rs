//! A broker made of raw bytes (MQTT 3.1.1, and 5 as far as it matters), told what to do once somebody has subscribed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What it does after the first subscription of each connection.
#[derive(Clone)]
pub(crate) enum Act {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes and closes the connection.
    SendAndClose(Vec<u8>),
    /// Sends these bytes one by one, each after a pause.
    Drip(Vec<u8>),
    /// Answers nothing any more, not even pings.
    Silence,
    /// Refuses everything that is subscribed to, from the first time on.
    Refuse,
    /// Welcomes with these properties, as MQTT 5 has them.
    Welcome(Vec<u8>),
}

/// When it is evil.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// On every connection.
    Always,
    /// On the first one alone.
    FirstOnly,
}

/// A broker on a port of its own.
pub(crate) struct Evil {
    pub(crate) port: u16,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Evil {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Evil {
    /// For the version of the protocol with this number in its packets, 4 or 5.
    pub(crate) async fn start(level: u8, act: Act, from: From) -> Evil {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        let task = tokio::spawn(async move {
            let mut all = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let number = counted.fetch_add(1, Relaxed);
                let act = (from == From::Always || number == 0).then(|| act.clone());
                all.spawn(serve(stream, level, act));
            }
        });
        Evil { port, connections, task }
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Relaxed)
    }
}

/// A message with QoS 0.
pub(crate) fn publish(level: u8, topic: &[u8], payload: &[u8]) -> Vec<u8> {
    let properties: &[u8] = if level == 5 { &[0] } else { &[] };
    let rest = [&(topic.len() as u16).to_be_bytes()[..], topic, properties, payload].concat();
    [&[0x30][..], &length(rest.len()), &rest].concat()
}

/// A remaining length.
fn length(mut bytes: usize) -> Vec<u8> {
    let mut all = vec![];
    loop {
        let low = (bytes % 128) as u8;
        bytes /= 128;
        all.push(if bytes > 0 { low | 0x80 } else { low });
        if bytes == 0 {
            return all;
        }
    }
}

/// The answer to a connection.
fn connack(level: u8, act: Option<&Act>) -> Vec<u8> {
    let properties = match act {
        Some(Act::Welcome(properties)) => properties.as_slice(),
        _ => &[],
    };
    match level {
        5 => [&[0x20, 3 + properties.len() as u8, 0, 0, properties.len() as u8], properties].concat(),
        _ => vec![0x20, 2, 0, 0],
    }
}

/// How many filters a packet subscribes to.
fn filters(level: u8, body: &[u8]) -> usize {
    let mut rest = &body[if level == 5 { 3 + usize::from(body[2]) } else { 2 }..];
    let mut count = 0;
    while let [high, low, after @ ..] = rest {
        rest = &after[usize::from(u16::from_be_bytes([*high, *low])) + 1..];
        count += 1;
    }
    count
}

/// The answer to a subscription, with one code for each filter.
fn suback(level: u8, body: &[u8], is_refused: bool) -> Vec<u8> {
    let code = match (is_refused, level) {
        (false, _) => 0,
        (true, 5) => 0x87,
        (true, _) => 0x80,
    };
    let properties: &[u8] = if level == 5 { &[0] } else { &[] };
    let rest = [&body[..2], properties, &vec![code; filters(level, body)]].concat();
    [&[0x90][..], &length(rest.len()), &rest].concat()
}

async fn serve(mut stream: TcpStream, level: u8, mut act: Option<Act>) -> Option<()> {
    let is_refusing = matches!(act, Some(Act::Refuse));
    loop {
        let (kind, body) = packet(&mut stream).await?;
        match kind >> 4 {
            1 => stream.write_all(&connack(level, act.as_ref())).await.ok()?,
            8 => {
                stream.write_all(&suback(level, &body, is_refusing)).await.ok()?;
                match act.take() {
                    _ if is_refusing => {}
                    None | Some(Act::Welcome(_)) => stream.write_all(&publish(level, b"t", b"7")).await.ok()?,
                    Some(Act::Send(bytes)) => stream.write_all(&bytes).await.ok()?,
                    Some(Act::SendAndClose(bytes)) => return stream.write_all(&bytes).await.ok(),
                    Some(Act::Drip(bytes)) => {
                        for byte in bytes {
                            stream.write_all(&[byte]).await.ok()?;
                            tokio::time::sleep(Duration::from_millis(1)).await;
                        }
                    }
                    Some(Act::Silence | Act::Refuse) => std::future::pending().await,
                }
            }
            12 => stream.write_all(&[0xd0, 0]).await.ok()?,
            14 => return None,
            _ => {}
        }
    }
}

async fn packet(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let kind = stream.read_u8().await.ok()?;
    let (mut bytes, mut factor) = (0, 1);
    loop {
        let next = usize::from(stream.read_u8().await.ok()?);
        bytes += (next & 0x7f) * factor;
        factor *= 128;
        if next < 0x80 {
            break;
        }
    }
    let mut body = vec![0; bytes];
    stream.read_exact(&mut body).await.ok()?;
    Some((kind, body))
}
