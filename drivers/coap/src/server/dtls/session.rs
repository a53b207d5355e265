//! A session: the keys that a handshake has brought, and what has come with them. Pure.

use super::cipher::Cipher;
use super::record::{self, Record};
use super::window::Window;
use std::sync::Arc;
use tokio::time::Instant;

/// The warning that says goodbye (RFC 5246 section 7.2.1).
const CLOSE_NOTIFY: [u8; 2] = [1, 0];

pub(super) struct Session {
    /// Whose key it is.
    pub(super) identity: Arc<str>,
    /// No other session has it, whatever its address.
    pub(super) id: u64,
    pub(super) heard_at: Instant,
    cipher: Cipher,
    come: Window,
    next_record: u64,
    /// The end of the handshake, for who has not got it.
    finished: Vec<u8>,
    next_in_the_clear: u64,
}

/// What a handshake leaves to its session.
pub(super) struct Heritage {
    pub(super) identity: Arc<str>,
    pub(super) cipher: Cipher,
    /// The message that ends the handshake.
    pub(super) finished: Vec<u8>,
    /// The record with which the other end has ended it.
    pub(super) last_record: u64,
    pub(super) next_in_the_clear: u64,
}

impl Session {
    pub(super) fn new(id: u64, heritage: Heritage, now: Instant) -> Self {
        let Heritage { identity, cipher, finished, last_record, next_in_the_clear } = heritage;
        let mut come = Window::default();
        come.add(last_record);
        Session { identity, id, heard_at: now, cipher, come, next_record: 0, finished, next_in_the_clear }
    }

    /// What is in a record that comes for the first time; `None` if it is not of this session.
    pub(super) fn open(&mut self, record: &Record<'_>, now: Instant) -> Option<Vec<u8>> {
        let plain =
            Some(record).filter(|record| self.come.is_new(record.number)).and_then(|one| self.cipher.open(one))?;
        self.come.add(record.number);
        self.heard_at = now;
        Some(plain)
    }

    pub(super) fn seal(&mut self, kind: u8, plain: &[u8]) -> Vec<u8> {
        let number = self.next_record;
        self.next_record += 1;
        self.cipher.seal(kind, number, plain)
    }

    /// The last flight of the handshake.
    pub(super) fn flight(&mut self) -> Vec<u8> {
        let mut flight = record::write(record::CHANGE_CIPHER_SPEC, record::DTLS_1_2, self.next_in_the_clear, &[1]);
        self.next_in_the_clear += 1;
        let finished = self.finished.clone();
        flight.extend(self.seal(record::HANDSHAKE, &finished));
        flight
    }

    pub(super) fn goodbye(&mut self) -> Vec<u8> {
        self.seal(record::ALERT, &CLOSE_NOTIFY)
    }
}
