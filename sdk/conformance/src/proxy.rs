//! The chaos proxy: stands between driver and device, and does to answers what it is told.
//!
//! What becomes of an answer is settled when its question passes (if the subject says that each question has one), so a
//! [`Fate`] hits the answer that it was meant for, however late that is.

mod count;
mod datagrams;
mod fate;

pub(crate) use fate::{Fate, Missing};

use crate::subject::{Chaos, Transport};
use count::State;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// Outside of the range from which the system hands out ports: while the proxy plays dead, nobody is given its port.
const PORTS: std::ops::Range<u16> = 20_000..30_000;
/// What comes at once is taken at once, up to so many bytes: where nobody knows where a message ends, it is one.
const PIECE_BYTES_MAX: usize = 64 << 10;
/// How long its port may be held by what was on it before.
const UP_WITHIN: Duration = Duration::from_secs(10);
/// So much of a timeout a question is under way at most, where answers take far less: then the machine was slow, and the driver, whose
/// clock began earlier, may have given it up.
const PATIENCE: f64 = 0.8;

/// The proxy. It ends when it is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    transport: Transport,
    shared: Arc<Shared>,
    /// Empty while it plays dead.
    running: Mutex<JoinSet<()>>,
}

/// Its side towards the driver.
enum Door {
    Tcp(TcpListener),
    Udp(UdpSocket),
}

/// What all connections share.
struct Shared {
    chaos: Chaos,
    timeout: Duration,
    state: Mutex<State>,
}

/// A question on its way, until its answer has met its fate or the connection has ended.
struct Asked {
    at: Instant,
    fate: Fate,
    shared: Arc<Shared>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.shared.state().answered(self.at);
    }
}

impl Proxy {
    pub(crate) async fn start(chaos: &Chaos, timeout: Duration, transport: Transport, seed: u64) -> io::Result<Self> {
        let door = free_port(transport).await?;
        let address = door.address()?;
        let state = Mutex::new(State::new(timeout.mul_f64(PATIENCE), seed));
        let proxy = Proxy {
            address,
            transport,
            shared: Arc::new(Shared { chaos: chaos.clone(), timeout, state }),
            running: Mutex::default(),
        };
        proxy.open(door);
        Ok(proxy)
    }

    /// Where the driver is to connect.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    fn open(&self, door: Door) {
        let shared = self.shared.clone();
        match door {
            Door::Tcp(listener) => self.running().spawn(accept(listener, shared)),
            Door::Udp(socket) => self.running().spawn(datagrams::serve(socket, shared)),
        };
    }

    fn running(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.running.lock().expect("no thread panics while it holds this lock")
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }

    /// Cuts all connections and takes no more: connecting is refused.
    pub(crate) async fn down(&self) {
        let mut running = std::mem::take(&mut *self.running());
        running.shutdown().await;
    }

    /// Takes connections again, and leads them to a device.
    pub(crate) async fn up(&self, device: SocketAddr) -> io::Result<()> {
        self.state().device = Some(device);
        self.again().await
    }

    /// Takes connections again, and leads them to the same device as before.
    pub(crate) async fn again(&self) -> io::Result<()> {
        if !self.running().is_empty() {
            return Ok(());
        }
        let until = Instant::now() + UP_WITHIN;
        loop {
            match Door::bind(self.transport, self.address).await {
                Ok(door) => {
                    self.open(door);
                    return Ok(());
                }
                Err(error) if Instant::now() > until => return Err(error),
                Err(_) => sleep(Duration::from_millis(50)).await,
            }
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics while it holds this lock")
    }
}

impl Door {
    async fn bind(transport: Transport, at: SocketAddr) -> io::Result<Door> {
        match transport {
            Transport::Tcp => TcpListener::bind(at).await.map(Door::Tcp),
            Transport::Udp => UdpSocket::bind(at).await.map(Door::Udp),
        }
    }

    fn address(&self) -> io::Result<SocketAddr> {
        match self {
            Door::Tcp(listener) => listener.local_addr(),
            Door::Udp(socket) => socket.local_addr(),
        }
    }
}

