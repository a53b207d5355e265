//! What is said to each message that comes in, whichever way it has come. No I/O.

use super::Peer;
use super::uploads::{self, Part, Uploads};
use crate::codec::{self, Block, LINK_FORMAT, Told, links};
use crate::config::{LinkOptions, Path};
use crate::plan::Resource;
use crate::reading::{self, Payload};
use crate::wire::{Counters, Recent};
use coap_lite::{CoapOption, MessageClass, MessageType, Packet, RequestType, ResponseType};
use edgeway_sdk::{Batch, Sink, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::time::Instant;

/// No datagram is longer.
const DATAGRAM_BYTES_MAX: usize = 65_535;
/// So many messages are remembered, in order to answer them alike when they come again.
const SEEN_MAX: usize = 1024;
/// The longest payload of one of our datagrams.
const BLOCK_BYTES: usize = 1024;
/// The options of a question that must be understood, and are: Uri-Host, Uri-Port, Uri-Path, Uri-Query, Accept, Block2 and Block1.
const UNDERSTOOD: [u16; 7] = [3, 7, 11, 15, 17, 23, 27];

/// Takes in what comes, and says what is to be said to it. No I/O.
pub(crate) struct Desk {
    resources: BTreeMap<Path, Vec<Arc<Resource>>>,
    sink: Arc<dyn Sink>,
    counters: Arc<Counters>,
    seen: Recent<(Peer, u16, u64), Option<Vec<u8>>>,
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

    pub(crate) fn take(&mut self, datagram: &[u8], from: &Peer) -> Option<Vec<u8>> {
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

    fn question(&mut self, packet: Packet, method: RequestType, from: &Peer) -> Option<Vec<u8>> {
        let (now, key) = (Instant::now(), (from.clone(), packet.header.message_id, codec::digest(&packet)));
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

    fn answer(&mut self, packet: &Packet, method: RequestType, from: &Peer) -> Reply {
        let parts = |option| {
            let parts = packet.get_option(option).into_iter().flatten();
            parts.map(|part| String::from_utf8(part.clone()).ok()).collect::<Option<Vec<String>>>()
        };
        let (Some(path), Some(query)) = (parts(CoapOption::UriPath), parts(CoapOption::UriQuery)) else {
            return Reply::new(ResponseType::BadRequest);
        };
        let path = Path::of_parts(path);
        if method == RequestType::Get && path.parts() == [".well-known", "core"] {
            return self.links(packet, from);
        }
        let resources = match self.resources_of(&path, &query, from) {
            Ok(resources) => resources,
            Err(refused) => return Reply::new(refused),
        };
        match method {
            RequestType::Put | RequestType::Post => self.pushed(packet, (from.clone(), path, query), &resources),
            _ => Reply::new(ResponseType::MethodNotAllowed),
        }
    }

    /// The resources of a path that this peer may push, and all of whose query is asked for.
    fn resources_of(&self, path: &Path, query: &[String], from: &Peer) -> Result<Vec<Arc<Resource>>, ResponseType> {
        let is_there = |resource: &&Arc<Resource>| {
            let has_query = resource.place.query.parts().iter().all(|part| query.contains(part));
            has_query && resource.pusher.is_at(from.address)
        };
        let there: Vec<_> = self.resources.get(path).into_iter().flatten().filter(is_there).cloned().collect();
        if there.is_empty() {
            self.counters.unknown_pushes.add();
            return Err(ResponseType::NotFound);
        }
        let own: Vec<_> = there.into_iter().filter(|resource| from.may_push(resource)).collect();
        if own.is_empty() {
            self.counters.refused_pushes.add();
            return Err(ResponseType::Forbidden);
        }
        Ok(own)
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

    /// What this peer may push, in blocks if it is long.
    fn links(&self, packet: &Packet, from: &Peer) -> Reply {
        let of_peer = self.resources.iter().filter(|(_, resources)| resources.iter().any(|one| from.may_push(one)));
        let all = links::write(of_peer.map(|(path, _)| path)).into_bytes();
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
