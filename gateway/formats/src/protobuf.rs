//! Protobuf: one `edgeway.v1.Batch` in each payload. The schema is `edgeway.proto` beside the package's `Cargo.toml`.

mod body;
mod schema;
mod value;

use crate::{Content, Format, Item, Payload, Unfit};
use edgeway_thing_models::{ClockState, Things};
use prost::Message as _;
use std::sync::Arc;

const MEDIA_TYPE: &str = "application/x-protobuf";

/// See the file's head.
pub(crate) struct Protobuf {
    things: Arc<Things>,
}

impl Protobuf {
    pub(crate) fn new(things: Arc<Things>) -> Self {
        Protobuf { things }
    }

    fn message(&self, item: &Item) -> schema::Message {
        schema::Message {
            id: item.id.to_u128().to_be_bytes().to_vec(),
            subject: item.message.subject(&self.things),
            time_ms: item.message.time.as_millis(),
            clock: clock(item.clock).into(),
            body: Some(match &item.selected {
                Some(selected) => schema::Body::Selected(value::columns(&selected.columns, &selected.values)),
                None => body::of(&item.message.body, &self.things),
            }),
        }
    }
}

fn clock(clock: ClockState) -> schema::Clock {
    match clock {
        ClockState::Set => schema::Clock::Set,
        ClockState::Unset => schema::Clock::Unset,
        ClockState::Corrected => schema::Clock::Corrected,
    }
}

impl Format for Protobuf {
    fn encode(&mut self, items: &[Item]) -> Result<Vec<Payload>, Unfit> {
        let batch = schema::Batch { messages: items.iter().map(|item| self.message(item)).collect() };
        let content = Content::Bytes(batch.encode_to_vec().into(), MEDIA_TYPE);
        Ok(vec![Payload { topic: None, content, items: 0..items.len() }])
    }
}
