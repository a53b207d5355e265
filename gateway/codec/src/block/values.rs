//! Values by type.

use super::floats::Floats;
use super::lane::{Earlier, Lane};
use super::nesting;
use super::observations::Trace;
use super::shapes::Kin;
use crate::coder::Probability;
use crate::form::Form;
use crate::length;
use crate::number::Bits;
use crate::stream::{Sink, Source};
use edgeway_sdk::Value;
use edgeway_thing_models::Observation;

/// What kind of value it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null = 0,
    Bool = 1,
    Int = 2,
    Float = 3,
    Text = 4,
    Bytes = 5,
    /// An array or a struct.
    Nested = 6,
}

impl Kind {
    #[inline]
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Kind::Null,
            Value::Bool(_) => Kind::Bool,
            Value::Int(_) => Kind::Int,
            Value::Float(_) => Kind::Float,
            Value::Text(_) => Kind::Text,
            Value::Bytes(_) => Kind::Bytes,
            Value::Array(_) | Value::Struct(_) => Kind::Nested,
        }
    }

    #[inline]
    pub(super) fn from_code(code: u8) -> Option<Self> {
        const ALL: [Kind; 7] = [Kind::Null, Kind::Bool, Kind::Int, Kind::Float, Kind::Text, Kind::Bytes, Kind::Nested];
        ALL.get(usize::from(code)).copied()
    }
}

/// What stood at the same place before.
#[derive(Clone, Copy)]
pub(super) struct Before<'a> {
    pub(super) observation: &'a Observation,
    pub(super) trace: Trace,
    pub(super) kin: Kin,
}

impl<'a> Before<'a> {
    fn value(&self) -> &'a Value {
        &self.observation.value
    }
}

/// What is expected of the next value of each type.
#[derive(Default)]
pub(super) struct Values {
    /// After nothing, after false, after true.
    bools: [Probability; 3],
    ints: Lane,
    floats: Floats,
    /// Whether a text or bytes are those that stood there before.
    repeated: Probability,
}

impl Values {
    /// Returns what it cost, if it was a number.
    #[inline]
    pub(super) fn encode(&mut self, value: &Value, before: Option<Before<'_>>, sink: &mut Sink) -> (Bits, Form) {
        match value {
            Value::Float(number) => return self.floats.encode(*number, before, sink),
            Value::Int(number) => return (self.ints.encode(*number, earlier_int(before), sink), NO_FORM),
            Value::Bool(bit) => sink.bit(self.bool_after(before), *bit),
            Value::Null => {}
            Value::Text(text) => {
                let repeated = matches!(value_of(before), Some(Value::Text(old)) if old == text);
                self.encode_bytes(text.as_bytes(), repeated, sink);
            }
            Value::Bytes(bytes) => {
                let repeated = matches!(value_of(before), Some(Value::Bytes(old)) if old == bytes);
                self.encode_bytes(bytes, repeated, sink);
            }
            Value::Array(_) | Value::Struct(_) => {
                postcard::to_io(&*nesting::of_value(value), &mut sink.bytes).map(drop).expect("values go to memory");
            }
        }
        (0, NO_FORM)
    }

    #[inline]
    pub(super) fn decode(
        &mut self,
        kind: Kind,
        before: Option<Before<'_>>,
        source: &mut Source<'_>,
    ) -> Option<(Value, Bits, Form)> {
        let value = match kind {
            Kind::Float => return self.floats.decode(before, source),
            Kind::Int => {
                let (number, bits) = self.ints.decode(earlier_int(before), source);
                return Some((Value::Int(number), bits, NO_FORM));
            }
            Kind::Bool => Value::Bool(source.bit(self.bool_after(before))),
            Kind::Null => Value::Null,
            Kind::Text | Kind::Bytes => self.decode_bytes(kind, value_of(before), source)?,
            Kind::Nested => decode_nested(source)?,
        };
        Some((value, 0, NO_FORM))
    }

    fn bool_after(&mut self, before: Option<Before<'_>>) -> &mut Probability {
        match value_of(before) {
            Some(Value::Bool(bit)) => &mut self.bools[1 + usize::from(*bit)],
            _ => &mut self.bools[0],
        }
    }

    fn encode_bytes(&mut self, bytes: &[u8], repeated: bool, sink: &mut Sink) {
        sink.bit(&mut self.repeated, repeated);
        if !repeated {
            length::write(bytes.len(), &mut sink.bytes);
            sink.bytes.extend_from_slice(bytes);
        }
    }

    fn decode_bytes(&mut self, kind: Kind, before: Option<&Value>, source: &mut Source<'_>) -> Option<Value> {
        if source.bit(&mut self.repeated) {
            return before.filter(|value| Kind::of(value) == kind).cloned();
        }
        let length = length::read(&mut source.bytes)?;
        let bytes = source.take(length)?;
        match kind {
            Kind::Text => Some(Value::Text(std::str::from_utf8(bytes).ok()?.into())),
            _ => Some(Value::Bytes(bytes.into())),
        }
    }
}

/// The form noted for what is no floating-point number.
pub(super) const NO_FORM: Form = Form::Decimal(0);

fn value_of<'a>(before: Option<Before<'a>>) -> Option<&'a Value> {
    before.map(|before| before.value())
}

fn earlier_int(before: Option<Before<'_>>) -> Option<Earlier> {
    let before = before?;
    match before.value() {
        Value::Int(number) => Some(Earlier { number: *number, bits: before.trace.value, kin: before.kin }),
        _ => None,
    }
}

fn decode_nested(source: &mut Source<'_>) -> Option<Value> {
    let (value, rest) = postcard::take_from_bytes(source.bytes).ok()?;
    source.bytes = rest;
    matches!(value, Value::Array(_) | Value::Struct(_)).then_some(value)
}
