//! Datagrams, each of which is a message. What a connection is elsewhere is here a socket of the driver.

use super::{Asked, Fate, Shared, fate};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, sleep_until};

/// No datagram is longer.
const DATAGRAM_BYTES_MAX: usize = 65_535;
/// How often is looked whether the sockets of the driver are still there.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Other datagrams that come instead of an answer have pauses of this part of a timeout.
const ENDLESS_PAUSE: f64 = 0.3;

/// Hands datagrams through until it is dropped.
pub(super) async fn serve(door: UdpSocket, shared: Arc<Shared>) {
    let door = Arc::new(door);
    let mut sockets: HashMap<SocketAddr, Socket> = HashMap::new();
    let mut look = interval(LOOK_EVERY);
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        tokio::select! {
            // An error is about something that was sent before, to a socket that is gone.
            received = door.recv_from(&mut buffer) => if let Ok((length, driver)) = received {
                hand_on(&mut sockets, &door, &shared, driver, &buffer[..length]).await;
            },
            _ = look.tick() => sockets.retain(|driver, _| is_there(*driver)),
        }
    }
}

async fn hand_on(
    sockets: &mut HashMap<SocketAddr, Socket>,
    door: &Arc<UdpSocket>,
    shared: &Arc<Shared>,
    driver: SocketAddr,
    question: &[u8],
) {
    let socket = match sockets.entry(driver) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(new) => {
            let Ok(socket) = Socket::open(door.clone(), shared.clone(), driver).await else { return };
            new.insert(socket)
        }
    };
    let side = &socket.side;
    side.ask(question);
    // It is lost if the device is not there.
    let _ = side.device.send(question).await;
}

/// A port that can be had is nobody's any more.
fn is_there(driver: SocketAddr) -> bool {
    std::net::UdpSocket::bind(driver).is_err()
}

/// A socket of the driver, as long as it is there.
struct Socket {
    side: Arc<Side>,
    /// Ends with it.
    _answering: JoinSet<()>,
}

impl Socket {
    async fn open(door: Arc<UdpSocket>, shared: Arc<Shared>, driver: SocketAddr) -> io::Result<Self> {
        let device = shared.state().device.ok_or(io::ErrorKind::NotConnected)?;
        let socket = UdpSocket::bind(if device.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }).await?;
        socket.connect(device).await?;
        shared.state().opened();
        let (asked, held) = Default::default();
        let side = Arc::new(Side { door, driver, device: socket, shared, asked, held });
        let mut answering = JoinSet::new();
        answering.spawn(side.clone().answers());
        Ok(Socket { side, _answering: answering })
    }
}

/// What lies between a socket of the driver and the device.
struct Side {
    door: Arc<UdpSocket>,
    driver: SocketAddr,
    device: UdpSocket,
    shared: Arc<Shared>,
    /// Oldest first, each with its bytes.
    asked: Mutex<Vec<(Vec<u8>, Asked)>>,
    /// Answers that wait for the next.
    held: Mutex<Vec<Vec<u8>>>,
}

impl Drop for Side {
    fn drop(&mut self) {
        self.shared.state().closed();
    }
}

impl Side {
    fn asked(&self) -> MutexGuard<'_, Vec<(Vec<u8>, Asked)>> {
        self.asked.lock().expect("no thread panics while it holds this lock")
    }

    /// Settles what becomes of the answer. What was asked long ago was no question: nobody has answered.
    fn ask(&self, question: &[u8]) {
        self.shared.state().note(question);
        if self.shared.chaos.answer_per_question {
            let mut asked = self.asked();
            asked.retain(|(_, asked)| asked.at.elapsed() < self.shared.timeout * 2);
            asked.push((question.to_vec(), self.question()));
        }
    }

    fn question(&self) -> Asked {
        let at = Instant::now();
        Asked { at, fate: self.shared.state().asked(at), shared: self.shared.clone() }
    }

    /// The question that this answers: the one with the same number, if they have numbers, else the oldest.
    fn take(&self, answer: &[u8]) -> Option<Asked> {
        let mut asked = self.asked();
        let place = match &self.shared.chaos.id {
            Some(id) => asked.iter().position(|(question, _)| alike(question, answer, id))?,
            None if asked.is_empty() => return None,
            None => 0,
        };
        Some(asked.remove(place).1)
    }

    async fn answers(self: Arc<Self>) {
        // Each on its own: what is late holds nothing back.
        let mut fates = JoinSet::new();
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
        loop {
            match self.device.recv(&mut buffer).await {
                Ok(length) => {
                    let asked = self.take(&buffer[..length]).unwrap_or_else(|| self.question());
                    fates.spawn(self.clone().meet(asked, buffer[..length].to_vec()));
                }
                // The device is not there. Whoever asks it hears nothing.
                Err(_) => sleep(Duration::from_millis(5)).await,
            }
            while fates.try_join_next().is_some() {}
        }
    }

    async fn meet(self: Arc<Self>, asked: Asked, answer: Vec<u8>) {
        let (mut dice, timeout) = (self.shared.state().dice(), self.shared.timeout);
        let fate = asked.fate.clone();
        match &fate {
            Fate::Delay(by) => sleep_until(asked.at + *by).await,
            Fate::Late => sleep_until(asked.at + timeout.mul_f64(1.5)).await,
            _ => {}
        }
        // Whoever has the answer may ask the next question before it is said here that this one is no more under way.
        drop(asked);
        match &fate {
            Fate::Merge | Fate::Swap => self.held().push(answer),
            Fate::Duplicate => {
                self.send(answer.clone()).await;
                self.send(answer).await;
            }
            Fate::WrongId(at) => self.send(fate::estranged(answer, at.clone())).await,
            Fate::Wrong(at) => self.send(fate::damaged(answer, at.clone(), &mut dice)).await,
            Fate::GarbageBefore => {
                self.send(fate::garbage(&mut dice)).await;
                self.send(answer).await;
            }
            Fate::GarbageInstead => self.send(fate::garbage(&mut dice)).await,
            Fate::Endless => self.endless(answer, &mut dice).await,
            // There is no connection to reset, and a part of a datagram does not come.
            Fate::Stall | Fate::Reset | Fate::Truncate(_) | Fate::Half(_) => {}
            Fate::Honest | Fate::Split | Fate::Delay(_) | Fate::Late => self.send(answer).await,
        }
    }

    fn held(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.held.lock().expect("no thread panics while it holds this lock")
    }

    /// An answer, and after it those that have waited for it.
    async fn send(&self, answer: Vec<u8>) {
        let held = std::mem::take(&mut *self.held());
        for datagram in std::iter::once(answer).chain(held) {
            // The driver may have gone.
            let _ = self.door.send_to(&datagram, self.driver).await;
        }
    }

    /// Datagrams that are not the answer, as long as any can be told from it.
    async fn endless(&self, answer: Vec<u8>, dice: &mut fastrand::Rng) {
        let until = Instant::now() + self.shared.timeout * 4 + fate::ENDLESS;
        while Instant::now() < until {
            match &self.shared.chaos.id {
                Some(id) => self.send(fate::estranged(answer.clone(), id.clone())).await,
                None if self.shared.chaos.garbage => self.send(fate::garbage(dice)).await,
                None => return,
            }
            sleep(self.shared.timeout.mul_f64(ENDLESS_PAUSE)).await;
        }
    }
}

/// Whether both have the same number, as far as both have one.
fn alike(question: &[u8], answer: &[u8], id: &Range<usize>) -> bool {
    let end = id.end.min(question.len()).min(answer.len());
    id.start < end && question[id.start..end] == answer[id.start..end]
}
