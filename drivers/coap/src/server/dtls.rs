//! The door of a port to which devices push with DTLS 1.2 and pre-shared keys: who comes in, as whom, and what they say. No I/O.
//!
//! The server of `webrtc-dtls` keeps something for everybody who says hello, before they have shown that they are where they say,
//! and what a stranger sends can exhaust its stack. So the handshake is the driver's own; the ciphers are those of that crate.

mod cipher;
mod cookie;
mod handshake;
mod keyring;
mod message;
mod record;
mod session;
mod window;

pub(crate) use keyring::Keyring;

use super::Peer;
use crate::wire::Counters;
use cookie::Cookies;
use handshake::{BAD_RECORD_MAC, Ending, Handshake, UNKNOWN_PSK_IDENTITY};
use message::{Hello, Message};
use record::Record;
use session::{Heritage, Session};
use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// So many handshakes are under way at the same time; the oldest gives way.
const HANDSHAKES_MAX: usize = 64;
/// So many of them with one host, which has to wait for more.
const HANDSHAKES_OF_HOST_MAX: usize = 16;
/// What is not done then is given up.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(20);
/// So many sessions are kept; the one that has been silent for longest gives way.
const SESSIONS_MAX: usize = 1024;
/// So many of them with one identity: a device that always comes from another port costs nobody else a session.
const SESSIONS_OF_IDENTITY_MAX: usize = 16;

/// What a datagram brings about.
pub(super) enum Event {
    /// This is to be sent there.
    Send(SocketAddr, Vec<u8>),
    /// Somebody whose key we know has said this.
    Message(Peer, Vec<u8>),
    /// Somebody has tried to come in with this identity and another key than it has. Told once until somebody has come in with it.
    WrongKey(Arc<str>),
}

/// Knows who has come in.
pub(super) struct Gate {
    keys: Arc<Keyring>,
    counters: Arc<Counters>,
    cookies: Cookies,
    handshakes: HashMap<SocketAddr, Handshake>,
    sessions: HashMap<SocketAddr, Session>,
    next_session: u64,
    /// The identities with which somebody was told to have tried in vain.
    told: BTreeSet<Arc<str>>,
}

impl Gate {
    pub(super) fn new(keys: Arc<Keyring>, counters: Arc<Counters>, now: Instant) -> Self {
        let (handshakes, sessions, next_session, told) = Default::default();
        Gate { keys, counters, cookies: Cookies::new(random(), now), handshakes, sessions, next_session, told }
    }

    /// Takes in a datagram.
    pub(super) fn take(&mut self, datagram: &[u8], from: SocketAddr, now: Instant) -> Vec<Event> {
        let mut events = vec![];
        let Some(records) = record::read(datagram) else {
            self.counters.malformed.add();
            return events;
        };
        for record in records {
            match (record.epoch, record.kind) {
                (0, record::HANDSHAKE) => self.in_the_clear(&record, from, now, &mut events),
                // Anybody may have sent it, and nothing depends on it.
                (0, record::CHANGE_CIPHER_SPEC | record::ALERT) => {}
                _ => self.encrypted(&record, from, now, &mut events),
            }
        }
        events
    }

    /// What is to be sent so that only this peer can read it; `None` if it has gone.
    pub(super) fn seal(&mut self, peer: &Peer, message: &[u8]) -> Option<Vec<u8>> {
        let session = self.sessions.get_mut(&peer.address).filter(|session| session.id == peer.session)?;
        Some(session.seal(record::APPLICATION_DATA, message))
    }

    /// What is to be said to everybody when the door is closed.
    pub(super) fn goodbyes(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        self.sessions.drain().map(|(to, mut session)| (to, session.goodbye())).collect()
    }

    fn in_the_clear(&mut self, record: &Record<'_>, from: SocketAddr, now: Instant, events: &mut Vec<Event>) {
        let Some(messages) = message::read(record.body) else { return self.counters.malformed.add() };
        for message in messages {
            match message.kind {
                message::CLIENT_HELLO => match Hello::read(message.body) {
                    Some(hello) => events.extend(self.hello((&message, &hello), record.number, from, now)),
                    None => self.counters.malformed.add(),
                },
                message::CLIENT_KEY_EXCHANGE => events.extend(self.exchange(&message, from, now)),
                // Nobody has to say anything else before there is a key.
                _ => {}
            }
        }
    }

    fn hello(
        &mut self,
        (message, hello): (&Message<'_>, &Hello<'_>),
        number: u64,
        from: SocketAddr,
        now: Instant,
    ) -> Option<Event> {
        if !self.cookies.is_right(hello, from, now) {
            return Some(Event::Send(from, self.verify_request(message, hello, number, from, now)));
        }
        if let Some(known) = self.handshakes.get_mut(&from).filter(|known| known.is_of(hello)) {
            return Some(Event::Send(from, known.flight()));
        }
        if !self.make_room(from, now) {
            self.counters.unfinished_handshakes.add();
            return None;
        }
        // A session from there stays until the new one is sure: this may be an old hello that somebody else has sent again.
        let said = match Handshake::begin((message, hello), number, random(), now) {
            Ok(mut handshake) => {
                let flight = handshake.flight();
                self.handshakes.insert(from, handshake);
                flight
            }
            Err(alert) => {
                self.counters.unfinished_handshakes.add();
                handshake::fatal(alert, number)
            }
        };
        Some(Event::Send(from, said))
    }

