//! Who waits for what on a connection. No I/O: a datagram goes in, and what is to be said to it comes out.

use super::inbox::Inbox;
use super::{Counters, Failure, Recent};
use crate::codec;
use coap_lite::{MessageClass, MessageType, Packet};
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// So many messages of the device are remembered, in order to know them again.
const SEEN_MAX: usize = 64;

/// What an answer is known by: 32 bits that a stranger cannot guess (RFC 7252 section 5.3.1).
pub(super) type Token = [u8; 4];

/// Who waits for what.
pub(super) struct Table {
    next_message_id: u16,
    /// Its hashes are the tokens: they are keyed at random.
    tokens: RandomState,
    next_token: u64,
    waiting: HashMap<Token, Waiting>,
    by_message_id: HashMap<u16, Token>,
    observed: HashMap<Token, (Arc<Inbox>, Packet)>,
    seen: Recent<(u16, u64), ()>,
    /// How many messages of the device there were.
    pub(super) heard: u64,
    /// Since when nothing has been heard although it was asked for.
    pub(super) silent_since: Option<Instant>,
    /// Set if the connection is of no more use.
    pub(super) ended: Option<String>,
}

struct Waiting {
    message_id: u16,
    /// A ping: its answer is a reset.
    is_ping: bool,
    is_acknowledged: bool,
    answer: oneshot::Sender<Result<Packet, Failure>>,
}

/// A question as it was entered.
pub(super) struct Entered {
    pub(super) token: Token,
    pub(super) message_id: u16,
    pub(super) answer: oneshot::Receiver<Result<Packet, Failure>>,
    pub(super) heard_before: u64,
}

impl Table {
    pub(super) fn new() -> Self {
        let tokens = RandomState::new();
        Table {
            // At random, so that messages of an earlier connection are not taken for those of this one.
            next_message_id: tokens.hash_one("message id") as u16,
            tokens,
            next_token: 0,
            waiting: HashMap::new(),
            by_message_id: HashMap::new(),
            observed: HashMap::new(),
            seen: Recent::new(SEEN_MAX),
            heard: 0,
            silent_since: None,
            ended: None,
        }
    }

    /// Enters a question: one with a token of its own, or the one given.
    pub(super) fn enter(&mut self, token: Option<Token>, is_ping: bool) -> Result<Entered, Failure> {
        if let Some(why) = &self.ended {
            return Err(Failure::Gone(why.clone()));
        }
        let token = token.unwrap_or_else(|| self.free_token());
        let message_id = self.free_message_id();
        let (sender, answer) = oneshot::channel();
        let waiting = Waiting { message_id, is_ping, is_acknowledged: false, answer: sender };
        self.waiting.insert(token, waiting);
        self.by_message_id.insert(message_id, token);
        Ok(Entered { token, message_id, answer, heard_before: self.heard })
    }

    /// Forgets a question.
    pub(super) fn leave(&mut self, token: Token) {
        if let Some(waiting) = self.waiting.remove(&token) {
            self.by_message_id.remove(&waiting.message_id);
        }
    }

    pub(super) fn is_acknowledged(&self, token: Token) -> bool {
        self.waiting.get(&token).is_none_or(|waiting| waiting.is_acknowledged)
    }

    /// Begins to take notifications; `get` is the question that asks for them.
    pub(super) fn observe(&mut self, get: Packet) -> (Token, Arc<Inbox>) {
        let (token, inbox) = (self.free_token(), Arc::<Inbox>::default());
        self.observed.insert(token, (inbox.clone(), get));
        (token, inbox)
    }

    pub(super) fn stop_observing(&mut self, token: Token) {
        self.observed.remove(&token);
    }

    /// What is observed, with the question that asked for it, each with a new number.
    pub(super) fn observed(&mut self) -> Vec<(Token, u16, Packet)> {
        let all: Vec<_> = self.observed.iter().map(|(token, (_, get))| (*token, get.clone())).collect();
        all.into_iter().map(|(token, get)| (token, self.free_message_id(), get)).collect()
    }

    /// Nobody gets an answer any more.
    pub(super) fn end(&mut self, why: &str) {
        self.ended.get_or_insert(why.to_owned());
        self.by_message_id.clear();
        for (_, waiting) in self.waiting.drain() {
            // Whoever does not wait any more does not need to know.
            let _ = waiting.answer.send(Err(Failure::Gone(why.to_owned())));
        }
    }

