//! The server for devices that push: what they PUT or POST to the paths of points is taken, and all else refused.

mod desk;
mod dtls;
mod peer;
mod uploads;

pub(crate) use desk::Desk;
pub(crate) use dtls::Keyring;
pub(crate) use peer::Peer;

use crate::config::{Endpoint, LinkOptions};
use crate::plan::Resource;
use crate::wire::{Counters, Task};
use dtls::{Event, Gate};
use edgeway_sdk::{Fault, Sink};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::UdpSocket;
use tokio::time::Instant;

/// No datagram is longer.
const DATAGRAM_BYTES_MAX: usize = 65_535;

/// A port to which devices push.
pub(crate) struct Server {
    at: SocketAddr,
    options: Arc<LinkOptions>,
    counters: Arc<Counters>,
    socket: Mutex<Option<Arc<UdpSocket>>>,
    serving: Mutex<Option<Serving>>,
}

/// Somebody at the door.
struct Serving {
    task: Task,
    /// With `listens://` alone.
    gate: Option<Arc<Mutex<Gate>>>,
}

impl Server {
    pub(crate) fn new(at: SocketAddr, options: Arc<LinkOptions>, counters: Arc<Counters>) -> Self {
        let (socket, serving) = Default::default();
        Server { at, options, counters, socket, serving }
    }

    /// Opens the port.
    ///
    /// # Errors
    /// [`Fault::Link`] if somebody else has it.
    pub(crate) async fn bind(&self) -> Result<(), Fault> {
        self.close().await;
        let socket = UdpSocket::bind(self.at).await;
        let socket = socket.map_err(|error| Fault::Link(format!("{}: {error}", self.options.endpoint)))?;
        self.counters.connections.add();
        *self.socket() = Some(Arc::new(socket));
        Ok(())
    }

    /// Begins to take what is pushed to these resources.
    ///
    /// # Errors
    /// [`Fault::Link`] if the port is not open.
    pub(crate) fn serve(&self, resources: Vec<Arc<Resource>>, keys: Keyring, sink: Arc<dyn Sink>) -> Result<(), Fault> {
        let socket = self.socket().clone();
        let socket = socket.ok_or_else(|| Fault::Link("the link is not connected".into()))?;
        let keys = Arc::new(keys);
        let is_secure = matches!(self.options.endpoint, Endpoint::ListenSecure { .. });
        let gate = is_secure.then(|| Gate::new(keys.clone(), self.counters.clone(), Instant::now()));
        let gate = gate.map(|gate| Arc::new(Mutex::new(gate)));
        let desk = Desk::new(resources, sink.clone(), &self.options, self.counters.clone());
        let hall = Hall { desk, gate: gate.clone(), keys, sink };
        *self.serving() = Some(Serving { task: Task::spawn(receive(socket, hall)), gate });
        Ok(())
    }

    /// Gives the port back. Whoever has a session is told that it has ended, because nobody will know it any more.
    pub(crate) async fn close(&self) {
        let (serving, socket) = (self.serving().take(), self.socket().take());
        let Some(Serving { task, gate }) = serving else { return };
        task.end().await;
        let goodbyes = gate.map(|gate| locked(&gate).goodbyes()).unwrap_or_default();
        for (to, goodbye) in goodbyes {
            if let Some(socket) = &socket {
                // Whoever has gone does not want it.
                let _ = socket.send_to(&goodbye, to).await;
            }
        }
    }

    fn socket(&self) -> MutexGuard<'_, Option<Arc<UdpSocket>>> {
        self.socket.lock().expect("no thread panics while it holds this lock")
    }

    fn serving(&self) -> MutexGuard<'_, Option<Serving>> {
        self.serving.lock().expect("no thread panics while it holds this lock")
    }
}

fn locked(gate: &Mutex<Gate>) -> MutexGuard<'_, Gate> {
    gate.lock().expect("no thread panics while it holds this lock")
}

async fn receive(socket: Arc<UdpSocket>, mut hall: Hall) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((length, from)) => {
                for (to, reply) in hall.take(&buffer[..length], from) {
                    // Whoever has gone does not want it.
                    let _ = socket.send_to(&reply, to).await;
                }
            }
            // About something that was sent before, to somebody who is gone.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {}
            Err(error) => return hall.sink.lost(&error.to_string()),
        }
    }
}

/// The way of a datagram: through the gate, if there is one, to the desk and back.
struct Hall {
    desk: Desk,
    gate: Option<Arc<Mutex<Gate>>>,
    keys: Arc<Keyring>,
    sink: Arc<dyn Sink>,
}

impl Hall {
    /// What is to be sent because of a datagram, and where.
    fn take(&mut self, datagram: &[u8], from: SocketAddr) -> Vec<(SocketAddr, Vec<u8>)> {
        let Some(gate) = self.gate.clone() else {
            let reply = self.desk.take(datagram, &Peer::in_the_clear(from));
            return reply.map(|reply| (from, reply)).into_iter().collect();
        };
        let mut gate = locked(&gate);
        let events = gate.take(datagram, from, Instant::now());
        events.into_iter().filter_map(|event| self.done(event, &mut gate)).collect()
    }

    fn done(&mut self, event: Event, gate: &mut Gate) -> Option<(SocketAddr, Vec<u8>)> {
        match event {
            Event::Send(to, datagram) => Some((to, datagram)),
            Event::Message(peer, message) => {
                let reply = self.desk.take(&message, &peer)?;
                Some((peer.address, gate.seal(&peer, &reply)?))
            }
            Event::WrongKey(identity) => {
                let why = format!("somebody has tried to push as `{identity}` with another `secret`");
                self.keys.devices(&identity).iter().for_each(|device| self.sink.online(*device, Some(&why)));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
