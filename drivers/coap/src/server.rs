//! The server for devices that push: what they PUT or POST to the paths of points is taken, and all else refused.

mod uploads;

use crate::codec::{self, Block, LINK_FORMAT, Told, links};
use crate::config::{LinkOptions, Path};
use crate::plan::Resource;
use crate::reading::{self, Payload};
use crate::wire::{Counters, Recent, Task};
use coap_lite::{CoapOption, MessageClass, MessageType, Packet, RequestType, ResponseType};
use edgeway_sdk::{Batch, Fault, Sink, Timestamp};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::UdpSocket;
use tokio::time::Instant;
use uploads::{Part, Uploads};

/// No datagram is longer.
const DATAGRAM_BYTES_MAX: usize = 65_535;
/// So many messages are remembered, in order to answer them alike when they come again.
const SEEN_MAX: usize = 1024;
/// The longest payload of one of our datagrams.
const BLOCK_BYTES: usize = 1024;
/// The options of a question that must be understood, and are: Uri-Host, Uri-Port, Uri-Path, Uri-Query, Accept, Block2 and Block1.
const UNDERSTOOD: [u16; 7] = [3, 7, 11, 15, 17, 23, 27];

/// A port to which devices push.
pub(crate) struct Server {
    at: SocketAddr,
    options: Arc<LinkOptions>,
    counters: Arc<Counters>,
    socket: Mutex<Option<Arc<UdpSocket>>>,
    serving: Mutex<Option<Task>>,
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
        let socket = socket.map_err(|error| Fault::Link(format!("listen://{}: {error}", self.at)))?;
        self.counters.connections.add();
        *self.socket() = Some(Arc::new(socket));
        Ok(())
    }

    /// Begins to take what is pushed to these resources.
    ///
    /// # Errors
    /// [`Fault::Link`] if the port is not open.
    pub(crate) fn serve(&self, resources: Vec<Arc<Resource>>, sink: Arc<dyn Sink>) -> Result<(), Fault> {
        let socket = self.socket().clone();
        let socket = socket.ok_or_else(|| Fault::Link("the link is not connected".into()))?;
        let desk = Desk::new(resources, sink, &self.options, self.counters.clone());
        *self.serving() = Some(Task::spawn(receive(socket, desk)));
        Ok(())
    }

    /// Gives the port back.
    pub(crate) async fn close(&self) {
        let serving = self.serving().take();
        if let Some(serving) = serving {
            serving.end().await;
        }
        self.socket().take();
    }

    fn socket(&self) -> MutexGuard<'_, Option<Arc<UdpSocket>>> {
        self.socket.lock().expect("no thread panics while it holds this lock")
    }

    fn serving(&self) -> MutexGuard<'_, Option<Task>> {
        self.serving.lock().expect("no thread panics while it holds this lock")
    }
}

async fn receive(socket: Arc<UdpSocket>, mut desk: Desk) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((length, from)) => {
                if let Some(reply) = desk.take(&buffer[..length], from) {
                    // Whoever has gone does not want it.
                    let _ = socket.send_to(&reply, from).await;
                }
            }
            // About something that was sent before, to somebody who is gone.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {}
            Err(error) => return desk.sink.lost(&error.to_string()),
        }
    }
}

/// Takes in what comes, and says what is to be said to it. No I/O.
pub(crate) struct Desk {
    resources: BTreeMap<Path, Vec<Arc<Resource>>>,
    sink: Arc<dyn Sink>,
    counters: Arc<Counters>,
    seen: Recent<(SocketAddr, u16, u64), Option<Vec<u8>>>,
    uploads: Uploads,
    next_message_id: u16,
}

/// What is said to a question.
struct Reply {
    code: ResponseType,
    payload: Vec<u8>,
    options: Vec<(CoapOption, u32)>,
}

impl Reply {
    fn new(code: ResponseType) -> Self {
        Reply { code, payload: vec![], options: vec![] }
    }

