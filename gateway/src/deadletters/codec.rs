//! How dead letters become bytes.
//!
//! Layout of a block, version 1: postcard of a list of [`Stored`]; the message is a block of `edgeway-codec` of its own.

use super::Letter;
use edgeway_codec::MessageCodec;
use edgeway_journal::{Class, Codec, Decoder, Placement};
use edgeway_sdk::Timestamp;
use edgeway_thing_models::{Message, MessageId, Things};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the store holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Record {
    Letter(Letter),
    /// The letter with this number has been dealt with.
    Gone(u64),
}

#[derive(Serialize, Deserialize)]
enum Stored {
    Letter { route: Arc<str>, reason: Arc<str>, at: Timestamp, id: u128, offset: u64, message: Vec<u8> },
    Gone(u64),
}

pub(super) struct LetterCodec(MessageCodec);

impl LetterCodec {
    pub(super) fn new(things: Arc<Things>) -> Self {
        LetterCodec(MessageCodec::new(things, Box::new(|_| Placement::Disk(Class::Normal))))
    }

    fn stored(&self, record: &Record) -> Stored {
        match record {
            Record::Gone(number) => Stored::Gone(*number),
            Record::Letter(letter) => {
                let mut message = vec![];
                self.0.encode(std::slice::from_ref(&letter.message), &mut message);
                let Letter { route, reason, at, id, offset, .. } = letter.clone();
                Stored::Letter { route, reason, at, id: id.to_u128(), offset, message }
            }
        }
    }
}

impl Codec for LetterCodec {
    type Item = Record;

    fn preamble(&self) -> Vec<u8> {
        self.0.preamble()
    }

    fn placement(&self, _: &Record) -> Placement {
        Placement::Disk(Class::Normal)
    }

    fn size_hint(&self, record: &Record) -> usize {
        match record {
            Record::Letter(letter) => 64 + letter.reason.len() + self.0.size_hint(&letter.message),
            Record::Gone(_) => 8,
        }
    }

    fn encode(&self, records: &[Arc<Record>], out: &mut Vec<u8>) {
        let stored: Vec<Stored> = records.iter().map(|record| self.stored(record)).collect();
        postcard::to_io(&stored, out).expect("letters serialise to memory");
    }

    fn decoder(&self, preamble: &[u8]) -> Result<Box<dyn Decoder<Record>>, String> {
        Ok(Box::new(LetterDecoder(self.0.decoder(preamble)?)))
    }
}

struct LetterDecoder(Box<dyn Decoder<Message>>);

impl LetterDecoder {
    fn record(&self, stored: Stored) -> Option<Record> {
        Some(match stored {
            Stored::Gone(number) => Record::Gone(number),
            Stored::Letter { route, reason, at, id, offset, message } => {
                let message = Arc::new(self.0.decode(&message, 1)?.pop()?);
                Record::Letter(Letter { route, reason, at, id: MessageId::from_u128(id), offset, message })
            }
        })
    }
}

impl Decoder<Record> for LetterDecoder {
    fn decode(&self, bytes: &[u8], count: usize) -> Option<Vec<Record>> {
        let stored: Vec<Stored> = postcard::from_bytes(bytes).ok()?;
        let records: Option<Vec<Record>> = stored.into_iter().map(|stored| self.record(stored)).collect();
        records.filter(|records| records.len() == count)
    }

    fn decode_v1(&self, _: &[u8]) -> Option<Record> {
        None
    }
}