async fn free_port(transport: Transport) -> io::Result<Door> {
    // Not of the run's seed: two runs of one seed would meet on one port.
    let mut dice = fastrand::Rng::new();
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..200 {
        match Door::bind(transport, ([127, 0, 0, 1], dice.u16(PORTS)).into()).await {
            Ok(door) => return Ok(door),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((driver, _)) = listener.accept() => {
                connections.spawn(serve(driver, shared.clone()));
            }
            Some(_) = connections.join_next() => {}
            // There is no room for one more connection, and none to wait for.
            else => sleep(Duration::from_millis(10)).await,
        }
    }
}

/// A connection of the driver, until one side ends it.
async fn serve(driver: TcpStream, shared: Arc<Shared>) {
    let connection = Connection::new(shared);
    let Some(device) = connection.shared.state().device else { return };
    let Ok(device) = TcpStream::connect(device).await else { return };
    // Without it, pieces that are sent apart arrive together.
    let _ = driver.set_nodelay(true);
    let _ = device.set_nodelay(true);
    let (from_driver, to_driver) = driver.into_split();
    let (from_device, to_device) = device.into_split();
    let (hand_on, answers) = unbounded_channel();
    tokio::select! {
        _ = connection.questions(from_driver, to_device) => {}
        _ = async { tokio::try_join!(connection.answers(from_device, hand_on), connection.fates(answers, to_driver)) } => {}
    }
}

struct Connection {
    shared: Arc<Shared>,
    /// Oldest first.
    asked: Mutex<VecDeque<Asked>>,
}

impl Connection {
    fn new(shared: Arc<Shared>) -> Self {
        shared.state().opened();
        Connection { shared, asked: Mutex::default() }
    }

    fn asked(&self) -> MutexGuard<'_, VecDeque<Asked>> {
        self.asked.lock().expect("no thread panics while it holds this lock")
    }

    /// Hands questions through, and settles what becomes of their answers.
    async fn questions(&self, mut from: OwnedReadHalf, to: OwnedWriteHalf) -> io::Result<()> {
        let mut received = vec![];
        loop {
            received.reserve(PIECE_BYTES_MAX);
            if from.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
            while let Some(question) = self.shared.chaos.framing.take(&mut received) {
                self.ask(&question);
                fate::send(&to, &question).await?;
            }
        }
    }

    fn ask(&self, question: &[u8]) {
        self.shared.state().note(question);
        if self.shared.chaos.answer_per_question {
            let asked = self.question();
            self.asked().push_back(asked);
        }
    }

    /// A question that was asked now.
    fn question(&self) -> Asked {
        let at = Instant::now();
        Asked { at, fate: self.shared.state().asked(at), shared: self.shared.clone() }
    }

    /// Hands answers on as soon as they come, whatever those before them are still waiting for: two that have been left lying
    /// would be one piece.
    async fn answers(&self, mut from: OwnedReadHalf, hand_on: UnboundedSender<(Asked, Vec<u8>)>) -> io::Result<()> {
        let mut received = vec![];
        loop {
            received.reserve(PIECE_BYTES_MAX);
            if from.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
            while let Some(answer) = self.shared.chaos.framing.take(&mut received) {
                let oldest = self.asked().pop_front();
                // Nobody may have asked, or nobody knows which question it answers.
                let asked = oldest.unwrap_or_else(|| self.question());
                // Nobody takes it any more if the driver has gone.
                let _ = hand_on.send((asked, answer));
            }
        }
    }

    /// Does to answers what was settled, one after the other.
    async fn fates(&self, mut answers: UnboundedReceiver<(Asked, Vec<u8>)>, to: OwnedWriteHalf) -> io::Result<()> {
        let (mut held, mut mute_until) = (vec![], None);
        while let Some((asked, answer)) = answers.recv().await {
            let dice = self.shared.state().dice();
            let (held, mute_until) = (&mut held, &mut mute_until);
            let mut fatal = fate::Fatal { to: &to, held, mute_until, dice, timeout: self.shared.timeout };
            let (at, fate) = (asked.at, asked.fate.clone());
            if let Fate::Delay(by) = fate {
                sleep_until(at + by).await;
            }
            // Whoever has the answer may ask the next question before it is said here that this one is no more under way.
            drop(asked);
            fatal.meet(&fate, answer, at).await?;
        }
        Ok(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.state().closed();
    }
}

#[cfg(test)]
mod tests;