    /// The same with why, for people.
    fn saying(mut self, why: &str) -> Self {
        self.payload = why.as_bytes().to_vec();
        self
    }

    fn with(mut self, option: CoapOption, value: u32) -> Self {
        self.options.push((option, value));
        self
    }
}

impl Desk {
    pub(crate) fn new(
        resources: Vec<Arc<Resource>>,
        sink: Arc<dyn Sink>,
        options: &LinkOptions,
        counters: Arc<Counters>,
    ) -> Self {
        let mut by_path: BTreeMap<Path, Vec<Arc<Resource>>> = BTreeMap::new();
        for resource in resources {
            by_path.entry(resource.place.path.clone()).or_default().push(resource);
        }
        let (seen, uploads) = (Recent::new(SEEN_MAX), Uploads::new(options.payload_bytes_max));
        Desk { resources: by_path, sink, counters, seen, uploads, next_message_id: fastrand::u16(..) }
    }

    pub(crate) fn take(&mut self, datagram: &[u8], from: SocketAddr) -> Option<Vec<u8>> {
        let packet = Packet::from_bytes(datagram).ok().filter(|packet| packet.header.get_version() == 1);
        let Some(packet) = packet else {
            self.counters.malformed.add();
            return None;
        };
        let (kind, message_id) = (packet.header.get_type(), packet.header.message_id);
        match (kind, packet.header.code) {
            (MessageType::Acknowledgement | MessageType::Reset, _) => None,
            (_, MessageClass::Request(method)) => self.question(packet, method, from),
            // A ping, or what nobody has asked for.
            (MessageType::Confirmable, _) => Some(codec::empty(MessageType::Reset, message_id)),
            _ => None,
        }
    }

    fn question(&mut self, packet: Packet, method: RequestType, from: SocketAddr) -> Option<Vec<u8>> {
        let (now, key) = (Instant::now(), (from, packet.header.message_id, codec::digest(&packet)));
        if let Some(said) = self.seen.find(&key, now) {
            self.counters.duplicates.add();
            return said.clone();
        }
        let foreign = packet.options().find(|(number, _)| *number % 2 == 1 && !UNDERSTOOD.contains(number));
        let reply = match foreign {
            Some((number, _)) => Reply::new(ResponseType::BadOption).saying(&format!("option {number}")),
            None => self.answer(&packet, method, from),
        };
        let said = self.encoded(&packet, reply);
        self.seen.add(key, now, said.clone());
        said
    }

    fn answer(&mut self, packet: &Packet, method: RequestType, from: SocketAddr) -> Reply {
        let parts = |option| {
            let parts = packet.get_option(option).into_iter().flatten();
            parts.map(|part| String::from_utf8(part.clone()).ok()).collect::<Option<Vec<String>>>()
        };
        let (Some(path), Some(query)) = (parts(CoapOption::UriPath), parts(CoapOption::UriQuery)) else {
            return Reply::new(ResponseType::BadRequest);
        };
        let path = Path::of_parts(path);
        if method == RequestType::Get && path.parts() == [".well-known", "core"] {
            return self.links(packet);
        }
        let Some(resources) = self.resources_of(&path, &query, from) else {
            self.counters.unknown_pushes.add();
            return Reply::new(ResponseType::NotFound);
        };
        match method {
            RequestType::Put | RequestType::Post => self.pushed(packet, (from, path, query), &resources),
            _ => Reply::new(ResponseType::MethodNotAllowed),
        }
    }

    /// The resources of a path that may be pushed from there, and all of whose query is asked for.
    fn resources_of(&self, path: &Path, query: &[String], from: SocketAddr) -> Option<Vec<Arc<Resource>>> {
        let is_of = |resource: &&Arc<Resource>| {
            let has_query = resource.place.query.parts().iter().all(|part| query.contains(part));
            has_query && resource.source.is_none_or(|source| source.is(from))
        };
        let found: Vec<_> = self.resources.get(path)?.iter().filter(is_of).cloned().collect();
        (!found.is_empty()).then_some(found)
    }

