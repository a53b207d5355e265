//! For fuzzing: what is read of what a stranger sends. Not an API.

use crate::codec::{Answer, links};
use coap_lite::Packet;

/// Reads a datagram as an answer.
pub fn answer(datagram: &[u8]) {
    if let Ok(packet) = Packet::from_bytes(datagram) {
        let _ = Answer::read(packet);
    }
}

/// Reads a list of links.
pub fn links(text: &str) {
    links::read(text);
}
