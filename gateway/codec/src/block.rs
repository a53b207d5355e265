//! All messages of a frame as one block.

mod budget;
mod floats;
mod lane;
mod nesting;
mod observations;
mod reports;
mod shapes;
mod values;

use crate::coder::Probability;
use crate::number::Number;
use crate::stream::{Sink, Source};
use crate::unit::Unit;
use budget::Budget;
use edgeway_thing_models::{Body, Message, Report};
use reports::Reports;
use std::sync::Arc;

/// In the lower half of the first byte of a block.
const VERSION: u8 = 2;

/// Appends the block of these messages.
pub(crate) fn encode(messages: &[Arc<Message>], out: &mut Vec<u8>) {
    let start = out.len();
    let units = Units::of(messages);
    out.push(VERSION | units.code() << 4);
    let (mut model, mut sink) = (Model::new(units), Sink::new());
    for at in 0..messages.len() {
        model.encode(messages, at, &mut sink);
    }
    sink.finish(out);
    out.resize(out.len().max(start + budget::length_min(messages)), 0);
}

/// The `count` messages of a block; `None` if these bytes are not exactly that.
pub(crate) fn decode(block: &[u8], count: usize) -> Option<Vec<Message>> {
    let (head, body) = block.split_first().filter(|(head, _)| *head & 15 == VERSION)?;
    let (mut model, mut source) = (Model::new(Units::from_code(head >> 4)), Source::new(body)?);
    let mut budget = Budget::of(block.len());
    budget.messages(count)?;
    let mut messages = Vec::with_capacity(count);
    for _ in 0..count {
        let message = model.decode(&messages, &mut source, &mut budget)?;
        messages.push(message);
        if source.is_short() {
            return None;
        }
    }
    let padding = source.finish()?;
    budget.is_padding(padding, block.len()).then_some(messages)
}

/// The units of the two columns of times.
#[derive(Debug, Clone, Copy)]
struct Units {
    message: Unit,
    source: Unit,
}

impl Units {
    fn of(messages: &[Arc<Message>]) -> Self {
        let source_times = messages.iter().filter_map(|message| report(message)).flat_map(|report| &report.values);
        Units {
            message: Unit::of(messages.iter().map(|message| message.time)),
            source: Unit::of(source_times.map(|observation| observation.source_time)),
        }
    }

    fn code(self) -> u8 {
        self.message.code() | self.source.code() << 2
    }

    fn from_code(code: u8) -> Self {
        Units { message: Unit::from_code(code), source: Unit::from_code(code >> 2) }
    }
}

/// What is expected of the next message.
struct Model {
    unit: Unit,
    /// The time of the last message, in units.
    time: i64,
    times: Number,
    /// Whether the last message was a report.
    was_report: bool,
    /// Whether a message is a report: after another message, after a report.
    is_report: [Probability; 2],
    reports: Reports,
}

impl Model {
    fn new(units: Units) -> Self {
        Model {
            unit: units.message,
            time: 0,
            times: Number::default(),
            was_report: true,
            is_report: Default::default(),
            reports: Reports::new(units.source),
        }
    }

    fn encode(&mut self, messages: &[Arc<Message>], at: usize, sink: &mut Sink) {
        let message = &messages[at];
        let report = report(message);
        sink.bit(&mut self.is_report[usize::from(self.was_report)], report.is_some());
        self.was_report = report.is_some();
        let time = self.unit.count(message.time);
        self.times.encode(time.wrapping_sub(self.time), sink);
        self.time = time;
        match report {
            Some(_) => self.reports.encode(messages, at, sink),
            None => postcard::to_io(&*nesting::of_body(&message.body), &mut sink.bytes)
                .map(drop)
                .expect("messages serialise to memory"),
        }
    }

    fn decode(&mut self, before: &[Message], source: &mut Source<'_>, budget: &mut Budget) -> Option<Message> {
        self.was_report = source.bit(&mut self.is_report[usize::from(self.was_report)]);
        self.time = self.time.wrapping_add(self.times.decode(source).0);
        let time = self.unit.time(self.time);
        let body = if self.was_report {
            Body::Report(self.reports.decode(time, before, source, budget)?)
        } else {
            let (body, rest) = postcard::take_from_bytes(source.bytes).ok()?;
            source.bytes = rest;
            body
        };
        Some(Message { time, body })
    }
}

fn report(message: &Message) -> Option<&Report> {
    match &message.body {
        Body::Report(report) => Some(report),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
