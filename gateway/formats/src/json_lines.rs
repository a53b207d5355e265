//! JSON lines: one object a line, each line ended.

use crate::value_text::append_json;
use crate::{Content, Format, Item, Payload, Unfit};
use edgeway_thing_models::Things;
use std::sync::Arc;

const MEDIA_TYPE: &str = "application/x-ndjson";
/// What a message takes, roughly: enough that a buffer seldom grows.
const MESSAGE_BYTES: usize = 512;

/// See the file's head.
pub(crate) struct JsonLines {
    things: Arc<Things>,
}

impl JsonLines {
    pub(crate) fn new(things: Arc<Things>) -> Self {
        JsonLines { things }
    }
}

impl Format for JsonLines {
    fn encode(&mut self, items: &[Item]) -> Result<Vec<Payload>, Unfit> {
        let mut bytes = Vec::with_capacity(MESSAGE_BYTES * items.len());
        for (at, item) in items.iter().enumerate() {
            append_json(&mut bytes, &item.rendered(&self.things), at)?;
            bytes.push(b'\n');
        }
        let content = Content::Bytes(bytes.into(), MEDIA_TYPE);
        Ok(vec![Payload { topic: None, content, items: 0..items.len() }])
    }
}
