//! JSON: one object, or an array where the route gathers several messages.

use crate::value_text::append_json;
use crate::{Content, Format, Item, Payload, Unfit};
use edgeway_thing_models::Things;
use std::ops::Range;
use std::sync::Arc;

const MEDIA_TYPE: &str = "application/json";
/// What a message takes, roughly: enough that a buffer seldom grows.
const MESSAGE_BYTES: usize = 512;

/// See the file's head.
pub(crate) struct Json {
    things: Arc<Things>,
    shape: Shape,
}

enum Shape {
    Object,
    Array,
}

impl Json {
    pub(crate) fn new(things: Arc<Things>, batch_messages: usize) -> Self {
        Json { things, shape: if batch_messages > 1 { Shape::Array } else { Shape::Object } }
    }

    fn object(&self, item: &Item, at: usize) -> Result<Payload, Unfit> {
        let mut bytes = Vec::with_capacity(MESSAGE_BYTES);
        append_json(&mut bytes, &item.rendered(&self.things), at)?;
        Ok(payload(bytes, at..at + 1))
    }

    fn array(&self, items: &[Item]) -> Result<Payload, Unfit> {
        let mut bytes = Vec::with_capacity(MESSAGE_BYTES * items.len());
        for (at, item) in items.iter().enumerate() {
            bytes.push(if at == 0 { b'[' } else { b',' });
            append_json(&mut bytes, &item.rendered(&self.things), at)?;
        }
        bytes.push(b']');
        Ok(payload(bytes, 0..items.len()))
    }
}

fn payload(bytes: Vec<u8>, items: Range<usize>) -> Payload {
    Payload { topic: None, content: Content::Bytes(bytes.into(), MEDIA_TYPE), items }
}

impl Format for Json {
    fn encode(&mut self, items: &[Item]) -> Result<Vec<Payload>, Unfit> {
        match self.shape {
            Shape::Object => items.iter().enumerate().map(|(at, item)| self.object(item, at)).collect(),
            Shape::Array => Ok(vec![self.array(items)?]),
        }
    }
}
