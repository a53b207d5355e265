//! The values of a report, each with its quality and its source time.

use super::shapes::{Place, Reference};
use super::values::{Before, Kind, Values};
use crate::coder::Probability;
use crate::form::Form;
use crate::number::{Bits, Choice, Column};
use crate::stream::{Sink, Source};
use crate::unit::Unit;
use edgeway_sdk::{Quality, Timestamp};
use edgeway_thing_models::{Observation, PropertyIx};

/// What is expected of the next value.
pub(super) struct Observations {
    source_unit: Unit,
    source_times: Column,
    /// Whether type and quality are as expected: by the same device, by another one, by the value beside it.
    same_tag: [Probability; 3],
    tags: Choice<128>,
    values: Values,
    /// One for each value of the frame.
    traces: Vec<Trace>,
}

/// What a value cost: what comes to the same place in another report may cost as much.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trace {
    pub(super) source_time: Bits,
    pub(super) value: Bits,
    pub(super) form: Form,
}

/// An earlier report with the same properties.
#[derive(Clone, Copy)]
pub(super) struct Past<'a> {
    values: &'a [Observation],
    reference: Reference,
}

impl<'a> Past<'a> {
    pub(super) fn new(values: &'a [Observation], reference: Reference) -> Self {
        Past { values, reference }
    }
}

impl Observations {
    pub(super) fn new(source_unit: Unit) -> Self {
        Observations {
            source_unit,
            source_times: Column::default(),
            same_tag: Default::default(),
            tags: Choice::default(),
            values: Values::default(),
            traces: vec![],
        }
    }

    /// Where the report of this message will be.
    pub(super) fn place(&self, message: usize) -> Place {
        Place { message, value: self.traces.len() }
    }

    pub(super) fn encode(&mut self, time: Timestamp, all: &[Observation], past: Option<Past<'_>>, sink: &mut Sink) {
        let mut source_time = self.source_unit.count(time);
        let mut tag = Tag::default();
        for (at, observation) in all.iter().enumerate() {
            let before = self.before(past, at);
            tag = self.encode_tag(Tag::of(observation), tag, before, sink);
            let now = self.source_unit.count(observation.source_time);
            let column = self.source_times.after(before.map(|before| before.trace.source_time));
            let bits = column.encode(now.wrapping_sub(source_time), sink);
            source_time = now;
            let (value, form) = self.values.encode(&observation.value, before, sink);
            self.traces.push(Trace { source_time: bits, value, form });
        }
    }

    pub(super) fn decode(
        &mut self,
        time: Timestamp,
        properties: &[PropertyIx],
        past: Option<Past<'_>>,
        source: &mut Source<'_>,
    ) -> Option<Vec<Observation>> {
        let mut source_time = self.source_unit.count(time);
        let mut tag = Tag::default();
        let mut all = Vec::with_capacity(properties.len());
        for (at, property) in properties.iter().enumerate() {
            let before = self.before(past, at);
            tag = self.decode_tag(tag, before, source);
            let column = self.source_times.after(before.map(|before| before.trace.source_time));
            let (difference, bits) = column.decode(source);
            source_time = source_time.wrapping_add(difference);
            let (kind, quality) = tag.parts()?;
            let (value, trace, form) = self.values.decode(kind, before, source)?;
            self.traces.push(Trace { source_time: bits, value: trace, form });
            let source_time = self.source_unit.time(source_time);
            all.push(Observation { property: *property, value, quality, source_time });
        }
        Some(all)
    }

    /// What stood at this place in the past.
    #[inline]
    fn before<'a>(&self, past: Option<Past<'a>>, at: usize) -> Option<Before<'a>> {
        let past = past?;
        let Reference { place, kin } = past.reference;
        Some(Before { observation: past.values.get(at)?, trace: *self.traces.get(place.value + at)?, kin })
    }

    #[inline]
    fn encode_tag(&mut self, tag: Tag, beside: Tag, before: Option<Before<'_>>, sink: &mut Sink) -> Tag {
        let (expected, same) = self.expect_tag(beside, before);
        sink.bit(same, tag == expected);
        if tag != expected {
            self.tags.encode(usize::from(tag.0), sink);
        }
        tag
    }

    #[inline]
    fn decode_tag(&mut self, beside: Tag, before: Option<Before<'_>>, source: &mut Source<'_>) -> Tag {
        let (expected, same) = self.expect_tag(beside, before);
        if source.bit(same) { expected } else { Tag(self.tags.decode(source) as u8) }
    }

    #[inline]
    fn expect_tag(&mut self, beside: Tag, before: Option<Before<'_>>) -> (Tag, &mut Probability) {
        match before {
            Some(before) => (Tag::of(before.observation), &mut self.same_tag[before.kin as usize]),
            None => (beside, &mut self.same_tag[2]),
        }
    }
}

/// Quality and type of a value: `quality * 8 + kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tag(u8);

/// A good number.
impl Default for Tag {
    fn default() -> Self {
        Tag(Quality::Good.number() << 3 | Kind::Float as u8)
    }
}

impl Tag {
    #[inline]
    fn of(observation: &Observation) -> Self {
        Tag(observation.quality.number() << 3 | Kind::of(&observation.value) as u8)
    }

    #[inline]
    fn parts(self) -> Option<(Kind, Quality)> {
        Some((Kind::from_code(self.0 & 7)?, Quality::from_number(self.0 >> 3)?))
    }
}
