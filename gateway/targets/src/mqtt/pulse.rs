//! Whether a connection still lives.
//!
//! The client library finds a link that swallows everything only at the second ping without an answer, after two
//! keep-alive times, and sees no difference between a broker that is slow and one that has stopped to acknowledge. So a
//! watch of our own ends the connection after 1.5 keep-alive times in which
//!
//! - nothing was heard (the library pings after one), or
//! - publishes are under way and none is acknowledged, although pings are answered.
//!
//! A large publish on a slow link takes longer. A socket that was full and takes more bytes shows that the peer has
//! taken some, so that counts as a sign of life. The socket's buffer is kept small for that reason: what is in it when
//! the last byte was taken must arrive within the limit, which a link of 10 KiB/s does with a keep-alive of 30 s.

use parking_lot::Mutex;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::Instant;

/// How long one address may take to answer.
const ADDRESS_WITHIN: Duration = Duration::from_secs(5);
/// The socket's send buffer, in bytes; Linux doubles it for its own needs.
const SEND_BUFFER_BYTES: usize = 128 << 10;

/// The signs of life of one connection.
pub(super) struct Pulse {
    keep_alive: Mutex<Duration>,
    signs: Mutex<Signs>,
}

#[derive(Debug, Clone, Copy)]
struct Signs {
    heard: Instant,
    acknowledged: Instant,
    unacknowledged: usize,
}

/// What went missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// Everything.
    Dead,
    /// Acknowledgements.
    Stuck,
}

impl Pulse {
    pub(super) fn new(keep_alive: Duration) -> Arc<Self> {
        let now = Instant::now();
        let signs = Mutex::new(Signs { heard: now, acknowledged: now, unacknowledged: 0 });
        Arc::new(Pulse { keep_alive: Mutex::new(keep_alive), signs })
    }

    /// The broker wants another keep-alive.
    pub(super) fn set_keep_alive(&self, keep_alive: Duration) {
        *self.keep_alive.lock() = keep_alive;
    }

    /// How long a silence may be.
    pub(super) fn limit(&self) -> Duration {
        self.keep_alive.lock().mul_f64(1.5)
    }

    /// A publish is on its way.
    pub(super) fn published(&self) {
        let mut signs = self.signs.lock();
        if signs.unacknowledged == 0 {
            signs.acknowledged = Instant::now();
        }
        signs.unacknowledged += 1;
    }

    /// A publish was acknowledged.
    pub(super) fn acknowledged(&self) {
        let mut signs = self.signs.lock();
        signs.acknowledged = Instant::now();
        signs.unacknowledged = signs.unacknowledged.saturating_sub(1);
    }

    /// Ends when the connection has shown no sign of life for too long.
    pub(super) async fn silence(&self) -> Silence {
        loop {
            let (due, silence) = self.due();
            if due <= Instant::now() {
                return silence;
            }
            tokio::time::sleep_until(due).await;
        }
    }

    fn due(&self) -> (Instant, Silence) {
        let limit = self.limit();
        let signs = *self.signs.lock();
        if signs.unacknowledged > 0 && signs.acknowledged < signs.heard {
            return (signs.acknowledged + limit, Silence::Stuck);
        }
        (signs.heard + limit, Silence::Dead)
    }

    fn heard(&self) {
        self.signs.lock().heard = Instant::now();
    }

    fn drained(&self) {
        let mut signs = self.signs.lock();
        signs.heard = Instant::now();
        signs.acknowledged = signs.heard;
    }
}

/// A socket that takes the pulse.
pub(super) struct Line {
    stream: TcpStream,
    pulse: Arc<Pulse>,
    is_full: bool,
}

impl Line {
    /// Connects to the first address of `host:port` that answers.
    pub(super) async fn open(host: String, pulse: Arc<Pulse>) -> io::Result<Self> {
        let mut error = io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address"));
        for address in lookup_host(&host).await? {
            match tokio::time::timeout(ADDRESS_WITHIN, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Line::new(stream, pulse),
                Ok(Err(refused)) => error = refused,
                Err(_) => error = io::Error::new(io::ErrorKind::TimedOut, format!("{address} does not answer")),
            }
        }
        Err(error)
    }

    fn new(stream: TcpStream, pulse: Arc<Pulse>) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let silence_ms = u32::try_from(pulse.limit().as_millis()).unwrap_or(u32::MAX);
        rustix::net::sockopt::set_tcp_user_timeout(&stream, silence_ms)?;
        rustix::net::sockopt::set_socket_send_buffer_size(&stream, SEND_BUFFER_BYTES)?;
        Ok(Line { stream, pulse, is_full: false })
    }

    fn wrote<T>(&mut self, poll: Poll<T>) -> Poll<T> {
        if poll.is_ready() && self.is_full {
            self.pulse.drained();
        }
        self.is_full = poll.is_pending();
        poll
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let poll = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.pulse.heard();
        }
        poll
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP_ALIVE: Duration = Duration::from_secs(10);

    /// How long `pulse` takes to notice, while `every_second` happens.
    async fn noticed(pulse: &Pulse, every_second: impl Fn(&Pulse)) -> Option<(Duration, Silence)> {
        let start = Instant::now();
        let silence = pulse.silence();
        tokio::pin!(silence);
        for _ in 0..60 {
            if let Ok(silence) = tokio::time::timeout(Duration::from_secs(1), &mut silence).await {
                return Some((start.elapsed(), silence));
            }
            every_second(pulse);
        }
        None
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_that_says_nothing_is_dead_after_one_and_a_half_keep_alives() {
        let found = noticed(&Pulse::new(KEEP_ALIVE), |_| ()).await;
        assert_eq!(found, Some((Duration::from_secs(15), Silence::Dead)));
    }

    #[tokio::test(start_paused = true)]
    async fn pings_alone_keep_an_idle_link_but_not_one_that_acknowledges_nothing() {
        let pulse = Pulse::new(KEEP_ALIVE);
        assert_eq!(noticed(&pulse, Pulse::heard).await, None);
        pulse.published();
        let found = noticed(&pulse, Pulse::heard).await;
        assert_eq!(found, Some((Duration::from_secs(15), Silence::Stuck)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_publish_may_take_its_time_while_the_socket_takes_bytes() {
        let pulse = Pulse::new(KEEP_ALIVE);
        pulse.published();
        assert_eq!(noticed(&pulse, Pulse::drained).await, None);
        pulse.acknowledged();
        assert_eq!(noticed(&pulse, Pulse::heard).await, None, "nothing is under way any more");
    }
}
