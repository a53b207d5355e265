//! A handshake under way, with a client that has shown that it is where it says (RFC 6347 section 4.2, RFC 4279 section 2). Pure.
//!
//! It never repeats itself unasked: until a handshake has ended it is always the client that waits for something, and asks again.

use super::cipher::{Cipher, Master, Suite};
use super::keyring::Keyring;
use super::message::{self, EXTENDED_MASTER_SECRET, Hello, Message, RENEGOTIATION_INFO};
use super::record::{self, DTLS_1_2, Record};
use super::session::Heritage;
use std::sync::Arc;
use tokio::time::Instant;

/// What is told to somebody who is refused (RFC 5246 section 7.2).
pub(super) const BAD_RECORD_MAC: u8 = 20;
const HANDSHAKE_FAILURE: u8 = 40;
const PROTOCOL_VERSION: u8 = 70;
pub(super) const UNKNOWN_PSK_IDENTITY: u8 = 115;

pub(super) struct Handshake {
    pub(super) began: Instant,
    client: [u8; 32],
    server: [u8; 32],
    suite: Suite,
    is_extended: bool,
    /// The number of the client's hello, from which all others follow.
    first: u16,
    /// All messages so far.
    messages: Vec<u8>,
    /// What is said to the hello.
    answer: [Vec<u8>; 2],
    next_record: u64,
    agreed: Option<Agreed>,
}

/// What there is when the client has said which key it has.
struct Agreed {
    identity: Arc<str>,
    master: Master,
    cipher: Cipher,
}

/// What the client's last message makes of a handshake.
pub(super) enum Ending {
    /// It was not that.
    None,
    /// It was made with another key than the one of this name.
    Wrong(Arc<str>),
    Session(Heritage),
}

impl Handshake {
    /// Begins with a hello that has its cookie; `number` is that of its record, from which ours have to be counted.
    ///
    /// # Errors
    /// The alert, if there is no common ground.
    pub(super) fn begin(
        (message, hello): (&Message<'_>, &Hello<'_>),
        number: u64,
        server: [u8; 32],
        now: Instant,
    ) -> Result<Self, u8> {
        // Higher versions have lower numbers.
        let [254, 0..=253] = hello.version else { return Err(PROTOCOL_VERSION) };
        let suite = Suite::choose(&hello.suites).ok_or(HANDSHAKE_FAILURE)?;
        let answer = [
            message::write(message::SERVER_HELLO, message.number, &server_hello(hello, suite, &server)),
            message::write(message::SERVER_HELLO_DONE, message.number.wrapping_add(1), &[]),
        ];
        Ok(Handshake {
            began: now,
            client: hello.random,
            server,
            suite,
            is_extended: hello.has(EXTENDED_MASTER_SECRET),
            first: message.number,
            messages: [message.whole, &answer[0], &answer[1]].concat(),
            answer,
            next_record: number,
            agreed: None,
        })
    }

    /// Whether it has begun with this hello.
    pub(super) fn is_of(&self, hello: &Hello<'_>) -> bool {
        self.client == hello.random
    }

    /// What is said to the hello, each time in new records.
    pub(super) fn flight(&mut self) -> Vec<u8> {
        let mut flight = vec![];
        for message in &self.answer {
            flight.extend(record::write(record::HANDSHAKE, DTLS_1_2, self.next_record, message));
            self.next_record += 1;
        }
        flight
    }

    /// An alert, which ends it.
    pub(super) fn alert(&self, description: u8) -> Vec<u8> {
        fatal(description, self.next_record)
    }

    /// Takes the name of the client's key. What comes again changes nothing.
    ///
    /// # Errors
    /// If nobody has such a key.
    pub(super) fn exchange(&mut self, message: &Message<'_>, keys: &Keyring) -> Result<(), ()> {
        if self.agreed.is_some() || message.number != self.first.wrapping_add(1) {
            return Ok(());
        }
        let (identity, key) = message::identity(message.body).and_then(|identity| keys.find(identity)).ok_or(())?;
        self.messages.extend(message.whole);
        let master = match self.is_extended {
            true => Master::of_messages(key, &self.messages),
            false => Master::of_randoms(key, &self.client, &self.server),
        };
        let cipher = Cipher::new(self.suite, &master, &self.client, &self.server);
        self.agreed = Some(Agreed { identity, master, cipher });
        Ok(())
    }

    /// Takes an encrypted record: the client's proof that it has the key and has seen the same messages.
    pub(super) fn end(&mut self, record: &Record<'_>) -> Ending {
        let Some(agreed) = self.agreed.take_if(|_| record.kind == record::HANDSHAKE) else { return Ending::None };
        let Some(last) = self.proof(&agreed, record) else { return Ending::Wrong(agreed.identity) };
        self.messages.extend(last);
        let proof = agreed.master.proof(b"server finished", &self.messages);
        Ending::Session(Heritage {
            finished: message::write(message::FINISHED, self.first.wrapping_add(2), &proof),
            identity: agreed.identity,
            cipher: agreed.cipher,
            last_record: record.number,
            next_in_the_clear: self.next_record,
        })
    }

    /// The client's last message, if it proves what it should.
    fn proof(&self, agreed: &Agreed, record: &Record<'_>) -> Option<Vec<u8>> {
        let plain = agreed.cipher.open(record)?;
        let [last] = message::read(&plain)?[..] else { return None };
        let proof = agreed.master.proof(b"client finished", &self.messages);
        // Whoever gets as far as here has the key already: it does not matter how long this takes.
        let is_proof = (last.kind, last.number, last.body) == (message::FINISHED, self.first.wrapping_add(2), &proof);
        is_proof.then(|| last.whole.to_vec())
    }
}

/// An alert in the clear, which ends a handshake.
pub(super) fn fatal(description: u8, number: u64) -> Vec<u8> {
    record::write(record::ALERT, DTLS_1_2, number, &[2, description])
}

fn server_hello(hello: &Hello<'_>, suite: Suite, random: &[u8; 32]) -> Vec<u8> {
    let mut body = DTLS_1_2.to_vec();
    body.extend(random);
    // No session that could be taken up again, the suite, and no compression.
    body.push(0);
    body.extend(suite.number().to_be_bytes());
    body.push(0);
    let mut extensions = vec![];
    if hello.has(RENEGOTIATION_INFO) {
        extensions.extend([0xFF, 1, 0, 1, 0]);
    }
    if hello.has(EXTENDED_MASTER_SECRET) {
        extensions.extend([0, 23, 0, 0]);
    }
    if !extensions.is_empty() {
        body.extend([0, extensions.len() as u8]);
        body.extend(extensions);
    }
    body
}