    /// What is said to whoever has not shown yet that it is there. Shorter than any hello, and nothing is kept.
    fn verify_request(
        &self,
        message: &Message<'_>,
        hello: &Hello<'_>,
        number: u64,
        from: SocketAddr,
        now: Instant,
    ) -> Vec<u8> {
        let cookie = self.cookies.bake(hello, from, now);
        let mut body = record::DTLS_1_0.to_vec();
        body.push(cookie.len() as u8);
        body.extend(cookie);
        let request = message::write(message::HELLO_VERIFY_REQUEST, message.number, &body);
        record::write(record::HANDSHAKE, record::DTLS_1_0, number, &request)
    }

    /// Whether there is room for a handshake with somebody there, who may have begun another before.
    fn make_room(&mut self, from: SocketAddr, now: Instant) -> bool {
        let before = self.handshakes.len();
        self.handshakes.retain(|of, handshake| *of != from && now < handshake.began + HANDSHAKE_WITHIN);
        let has_room = self.handshakes.keys().filter(|of| of.ip() == from.ip()).count() < HANDSHAKES_OF_HOST_MAX;
        if has_room && self.handshakes.len() >= HANDSHAKES_MAX {
            let oldest = self.handshakes.iter().min_by_key(|(_, handshake)| handshake.began).map(|(of, _)| *of);
            oldest.map(|oldest| self.handshakes.remove(&oldest));
        }
        (self.handshakes.len()..before).for_each(|_| self.counters.unfinished_handshakes.add());
        has_room
    }

    fn under_way(&mut self, from: SocketAddr, now: Instant) -> Option<&mut Handshake> {
        self.handshakes.get_mut(&from).filter(|handshake| now < handshake.began + HANDSHAKE_WITHIN)
    }

    fn exchange(&mut self, message: &Message<'_>, from: SocketAddr, now: Instant) -> Option<Event> {
        let keys = self.keys.clone();
        self.under_way(from, now)?.exchange(message, &keys).err()?;
        self.counters.unknown_identities.add();
        let handshake = self.handshakes.remove(&from)?;
        Some(Event::Send(from, handshake.alert(UNKNOWN_PSK_IDENTITY)))
    }

    fn encrypted(&mut self, record: &Record<'_>, from: SocketAddr, now: Instant, events: &mut Vec<Event>) {
        if let Some(session) = self.sessions.get_mut(&from)
            && let Some(plain) = session.open(record, now)
        {
            return events.extend(self.said(record.kind, plain, from));
        }
        let ending = self.under_way(from, now).map_or(Ending::None, |handshake| handshake.end(record));
        match ending {
            Ending::None => self.counters.unreadable_records.add(),
            Ending::Wrong(identity) => self.refuse(identity, from, events),
            Ending::Session(heritage) => self.come_in(heritage, from, now, events),
        }
    }

    /// What somebody has said in a session.
    fn said(&mut self, kind: u8, plain: Vec<u8>, from: SocketAddr) -> Option<Event> {
        let session = self.sessions.get_mut(&from)?;
        match kind {
            record::APPLICATION_DATA => {
                let (id, identity) = (session.id, session.identity.clone());
                Some(Event::Message(Peer { address: from, session: id, identity: Some(identity) }, plain))
            }
            // The end of the handshake once more: ours was lost. Keys are not changed.
            record::HANDSHAKE => {
                (plain.first() == Some(&message::FINISHED)).then(|| Event::Send(from, session.flight()))
            }
            // Neither a goodbye nor a complaint about something that cannot be mended.
            _ if !matches!(plain[..], [1, 0] | [2, _]) => None,
            _ => {
                let goodbye = session.goodbye();
                self.sessions.remove(&from);
                Some(Event::Send(from, goodbye))
            }
        }
    }

    fn refuse(&mut self, identity: Arc<str>, from: SocketAddr, events: &mut Vec<Event>) {
        self.counters.wrong_secrets.add();
        if let Some(handshake) = self.handshakes.remove(&from) {
            events.push(Event::Send(from, handshake.alert(BAD_RECORD_MAC)));
        }
        // Whoever has the right key is not spoken ill of because of somebody who has not.
        let is_in = self.sessions.values().any(|session| session.identity == identity);
        if !is_in && self.told.insert(identity.clone()) {
            events.push(Event::WrongKey(identity));
        }
    }

    fn come_in(&mut self, heritage: Heritage, from: SocketAddr, now: Instant, events: &mut Vec<Event>) {
        self.handshakes.remove(&from);
        self.sessions.remove(&from);
        let identity = heritage.identity.clone();
        self.told.remove(&identity);
        let of_identity = |session: &Session| session.identity == identity;
        if self.sessions.values().filter(|session| of_identity(session)).count() >= SESSIONS_OF_IDENTITY_MAX {
            events.extend(self.dismiss(of_identity));
        } else if self.sessions.len() >= SESSIONS_MAX {
            events.extend(self.dismiss(|_| true));
        }
        self.next_session += 1;
        self.counters.handshakes.add();
        let mut session = Session::new(self.next_session, heritage, now);
        events.push(Event::Send(from, session.flight()));
        self.sessions.insert(from, session);
    }

    /// Ends the session of these that has been silent for longest.
    fn dismiss(&mut self, is_one: impl Fn(&Session) -> bool) -> Option<Event> {
        let these = self.sessions.iter().filter(|(_, session)| is_one(session));
        let idle = these.min_by_key(|(_, session)| session.heard_at).map(|(of, _)| *of)?;
        let mut session = self.sessions.remove(&idle)?;
        self.counters.dropped_sessions.add();
        Some(Event::Send(idle, session.goodbye()))
    }
}

fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    bytes
}

#[cfg(test)]
mod tests;