    fn pushed(&mut self, packet: &Packet, to: uploads::Key, resources: &[Arc<Resource>]) -> Reply {
        let Ok((told, block)) = codec::told_of(packet) else { return Reply::new(ResponseType::BadOption) };
        let Some(block) = block else { return self.tell(resources, &packet.payload, told) };
        let said = |code| Reply::new(code).with(CoapOption::Block1, block.to_number());
        match self.uploads.take(to, block, &packet.payload, Instant::now()) {
            Part::Missing => said(ResponseType::RequestEntityIncomplete),
            Part::TooLong => said(ResponseType::RequestEntityTooLarge),
            Part::Taken => said(ResponseType::Continue),
            Part::Last(whole) => self.tell(resources, &whole, told).with(CoapOption::Block1, block.to_number()),
        }
    }

    /// Tells what was pushed to these resources. What cannot be read is refused, and changes nothing.
    fn tell(&self, resources: &[Arc<Resource>], bytes: &[u8], told: Told) -> Reply {
        let mut payload = Payload::new(bytes, told, Timestamp::now());
        let mut batch = Batch::default();
        resources.iter().for_each(|resource| reading::unpack_all(&resource.items, &mut payload, &mut batch));
        if !payload.is_readable() {
            self.counters.unreadable_payloads.add();
            let is_unknown = matches!(told, Told::Other(_));
            let code = if is_unknown { ResponseType::UnsupportedContentFormat } else { ResponseType::BadRequest };
            return Reply::new(code).saying("the payload cannot be read");
        }
        self.counters.pushes.add();
        self.sink.data(batch);
        Reply::new(ResponseType::Changed)
    }

    /// What may be pushed, in blocks if it is long.
    fn links(&self, packet: &Packet) -> Reply {
        let all = links::write(self.resources.keys()).into_bytes();
        let asked =
            codec::uint(packet, CoapOption::Block2.into()).and_then(|block| block.map(Block::of_number).transpose());
        let Ok(asked) = asked else { return Reply::new(ResponseType::BadOption) };
        let bytes = asked.map_or(BLOCK_BYTES, Block::bytes);
        let from = asked.map_or(0, |block| block.number as usize * bytes);
        if from > 0 && from >= all.len() {
            return Reply::new(ResponseType::BadRequest);
        }
        let end = all.len().min(from + bytes);
        let reply = Reply { payload: all[from..end].to_vec(), ..Reply::new(ResponseType::Content) };
        let reply = reply.with(CoapOption::ContentFormat, LINK_FORMAT.into());
        match Block::new(from / bytes, end < all.len(), bytes).filter(|block| asked.is_some() || block.more) {
            Some(block) => reply.with(CoapOption::Block2, block.to_number()),
            None => reply,
        }
    }

    /// A reply with the acknowledgement, or on its own to what was not to be acknowledged.
    fn encoded(&mut self, question: &Packet, reply: Reply) -> Option<Vec<u8>> {
        let mut packet = Packet::new();
        let is_confirmable = question.header.get_type() == MessageType::Confirmable;
        self.next_message_id = self.next_message_id.wrapping_add(1);
        packet.header.set_type(if is_confirmable { MessageType::Acknowledgement } else { MessageType::NonConfirmable });
        packet.header.message_id = if is_confirmable { question.header.message_id } else { self.next_message_id };
        packet.header.code = MessageClass::Response(reply.code);
        packet.set_token(question.get_token().to_vec());
        reply.options.into_iter().for_each(|(option, value)| packet.add_option(option, codec::number(value)));
        packet.payload = reply.payload;
        packet.to_bytes_with_limit(DATAGRAM_BYTES_MAX).ok()
    }
}

#[cfg(test)]
mod tests;
