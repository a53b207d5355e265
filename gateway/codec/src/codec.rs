//! The codec of one loaded site.

use crate::{block, v1};
use edgeway_journal::{Codec, Decoder, Placement};
use edgeway_sdk::Value;
use edgeway_thing_models::{Action, Body, CommandRecord, CommandState, Message, Names, Things, Translator};
use std::sync::Arc;

/// Decides where a message is kept.
type Place = Box<dyn Fn(&Message) -> Placement + Send + Sync>;

/// How the messages of one loaded site become bytes, and where they are kept.
pub struct MessageCodec {
    things: Arc<Things>,
    preamble: Vec<u8>,
    placement: Place,
}

impl MessageCodec {
    /// A codec for messages about these things. `placement` is asked once for each message, on the thread that appends.
    pub fn new(things: Arc<Things>, placement: Place) -> Self {
        let preamble = postcard::to_stdvec(&Names::of(&things)).expect("names serialise to memory");
        MessageCodec { things, preamble, placement }
    }
}

/// The names at the head of a segment, by which [`Things::remember`] keeps what the site no longer has; `None` if they
/// were not written by a [`MessageCodec`].
pub fn names(preamble: &[u8]) -> Option<Names> {
    postcard::from_bytes(preamble).ok()
}

impl Codec for MessageCodec {
    type Item = Message;

    fn preamble(&self) -> Vec<u8> {
        self.preamble.clone()
    }

    fn placement(&self, message: &Message) -> Placement {
        (self.placement)(message)
    }

    fn size_hint(&self, message: &Message) -> usize {
        size_hint(message)
    }

    fn encode(&self, messages: &[Arc<Message>], out: &mut Vec<u8>) {
        block::encode(messages, out);
    }

    fn decoder(&self, preamble: &[u8]) -> Result<Box<dyn Decoder<Message>>, String> {
        let names = names(preamble).ok_or("the names at the head of the segment cannot be read")?;
        Ok(Box::new(MessageDecoder(Translator::new(&names, &self.things))))
    }
}

struct MessageDecoder(Translator);

impl Decoder<Message> for MessageDecoder {
    fn decode(&self, bytes: &[u8], count: usize) -> Option<Vec<Message>> {
        block::decode(bytes, count)?.into_iter().map(|message| self.0.translate(message)).collect()
    }

    fn decode_v1(&self, bytes: &[u8]) -> Option<Message> {
        self.0.translate(v1::decode(bytes)?)
    }
}

/// Bytes for times, device and the like.
const HEAD: usize = 24;
/// Bytes for an identifier, a list's length and the like.
const FIELD: usize = 4;

/// About what a message takes when it is alone in a block.
fn size_hint(message: &Message) -> usize {
    HEAD + match &message.body {
        Body::Report(report) => report.values.iter().map(|observation| value_hint(&observation.value)).sum(),
        Body::Event(event) => fields_hint(&event.output),
        Body::Status(status) => status.reason.len(),
        Body::Row(row) => {
            let columns = row.columns.iter().map(|column| column.len() + 1);
            row.query.len() + row.id.len() + columns.chain(row.values.iter().map(value_hint)).sum::<usize>()
        }
        Body::Firing(firing) => {
            let chain = firing.chain.iter().map(|scene| scene.len() + 1);
            firing.scene.len() + firing.cause.len() + chain.sum::<usize>()
        }
        Body::Command(record) => command_hint(record),
        Body::Notice(notice) => notice.channel.len() + notice.text.len() + notice.scene.len(),
        Body::Ledger(ledger) => ledger.consumer.len() + ledger.reason.len() + 3 * FIELD,
        Body::Balance(balance) => {
            let devices = balance.devices.iter().map(|(device, _)| device.len() + 5 * FIELD);
            balance.route.len() + 5 * FIELD + devices.sum::<usize>()
        }
    }
}

fn value_hint(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 1,
        Value::Int(_) | Value::Float(_) => 3,
        Value::Text(text) => text.len() + 1,
        Value::Bytes(bytes) => bytes.len() + 1,
        Value::Array(items) => FIELD + items.iter().map(|item| 1 + value_hint(item)).sum::<usize>(),
        Value::Struct(fields) => FIELD + fields_hint(fields),
    }
}

fn fields_hint(fields: &[(Arc<str>, Value)]) -> usize {
    fields.iter().map(|(name, value)| name.len() + 1 + value_hint(value)).sum()
}

fn command_hint(record: &CommandRecord) -> usize {
    let action = match &record.command.action {
        Action::Set { value, .. } => value_hint(value),
        Action::Invoke { input, .. } => fields_hint(input),
    };
    let result = match &record.state {
        CommandState::Applied { result } => result.as_ref().map_or(0, value_hint),
        state => state.reason().map_or(0, str::len),
    };
    HEAD + record.command.id.len() + action + result
}