    /// Takes in a message of the device, and returns what is to be said to it.
    pub(super) fn take(&mut self, packet: Packet, counters: &Counters) -> Option<Vec<u8>> {
        self.heard += 1;
        self.silent_since = None;
        let (kind, message_id) = (packet.header.get_type(), packet.header.message_id);
        match (kind, packet.header.code) {
            (MessageType::Reset, _) => {
                self.reset(message_id);
                None
            }
            (MessageType::Acknowledgement, MessageClass::Empty) => {
                self.acknowledged(message_id);
                None
            }
            (MessageType::Acknowledgement, _) => {
                self.answered(message_id, packet, counters);
                None
            }
            (kind, code) if is_answer(code) => self.told(kind, packet, counters),
            // A ping, or a question to a client.
            (MessageType::Confirmable, _) => Some(codec::empty(MessageType::Reset, message_id)),
            _ => None,
        }
    }

    fn reset(&mut self, message_id: u16) {
        let token = self.by_message_id.get(&message_id).copied();
        if let Some(waiting) = token.and_then(|token| self.remove(token)) {
            let answer = if waiting.is_ping { Ok(Packet::new()) } else { Err(Failure::Reset) };
            let _ = waiting.answer.send(answer);
        }
    }

    fn acknowledged(&mut self, message_id: u16) {
        let token = self.by_message_id.get(&message_id);
        if let Some(waiting) = token.and_then(|token| self.waiting.get_mut(token)) {
            waiting.is_acknowledged = true;
        }
    }

    /// An answer with the acknowledgement: number and token must be those of the question.
    fn answered(&mut self, message_id: u16, packet: Packet, counters: &Counters) {
        let token = self.by_message_id.get(&message_id).copied().filter(|token| packet.get_token() == token);
        match token.and_then(|token| self.remove(token)) {
            Some(waiting) => drop(waiting.answer.send(Ok(packet))),
            None => counters.strange_answers.add(),
        }
    }

    /// An answer of its own, or a notification: it is known by its token. What nobody has asked for is told so, which makes a device
    /// forget that it was ever observed (RFC 7641 section 3.6).
    fn told(&mut self, kind: MessageType, packet: Packet, counters: &Counters) -> Option<Vec<u8>> {
        let (message_id, now) = (packet.header.message_id, Instant::now());
        let key = (message_id, codec::digest(&packet));
        let acknowledged = || codec::empty(MessageType::Acknowledgement, message_id);
        let is_asked = kind == MessageType::Confirmable;
        if self.seen.find(&key, now).is_some() {
            counters.duplicates.add();
        } else if self.deliver(packet, counters) {
            self.seen.add(key, now, ());
        } else {
            counters.strange_answers.add();
            return Some(codec::empty(MessageType::Reset, message_id));
        }
        is_asked.then(acknowledged)
    }

    /// Gives it to whoever waits for it or observes it. False if nobody does.
    fn deliver(&mut self, packet: Packet, counters: &Counters) -> bool {
        let Ok(token) = Token::try_from(packet.get_token()) else { return false };
        let waits = self.waiting.get(&token).is_some_and(|waiting| !waiting.is_ping);
        if let Some(waiting) = waits.then(|| self.remove(token)).flatten() {
            // Whoever has given up since does not want it.
            let _ = waiting.answer.send(Ok(packet));
            return true;
        }
        let Some((inbox, _)) = self.observed.get(&token) else { return false };
        counters.notifications.add();
        if !inbox.put(packet) {
            counters.dropped_notifications.add();
        }
        true
    }

    fn remove(&mut self, token: Token) -> Option<Waiting> {
        let waiting = self.waiting.remove(&token)?;
        self.by_message_id.remove(&waiting.message_id);
        Some(waiting)
    }

    fn free_token(&mut self) -> Token {
        loop {
            self.next_token += 1;
            let token = (self.tokens.hash_one(self.next_token) as u32).to_be_bytes();
            if !self.waiting.contains_key(&token) && !self.observed.contains_key(&token) {
                return token;
            }
        }
    }

    fn free_message_id(&mut self) -> u16 {
        loop {
            self.next_message_id = self.next_message_id.wrapping_add(1);
            if !self.by_message_id.contains_key(&self.next_message_id) {
                return self.next_message_id;
            }
        }
    }
}

/// Class 2, 4 or 5.
fn is_answer(code: MessageClass) -> bool {
    matches!(u8::from(code) >> 5, 2 | 4 | 5)
}

#[cfg(test)]
mod tests;
