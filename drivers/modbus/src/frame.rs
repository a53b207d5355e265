//! What stands around a question or an answer on the wire. Pure.

mod ascii;
mod mbap;
mod rtu;

use crate::config::Framing;

/// What the beginning of the received bytes is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Perhaps the beginning of a frame.
    More,
    /// A frame that is whole.
    Frame(Frame),
    /// Nothing that could become one.
    Garbage(&'static str),
}

/// A frame that was received.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The number of the transaction; 0 where frames have none.
    pub(crate) transaction: u16,
    /// Who speaks.
    pub(crate) unit: u8,
    /// A function and its data.
    pub(crate) pdu: Vec<u8>,
    /// How many bytes of what was received it took, noise before it included.
    pub(crate) length: usize,
}

/// Of what is expected next: from whom, and of which function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) unit: u8,
    pub(crate) function: u8,
}

impl Framing {
    /// Appends a frame.
    pub(crate) fn encode(self, transaction: u16, unit: u8, pdu: &[u8], out: &mut Vec<u8>) {
        match self {
            Framing::Tcp => mbap::encode(transaction, unit, pdu, out),
            Framing::Rtu => rtu::encode(unit, pdu, out),
            Framing::Ascii => ascii::encode(unit, pdu, out),
        }
    }

    /// Looks for a frame at the beginning of what was received.
    pub(crate) fn decode(self, received: &[u8], expected: Expected) -> Found {
        match self {
            Framing::Tcp => mbap::decode(received),
            Framing::Rtu => rtu::decode(received, expected),
            Framing::Ascii => ascii::decode(received),
        }
    }

    /// How many characters a frame has with so many bytes of a PDU.
    pub(crate) fn characters(self, pdu: usize) -> usize {
        match self {
            Framing::Tcp => pdu + 7,
            Framing::Rtu => pdu + 3,
            Framing::Ascii => 2 * (pdu + 2) + 3,
        }
    }
}
